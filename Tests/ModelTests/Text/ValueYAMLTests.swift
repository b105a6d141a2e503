import Testing

@testable import Model

@Suite struct ValueYAMLTests {
    static let scalars: [(String, Value)] = [
        ("8080", 8080), ("\"8080\"", "8080"), ("'8080'", "8080"), ("!!str 8080", "8080"), ("-1", -1), ("+1", 1),
        ("0.5", 0.5), (".5", 0.5), ("1e3", 1000.0), ("1.2.3", "1.2.3"), ("10.0.0.5", "10.0.0.5"), ("60:30", "60:30"),
        ("010", 10), ("0x1F", "0x1F"), (".inf", ".inf"), (".nan", ".nan"), ("true", true), ("False", false),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("null", nil), ("~", nil), ("\"\"", ""),
        ("2026-11-23", "2026-11-23"), ("i-0a1b", "i-0a1b"),
    ]

    @Test(arguments: scalars) func readsScalars(_ text: String, _ value: Value) throws {
        #expect(try Value.parse(yaml: "a: \(text)", file: "a.yaml")["a"] == value)
    }

    @Test func knowsWhereEverythingStands() throws {
        let value = try Value.parse(yaml: "a:\n  - b: 1\n    é: [x, y]\n", file: "a.yaml")
        let element = try #require(value["a"]?.array?.first)
        #expect(element.location == Location(line: 2, column: 5))
        let member = try #require(element.members?.last)
        #expect(member.keyLocation == Location(line: 3, column: 5))
        #expect(member.value.array?.map(\.location) == [Location(line: 3, column: 9), Location(line: 3, column: 12)])
    }

    static let mistakes: [(String, String)] = [
        ("a: [1", "a.yaml:2:1: expected YAML, but found a mistake:"),
        ("a: 1\n b: 2", "a.yaml:2:3: expected YAML, but found a mistake:"),
        ("a: \"x", "a.yaml:1:6: expected YAML, but found a mistake:"),
        ("\tb: 1", "a.yaml:1:1: expected YAML, but found a mistake:"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: expected YAML, but found a mistake: but found another document"),
        ("a: {b: 1, c: 2, b: 3}", "a.yaml:1:17: the key \"b\" stands here twice. Remove one of the two."),
        ("8080: a\n\"8080\": b", "a.yaml:2:1: the key \"8080\" stands here twice. Remove one of the two."),
        ("{a: 1, !b a: 2}", "a.yaml:1:8: the key \"a\" stands here twice. Remove one of the two."),
        ("a: !!binary aGk=", "a.yaml:1:4: tags are not supported, but found \"tag:yaml.org,2002:binary\"."),
        ("[a, b]: 1", "a.yaml:1:1: a key must be a word, but found a list or an object. Write a plain key."),
        ("a: \u{1}", "a.yaml: expected YAML, but found a mistake: control characters are not allowed."),
    ]

    @Test(arguments: mistakes) func saysWhatIsWrong(_ text: String, _ message: String) {
        let error = #expect(throws: ConfigErrors.self) { try Value.parse(yaml: text, file: "a.yaml") }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test func anEmptyTextIsNull() throws {
        #expect(try Value.parse(yaml: "", file: "") == nil)
        #expect(try Value.parse(yaml: "# nothing\n", file: "") == nil)
    }

    @Test func asterisksAndAmpersandsAreNoAliases() throws {
        let text = "# *x & &y\na: \"*y\"\nb: ['*.example.com', \"/a&b\"]\nc: x *w &z\n"
        #expect(try Value.parse(yaml: text, file: "") == ["a": "*y", "b": ["*.example.com", "/a&b"], "c": "x *w &z"])
    }

    @Test(arguments: ["[", "- ", "{a: "]) func depthIsBounded(_ open: String) {
        let error = #expect(throws: ConfigErrors.self) {
            try Value.parse(yaml: String(repeating: open, count: 100_000), file: "a.yaml")
        }
        #expect(error != nil)
        let some = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(throws: ConfigErrors.self) { try Value.parse(yaml: some, file: "a.yaml") }
    }

    @Test func bytesMustBeText() throws {
        let bytes = Array("\u{FEFF}a: 1\nb: \u{E9}".utf8) + [0xFF]
        let error = #expect(throws: ConfigErrors.self) { try Value.parse(yaml: bytes, file: "f") }
        #expect(
            error?.description
                == "f:2:5: the text must be UTF-8, but found byte 0xff at offset 13. Save it as UTF-8.")
        #expect(try Value.parse(yaml: Array(bytes.dropLast()), file: "f")["a"]?.location?.column == 4)
    }

    @Test func emptyTextIsReportedAsEmpty() {
        let empty = #expect(throws: ConfigErrors.self) { try Document.load(yaml: "", file: "f") }
        #expect(empty?.first.found == "nothing")
        let list = #expect(throws: ConfigErrors.self) { try TargetDescription.list([]) }
        #expect(list?.first.found == "an empty list")
    }

    @Test(arguments: ["[", "{a: ", "- ", "[{a: "]) func aHundredThousandLevelsAreRefusedInOurWords(level: String) {
        let text = String(repeating: level, count: 100_000)
        let error = #expect(throws: ConfigErrors.self) { try Value.parse(yaml: text, file: "deep.yaml") }
        #expect(error?.first.message == "YAML must nest at most \(Limits.documentDepthMax) levels deep.")
        #expect(error?.first.location != nil)
    }
}
