import Core

/// The condition `host-header`: the host that a request names. It holds when any of its patterns matches.
///
/// Shape: in a pattern `*` stands for zero or more bytes and `?` for exactly one; there is no escape. The case of ASCII
///        letters does not matter.
public struct HostHeaderCondition: Equatable, Sendable {
    /// The patterns, in lower case, with runs of stars made one.
    let patterns: [[UInt8]]

    /// A condition with these patterns.
    public init(_ values: [String]) { patterns = values.map { Glob.simplified($0.utf8.map(\.lowercased)) } }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool { Glob.matchesAny(of: patterns, facts.host) }
}
