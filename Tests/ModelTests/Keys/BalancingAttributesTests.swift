import Testing

@testable import Model

/// What a group may say about how targets are chosen, and what a mistake reads like.
@Suite struct BalancingAttributesTests {
    private static func file(_ attributes: String, targets: String = "[]") -> String {
        """
        targetGroups:
          - { name: a, protocol: HTTP, port: 80, targetType: ip, targets: \(targets), attributes: { \(attributes) } }
        """
    }

    private func read(_ attributes: String) throws -> BalancingAttributes {
        try Document.load(yaml: Self.file(attributes), file: "a.yaml").targetGroups[0].attributes.balancing
    }

    private func mistake(_ attributes: String, targets: String = "[]") -> String? {
        do {
            _ = try Document.load(yaml: Self.file(attributes, targets: targets), file: "a.yaml")
            return nil
        } catch { return error.first.description }
    }

    @Test func everyAlgorithmIsRead() throws {
        for algorithm in BalancingAttributes.Algorithm.allCases {
            #expect(try read("load_balancing.algorithm.type: \(algorithm.rawValue)").algorithm == algorithm)
        }
        let random = "load_balancing.algorithm.type: weighted_random, load_balancing.algorithm.anomaly_mitigation: on"
        #expect(try read(random).anomalyMitigation == .on)
        #expect(try read("slow_start.duration_seconds: 90").slowStartSeconds == 90)
    }

    @Test(arguments: [
        ("source-ip", BalancingAttributes.HashKey.sourceIP), ("path", .path), ("header X-User", .header("X-User")),
        ("cookie session", .cookie("session")),
    ])
    func keysOfHashing(_ text: String, _ key: BalancingAttributes.HashKey) throws {
        let attributes = "load_balancing.algorithm.type: apus.consistent_hash, apus.consistent_hash.key: \(text)"
        #expect(try read(attributes).hashKey == key && key.text == text)
    }

    @Test(arguments: ["header", "header ", "cookie a b", "sourceip", "path /a", "header X:Y", ""])
    func whatIsNoKey(_ text: String) {
        let attributes = "load_balancing.algorithm.type: apus.consistent_hash, apus.consistent_hash.key: \"\(text)\""
        #expect(
            mistake(attributes)?.hasSuffix(
                "apus.consistent_hash.key must be source-ip, path, or header or cookie and a name, "
                    + "but found \"\(text)\". "
                    + "Write it as in source-ip, path, header X-User or cookie session.") == true,
            "\(mistake(attributes) ?? "accepted")")
    }

    /// A mistyped word is told the nearest.
    @Test func aMistypedAlgorithm() {
        #expect(
            mistake("load_balancing.algorithm.type: least_outstanding_request")
                == "a.yaml:2:116: load_balancing.algorithm.type must be round_robin, least_outstanding_requests, "
                + "weighted_random, apus.least_latency or apus.consistent_hash, but found "
                + "\"least_outstanding_request\". Did you mean least_outstanding_requests?")
    }

    @Test(arguments: [
        ("load_balancing.algorithm.anomaly_mitigation", "on", "weighted_random"),
        ("apus.consistent_hash.key", "path", "apus.consistent_hash"),
        ("apus.consistent_hash.bound_percent", "150", "apus.consistent_hash"),
    ])
    func whatBelongsToAnotherAlgorithm(_ key: String, _ value: String, _ owner: String) {
        #expect(
            mistake("\(key): \(value)")?.hasSuffix(
                "\(key) belongs to the algorithm \(owner), but found it with round_robin. "
                    + "Write load_balancing.algorithm.type: \(owner), or remove it.") == true,
            "\(mistake("\(key): \(value)") ?? "accepted")")
        #expect(mistake("load_balancing.algorithm.type: \(owner), \(key): \(value)") == nil)
    }

    @Test func slowStartIsRoundRobins() {
        let attributes = "load_balancing.algorithm.type: apus.least_latency, slow_start.duration_seconds: 30"
        #expect(
            mistake(attributes)?.contains("slow_start.duration_seconds belongs to the algorithm round_robin") == true)
    }

    @Test func aBoundBelowTheShareIsRefused() {
        let attributes = "load_balancing.algorithm.type: apus.consistent_hash, apus.consistent_hash.bound_percent: "
        #expect(mistake(attributes + "50")?.contains("must be 0, or 100 or more") == true)
        for bound in [0, 100, 10_000] { #expect(mistake(attributes + "\(bound)") == nil) }
    }

    // MARK: Weights

    @Test func weightsOfTargets() throws {
        let yaml = Self.file("", targets: "[{ id: 10.0.0.1, apus.weight: 0 }, { id: 10.0.0.2 }]")
        let document = try Document.load(yaml: yaml, file: "a.yaml")
        #expect(document.targetGroups[0].targets.map(\.weight) == [0, nil])
        #expect(try Document(document.encoded()) == document)
        #expect(
            mistake("", targets: "[{ id: 10.0.0.1, apus.weight: 257 }]")
                == "a.yaml:2:97: apus.weight must be an integer from 0 to 256, but found 257. Write 256 or less.")
    }

    /// To register a target again changes its weight if one is given, and nothing else, few or many at once.
    @Test(arguments: [1, 10]) func registeringAgainChangesTheWeight(_ count: Int) throws {
        let yaml = Self.file("", targets: "[{ id: 10.0.0.1, apus.weight: 5 }, { id: 10.0.0.2 }]")
        let document = try Document.load(yaml: yaml, file: "a.yaml")
        let more = (0..<count).map { TargetDescription(id: "10.1.0.\($0)") }
        let change = Change.registerTargets(
            group: "a", [TargetDescription(id: "10.0.0.2", weight: 9), TargetDescription(id: "10.0.0.1")] + more)
        let after = try document.applying(change)
        #expect(after.targetGroups[0].targets.map(\.weight).prefix(2) == [5, 9])
        #expect(after.targetGroups[0].targets.count == 2 + count)
        var changes = Changes()
        changes.record(change, over: document)
        #expect(changes.apply(to: document).0 == after, "and so after a restart")
        #expect("\(Change.registerTargets(group: "a", [TargetDescription(id: "::1", weight: 9)]))".contains("weight 9"))
    }
}
