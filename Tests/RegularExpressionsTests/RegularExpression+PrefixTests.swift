import Testing

@testable import RegularExpressions

@Suite struct RegularExpressionPrefixTests {
    @Test(arguments: [
        ("^/api/v[0-9]+$", "/api/v"), ("^/a", "/a"), ("^/ab*c", "/a"), ("^/ab?", "/a"), ("^/ab{2}", "/a"),
        ("^/ab+", "/a"), ("^/a|/b", ""), ("^/(a|b)", ""), ("/api", ""), ("^\\Q/a\\E", ""), ("^(?i)/a", ""), ("^", ""),
        ("^/a.b", "/a"), ("^/a\\.b", "/a.b"), ("^/a\\.?b", "/a"), ("^/a\\d", "/a"), ("^a\\{2}", "a{2"), ("(^/a)", ""),
        ("^/a#b", "/a"), ("^/ab\\E*", "/a"), ("^/ab(?#x)?", "/a"), ("^/ab\\Q\\E{0}", "/a"), ("^^/a", ""),
    ])
    func isReadOffThePattern(_ pattern: String, _ prefix: String) throws {
        let expression = try RegularExpression(pattern, ignoresCase: false)
        #expect(String(decoding: expression.prefix, as: UTF8.self) == prefix)
        #expect(RegularExpression(copying: expression).prefix == expression.prefix)
    }

    /// A text is found with the prefix where it is found without: an alternative that never matches takes the prefix
    /// away.
    @Test(
        arguments: [
            "^/api/v[0-9]+$", "^/ab*c", "^/ab?", "^/ab{2}", "^/AB+", "^A-b", "^", "^/a.b", "^/a(?=b)", "^/aa{0}b",
            "^/a\\-?b", "^/a\\E*b", "^/a(?#x)?b", "^/a\\Q\\E?b", "^/a\\Q\\E{0}b",
        ], [false, true])
    func doesNotChangeWhatIsFound(_ pattern: String, _ ignoresCase: Bool) throws {
        let expression = try RegularExpression(pattern, ignoresCase: ignoresCase)
        let plain = try RegularExpression("\(pattern)|^\\x00never", ignoresCase: ignoresCase)
        #expect(plain.prefix.isEmpty)
        let space = MatchSpace()
        for text in [
            "", "/", "/a", "/A", "/ab", "/ABB", "/abb", "/abc", "/ac", "a-b", "A-B", "/api/v1", "/API/V12", "/api/v",
            "x/a", "/b",
        ] {
            let bytes = Array(text.utf8)
            #expect(
                expression.search(bytes.span, in: space) == plain.search(bytes.span, in: space), "\(pattern) \(text)")
        }
    }
}
