import Core
import HTTP1
import Testing

@Suite struct FieldFactsConnectionTests {
    @Test(arguments: [
        ("1.1", "", true), ("1.1", "Connection: close\r\n", false), ("1.1", "Connection: Keep-Alive\r\n", true),
        ("1.1", "Connection: a, CLOSE ,b\r\n", false), ("1.1", "Connection: a\r\nConnection: close\r\n", false),
        ("1.1", "Connection: keep-alive, close\r\n", false), ("1.1", "Connection: closed\r\n", true),
        ("1.1", "Proxy-Connection: close\r\n", true), ("1.1", "Connection:\r\n", true),
        ("1.1", "Connection: ,,\r\n", true),
        ("1.0", "", false), ("1.0", "Connection: keep-alive\r\n", true), ("1.0", "Connection: close\r\n", false),
        ("1.0", "Connection: keep-alive, close\r\n", false), ("1.0", "Keep-Alive: timeout=5\r\n", false),
        ("1.0", "Proxy-Connection: keep-alive\r\n", false),
        ("1.0", "Connection: a\r\nConnection: keep-alive\r\n", true),
    ])
    func persistence(version: String, lines: String, isPersistent: Bool) {
        #expect(request("GET / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n").parsed?.isPersistent == isPersistent)
        let answer = "HTTP/\(version) 200 OK\r\nContent-Length: 0\r\n\(lines)\r\n"
        #expect(response(answer).parsed?.isPersistent == isPersistent)
    }

    static let removed: [(String, [String])] = [
        ("Connection: close\r\nA: b\r\n", ["A: b"]),
        ("A: b\r\nConnection: A\r\nC: d\r\n", ["C: d"]),
        ("Connection: a\r\nA: b\r\na: c\r\nAb: d\r\n", ["Ab: d"]),
        ("Connection: x-one, X-TWO\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\n", ["X-Three: 3"]),
        ("X-One: 1\r\nConnection: \t,x-one,\r\nConnection: X-Two\r\nX-Two: 2\r\n", []),
        ("Connection: Cookie\r\nCookie: a=b\r\n", []),
        (
            "Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nA: b\r\n",
            ["A: b"]
        ),
        ("Connection: upgrade, http2-settings\r\nUpgrade: websocket\r\nHTTP2-Settings: x\r\nA: b\r\n", ["A: b"]),
        // A client must not be able to remove fields that Apus adds or relies on.
        (
            "Connection: x-forwarded-for, X-Forwarded-Proto, x-forwarded-port, x-amzn-trace-id, X-Amzn-Oidc-Data\r\n"
                + "X-Forwarded-For: 1\r\nX-Forwarded-Proto: 2\r\nX-Forwarded-Port: 3\r\nX-Amzn-Trace-Id: 4\r\n"
                + "X-Amzn-Oidc-Data: 5\r\n",
            [
                "X-Forwarded-For: 1", "X-Forwarded-Proto: 2", "X-Forwarded-Port: 3", "X-Amzn-Trace-Id: 4",
                "X-Amzn-Oidc-Data: 5",
            ]
        ),
        ("Connection: connection, a\r\nA: b\r\n", []),
    ]

    @Test(arguments: removed) func namedFieldsAreRemoved(lines: String, expected: [String]) {
        let head = Head()
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["Host: a"] + expected)
        // The same if the arena holds a canonical path before the head.
        #expect(request("GET /%41 HTTP/1.1\r\nHost: a\r\n\(lines)\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["Host: a"] + expected)
        #expect(response("HTTP/1.1 204 x\r\n\(lines)\r\n", into: head).parsed != nil)
        #expect(fields(head) == expected)
    }

    @Test func connectionCannotRemoveHostAndFraming() {
        let head = Head()
        let lines = "Connection: host, content-length, transfer-encoding, expect\r\nContent-Length: 5\r\n"
        let result = request("POST / HTTP/1.1\r\nHost: a\r\n\(lines)Expect: 100-continue\r\n\r\n", into: head)
        #expect(result.parsed?.framing == .length(5))
        #expect(result.parsed?.expectsContinue == true)
        #expect(fields(head) == ["Host: a"])
        #expect(response("HTTP/1.1 200 OK\r\n\(lines)\r\n", into: head, isHEAD: true).parsed != nil)
        #expect(fields(head) == ["Content-Length: 5"])
    }

    @Test func theNumberOfOptionsIsLimited() {
        let most = Array(repeating: "a", count: Limits.connectionOptionCountMax).joined(separator: ",")
        func parse(_ lines: String) -> HeadResult { request("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n") }
        #expect(parse("Connection: \(most)\r\n").parsed != nil)
        #expect(parse("Connection: \(most),b\r\n").violation == .badConnection)
        #expect(parse("Connection: \(most)\r\nConnection: b\r\n").violation == .badConnection)
    }
}
