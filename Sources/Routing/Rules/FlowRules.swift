import Core

/// The conditions of one rule of a listener that passes bytes on.
///
/// Shape:  each list is an OR, the two are joined by AND, and an empty one holds for every connection.
/// Source: docs/elbv2.md, "Conditions".
public struct FlowPattern: Equatable, Sendable {
    /// Networks of the client's address.
    public var sources: [AddressRange]
    /// Names that the client's TLS asks for, in lower case. `*` stands for zero or more bytes, `?` for one.
    public var serverNames: [[UInt8]]

    /// Conditions on the source, the name, both or neither.
    public init(sources: [AddressRange] = [], serverNames: [[UInt8]] = []) {
        self.sources = sources
        self.serverNames = serverNames
    }
}

/// The rules of one listener that passes bytes on: finds the first that a connection meets.
///
/// Shape: a pass over the rules, once per connection, which costs a thousand times as much by itself.
public final class FlowRules: Sendable {
    private let patterns: [FlowPattern]
    /// Whether some rule has to know what name the client's TLS asks for.
    public let needsServerName: Bool

    /// The rules with these patterns, which are in priority order.
    public init(_ patterns: [FlowPattern]) {
        self.patterns = patterns
        needsServerName = patterns.contains { !$0.serverNames.isEmpty }
    }

    /// The index of the first pattern that matches; nil means the default action. `serverName` is in lower case, and
    /// empty where none was asked for: no pattern for names matches then.
    public func firstMatch(source: SocketAddress, serverName: Span<UInt8>) -> Int? {
        for index in patterns.indices {
            guard patterns[index].sources.isEmpty || patterns[index].sources.contains(where: { $0.contains(source) })
            else { continue }
            if patterns[index].serverNames.isEmpty { return index }
            if serverName.isEmpty { continue }
            for pattern in patterns[index].serverNames where Glob.matches(pattern.span, serverName) { return index }
        }
        return nil
    }
}
