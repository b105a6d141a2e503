import Testing

@testable import RegularExpressions

@Suite struct PatternSampleTests {
    /// Each part as before, what is repeated, and after.
    @Test(arguments: [
        ("ab", ["|a|b", "a|b|"]),
        ("^/v[0-9]+$", ["|/|v0", "/|v|0", "/v|0|"]),
        ("x(a|b)y", ["|x|ay", "x|a|y", "x|b|y", "x|ab|y", "x|a|y", "xa|y|"]),
        ("\\d{2,3}[^a]\\.", ["|1|0.", "1|0|.", "10|.|"]),
        ("(?:a)(?<n>b)(?=c)", ["|a|bc", "|a|bc", "a|b|c", "a|b|c", "ab|c|", "ab|c|"]),
        ("[]a]{", ["|]|{", "]|{|"]), ("(a", ["|a|", "|a|"]), ("a)b", ["|a|b", "a|b|"]), ("[", ["|a|"]), ("\\", []),
    ])
    func isCutIntoItems(_ pattern: String, _ parts: [String]) {
        let found = PatternSample(pattern).parts.map { part in
            [part.before, part.text, part.after].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
        }
        #expect(found == parts)
    }
}
