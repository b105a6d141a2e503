import Core
@testable import HTTP1
import Testing

@Suite struct ResponseHeadTests {
    struct Case: Sendable {
        let status: Int
        var lines = ""
        var isHEAD = false
        var version = "1.1"
        let framing: Framing
        var body = BodyLength.none
        var fields: [String] = []
        var isPersistent = true
    }

    static let cases = [
        Case(status: 200, lines: "Content-Length: 5\r\n", framing: .length(5), body: .exactly(5)),
        Case(status: 200, lines: "Content-Length: 0\r\n", framing: .length(0), body: .exactly(0)),
        Case(status: 200, lines: "Transfer-Encoding: chunked\r\n", framing: .chunked, body: .unknown),
        Case(status: 200, framing: .untilClose, body: .unknown, isPersistent: false),
        Case(
            status: 200, lines: "Connection: keep-alive\r\n", version: "1.0", framing: .untilClose, body: .unknown,
            isPersistent: false),
        Case(
            status: 200, lines: "Connection: keep-alive\r\nContent-Length: 1\r\n", version: "1.0", framing: .length(1),
            body: .exactly(1)),
        // No body, whatever the fields say.
        Case(status: 100, framing: .none),
        Case(status: 101, lines: "Upgrade: websocket\r\nConnection: upgrade\r\n", framing: .none),
        Case(status: 103, lines: "Link: </a>\r\n", framing: .none, fields: ["Link: </a>"]),
        Case(status: 199, lines: "Content-Length: 5\r\n", framing: .none),
        Case(status: 204, lines: "Content-Length: 5\r\n", framing: .none),
        Case(status: 204, lines: "Transfer-Encoding: chunked\r\n", framing: .none),
        Case(status: 204, lines: "Content-Length: 0\r\n", isHEAD: true, framing: .none),
        Case(status: 304, framing: .none),
        Case(status: 200, isHEAD: true, framing: .none),
        Case(status: 200, lines: "Transfer-Encoding: chunked\r\n", isHEAD: true, framing: .none),
        // Content-Length that describes another response is kept.
        Case(status: 304, lines: "Content-Length: 5\r\n", framing: .none, fields: ["Content-Length: 5"]),
        Case(
            status: 200, lines: "A: b\r\nContent-Length: 5\r\n", isHEAD: true, framing: .none,
            fields: ["A: b", "Content-Length: 5"]),
    ]

    @Test(arguments: cases) func tellsItsFraming(_ test: Case) {
        let head = Head()
        let input = "HTTP/\(test.version) \(test.status) Reason\r\n\(test.lines)\r\n"
        let expected = ParsedHead(
            byteCount: input.utf8.count, framing: test.framing, isPersistent: test.isPersistent, expectsContinue: false)
        #expect(response(input + "HTTP/1.1 200 OK\r\n", into: head, isHEAD: test.isHEAD) == .complete(expected))
        #expect(head.body == test.body)
        #expect(fields(head) == test.fields)
        #expect(Int(head.status) == test.status)
    }

    @Test func itsLengthIsLimited() {
        let line = "A: " + String(repeating: "b", count: 1019) + "\r\n"
        let start = "HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 31)
        let room = Limits.responseHeadBytesMax - start.utf8.count
        func parse(_ text: String) -> HeadResult {
            var scan = HeadScan()
            return parseResponseHead(bytes(text).span, into: Head(), requestIsHEAD: false, scan: &scan)
        }
        let fitting = start + "C: " + String(repeating: "d", count: room - 7) + "\r\n\r\n"
        #expect(fitting.utf8.count == Limits.responseHeadBytesMax)
        #expect(parse(fitting + "body").parsed?.byteCount == fitting.utf8.count)
        #expect(parse(start + "C: " + String(repeating: "d", count: room)).violation == .headTooLarge)
        let reason = String(repeating: "r", count: Limits.fieldLineBytesMax)
        #expect(parse("HTTP/1.1 200 " + reason + "\r\n\r\n").violation == .fieldTooLarge)
    }
}
