import Core

/// The conditions of one rule, as far as they concern host and path.
///
/// Shape:  each list is an OR, the two lists are joined by AND, and an empty list holds for every request.
///         In a value `*` stands for zero or more bytes and `?` for exactly one; there is no escape.
///         Hosts ignore the case of ASCII letters, paths do not.
/// Source: docs/elbv2.md, "Conditions".
public struct RulePattern: Equatable, Sendable {
    /// Values of the host-header condition.
    public var hosts: [String]
    /// Values of the path-pattern condition.
    public var paths: [String]

    /// Conditions on the host, the path, both or neither.
    public init(hosts: [String] = [], paths: [String] = []) {
        self.hosts = hosts
        self.paths = paths
    }
}

/// The compiled rules of one listener: finds the first one that matches a host and a path.
///
/// Every distinct host value leads to a `HostRules`, which holds the paths of all rules with that host value.
/// A request's host is found as a whole, then by its suffixes from the longest to the shortest, then the rules
/// for any host are asked, and in each place its path is searched in the same manner. Only values with inner
/// wildcards are tried one by one, in priority order, and never after a better rule is known.
///
/// Shape:  a class, because a copy of the arrays would count their references; they hold trivial values, written by
///         `init` only, so a lookup neither allocates nor counts any. Memory is proportional to the sum over the
///         rules of hosts × paths.
/// Limits: fewer than 2^31 rules.
public final class RuleTable: Sendable {
    /// The rules that share one host value.
    struct HostRules: Sendable {
        /// The least index of all of them: nobody with a better match looks further.
        var least: UInt32
        /// The least index of those without a condition on the path.
        var anyPath = LiteralTable.none
        /// Their literal paths and prefixes, in `paths`; the values are rule indices.
        var pathEntries = 0..<0
        /// Their other paths, in `wildPaths`.
        var wildPaths = 0..<0
    }

    /// A path value with inner wildcards.
    struct WildPath: Sendable {
        /// Its bytes in `patterns`.
        var pattern: ByteRange
        /// The index of its rule.
        var rule: UInt32
    }

    /// A host value with inner wildcards.
    struct WildHost: Sendable {
        /// Its bytes in `patterns`.
        var pattern: ByteRange
        /// Its rules, in `hostRules`.
        var rules: Int
    }

    /// Literal hosts and suffixes, reversed; the values are indices into `hostRules`.
    private let hosts: LiteralTable
    private let paths: LiteralTable
    private let hostRules: [HostRules]
    /// The rules for any host, in `hostRules`; −1 when there are none.
    private let anyHost: Int
    /// Ascending by `least` of their rules.
    private let wildHosts: [WildHost]
    /// Ascending by rule within one `HostRules`.
    private let wildPaths: [WildPath]
    /// The values with slashes in a row, each run made one slash, ascending by rule.
    let mergedPaths: [WildPath]
    /// The bytes of the values with inner wildcards, and of `mergedPaths`.
    let patterns: [UInt8]
    /// Whether any rule looks at the path.
    let looksAtPaths: Bool

    /// Compiles `patterns`, which are in priority order.
    public init(_ patterns: [RulePattern]) {
        var compiler = RuleCompiler()
        for (index, pattern) in patterns.enumerated() { compiler.add(pattern, rule: UInt32(index)) }
        compiler.finish()
        hosts = compiler.hosts
        paths = compiler.paths
        hostRules = compiler.hostRules
        anyHost = compiler.anyHost
        wildHosts = compiler.wildHosts
        wildPaths = compiler.wildPaths
        mergedPaths = compiler.mergedPaths
        looksAtPaths = patterns.contains { !$0.paths.isEmpty }
        self.patterns = compiler.patterns
    }

    /// The index of the first pattern that matches; nil means the default action.
    ///
    /// `host` is in lower case and without a port; `path` is canonical and without a query.
    public func firstMatch(host: Span<UInt8>, path: Span<UInt8>) -> Int? {
        var best = LiteralTable.none
        if anyHost >= 0 { improve(&best, by: anyHost, path) }
        let hit = hosts.search(host, in: hosts.entries.indices, fromEnd: true)
        if hit.exact != LiteralTable.none { improve(&best, by: Int(hit.exact), path) }
        var affixIndex = hit.affixIndex
        while affixIndex >= 0 {
            improve(&best, by: Int(hosts.entries[affixIndex].affix), path)
            affixIndex = Int(hosts.entries[affixIndex].enclosing)
        }
        for index in wildHosts.indices {
            let wild = wildHosts[index]
            guard hostRules[wild.rules].least < best else { break }
            let patterns = patterns
            if Glob.matches(patterns.span.extracting(wild.pattern), host) { improve(&best, by: wild.rules, path) }
        }
        return best == LiteralTable.none ? nil : Int(best)
    }

    /// Lowers `best` to the first of one host's rules that matches `path`, if that is better.
    private func improve(_ best: inout UInt32, by index: Int, _ path: Span<UInt8>) {
        let rules = hostRules[index]
        guard rules.least < best else { return }
        best = min(best, rules.anyPath)
        if !rules.pathEntries.isEmpty {
            let hit = paths.search(path, in: rules.pathEntries, fromEnd: false)
            best = min(best, hit.exact)
            if hit.affixIndex >= 0 { best = min(best, paths.entries[hit.affixIndex].affix) }
        }
        for wildIndex in rules.wildPaths {
            let wild = wildPaths[wildIndex]
            guard wild.rule < best else { return }
            let patterns = patterns
            if Glob.matches(patterns.span.extracting(wild.pattern), path) { best = wild.rule }
        }
    }
}
