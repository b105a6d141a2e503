import Testing

@testable import Model

@Suite struct SpellingTests {
    static let known = ["healthCheckPath", "healthCheckPort", "port", "name", "targets"]

    static let cases: [(String, String?)] = [
        ("healthCheckPth", "healthCheckPath"), ("health-check-path", "healthCheckPath"),
        ("HEALTHCHECKPORT", "healthCheckPort"),
        ("prot", "port"), ("nmae", "name"), ("target", "targets"), ("x", nil), ("", nil), ("listeners", nil),
        (String(repeating: "port", count: 100), nil),
    ]

    @Test(arguments: cases) func findsTheWordThatWasMeant(_ word: String, _ meant: String?) {
        #expect(Spelling.nearest(to: word, among: Self.known) == meant)
    }

    @Test func countsEdits() {
        #expect(Spelling.distance(Array("kitten"), Array("sitting")) == 3)
        #expect(Spelling.distance(Array("ab"), Array("ba")) == 1)
        #expect(Spelling.distance([], Array("abc")) == 3)
        #expect(Spelling.distance(Array("abc"), []) == 3)
    }
}
