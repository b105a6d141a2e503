import Core

/// Decides by which of its conditions each rule is found: the one that fewest rules share with it, since all that share
/// it are tested.
///
/// Shape: lives for one compilation.
struct RuleAccess {
    /// A host value and a path value that some rule has together.
    fileprivate struct Place: Hashable {
        let host: [UInt8]
        let path: [UInt8]
    }

    /// Hosts times paths of a rule above which it is taken for one that is found well by them.
    private static let placesMax = 64

    private var places: [Place: Int] = [:]
    /// Rules with wildcards inside their values, which are tried one by one.
    private var wildCount = 0
    private var facts: [UInt64: Int] = [:]

    /// Counts what `rules` share.
    init(_ rules: [[CompiledCondition]]) {
        guard rules.contains(where: { $0.contains { FactIndex.hashes(of: $0) != nil } }) else { return }
        for conditions in rules {
            for place in Self.places(of: conditions) {
                places[place, default: 0] += 1
                if place.isWild { wildCount += 1 }
            }
            for condition in conditions {
                for hash in Set(FactIndex.hashes(of: condition) ?? []) { facts[hash, default: 0] += 1 }
            }
        }
    }

    /// The condition by which a rule with `conditions` is to be found; nil stands for host and path.
    func condition(of conditions: [CompiledCondition]) -> CompiledCondition? {
        guard !facts.isEmpty else { return nil }
        var least = Self.places(of: conditions).map { $0.isWild ? wildCount : places[$0] ?? 0 }.max() ?? 1
        var chosen: CompiledCondition?
        for condition in conditions {
            guard let count = FactIndex.hashes(of: condition)?.map({ facts[$0] ?? 0 }).max(), count < least
            else { continue }
            least = count
            chosen = condition
        }
        return chosen
    }

    /// Where the rule would stand among hosts and paths; none if these are many.
    private static func places(of conditions: [CompiledCondition]) -> [Place] {
        let (hosts, paths) = (conditions.hosts, conditions.paths)
        guard hosts.count * paths.count <= placesMax else { return [] }
        return hosts.flatMap { host in paths.map { Place(host: host, path: $0) } }
    }
}

extension [CompiledCondition] {
    /// Patterns, one of which the host of every request matches to which the rule with these conditions applies.
    var hosts: [[UInt8]] {
        for case .hostHeader(let condition) in self { return condition.patterns }
        return [[.asterisk]]
    }

    /// Patterns, one of which the path of every such request matches. Those of its regular expressions are prefixes.
    var paths: [[UInt8]] {
        for case .pathPattern(let condition) in self { return condition.patterns }
        for case .pathRegex(let condition) in self { if let patterns = condition.patterns { return patterns } }
        return [[.asterisk]]
    }
}

extension RuleAccess.Place {
    /// Whether rules with these values are tried one by one.
    fileprivate var isWild: Bool {
        switch (Glob.kind(of: host), Glob.kind(of: path)) {
        case (.prefix, _), (.wild, _), (_, .suffix), (_, .wild): true
        default: false
        }
    }
}
