import Core
import RegularExpressions

/// The compiled rules of one listener: finds the first one whose conditions a request, or a connection that is passed
/// on, meets.
///
/// Every distinct host value leads to a `HostRules`, which holds the paths of all rules with that host value.
/// A request's host is found as a whole, then by its suffixes from the longest to the shortest, then the rules
/// for any host are asked, and in each place its path is searched in the same manner. Only values with inner
/// wildcards are tried one by one, in priority order, and never after a better rule is known.
/// A rule that is found so is a candidate. If it has conditions of other kinds they are tested, and where one does not
/// hold the next candidate is searched for. Rules that fewer others share another condition with than a host and a path
/// are found by that (`RuleAccess`, `FactIndex`), and candidates as well.
///
/// Shape:  a class, because a copy of the arrays would count their references; they hold trivial values, written by
///         `init` only, so a lookup neither allocates nor counts any. Memory is proportional to the sum over the
///         rules of hosts × paths. Rules that no condition tells apart from many others, such as those by
///         regular expressions alone, are tried one after the other.
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
    /// The conditions by which rules are not found, of all rules.
    private let remaining: [CompiledCondition]
    /// Where in `remaining` those of each rule end, which begin where the last rule's end.
    private let remainingEnds: [Int]
    /// The rules without a condition on the path, ascending, for each of `hostRules`; empty lists unless
    /// `testsCandidates`.
    private let anyPaths: [[UInt32]]
    /// Finds the rules that are found otherwise than by host and path.
    private let factIndex: FactIndex
    /// Whether some rule that is found by host and path has other conditions.
    private let testsCandidates: Bool
    /// Whether some rule has to know what name the client's TLS asks for.
    public let needsServerName: Bool
    /// Whether some rule has regular expressions, so that matching needs a `MatchSpace`.
    public let hasExpressions: Bool

    /// Compiles rules, which are in priority order; each is the list of its conditions, of which there is at most one
    /// host-header and one path-pattern.
    public init(_ rules: [[CompiledCondition]]) {
        let compiler = RuleCompiler(rules)
        hosts = compiler.hosts
        paths = compiler.paths
        hostRules = compiler.hostRules
        anyHost = compiler.anyHost
        wildHosts = compiler.wildHosts
        wildPaths = compiler.wildPaths
        mergedPaths = compiler.mergedPaths
        patterns = compiler.patterns
        remaining = compiler.remaining
        remainingEnds = compiler.remainingEnds
        anyPaths = compiler.anyPaths
        factIndex = compiler.factIndex
        testsCandidates = compiler.testsCandidates
        looksAtPaths = rules.contains { $0.contains(where: \.looksAtPath) }
        hasExpressions = compiler.remaining.contains(where: \.hasExpressions)
        needsServerName = compiler.remaining.contains { if case .serverName = $0 { true } else { false } }
    }

    /// The index of the first rule that applies, in a table without regular expressions; nil means the default action.
    public func firstMatch(_ facts: borrowing RuleFacts) -> Int? {
        switch match(facts, path: facts.path, in: nil) {
        case .rule(let rule): rule
        case .none: nil
        case .limit: preconditionFailure("rule table: a limit without an expression")
        }
    }

    /// The first rule that applies, or that cannot be told. Regular expressions are matched in `space`.
    public func match(_ facts: borrowing RuleFacts, in space: MatchSpace) -> RuleMatch {
        match(facts, path: facts.path, in: space)
    }

    /// The same as if the request had asked for `path`.
    func match(_ facts: borrowing RuleFacts, path: Span<UInt8>, in space: MatchSpace?) -> RuleMatch {
        var search = RuleSearch(rule: candidate(facts.host, path, from: 0))
        if testsCandidates { testCandidates(&search, facts.with(path: path), in: space) }
        if !factIndex.isEmpty { factIndex.improve(&search, facts.with(path: path), self, in: space) }
        return search.match
    }

    /// Goes on from the candidate of `search` to the first whose other conditions do not fail.
    ///
    /// Rules for any host and path, such as those by regular expressions alone, are gone through in their list: where
    /// there are many, to search hosts and paths again for each would cost most of the match.
    private func testCandidates(_ search: inout RuleSearch, _ facts: borrowing RuleFacts, in space: MatchSpace?) {
        var found: UInt32 = 0
        var position = 0
        while search.rule != LiteralTable.none {
            switch testRemaining(of: Int(search.rule), facts, in: space) {
            case .holds: return
            case .fails:
                let first = search.rule + 1
                if found < first {
                    found = candidate(facts.host, facts.path, from: first, skipsUnconditional: true)
                }
                search.rule = min(found, unconditional(from: first, &position))
            case .limit:
                search.isLimit = true
                return
            }
        }
    }

    /// Tests the conditions of `rule` by which it was not found, regular expressions last.
    func testRemaining(of rule: Int, _ facts: borrowing RuleFacts, in space: MatchSpace?) -> ConditionOutcome {
        var outcome = ConditionOutcome.holds
        for index in (rule == 0 ? 0 : remainingEnds[rule - 1])..<remainingEnds[rule] {
            switch test(index, facts, in: space) {
            case .holds: continue
            case .fails: return .fails
            // If another condition does not hold, the rule does not apply, whatever this one would have said.
            case .limit: outcome = .limit
            }
        }
        return outcome
    }

    /// Tests the condition at `index` of `remaining`. What a regular expression has found in the host or in a field
    /// holds for all readings of the path.
    private func test(_ index: Int, _ facts: borrowing RuleFacts, in space: MatchSpace?) -> ConditionOutcome {
        guard let space, remaining[index].isRemembered else { return remaining[index].test(facts, in: space) }
        if let noted = space.verdict(index), let outcome = ConditionOutcome(rawValue: noted) { return outcome }
        let outcome = remaining[index].test(facts, in: space)
        space.note(outcome.rawValue, index)
        return outcome
    }

    /// Begins a decision about a request, for which regular expressions are matched in `space`: what they may cost, and
    /// what they have found, is one account until the next.
    public func beginDecision(in space: MatchSpace) {
        if hasExpressions { space.beginDecision(conditionCount: remaining.count) }
    }

    /// The first rule, from the index `first` on, for any host and path; `LiteralTable.none` without one. `position` is
    /// where in their list the last one was found.
    private func unconditional(from first: UInt32, _ position: inout Int) -> UInt32 {
        guard anyHost >= 0 else { return LiteralTable.none }
        while position < anyPaths[anyHost].count, anyPaths[anyHost][position] < first { position += 1 }
        return position < anyPaths[anyHost].count ? anyPaths[anyHost][position] : LiteralTable.none
    }

    /// The first rule, from the index `first` on, for this host and path; `LiteralTable.none` without one.
    /// `skipsUnconditional`: other than those for any host and path.
    private func candidate(
        _ host: Span<UInt8>, _ path: Span<UInt8>, from first: UInt32, skipsUnconditional: Bool = false
    ) -> UInt32 {
        var best = LiteralTable.none
        if anyHost >= 0 {
            improve(&best, by: anyHost, path, from: first, skipsAnyPath: skipsUnconditional)
        }
        let hit = hosts.search(host, in: hosts.entries.indices, fromEnd: true)
        if hit.exact != LiteralTable.none { improve(&best, by: Int(hit.exact), path, from: first) }
        var affixIndex = hit.affixIndex
        while affixIndex >= 0 {
            improve(&best, by: Int(hosts.entries[affixIndex].affix), path, from: first)
            affixIndex = Int(hosts.entries[affixIndex].enclosing)
        }
        for index in wildHosts.indices {
            let wild = wildHosts[index]
            guard hostRules[wild.rules].least < best else { break }
            let patterns = patterns
            if Glob.matches(patterns.span.extracting(wild.pattern), host) {
                improve(&best, by: wild.rules, path, from: first)
            }
        }
        return best
    }

    /// Lowers `best` to the first of one host's rules, from the index `first` on, that matches `path`, if that is
    /// better.
    private func improve(
        _ best: inout UInt32, by index: Int, _ path: Span<UInt8>, from first: UInt32, skipsAnyPath: Bool = false
    ) {
        let rules = hostRules[index]
        guard rules.least < best else { return }
        if !skipsAnyPath { best = min(best, first == 0 ? rules.anyPath : anyPaths[index].least(from: first)) }
        if !rules.pathEntries.isEmpty {
            let hit = paths.search(path, in: rules.pathEntries, fromEnd: false)
            if first == 0 {
                best = min(best, hit.exact)
                if hit.affixIndex >= 0 { best = min(best, paths.entries[hit.affixIndex].affix) }
            } else {
                best = min(best, paths.leastValue(of: hit, from: first))
            }
        }
        for wildIndex in rules.wildPaths {
            let wild = wildPaths[wildIndex]
            guard wild.rule < best else { return }
            let patterns = patterns
            if wild.rule >= first, Glob.matches(patterns.span.extracting(wild.pattern), path) { best = wild.rule }
        }
    }
}

extension CompiledCondition {
    /// Whether testing it is dear, and comes to the same for all readings of the path.
    fileprivate var isRemembered: Bool {
        switch self {
        case .hostRegex, .httpHeaderRegex: true
        default: false
        }
    }

    /// Whether it looks at the path of a request.
    fileprivate var looksAtPath: Bool {
        switch self {
        case .pathPattern, .pathRegex: true
        default: false
        }
    }
}
