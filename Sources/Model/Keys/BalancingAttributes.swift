/// The attributes of a target group that say how the target of a request is chosen.
///
/// Source: ELBv2 ModifyTargetGroupAttributes; the names and words that begin with `apus.` are ours.
public struct BalancingAttributes: Hashable, Sendable {
    /// How the target of a request is chosen.
    public enum Algorithm: String, Hashable, Sendable, CaseIterable {
        /// One after the other.
        case roundRobin = "round_robin"
        /// The one with the fewest requests in flight.
        case leastOutstandingRequests = "least_outstanding_requests"
        /// At random.
        case weightedRandom = "weighted_random"
        /// Of two the one that will probably answer first.
        case leastLatency = "apus.least_latency"
        /// By a hash of the request.
        case consistentHash = "apus.consistent_hash"
    }

    /// What of a request `apus.consistent_hash` looks at.
    public enum HashKey: Hashable, Sendable {
        /// The client's address.
        case sourceIP
        /// The path, without the query.
        case path
        /// The first field of this name.
        case header(String)
        /// The cookie of this name.
        case cookie(String)
    }

    /// `load_balancing.algorithm.type`: how the target of a request is chosen.
    public var algorithm = Algorithm.roundRobin
    /// `load_balancing.algorithm.anomaly_mitigation`: whether a target that fails more often than the others gets less.
    public var anomalyMitigation = Switch.off
    /// `slow_start.duration_seconds`: how long the share of a target that has become healthy grows; 0 for not at all.
    public var slowStartSeconds: Double = 0
    /// `apus.consistent_hash.key`: what of a request is hashed.
    public var hashKey = HashKey.sourceIP
    /// `apus.consistent_hash.bound_percent`: what a target may have in flight, in percent of its share of what the
    /// group has; 0 for any number.
    public var hashBoundPercent = 125

    /// Every default.
    public init() {}
}

extension TargetGroupAttributes {
    /// The keys that say how the target of a request is chosen.
    static let balancingKeys: [Key<TargetGroupAttributes>] = [
        Key(
            "load_balancing.algorithm.type", \.balancing.algorithm, .word(),
            "How the target of a request is chosen: in turn, the one with the fewest requests in flight, at "
                + "random, of two the one that will probably answer first, or by a hash of the request."
        ).of(.application),
        Key(
            "load_balancing.algorithm.anomaly_mitigation", \.balancing.anomalyMitigation, .word(),
            "Whether a target that fails more often than the others gets less, with weighted_random."
        ).of(.application),
        Key(
            "slow_start.duration_seconds", \.balancing.slowStartSeconds, .number(0...900, unit: "seconds"),
            "How long the share of a target that has become healthy grows up to that of the others, with "
                + "round_robin; 0 for not at all."
        ).of(.application),
        Key(
            "apus.consistent_hash.key", \.balancing.hashKey, .hashKey,
            "What of a request apus.consistent_hash looks at; one that lacks the field or the cookie goes by its "
                + "client's address."
        ).of(.application),
        Key(
            "apus.consistent_hash.bound_percent", \.balancing.hashBoundPercent,
            .integer(0...10_000, unit: "percent"),
            "What a target may have in flight, in percent of its share of what the group has, before requests of "
                + "its hash go to the next; 100 or more, or 0 for any number."
        ).of(.application),
    ]
}

extension BalancingAttributes {
    /// Reports attributes that another algorithm than this one has.
    func check(_ findings: inout Findings) {
        let blank = BalancingAttributes()
        let owners: [(key: String, isGiven: Bool, of: Algorithm)] = [
            (
                "load_balancing.algorithm.anomaly_mitigation", anomalyMitigation != blank.anomalyMitigation,
                .weightedRandom
            ),
            ("slow_start.duration_seconds", slowStartSeconds != blank.slowStartSeconds, .roundRobin),
            ("apus.consistent_hash.key", hashKey != blank.hashKey, .consistentHash),
            ("apus.consistent_hash.bound_percent", hashBoundPercent != blank.hashBoundPercent, .consistentHash),
        ]
        for (key, isGiven, owner) in owners where owner != algorithm {
            findings.misplaced(
                [(key, isGiven)], belongTo: "the algorithm \(owner.rawValue)", found: "it with \(algorithm.rawValue)",
                remedy: "Write load_balancing.algorithm.type: \(owner.rawValue), or remove it.")
        }
        guard (1..<100).contains(hashBoundPercent) else { return }
        findings.within(.key("apus.consistent_hash.bound_percent")) { findings in
            findings.report(
                "apus.consistent_hash.bound_percent must be 0, or 100 or more: a target's share is 100",
                found: "\(hashBoundPercent)", remedy: "Write 125, or 0 for no bound.")
        }
    }
}

extension BalancingAttributes.HashKey {
    /// Reads `source-ip`, `path`, `header NAME` or `cookie NAME`; nil for anything else.
    init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("source-ip", 1): self = .sourceIP
        case ("path", 1): self = .path
        case ("header", 2) where Self.isToken(words[1]): self = .header(String(words[1]))
        case ("cookie", 2) where Self.isToken(words[1]): self = .cookie(String(words[1]))
        default: return nil
        }
    }

    /// As it is read.
    var text: String {
        switch self {
        case .sourceIP: "source-ip"
        case .path: "path"
        case .header(let name): "header \(name)"
        case .cookie(let name): "cookie \(name)"
        }
    }

    /// Whether it is a name of fields and cookies. Source: RFC 9110 §5.6.2, RFC 6265 §4.1.1.
    private static func isToken(_ name: Substring) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { TextRule.isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }
}

extension Codec where Model == BalancingAttributes.HashKey {
    /// What of a request is hashed, as text.
    static var hashKey: Codec<BalancingAttributes.HashKey> {
        let rule = TextRule(
            "source-ip, path, or header or cookie and a name", length: 4...135,
            pattern: "^(source-ip|path|(header|cookie) [!#$%&'*+.^_`|~0-9A-Za-z-]+)$",
            remedy: "Write it as in source-ip, path, header X-User or cookie session."
        ) { BalancingAttributes.HashKey($0) != nil }
        return Codec<String>.text(rule).converted(
            to: { text, _ in BalancingAttributes.HashKey(text) }, from: { $0.text })
    }
}
