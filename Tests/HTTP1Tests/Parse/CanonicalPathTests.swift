import Core
import HTTP1
import Testing

@Suite struct CanonicalPathTests {
    /// The canonical form of `path`, or why the request was rejected.
    private func canonical(_ path: String) -> (path: String?, violation: Violation?) {
        let head = Head()
        let result = request("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n", into: head)
        return (result.parsed.map { _ in text(head, head.path) }, result.violation)
    }

    static let cases: [(String, String)] = [
        // Unreserved bytes are decoded, all others stay as they came.
        ("/%41%7a%2D%2e%5F%7E%30", "/Az-._~0"), ("/%2Fa%2fb", "/%2Fa%2fb"), ("/%20%25%3F%c3%A9", "/%20%25%3F%c3%A9"),
        ("/%252e%252e/", "/%252e%252e/"), ("/%25%32e", "/%252e"), ("/a%5Cb", "/a%5Cb"), ("/a\\b", "/a\\b"),
        ("/a;b=c/d;e", "/a;b=c/d;e"), ("//a///b//", "//a///b//"), ("/\u{E9}", "/\u{E9}"), ("/%e9", "/%e9"),
        // Dot segments.
        ("/.", "/"), ("/./", "/"), ("/a/.", "/a/"), ("/a/./b", "/a/b"), ("/a/..", "/"), ("/a/../", "/"),
        ("/a/b/..", "/a/"), ("/a/b/../c", "/a/c"), ("/a/b/c/./../../g", "/a/g"), ("/a/b/../../c", "/c"),
        ("/%2e", "/"), ("/a/%2E%2e/b", "/b"), ("/a/.%2e/b", "/b"), ("/a/%2e./b", "/b"),
        ("/a//../b", "/a/b"), ("//..", "/"), ("//../a", "/a"), ("/a/..//", "//"),
        // Segments that only look like dot segments.
        ("/...", "/..."), ("/..a", "/..a"), ("/a..", "/a.."), ("/.a/", "/.a/"), ("/a;v=1/b", "/a;v=1/b"),
        ("/a.b/c.", "/a.b/c."), ("/%2e%2e%2e", "/..."), ("/%2ea", "/.a"),
        // A hidden slash beside a plain dot segment.
        ("/a%2fb/../c", "/c"), ("/a/../b%5cc", "/b%5cc"), ("/a\\b/./c", "/a\\b/c"), ("/%2f/%2F/..", "/%2f/"),
        ("/a%2f...", "/a%2f..."), ("/x..%2f", "/x..%2f"), ("/%2f..a", "/%2f..a"),
    ]

    @Test(arguments: cases) func hasOneForm(path: String, expected: String) {
        #expect(canonical(path).path == expected)
    }

    @Test(arguments: cases) func isItsOwnCanonicalForm(path: String, expected: String) {
        #expect(canonical(expected).path == expected)
    }

    @Test(arguments: [
        ("/..", Violation.pathAboveRoot), ("/../a", .pathAboveRoot), ("/a/../..", .pathAboveRoot),
        ("/%2e%2e/a", .pathAboveRoot), ("/./../a", .pathAboveRoot), ("/a/../../b/c", .pathAboveRoot),
        ("/..;/a", .ambiguousPath), ("/a/.;x/b", .ambiguousPath), ("/a/%2e%2e;/b", .ambiguousPath),
        ("/a%2f..", .ambiguousPath), ("/a/..%2fb", .ambiguousPath), ("/a/%2e%2e%2fb", .ambiguousPath),
        ("/..%5ca", .ambiguousPath), ("/a\\..\\b", .ambiguousPath), ("/a\\..", .ambiguousPath),
        ("/..\\", .ambiguousPath), ("/a%2F.", .ambiguousPath), ("/.%2fa", .ambiguousPath),
        ("/a%2f.%2fb", .ambiguousPath), ("/a%5c%2e%2E", .ambiguousPath), ("/a/b%2f%2e%2e/c", .ambiguousPath),
        ("/%", .badPercentEncoding), ("/%4", .badPercentEncoding), ("/%4g", .badPercentEncoding),
        ("/%g4", .badPercentEncoding), ("/a%/b", .badPercentEncoding), ("/%%41", .badPercentEncoding),
        ("/%00", .badPercentEncoding), ("/a%00.html", .badPercentEncoding), ("/%4/1", .badPercentEncoding),
        ("/%u0041", .badPercentEncoding),
    ])
    func isRefused(path: String, violation: Violation) {
        #expect(canonical(path).violation == violation)
    }

    /// The result has no dot segment for any server, is not decoded twice, and is its own canonical form.
    @Test(arguments: [UInt64(1), 2, 3, 4]) func resultIsSafe(seed: UInt64) {
        var numbers = SeededNumbers(state: seed)
        let pieces = ["/", "/", ".", "..", "a", "%2e", "%2E", "%2f", "%5C", "\\", ";", "%41", "%25", "2e", "b"]
        let head = Head()
        var acceptedCount = 0
        for _ in 0..<3000 {
            var path = "/"
            for _ in 0..<Int.random(in: 0...8, using: &numbers) { path += pieces.randomElement(using: &numbers) ?? "" }
            guard let form = fast(path, into: head) else { continue }
            acceptedCount += 1
            let lenient = form.replacing("%2f", with: "/").replacing("%2F", with: "/").replacing("%5C", with: "/")
                .replacing("\\", with: "/")
            let segments = lenient.split(separator: "/", omittingEmptySubsequences: false)
            #expect(!segments.contains(".") && !segments.contains(".."), "\(path) → \(form)")
            #expect(form.hasPrefix("/"))
            #expect(fast(form, into: head) == form, "\(path) → \(form)")
        }
        #expect(acceptedCount > 300)
    }

    private func fast(_ path: String, into head: Head) -> String? {
        var scan = HeadScan()
        let input = bytes("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        let result = parseRequestHead(input.span, into: head, options: RequestOptions(), scan: &scan)
        return result.parsed.map { _ in text(head, head.path) }
    }
}
