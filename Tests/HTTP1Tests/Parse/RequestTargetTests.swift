import Core
import HTTP1
import Testing

@Suite struct RequestTargetTests {
    struct Case: Sendable {
        let target: String
        var method = "GET"
        var authority = "host.example"
        let path: String
        var query = ""
    }

    static let cases = [
        Case(target: "/", path: "/"),
        Case(target: "/a/b", path: "/a/b"),
        Case(target: "/a?b=c", path: "/a", query: "?b=c"),
        Case(target: "/?", path: "/", query: "?"),
        Case(target: "/a?b?c=%zz&../\\", path: "/a", query: "?b?c=%zz&../\\"),
        Case(target: "/a/../b?x=/../y", path: "/b", query: "?x=/../y"),
        Case(target: "//other.example/a", path: "//other.example/a"),
        Case(target: "/http://x/", path: "/http://x/"),
        Case(target: "/.well-known/a.b", path: "/.well-known/a.b"),
        Case(target: "*", method: "OPTIONS", path: "*"),
        Case(target: "http://other.example", authority: "other.example", path: "/"),
        Case(target: "http://other.example/", authority: "other.example", path: "/"),
        Case(target: "HTTPS://other.example:8443/a?b", authority: "other.example:8443", path: "/a", query: "?b"),
        Case(target: "hTTp://[::1]:80/%41", authority: "[::1]:80", path: "/A"),
        Case(target: "http://other.example?q", authority: "other.example", path: "/", query: "?q"),
        Case(target: "http://other.example", method: "OPTIONS", authority: "other.example", path: "*"),
        Case(target: "http://other.example/", method: "OPTIONS", authority: "other.example", path: "/"),
        Case(target: "http://other.example?", method: "OPTIONS", authority: "other.example", path: "/", query: "?"),
    ]

    @Test(arguments: cases) func parsesItsParts(_ test: Case) {
        let head = Head()
        let result = request("\(test.method) \(test.target) HTTP/1.1\r\nHost: host.example\r\nA: b\r\n\r\n", into: head)
        #expect(result.parsed != nil)
        #expect(text(head, head.target) == test.target)
        #expect(text(head, head.method) == test.method)
        #expect(text(head, head.authority) == test.authority)
        #expect(text(head, head.path) == test.path)
        #expect(text(head, head.query) == test.query)
        // A canonical path before the head in the arena must not move the fields.
        #expect(fields(head) == ["Host: host.example", "A: b"])
    }

    @Test(arguments: [
        ("/", false), ("/a/b.c/d", false), ("/a/./b", false), ("/a?b=//c;d%2f\\", false), ("http://a/b/c", false),
        ("/.well-known/x", false), ("*", false), ("//", true), ("//a", true), ("/a//b", true), ("/12345678//b", true),
        ("/1234567//b", true), ("/a/;b", true), ("/a;b=c", true), ("/a\\b", true), ("/%2fa", true), ("/%5Ca", true),
        ("/%20", true), ("/./%41", true), ("/.//a", true), ("/x/..//a", true), ("http://a//b", true), ("/a//?b", true),
    ])
    func reportsAmbiguousPaths(target: String, hasSome: Bool) {
        let head = Head()
        let method = target == "*" ? "OPTIONS" : "GET"
        #expect(request("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n", into: head).parsed != nil)
        #expect(head.isPathAmbiguous == hasSome)
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\n\r\n", into: head).parsed != nil)
        #expect(!head.isPathAmbiguous, "the next request's head does not inherit it")
    }

    @Test(arguments: [
        ("http://", Violation.badHost), ("http:///a", .badHost), ("http://user@other.example/", .badHost),
        ("http://other.example:x/", .badHost), ("http://a b/", .badVersion), ("http:/a", .badTarget),
        ("ftp://other.example/", .badTarget), ("http", .badTarget), ("https:/", .badTarget),
        ("http://other.example/../a", .pathAboveRoot), ("http://other.example\\a/", .badHost),
    ])
    func isRefused(target: String, violation: Violation) {
        #expect(request("GET \(target) HTTP/1.1\r\nHost: host.example\r\n\r\n").violation == violation)
    }

    @Test func anAbsoluteFormStillNeedsHost() {
        #expect(request("GET http://other.example/ HTTP/1.1\r\n\r\n").violation == .missingHost)
        let head = Head()
        #expect(request("GET http://other.example/ HTTP/1.0\r\n\r\n", into: head).parsed != nil)
        #expect(text(head, head.authority) == "other.example")
    }
}
