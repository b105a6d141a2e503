import Core

/// Sorts the values of rules into the arrays of a `RuleTable`. Lives for one compilation; nothing here is fast.
struct RuleCompiler {
    /// The paths of one host value, gathered until all rules are known.
    private struct Draft {
        var least: UInt32
        var anyPaths: [UInt32] = []
        var literals: [LiteralTable.Item] = []
        var wilds: [RuleTable.WildPath] = []
    }

    // The arrays of the table, as `RuleTable` describes them.
    private(set) var hosts = LiteralTable()
    private(set) var paths = LiteralTable()
    private(set) var hostRules: [RuleTable.HostRules] = []
    private(set) var anyPaths: [[UInt32]] = []
    private(set) var anyHost = -1
    private(set) var wildHosts: [RuleTable.WildHost] = []
    private(set) var wildPaths: [RuleTable.WildPath] = []
    private(set) var mergedPaths: [RuleTable.WildPath] = []
    private(set) var patterns: [UInt8] = []
    private(set) var remaining: [CompiledCondition] = []
    private(set) var remainingEnds: [Int] = []
    private(set) var factIndex = FactIndex([])
    /// Whether some rule that is found by host and path has other conditions.
    private(set) var testsCandidates = false

    private var drafts: [Draft] = []
    private var hostItems: [LiteralTable.Item] = []
    /// Which draft a simplified host value has.
    private var draftIndices: [[UInt8]: Int] = [:]
    /// Where in `patterns` a value with wildcards lies, so that a path of many hosts is kept once.
    private var patternRanges: [[UInt8]: ByteRange] = [:]

    /// Compiles the conditions of rules, which are in priority order.
    init(_ rules: [[CompiledCondition]]) {
        let choice = RuleAccess(rules)
        var entries: [(condition: CompiledCondition, rule: UInt32)] = []
        for (index, conditions) in rules.enumerated() {
            let rule = UInt32(index)
            let condition = choice.condition(of: conditions)
            if let condition { entries.append((condition, rule)) }
            add(conditions, rule: rule, byHostAndPath: condition == nil)
        }
        finish()
        factIndex = FactIndex(entries)
    }

    /// Takes the conditions of the next rule, which is found by its hosts and paths or otherwise.
    private mutating func add(_ conditions: [CompiledCondition], rule: UInt32, byHostAndPath: Bool) {
        let start = remaining.count
        for condition in conditions {
            switch condition {
            case .hostHeader, .pathPattern: continue
            default: if !condition.hasExpressions { remaining.append(condition) }
            }
        }
        if !byHostAndPath {
            remaining += conditions.filter {
                switch $0 {
                case .hostHeader, .pathPattern: true
                default: false
                }
            }
        }
        remaining += conditions.filter(\.hasExpressions)
        remainingEnds.append(remaining.count)
        for case .pathPattern(let condition) in conditions {
            for path in condition.patterns {
                let merged = mergedSlashes(path)
                if merged != path { mergedPaths.append(RuleTable.WildPath(pattern: store(merged), rule: rule)) }
            }
        }
        guard byHostAndPath else { return }
        if remaining.count > start { testsCandidates = true }
        let paths = conditions.paths
        for host in conditions.hosts {
            let index = draftIndex(of: host, rule: rule)
            for path in paths { add(path, to: index, rule: rule) }
        }
    }

    /// Lays out the arrays when every rule is in.
    private mutating func finish() {
        _ = hosts.add(hostItems, accumulates: false)
        for draft in drafts {
            let wildStart = wildPaths.count
            wildPaths += draft.wilds
            hostRules.append(
                RuleTable.HostRules(
                    least: draft.least, anyPath: draft.anyPaths.first ?? LiteralTable.none,
                    pathEntries: paths.add(draft.literals, accumulates: true, keepsValues: testsCandidates),
                    wildPaths: wildStart..<wildPaths.count))
            anyPaths.append(testsCandidates ? draft.anyPaths : [])
        }
    }

    /// The draft of a simplified host value, made when `rule` is the first with that value.
    private mutating func draftIndex(of host: [UInt8], rule: UInt32) -> Int {
        if let index = draftIndices[host] { return index }
        let index = drafts.count
        drafts.append(Draft(least: rule))
        draftIndices[host] = index
        switch Glob.kind(of: host) {
        case .any:
            anyHost = index
        case .literal:
            hostItems.append(.init(literal: host.reversed(), isAffix: false, value: UInt32(index)))
        case .suffix:
            hostItems.append(.init(literal: host.dropFirst().reversed(), isAffix: true, value: UInt32(index)))
        case .prefix, .wild:
            wildHosts.append(RuleTable.WildHost(pattern: store(host), rules: index))
        }
        return index
    }

    private mutating func add(_ path: [UInt8], to index: Int, rule: UInt32) {
        switch Glob.kind(of: path) {
        case .any:
            drafts[index].anyPaths.append(rule)
        case .literal:
            drafts[index].literals.append(.init(literal: path, isAffix: false, value: rule))
        case .prefix:
            drafts[index].literals.append(.init(literal: path.dropLast(), isAffix: true, value: rule))
        case .suffix, .wild:
            let pattern = store(path)
            drafts[index].wilds.append(RuleTable.WildPath(pattern: pattern, rule: rule))
        }
    }

    /// `path` with each run of slashes made one.
    private func mergedSlashes(_ path: [UInt8]) -> [UInt8] {
        var merged: [UInt8] = []
        for byte in path where byte != .slash || merged.last != .slash { merged.append(byte) }
        return merged
    }

    private mutating func store(_ pattern: [UInt8]) -> ByteRange {
        if let range = patternRanges[pattern] { return range }
        let range = ByteRange(start: patterns.count, count: pattern.count)
        patterns += pattern
        patternRanges[pattern] = range
        return range
    }
}
