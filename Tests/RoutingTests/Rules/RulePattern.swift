import Core

@testable import Routing

/// The values of a rule's host-header and path-pattern conditions, which tests try one by one.
struct RulePattern: Sendable {
    var hosts: [String] = []
    var paths: [String] = []

    /// The conditions; without values there is none.
    var conditions: [CompiledCondition] {
        (hosts.isEmpty ? [] : [.hostHeader(HostHeaderCondition(hosts))])
            + (paths.isEmpty ? [] : [.pathPattern(PathPatternCondition(paths))])
    }
}

extension RuleTable {
    /// A table of rules with conditions on host and path alone.
    convenience init(_ patterns: [RulePattern]) { self.init(patterns.map(\.conditions)) }

    /// `firstMatch` of a request for this host and path.
    func firstMatch(host: Span<UInt8>, path: Span<UInt8>) -> Int? {
        firstMatch(RuleFacts(host: host, path: path, client: SocketAddress(literal: "192.0.2.1", port: 4000)!))
    }
}
