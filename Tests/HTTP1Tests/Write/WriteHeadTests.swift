import Core
import HTTP1
import Testing

@Suite struct WriteHeadTests {
    private func requestWritten(_ head: Head, _ framing: Framing) -> String {
        written(requestHeadByteCount(head)) { writeRequestHead(head, framing: framing, into: $0) }
    }

    private func responseWritten(_ head: Head, _ framing: Framing, _ connection: ConnectionOption = .none) -> String {
        written(responseHeadByteCount(head)) {
            writeResponseHead(head, framing: framing, connection: connection, into: $0)
        }
    }

    static let requests: [(String, Framing, String)] = [
        ("GET /a?b HTTP/1.0\r\nA: b\r\n", .none, "GET /a?b HTTP/1.1\r\nA: b\r\n\r\n"),
        ("GET http://x/%41/../c HTTP/1.0\r\n", .none, "GET /c HTTP/1.1\r\n\r\n"),
        ("OPTIONS * HTTP/1.0\r\n", .none, "OPTIONS * HTTP/1.1\r\n\r\n"),
        ("POST / HTTP/1.0\r\n", .none, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("PUT / HTTP/1.0\r\n", .none, "PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("PATCH / HTTP/1.0\r\n", .none, "PATCH / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("DELETE / HTTP/1.0\r\n", .none, "DELETE / HTTP/1.1\r\n\r\n"),
        ("GET / HTTP/1.0\r\nContent-Length: 0\r\n", .length(0), "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("GET / HTTP/1.0\r\nContent-Length: 0\r\n", .none, "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        (
            "POST / HTTP/1.0\r\nContent-Length: 5\r\nA: b\r\n", .length(5),
            "POST / HTTP/1.1\r\nA: b\r\nContent-Length: 5\r\n\r\n"
        ),
        ("POST / HTTP/1.0\r\nContent-Length: 5\r\n", .chunked, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ]

    @Test(arguments: requests) func aRequestHasOurFraming(input: String, framing: Framing, expected: String) {
        let head = Head()
        #expect(request(input + "\r\n", into: head).parsed != nil)
        #expect(requestWritten(head, framing) == expected)
    }

    @Test func theLongestNumberFits() {
        let head = Head()
        #expect(request("POST / HTTP/1.0\r\n\r\n", into: head).parsed != nil)
        #expect(
            requestWritten(head, .length(.max)) == "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n")
    }

    struct ResponseCase: Sendable {
        let input: String
        var isHEAD = false
        let framing: Framing
        var connection = ConnectionOption.none
        let expected: String
    }

    static let responses = [
        ResponseCase(
            input: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nA: b\r\n", framing: .length(5),
            expected: "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n", framing: .chunked, connection: .close,
            expected: "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 404 Not Found\r\n", framing: .untilClose, connection: .close,
            expected: "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", framing: .length(5), connection: .keepAlive,
            expected: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n", framing: .length(5),
            expected: "HTTP/1.1 204 No Content\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 103 Early Hints\r\nLink: a\r\nTransfer-Encoding: chunked\r\n", framing: .chunked,
            expected: "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n", framing: .none,
            expected: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 304 Not Modified\r\n", framing: .length(0), expected: "HTTP/1.1 304 Not Modified\r\n\r\n"),
        ResponseCase(
            input: "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n", isHEAD: true, framing: .none,
            expected: "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n"),
        // A Content-Length that the parser kept is not written twice.
        ResponseCase(
            input: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", isHEAD: true, framing: .length(5),
            expected: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    ]

    @Test(arguments: responses) func aResponseHasOurFraming(_ test: ResponseCase) {
        let head = Head()
        #expect(response(test.input + "\r\n", into: head, isHEAD: test.isHEAD).parsed != nil)
        #expect(responseWritten(head, test.framing, test.connection) == test.expected)
    }

    /// What is written parses to the same head, is the same when written again, and has no other framing.
    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%41/./b?c HTTP/1.1\nHost:a\nX:  y \n\n",
        "POST http://b/c HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n",
        "PUT /\u{E9}?\u{FF} HTTP/1.0\r\nHost: a\r\nX_Y: \u{80}\r\n\r\n",
        "POST / HTTP/1.1\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nHost: a\r\nConnection: TE, x\r\nX: y\r\n\r\n",
    ])
    func parsesWhatWasWritten(input: String) throws {
        let head = Head()
        let parsed = try #require(request(input, into: head).parsed)
        let again = Head()
        let output = requestWritten(head, parsed.framing)
        let second = try #require(request(output, into: again).parsed)
        // `Content-Length: 0` is equivalent to no body.
        let isEmpty = parsed.framing == .none || parsed.framing == .length(0)
        #expect(second.framing == parsed.framing || isEmpty && second.framing == .length(0))
        #expect(second.byteCount == output.unicodeScalars.count)
        #expect(text(again, again.method) == text(head, head.method))
        #expect(text(again, again.path) == text(head, head.path))
        #expect(text(again, again.query) == text(head, head.query))
        #expect(fields(again) == fields(head))
        #expect(requestWritten(again, second.framing) == output)
    }
}
