import Core
import RegularExpressions
import Testing

@testable import Routing

@Suite struct HostHeaderRewriteTests {
    private func rewritten(_ replace: String, host: String = "www.example") throws -> (TransformOutcome, String) {
        let head = SampleRequest(host: host).head
        let rewrite = HostHeaderRewrite(
            Rewrite(try RegularExpression("^(?:www\\.)?(.*)$", ignoresCase: true), replacement: replace))
        let outcome = rewrite.apply(to: head.host, of: head, in: MatchSpace())
        guard case .written(let range) = outcome else { return (outcome, "") }
        return (outcome, head.bytes(range).text)
    }

    @Test(arguments: [
        ("$1", "example"), ("internal.$1:8080", "internal.example:8080"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]:80"),
        ("a:65535", "a:65535"),
        ("10.0.0.1", "10.0.0.1"), ("a_b-c.$1", "a_b-c.example"),
    ])
    func aHostMayComeWithAPort(_ replace: String, _ result: String) throws {
        #expect(try rewritten(replace).1 == result)
    }

    @Test(arguments: [
        "", ":80", "a/b", "a:b", "[::1", "[]", "[g]", "a:80:90", "user@$1", "a,b", "a:0", "a:65536", "a:123456", "a:",
    ])
    func whatIsNoHostFails(_ replace: String) throws {
        #expect(try rewritten(replace).0 == .failed(.invalidHost))
    }

    @Test func whatIsTooLongFails() throws {
        #expect(try rewritten(String(repeating: "a", count: 321)).0 == .failed(.bufferTooSmall))
        #expect(try rewritten(String(repeating: "a", count: 320)).1.count == 320)
    }
}
