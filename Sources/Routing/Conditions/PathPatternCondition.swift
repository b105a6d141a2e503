/// The condition `path-pattern`: the path of a request, without its query. It holds when any of its patterns matches.
///
/// Shape: in a pattern `*` stands for zero or more bytes and `?` for exactly one; there is no escape. The case of
///        letters matters.
public struct PathPatternCondition: Equatable, Sendable {
    /// The patterns, with runs of stars made one.
    let patterns: [[UInt8]]

    /// A condition with these patterns.
    public init(_ values: [String]) { patterns = values.map { Glob.simplified(Array($0.utf8)) } }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool { Glob.matchesAny(of: patterns, facts.path) }
}
