import Core
import RegularExpressions
import Testing

@testable import Routing

@Suite struct URLRewriteTests {
    private func rewritten(
        _ regex: String, _ replace: String, path: String, query: String = ""
    ) throws -> (outcome: TransformOutcome, text: String) {
        let head = SampleRequest(path: path, query: query).head
        let url = URLRewrite(Rewrite(try RegularExpression(regex, ignoresCase: false), replacement: replace))
        let outcome = url.apply(to: head, in: MatchSpace())
        guard case .written(let range) = outcome else { return (outcome, "") }
        return (outcome, head.bytes(range).text)
    }

    @Test(arguments: [
        ("^/api/(.*)$", "/$1", "/api/a/b", "?c=d", "/a/b?c=d"), ("\\?.*$", "", "/a", "?b", "/a"),
        ("^/a\\?id=([0-9]+)$", "/a/$1", "/a", "?id=7", "/a/7"), ("^/a", "/..a/.b/...", "/a", "", "/..a/.b/..."),
        ("^(.*)$", "$1?q=/../", "/a", "", "/a?q=/../"), ("^/a$", "//b", "/a", "", "//b"),
    ])
    func pathAndQueryAreOneText(_ regex: String, _ replace: String, _ path: String, _ query: String, _ result: String)
        throws
    {
        #expect(try rewritten(regex, replace, path: path, query: query).text == result)
    }

    @Test(arguments: [
        ("^/(.*)$", "$1", "/a"), ("^/.*", "", "/a"), ("^/x(.*)$", "/files/$1", "/x../secret"),
        ("^/x(.*)$", "/files/$1", "/x.."), ("^/x(.*)$", "/files/$1", "/x%2e%2E/secret"),
        ("^/x(.*)$", "/files/$1", "/x.%2e?a"), ("^/x(.*)$", "/files/$1", "/x."), ("^/a", "/#", "/a"),
        ("^/a", "http://b/", "/a"), ("^/a$", "*", "/a"),
    ])
    func whatIsNoPathFails(_ regex: String, _ replace: String, _ path: String) throws {
        #expect(try rewritten(regex, replace, path: path).outcome == .failed(.invalidPath))
    }

    @Test func whatIsTooLongFails() throws {
        let path = "/" + String(repeating: "a", count: 10_000)
        #expect(try rewritten("(.*)", "$1$1", path: path).outcome == .failed(.bufferTooSmall))
        #expect(try rewritten("^/(a+)+$", "/", path: path + "!").outcome == .failed(.replaceError))
    }

    @Test func withoutAMatchNothingChanges() throws {
        let head = SampleRequest(path: "/a", query: "?b").head
        let count = head.byteCount
        let url = URLRewrite(Rewrite(try RegularExpression("^/c", ignoresCase: false), replacement: "/"))
        #expect(url.apply(to: head, in: MatchSpace()) == .notFound)
        #expect(head.byteCount == count)
    }
}
