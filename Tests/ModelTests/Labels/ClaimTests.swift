import Testing

@testable import Model

/// Who goes first, and which hosts are allowed.
@Suite struct ClaimTests {
    /// A claim of a container with these labels.
    static func claim(
        _ container: String, _ labels: [String: String], since: String = "2026-01-01T00:00:00", isGone: Bool = false
    ) throws -> Claim {
        let read = try #require(try ContainerLabels.read(labels))
        let last = container.split(separator: "-").last.flatMap { Int($0) } ?? 0
        let target = TargetDescription(id: "10.0.0.\(last)", port: read.port ?? 80, weight: read.weight)
        return Claim(
            container: container, labels: read,
            target: isGone ? nil : Discovered.Target(target, name: container, identity: container), since: since)
    }

    @Test func whoAskedFirstGoesFirstAndWhoIsGoneLast() throws {
        let claims = [
            try Self.claim("c-1", ["apus.host": "a"], since: "2026-01-03T00:00:00"),
            try Self.claim("c-2", ["apus.host": "b"], since: "2026-01-01T00:00:00", isGone: true),
            try Self.claim("c-3", ["apus.host": "c"], since: "2026-01-02T00:00:00.5"),
            try Self.claim("c-4", ["apus.host": "d"], since: "2026-01-02T00:00:00"),
            try Self.claim("c-5", ["apus.host": "a", "apus.port": "81"], since: "2026-01-03T00:00:00"),
        ]
        let order = Claim.bySubject(claims)
        #expect(order.map { $0.claims.map(\.container) } == [["c-4"], ["c-3"], ["c-1", "c-5"], ["c-2"]])
    }

    @Test(
        arguments: [
            ("*.example.com", "shop.example.com", true), ("*.example.com", "SHOP.Example.com", true),
            ("*.example.com", "a.b.example.com", true), ("*.example.com", "*.example.com", true),
            ("*.example.com", "*.shop.example.com", true), ("*.example.com", "example.com", false),
            ("*.example.com", "*", false), ("*.example.com", "*example.com", false),
            ("*.example.com", "shop.example.comm", false), ("*.example.com", "shop.example.com.*", false),
            ("*.example.com", "?.example.com", true), ("shop?.a", "shop1.a", true), ("shop?.a", "shop?.a", true),
            ("shop?.a", "shop*.a", false), ("shop?.a", "shop.a", false), ("*", "*", true), ("*", "a", true),
            ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXcYb", false), ("a*b*c", "a*b*c", true), ("a**", "a", true),
            ("shop.a", "shop.a", true), ("shop.a", "shop.b", false), ("", "a", false),
        ])
    func whatIsAllowedCoversAllThatIsAskedFor(allowed: String, host: String, isAllowed: Bool) {
        var labels = LabelDiscovery()
        labels.allowHosts = ["other.example", allowed]
        #expect(labels.allows(host: host) == isAllowed)
    }
}
