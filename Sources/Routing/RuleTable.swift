import Core

/// The conditions of one rule, as far as they concern host and path.
///
/// Shape:  each list is an OR, the two lists are joined by AND, and an empty list holds for every request.
///         In a value `*` stands for zero or more octets and `?` for exactly one; there is no escape.
///         Hosts ignore the case of ASCII letters, paths do not.
/// Source: elbv2.md §1.7 (host-header, path-pattern).
public struct RulePattern: Equatable, Sendable {
    public var hosts: [String]
    public var paths: [String]

    public init(hosts: [String] = [], paths: [String] = []) {
        self.hosts = hosts
        self.paths = paths
    }
}

/// The compiled rules of one listener.
public struct RuleTable: Sendable {
    /// Compiles `patterns`, which are in priority order.
    public init(_ patterns: [RulePattern]) {}
    /// The index of the first pattern that matches; nil means the default action.
    public func firstMatch(host: Span<UInt8>, path: Span<UInt8>) -> Int? { nil }
}
