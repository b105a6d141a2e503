import Testing

@testable import Model

@Suite struct JSONParserTests {
    static let values: [(String, Value)] = [
        ("null", nil), ("true", true), (" false ", false), ("0", 0), ("-12", -12), ("2.5", 2.5), ("1e2", 100.0),
        ("9223372036854775807", .int(.max)), ("9223372036854775808", .init(.double(9_223_372_036_854_775_808))),
        (#""""#, ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\ud83d\ude00""#, "é😀"),
        ("[]", []), ("[1, [2]]", [1, [2]]), ("{}", [:]), (#"{"b": 1, "a": {"c": null}}"#, ["b": 1, "a": ["c": nil]]),
    ]

    @Test(arguments: values) func readsAndWritesBack(_ text: String, _ value: Value) throws {
        #expect(try Value.parse(json: text) == value)
        #expect(try Value.parse(json: value.json()) == value)
        #expect(try Value.parse(json: value.json(pretty: true)) == value)
    }

    static let mistakes: [(String, String)] = [
        ("", "line 1, column 1: expected a JSON value, but found the end of the text."),
        ("{", "line 1, column 2: expected a key in double quotes, but found the end of the text."),
        ("{\"a\"}", "line 1, column 5: expected a colon after the key, but found \"}\"."),
        ("{\"a\":1,}", "line 1, column 8: expected a key in double quotes, but found \"}\"."),
        ("{\"a\":1\n \"b\":2}", "line 2, column 2: expected a comma or }, but found \"\"\"."),
        ("{\"a\":1,\"a\":2}", "line 1, column 8: the key \"a\" stands here twice."),
        ("[1,]", "line 1, column 4: expected a JSON value, but found \"]\"."),
        ("[1", "line 1, column 3: expected a comma or ], but found the end of the text."),
        ("[\"é\", x]", "line 1, column 7: expected a JSON value, but found \"x\"."),
        ("1 2", "line 1, column 3: expected the end after the value, but found \"2\"."),
        ("01", "line 1, column 3: expected a number without leading zeros, but found the end of the text."),
        ("-", "line 1, column 2: expected a number without leading zeros, but found the end of the text."),
        ("1.", "line 1, column 3: expected a digit after the point, but found the end of the text."),
        ("1e", "line 1, column 3: expected a digit in the exponent, but found the end of the text."),
        ("1e999", "line 1, column 6: expected a number of a usual size, but found the end of the text."),
        ("NaN", "line 1, column 1: expected a JSON value, but found \"N\"."),
        ("tru", "line 1, column 1: expected true, but found \"t\"."),
        ("'a'", "line 1, column 1: expected a JSON value, but found \"'\"."),
        ("\"a", "line 1, column 3: expected a closing quote, but found the end of the text."),
        ("\"a\n\"", "line 1, column 3: expected no control byte inside text, but found byte 0xa."),
        ("\"\\x\"", "line 1, column 3: expected one of \"\\/bfnrtu after the backslash, but found \"x\"."),
        ("\"\\u12\"", "line 1, column 4: expected four hexadecimal digits after \\u, but found \"1\"."),
        ("\"\\ud800\"", "line 1, column 8: expected a whole surrogate pair, but found \"\"\"."),
    ]

    @Test(arguments: mistakes) func saysWhatIsWrong(_ text: String, _ message: String) {
        let error = #expect(throws: ConfigErrors.self) { try Value.parse(json: text) }
        #expect(error?.description.hasPrefix(message + " ") == true, "\(error?.description ?? "")")
    }

    @Test func bytesMustBeUTF8() {
        #expect(throws: ConfigErrors.self) { try Value.parse(json: [0x22, 0xC3, 0x22]) }
        #expect(throws: ConfigErrors.self) { try Value.parse(json: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test func depthIsBounded() throws {
        let most = Limits.documentDepthMax
        let fits = String(repeating: "[", count: most) + String(repeating: "]", count: most)
        #expect(try Value.parse(json: fits).array != nil)
        let error = #expect(throws: ConfigErrors.self) {
            try Value.parse(json: String(repeating: "[", count: 1_000_000))
        }
        #expect(error?.first.expected == "JSON must nest at most 64 levels deep")
    }

    @Test func sizeIsBounded() {
        let bytes = [UInt8](repeating: 0x20, count: Limits.documentBytesMax + 1)
        let error = #expect(throws: ConfigErrors.self) { try Value.parse(json: bytes) }
        #expect(error?.first.found == "16777217 bytes")
    }

    /// A state file cut by a crash must be refused wherever it was cut.
    @Test func everyPrefixIsRefused() throws {
        let text = Array(#"{"version":1,"a":[true,null,"é\n",-1.5e3],"b":{"c":"d"}}"#.utf8)
        _ = try Value.parse(json: text)
        for length in 0..<text.count {
            #expect(throws: ConfigErrors.self, "after \(length) bytes") {
                try Value.parse(json: Array(text[..<length]))
            }
        }
    }
}
