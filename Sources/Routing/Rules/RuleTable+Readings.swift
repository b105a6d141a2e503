import Core
import RegularExpressions

extension RuleTable {
    /// Whether there are servers that read the path in such a way that another rule than `matched`, or the default
    /// action, should have been chosen for the request.
    ///
    /// `facts` are those that `firstMatch` was asked with, `matched` is its answer; a path without `%`, `;`, `\` and
    /// slashes in a row has no other readings and need not be asked about. What is read is written to the arena of
    /// `scratch`, regular expressions are matched in `space`; where one is given up at its limit the path is ambiguous.
    /// Errors: none; a path too long for all its readings (`Limits.readingBytesMax`) is ambiguous.
    /// Source: RFC 9110 §4.2.3; `PathReading` has who reads how.
    public func isAmbiguous(_ facts: borrowing RuleFacts, matched: Int?, scratch: Head, in space: MatchSpace? = nil)
        -> Bool
    {
        guard looksAtPaths else { return false }
        let matched = matched.map(RuleMatch.rule) ?? .none
        let path = facts.path
        let readings = PathReadings(path)
        guard readings.count * path.count <= Limits.readingBytesMax else { return true }
        for index in 0..<readings.count {
            var reading = readings[index]
            scratch.reset()
            let hasEmptySegments = reading.append(path, to: scratch)
            if index > 0, match(facts, path: scratch.bytes, in: space) != matched { return true }
            guard hasEmptySegments else { continue }
            let hasAuthority = scratch.bytes.hasAuthority
            if hasAuthority, match(facts, path: scratch.bytes.afterFirstSegment, in: space) != matched { return true }
            reading.mergesSlashes = true
            scratch.reset()
            _ = reading.append(path, to: scratch)
            if !agreesMerged(facts, path: scratch.bytes, matched, in: space) { return true }
            if hasAuthority, !agreesMerged(facts, path: scratch.bytes.afterFirstSegment, matched, in: space) {
                return true
            }
        }
        return false
    }

    /// Whether `matched` is also what a path calls for whose slashes were merged. A rule whose own value has slashes in
    /// a row is about such paths, and may be matched by what merging makes of it. Other bytes that are read in several
    /// ways stand in no value (`Model.TextRule.pathPattern`).
    private func agreesMerged(
        _ facts: borrowing RuleFacts, path: Span<UInt8>, _ outcome: RuleMatch, in space: MatchSpace?
    ) -> Bool {
        let found = match(facts, path: path, in: space)
        if found == outcome { return true }
        guard case .rule(let matched) = outcome else { return false }
        switch found {
        case .rule(let rule) where rule > matched: break
        case .none: break
        case .rule, .limit: return false
        }
        for index in mergedPaths.indices where mergedPaths[index].rule == matched {
            let patterns = patterns
            if Glob.matches(patterns.span.extracting(mergedPaths[index].pattern), path) { return true }
        }
        return false
    }
}

extension Span where Element == UInt8 {
    /// Whether this path, a slash at its start, begins with what some take for an authority, as whoever resolves it as
    /// a URI reference does: `//a/b` is `/b` at `a` then. Source: RFC 3986 §4.2; the URL standard.
    fileprivate var hasAuthority: Bool { count > 1 && self[1] == .slash }

    /// What follows the first segment that is not empty. Without a path behind an authority it is `/`.
    fileprivate var afterFirstSegment: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var index = 1
            while index < count, self[index] == .slash { index += 1 }
            while index < count, self[index] != .slash { index += 1 }
            return index < count ? extracting(index..<count) : extracting(first: 1)
        }
    }
}
