import Core
import Testing

@testable import Routing

@Suite struct RuleTableReadingsTests {
    private func isAmbiguous(_ table: RuleTable, _ path: String, host: String = "a.example") -> Bool {
        let (hostBytes, pathBytes) = (Array(host.utf8), Array(path.utf8))
        let matched = table.firstMatch(host: hostBytes.span, path: pathBytes.span)
        let client = SocketAddress(literal: "192.0.2.1", port: 4000)!
        let facts = RuleFacts(host: hostBytes.span, path: pathBytes.span, client: client)
        return table.isAmbiguous(facts, matched: matched, scratch: Head())
    }

    private static let guarded = RuleTable([RulePattern(paths: ["/admin*"])])

    @Test(arguments: [
        // Canonical already, so targets cannot resolve it differently.
        "//admin/x", "/%2fadmin/x", "/%2Fadmin/x", "///admin", "//admin",
        // One further way of reading each.
        "/%5cadmin", "/\\admin", "/%5Cadmin/x", "/;admin/admin", "/;/admin", "/a;b/%252e%252e/admin", "/%252fadmin",
        "/%2561dmin", "/x/%252e%252e/admin", "/x%2f%252e%252e%2fadmin", "/%253b/admin", "/;a%2f/admin",
        // Combinations.
        "/;x=y//admin", "/%2f;x/admin", "/;%5c/admin", "/%5c%2f;/\\admin", "/%3b%2fadmin", "/;x%2fadmin",
        // An authority to some, a segment to others.
        "//x/admin", "///x/admin/y", "/\\x/admin",
        // The rule's path appears after decoding, after removing parameters, or after merging slashes.
        "/%2fx/admin", "/%2f%2fx/admin", "/%5c%5cx/admin", "/%5cx/admin", "/%252fx/admin", "/;/x/admin",
        "/;a%2fx/admin",
        "//x//admin", "/%2fx%2f%2fadmin", "/%2fx%2fadmin", "//x%2f%2fadmin", "/%2fx/y/%252e%252e/admin",
        // Away from the rule.
        "/admin/%252e%252e/x", "/admin%252f%252e%252e%252fx",
    ])
    func isRefusedWhereARuleCouldBeBypassed(path: String) {
        #expect(isAmbiguous(Self.guarded, path))
    }

    @Test(arguments: [
        "/", "/x", "/admin", "/admin/x", "/x//y", "/x%2fy", "/x%2Fadmin", "/x//admin", "/x\\admin", "/x;admin/y",
        "/admin//x", "/admin%2fx", "/admin;a=b/x", "/admin/%5cx", "/admin/%20", "/caf%C3%A9", "/%40me", "/x;/..a",
        "/files/a%252fb", "/fetch/https://example.com/x", "/x/..;a", "//x", "//x/y",
        "/%2fx/y", "/%2fx", "/%2f", "/%5c%5cx/y", "/x/%2fy/admin", "/;/x/y",
    ])
    func isServedWhereAllReadingsAgree(path: String) {
        #expect(!isAmbiguous(Self.guarded, path))
    }

    @Test func withoutPathsInRulesNothingIsAmbiguous() {
        #expect(!isAmbiguous(RuleTable([RulePattern]()), "//admin"))
        #expect(!isAmbiguous(RuleTable([RulePattern(hosts: ["a.example"])]), "//admin"))
    }

    /// The rule counts, not the path alone: what is guarded for one host is not for another.
    @Test func theHostCounts() {
        let table = RuleTable([RulePattern(hosts: ["b.example"], paths: ["/admin*"]), RulePattern(paths: ["/app*"])])
        #expect(!isAmbiguous(table, "//admin"))
        #expect(isAmbiguous(table, "//admin", host: "b.example"))
        #expect(isAmbiguous(table, "//app"))
    }

    /// Also in the other direction: a path that a rule allows may be read as one that the default action denies.
    @Test(arguments: [("/public%2f%252e%252e%2fx", true), ("/public;/x", false), ("/public%2fx", false)])
    func aRuleThatLetsIn(path: String, isRefused: Bool) {
        #expect(isAmbiguous(RuleTable([RulePattern(paths: ["/public*"])]), path) == isRefused)
    }

    /// Percent-encoding of bytes that do not need it.
    @Test(arguments: [("/v1/users%3adelete", true), ("/v1/users%3Alist", false), ("/%40me/x", true), ("/%41me", false)])
    func escapesAreRead(path: String, isRefused: Bool) {
        let table = RuleTable([RulePattern(paths: ["*:delete"]), RulePattern(paths: ["/@me*"])])
        #expect(isAmbiguous(table, path) == isRefused)
    }

    /// Consecutive slashes in a rule's value are meant literally.
    @Test func ruleMayHaveConsecutiveSlashes() {
        let fetch = RuleTable([RulePattern(paths: ["/admin*"]), RulePattern(paths: ["/fetch/https://*"])])
        #expect(!isAmbiguous(fetch, "/fetch/https://x/y"))
        #expect(!isAmbiguous(fetch, "/fetch/https://x//y"))
        #expect(isAmbiguous(fetch, "/fetch/https:%2f/x"))
        #expect(!isAmbiguous(fetch, "//fetch/https:/x"), "no rule matches")
        let blocking = RuleTable([RulePattern(paths: ["*//*"]), RulePattern(paths: ["/a*"])])
        #expect(!isAmbiguous(blocking, "/b//c"), "the first rule matches")
        #expect(!isAmbiguous(blocking, "/a%40b"))
        #expect(isAmbiguous(blocking, "/b%2f/c"), "the first rule would match another reading")
        // A rule of higher priority than the one with consecutive slashes is still found.
        let later = RuleTable([RulePattern(paths: ["/admin*"]), RulePattern(paths: ["*//*"])])
        #expect(isAmbiguous(later, "//admin"))
    }

    /// The work is bounded: a long path with every kind of ambiguity is rejected, one with escapes alone is not.
    @Test func workForLongPathsIsBounded() {
        #expect(!isAmbiguous(Self.guarded, "/" + String(repeating: "%20", count: 5_000)))
        #expect(!isAmbiguous(Self.guarded, "/" + String(repeating: "a/%20", count: 500)))
        #expect(!isAmbiguous(Self.guarded, "/x;%5c%252f" + String(repeating: "a", count: 3_000)))
        #expect(isAmbiguous(Self.guarded, "/x;%5c%252f" + String(repeating: "a", count: 4_000)))
    }

    /// A path that is not rejected matches the same rule in every reading, and a path without ambiguity is not
    /// rejected.
    @Test(arguments: [UInt64(1), 2, 3]) func nothingServedIsReadDifferently(seed: UInt64) {
        var random = FastRandom(seed: seed)
        func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: random.next() >> 33) % limit }
        let pieces = ["/", "/", "admin", "x", "%2f", "%5c", "\\", ";", "%252f", "%252e%252e", "%3b", ".a", "%61"]
        var servedCount = 0
        for _ in 0..<3_000 {
            var path = "/"
            for _ in 0...below(6) { path += pieces[below(pieces.count)] }
            guard !isAmbiguous(Self.guarded, path) else { continue }
            servedCount += 1
            let isGuarded = path.hasPrefix("/admin")
            let decoded = path.replacing("%2f", with: "/").replacing("%61", with: "a")
            for text in [decoded, decoded.replacing("\\", with: "/").replacing("%5c", with: "/")] {
                var merged = text
                while merged.contains("//") { merged = merged.replacing("//", with: "/") }
                #expect(merged.hasPrefix("/admin") == isGuarded, "\(path)")
            }
        }
        #expect(servedCount > 300)
    }
}
