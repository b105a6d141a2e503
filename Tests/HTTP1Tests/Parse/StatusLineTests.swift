import Core
import HTTP1
import Testing

@Suite struct StatusLineTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK", 1, 200, "OK"), ("HTTP/1.0 404 Not Found", 0, 404, "Not Found"),
        ("HTTP/1.1 204 ", 1, 204, ""),
        ("HTTP/1.1 204", 1, 204, ""), ("HTTP/1.5 599 a", 1, 599, "a"), ("HTTP/1.1 100 Continue", 1, 100, "Continue"),
        ("HTTP/1.1 200  two\tspaces ", 1, 200, " two\tspaces "), ("HTTP/1.1 200 \u{E9}\u{FF}", 1, 200, "\u{E9}\u{FF}"),
    ])
    func isAccepted(line: String, minorVersion: Int, status: Int, reason: String) {
        let head = Head()
        for end in ["\r\n", "\n"] {
            #expect(response(line + end + "A: b\r\n\r\n", into: head).parsed != nil)
            #expect(Int(head.minorVersion) == minorVersion)
            #expect(Int(head.status) == status)
            #expect(text(head, head.reason) == reason)
            #expect(fields(head) == ["A: b"])
        }
    }

    @Test(arguments: [
        ("", Violation.badStatusLine), ("HTTP/1.1", .badStatusLine), ("HTTP/1.1  200 OK", .badStatusLine),
        ("HTTP/1.1 20 OK", .badStatusLine), ("HTTP/1.1 2000 OK", .badStatusLine), ("HTTP/1.1 2x0 OK", .badStatusLine),
        ("HTTP/1.1 099 x", .badStatusLine), ("HTTP/1.1 600 x", .badStatusLine), ("HTTP/1.1 000", .badStatusLine),
        ("HTTP/1.1\t200 OK", .badStatusLine), ("HTTP/1.1 200\tOK", .badStatusLine), ("http/1.1 200 OK", .badStatusLine),
        ("ICY 200 OK", .badStatusLine), ("HTTP/1.1 200 a\u{0}b", .badStatusLine),
        ("HTTP/1.1 200 \u{7F}", .badStatusLine),
        ("\r\nHTTP/1.1 200 OK", .badStatusLine), (" HTTP/1.1 200 OK", .badStatusLine),
        ("HTTP/1.1 +20 OK", .badStatusLine),
        ("HTTP/1.1 200 a\rb", .bareCarriageReturn), ("HTTP/1.1 200\rOK", .bareCarriageReturn),
        ("HTTP/2.0 200 OK", .unsupportedVersion), ("HTTP/0.9 200 OK", .unsupportedVersion),
    ])
    func isRefused(line: String, violation: Violation) {
        #expect(response(line + "\r\n\r\n").violation == violation)
    }
}
