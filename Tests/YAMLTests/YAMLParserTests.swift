import Testing

@testable import YAML

@Suite struct YAMLParserTests {
    /// What the events of a text are, without their places.
    private func kinds(_ text: String) throws(YAMLError) -> [YAMLEvent.Kind] {
        let parser = YAMLParser(Array(text.utf8))
        var kinds: [YAMLEvent.Kind] = []
        while kinds.last != .endOfText { kinds.append(try parser.next().kind) }
        return kinds
    }

    static let texts: [(String, [YAMLEvent.Kind])] = [
        ("", []), ("# nothing\n", []), ("---\n", [.document, .scalar("", isPlain: true)]),
        ("a", [.document, .scalar("a", isPlain: true)]), ("'a'", [.document, .scalar("a", isPlain: false)]),
        ("\"a\\0b\"", [.document, .scalar("a\0b", isPlain: false)]),
        ("|\n  a\n  b\n", [.document, .scalar("a\nb\n", isPlain: false)]),
        ("[]", [.document, .sequence, .end]), ("{}", [.document, .mapping, .end]),
        (
            "a: [1, *x]\nb:\n",
            [
                .document, .mapping, .scalar("a", isPlain: true), .sequence, .scalar("1", isPlain: true), .alias("x"),
                .end, .scalar("b", isPlain: true), .scalar("", isPlain: true), .end,
            ]
        ),
        ("a\n---\nb\n", [.document, .scalar("a", isPlain: true), .document, .scalar("b", isPlain: true)]),
    ]

    @Test(arguments: texts) func givesTheEvents(_ text: String, _ expected: [YAMLEvent.Kind]) throws {
        #expect(try kinds(text) == expected + [.endOfText])
    }

    @Test func eventsHavePlacesAnchorsAndTags() throws {
        let parser = YAMLParser(Array("é: &x !!str 1\n".utf8))
        let events = try (0..<4).map { _ in try parser.next() }
        #expect(events[2].start == YAMLPlace(index: 0, line: 1, column: 1))
        #expect(events[2].end == YAMLPlace(index: 1, line: 1, column: 2))
        #expect(events[3].anchor == "x" && events[3].tag == "tag:yaml.org,2002:str")
        #expect(events[3].start == YAMLPlace(index: 3, line: 1, column: 4))
        #expect(events[2].anchor == nil && events[2].tag == nil)
    }

    static let mistakes: [(String, YAMLError)] = [
        (
            "a: 1\n b: 2",
            YAMLError(
                problem: "mapping values are not allowed in this context",
                place: YAMLPlace(index: 7, line: 2, column: 3), contextPlace: nil)
        ),
        (
            "a: *",
            YAMLError(
                problem: "did not find expected alphabetic or numeric character",
                place: YAMLPlace(index: 4, line: 1, column: 5), contextPlace: YAMLPlace(index: 3, line: 1, column: 4))
        ),
        ("a: \u{1}", YAMLError(problem: "control characters are not allowed", place: nil, contextPlace: nil)),
    ]

    @Test(arguments: mistakes) func saysWhatIsWrong(_ text: String, _ error: YAMLError) {
        #expect(throws: error) { try kinds(text) }
    }

    /// Nothing is built while events are read, however deep they nest.
    @Test func deepTextsAreReadPieceByPiece() throws {
        let parser = YAMLParser(Array(String(repeating: "[", count: 100_000).utf8))
        #expect(try parser.next().kind == .document)
        for _ in 0..<100 { #expect(try parser.next().kind == .sequence) }
    }
}
