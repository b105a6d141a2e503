import Core
@testable import HTTP1
import Testing

@Suite struct WriteFieldsTests {
    private func linesWritten(_ head: Head) -> String {
        written(fieldLinesByteCount(head)) { writeFieldLines(head, keepsContentLength: false, into: $0) }
    }

    @Test(arguments: [
        ("A: b\r\nC: d\r\n", "A: b\r\nC: d\r\n"), ("A:b\r\nC: \td \r\nE: f\n", "A: b\r\nC: d\r\nE: f\r\n"),
        ("A: b\nC: d \n", "A: b\r\nC: d\r\n"), ("A:\r\nB: \r\nC:\tx\r\nD: e\r\n", "A: \r\nB: \r\nC: x\r\nD: e\r\n"),
        ("A: b\r\nUpgrade: x\r\nC: d\r\nE: f\r\nTE: x\r\n", "A: b\r\nC: d\r\nE: f\r\n"),
        ("TE: x\r\nA: b\r\n", "A: b\r\n"), ("TE: x\r\n", ""),
        ("A:  b\r\nC: d  \r\nE: f\r\n", "A: b\r\nC: d\r\nE: f\r\n"),
    ])
    func linesAreWrittenInOneForm(lines: String, expected: String) {
        let head = Head()
        for target in ["/", "/%41"] {
            #expect(request("GET \(target) HTTP/1.0\r\n\(lines)\r\n", into: head).parsed != nil)
            #expect(linesWritten(head) == expected)
        }
    }

    @Test func addedFieldsFollow() {
        let head = Head()
        #expect(request("GET / HTTP/1.0\r\nA: b\r\nHost: h\r\nC: d\r\n\r\n", into: head).parsed != nil)
        head.removeFields(.host)
        head.addField(name: head.append("Host"), value: head.append("new"), id: .host)
        head.addField(name: head.append("X"), value: head.append(decimal: 7), id: .other)
        #expect(linesWritten(head) == "A: b\r\nC: d\r\nHost: new\r\nX: 7\r\n")
    }

    /// A literal may look like a complete line of the arena.
    @Test func copiesALiteralThatLooksLikeALine() {
        let head = Head()
        let name = head.append("A")
        head.append(": ")
        let value = head.append("b")
        head.addField(name: name, value: value, id: .other)
        #expect(linesWritten(head) == "A: b\r\n")
        head.append("\r\n")
        head.addField(name: head.append("C"), value: value, id: .other)
        #expect(linesWritten(head) == "A: b\r\nC: b\r\n")
    }

    @Test func framingFieldsAreNotWritten() {
        let head = Head()
        head.addField(name: head.append("Transfer-Encoding"), value: head.append("chunked"), id: .transferEncoding)
        head.addField(name: head.append("Content-Length"), value: head.append("5"), id: .contentLength)
        head.addField(name: head.append("A"), value: head.append("b"), id: .other)
        #expect(linesWritten(head) == "A: b\r\n")
        let kept = written(100) { writeFieldLines(head, keepsContentLength: true, into: $0) }
        #expect(kept == "Content-Length: 5\r\nA: b\r\n")
    }
}
