import Core
import HTTP1
import Testing

@Suite struct FieldLinesTests {
    static let start = "GET / HTTP/1.1\r\nHost: a\r\n"

    @Test(arguments: [
        ("A: b\r\n", "A: b"), ("A:b\r\n", "A: b"), ("A: \t b \t\r\n", "A: b"), ("A:\r\n", "A: "), ("A: \t\r\n", "A: "),
        ("A: b\n", "A: b"), ("A: b c\td\r\n", "A: b c\td"), ("A: \u{80}\u{FF}\r\n", "A: \u{80}\u{FF}"),
        (
            "a-long-name-beyond-eight: and a value of some length\r\n",
            "a-long-name-beyond-eight: and a value of some length"
        ),
        ("A:: b\r\n", "A: : b"), ("A: \"b\\\"c\"\r\n", "A: \"b\\\"c\""),
        ("A: tab\tin\tlong\tvalue\r\n", "A: tab\tin\tlong\tvalue"),
        ("A_b: c\r\n", "A_b: c"), ("a.b|c: d\r\n", "a.b|c: d"),
    ])
    func isAccepted(line: String, field: String) {
        let head = Head()
        #expect(request(Self.start + line + "\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["Host: a", field])
        // The same at the head's end, and in a response.
        #expect(response("HTTP/1.1 204 x\r\n" + line + "\r\n", into: head).parsed != nil)
        #expect(fields(head) == [field])
    }

    static let refused: [(String, Violation)] = [
        ("A : b\r\n", .badFieldName), ("A\t: b\r\n", .badFieldName), ("A b: c\r\n", .badFieldName),
        (": b\r\n", .badFieldName), ("A\r\n", .badFieldName), ("A\n", .badFieldName), ("A\u{0}: b\r\n", .badFieldName),
        ("A\u{7F}: b\r\n", .badFieldName), ("A\r: b\r\n", .badFieldName), ("\u{1}: b\r\n", .badFieldName),
        ("some-longer-name\u{1F}: b\r\n", .badFieldName), ("Content-Length : 5\r\n", .badFieldName),
        ("Transfer-Encoding\u{B}: chunked\r\n", .badFieldName),
        ("A: b\u{0}c\r\n", .badFieldValue), ("A: \u{1}\r\n", .badFieldValue), ("A: b\u{7F}\r\n", .badFieldValue),
        ("A: \u{1B}[0m and more text\r\n", .badFieldValue), ("A: text longer than eight \u{8}\r\n", .badFieldValue),
        ("A: b\rc\r\n", .bareCarriageReturn), ("A: b\r\r\n", .bareCarriageReturn), ("A: b\r \n", .bareCarriageReturn),
        ("\rA: b\r\n", .bareCarriageReturn), ("\r\r\n", .bareCarriageReturn), ("A:\rb\r\n", .bareCarriageReturn),
        (" A: b\r\n", .obsoleteFold), ("\tA: b\r\n", .obsoleteFold), ("A: b\r\n c\r\n", .obsoleteFold),
        ("A: b\r\n\tc\r\n", .obsoleteFold), ("A: b\n c\r\n", .obsoleteFold), (" \r\n", .obsoleteFold),
        ("Transfer-Encoding:\r\n chunked\r\n", .badTransferEncoding),
    ]

    @Test(arguments: refused) func isRefused(line: String, violation: Violation) {
        #expect(request(Self.start + line + "\r\n").violation == violation)
        #expect(response("HTTP/1.1 200 OK\r\n" + line + "\r\n").violation == violation)
    }

    private func parse(_ text: String) -> HeadResult {
        var scan = HeadScan()
        return parseRequestHead(bytes(text).span, into: Head(), options: RequestOptions(), scan: &scan)
    }

    @Test func aLineIsLimited() {
        let fitting = "A: " + String(repeating: "b", count: Limits.fieldLineBytesMax - 3)
        #expect(parse(Self.start + fitting + "\r\n\r\n").parsed != nil)
        #expect(parse(Self.start + fitting) == .needMore)
        #expect(parse(Self.start + fitting + "\r") == .needMore)
        #expect(parse(Self.start + fitting + "b").violation == .fieldTooLarge)
        #expect(parse(Self.start + fitting + "b\r\n\r\n").violation == .fieldTooLarge)
        #expect(parse(Self.start + fitting + " \r\n\r\n").violation == .fieldTooLarge)
        #expect(parse(Self.start + fitting + "b\u{0}").violation == .fieldTooLarge)
        #expect(parse(Self.start + fitting + "\u{0}").violation == .badFieldValue)
        let name = String(repeating: "n", count: Limits.fieldLineBytesMax)
        #expect(parse(Self.start + name) == .needMore)
        #expect(parse(Self.start + name + "n").violation == .fieldTooLarge)
        #expect(parse(Self.start + name + "n:\r\n").violation == .fieldTooLarge)
    }

    @Test func theirNumberIsLimited() {
        let most = String(repeating: "a:\r\n", count: Limits.fieldCountMax - 1)
        #expect(parse(Self.start + most + "\r\n").parsed != nil)
        #expect(parse(Self.start + most + "b:") == .needMore)
        #expect(parse(Self.start + most + "b:\r\n").violation == .tooManyFields)
        #expect(parse(Self.start + most + "b:\r\n\r\n").violation == .tooManyFields)
    }
}
