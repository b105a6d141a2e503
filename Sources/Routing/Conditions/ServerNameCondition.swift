import Core

/// The condition `sni`: the name that the client's TLS asks for. It holds when any of its patterns matches, and never
/// for a client that asks for no name.
///
/// Shape:  patterns as those of `HostHeaderCondition`.
/// Source: RFC 6066 §3. The condition is ours, ELBv2 has none such.
public struct ServerNameCondition: Equatable, Sendable {
    /// The patterns, in lower case, with runs of stars made one.
    let patterns: [[UInt8]]

    /// A condition with these patterns.
    public init(_ values: [String]) { patterns = values.map { Glob.simplified($0.utf8.map(\.lowercased)) } }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool {
        !facts.serverName.isEmpty && Glob.matchesAny(of: patterns, facts.serverName)
    }
}
