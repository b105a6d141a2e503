import Core
import HTTP1
import Testing

@Suite struct AuthorityTests {
    @Test(arguments: [
        "a", "a.example", "A.EXAMPLE:80", "a.example:", "a.example:0", "a.example:65535", "10.0.0.1:8080", "[::1]",
        "[::1]:443", "[2001:db8::192.0.2.1]:1", "under_score.example", "a%20b", "-._~!$&'()*+,;=", "xn--e1afmkfd",
    ])
    func isAccepted(host: String) {
        let head = Head()
        #expect(request("GET / HTTP/1.1\r\nHost:  \(host) \t\r\n\r\n", into: head).parsed != nil)
        #expect(text(head, head.authority) == host)
    }

    @Test(arguments: [
        "", ":80", "a b", "a/b", "a?b", "a#b", "a@b", "user:pass@a", "a\\b", "a\"b", "a<b", "a:b", "a:80:80", "a:8o",
        "a:65536", "a:000080", "a:-1", "[]", "[::1", "::1]", "[::g]", "[::1]a", "[::1]:x", "[v1.a]", "[fe80::1%25eth0]",
        "a%2", "a%zz", "%", "a\u{E9}", "a, b", "a^b", "a|b", "http://a",
    ])
    func isRefused(host: String) {
        #expect(request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").violation == .badHost)
    }

    /// Its host is what rules and TLS know: in lower case, without port, and without the dot of a complete name.
    @Test(arguments: [
        ("a.example", "a.example", ""), ("A.Example:80", "a.example", ":80"), ("a.example:", "a.example", ":"),
        ("10.0.0.1:8080", "10.0.0.1", ":8080"), ("[::1]", "[::1]", ""), ("[2001:DB8::5]:443", "[2001:db8::5]", ":443"),
        ("a.example.", "a.example", ""), ("a.Example.:80", "a.example", ":80"), ("a.example..", "a.example.", ""),
        (".", ".", ""), (".:80", ".", ":80"), ("12345", "12345", ""), ("x:1", "x", ":1"),
        ("a-name-of-more-than-eight-bytes.EXAMPLE:1", "a-name-of-more-than-eight-bytes.example", ":1"),
    ]) func isTakenApart(authority: String, host: String, port: String) {
        let lines = ["GET /a HTTP/1.1\r\nHost: \(authority)", "GET http://\(authority)/%41 HTTP/1.1\r\nHost: other:1"]
        for line in lines {
            let head = Head()
            #expect(request("\(line)\r\n\r\n", into: head).parsed != nil)
            #expect(text(head, head.host) == host && text(head, head.port) == port)
            #expect(text(head, head.authority) == authority)
            #expect(head.isAuthorityLowercase == (authority == authority.lowercased()))
        }
        let head = Head()
        #expect(request("GET / HTTP/1.0\r\n\r\n", into: head).parsed != nil)
        #expect(head.host.isEmpty && head.port.isEmpty && head.isAuthorityLowercase)
    }
}
