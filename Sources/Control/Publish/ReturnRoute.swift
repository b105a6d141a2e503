import Core

/// The return route of a target's replies with client IP preservation: they are addressed to the clients, but have to
/// reach this host, and to be delivered locally by a route of type `local`.
///
/// That they come here at all is the target's routing, which cannot be seen from here.
enum ReturnRoute: Equatable {
    /// They are delivered on this host, if the target sends them here.
    case delivered
    /// They are passed on or dropped; these commands change that.
    case lost(commands: [String])
    /// There is no way to the target itself: why.
    case unreachable(reason: String)

    /// What becomes of the answers of `targets`, in their order. Errors: the kernel does not tell.
    static func find(_ targets: [SocketAddress]) throws(SystemError) -> [ReturnRoute] {
        let tables = try RoutingTables()
        defer { tables.close() }
        var rules: [SocketAddress.Family: [RoutingTables.Rule]] = [:]
        var paths: [ReturnRoute] = []
        for target in targets {
            if rules[target.family] == nil { rules[target.family] = try tables.rules(target.family) }
            paths.append(find(target, tables, rules[target.family] ?? []))
        }
        return paths
    }

    private static func find(
        _ target: SocketAddress, _ tables: RoutingTables, _ rules: [RoutingTables.Rule]
    ) -> ReturnRoute {
        let way: RoutingTables.Route
        do throws(SystemError) { way = try tables.route(to: target) } catch {
            return .unreachable(reason: error.reason)
        }
        let arrival = way.isLocal ? nil : way.interface
        // Whether something gives packets the marks that rules ask for is not seen: it is taken for granted.
        let marks = [0] + Set(rules.map(\.mark)).subtracting([0]).sorted()
        let isDelivered = marks.contains { mark in
            let route = try? tables.route(
                to: someClient(target.family), from: target, arrivingBy: arrival, mark: mark)
            return route?.isLocal ?? false
        }
        return isDelivered ? .delivered : .lost(commands: commands(target, interface: way.interface.name, rules))
    }

    /// What is missing for the answers of `target`, which arrive by `interface`, under `rules`: the rule and the route
    /// of its table, or the route alone. To run one again that is not missing does no harm.
    static func commands(_ target: SocketAddress, interface: String, _ rules: [RoutingTables.Rule]) -> [String] {
        let command = target.family == .ipv4 ? "ip" : "ip -6"
        let rule = rules.first { rule in
            rule.interface == interface && rule.source?.contains(target) ?? false
                && rule.sourcePorts?.contains(target.port) ?? true && rule.mark == 0
        }
        let route = "\(command) route replace local default dev lo table \(rule?.table ?? usualTable)"
        if rule != nil { return [route] }
        return [
            "\(command) rule add iif \(interface) from \(target.host) ipproto tcp sport \(target.port) "
                + "lookup \(usualTable)", route,
        ]
    }

    /// The table that is usual for this. Source: the kernel's Documentation/networking/tproxy.rst.
    private static let usualTable: UInt32 = 100

    /// An address that is nobody's, as a client's is to this host. Source: RFC 5737, RFC 3849.
    private static func someClient(_ family: SocketAddress.Family) -> SocketAddress {
        guard let address = SocketAddress(literal: family == .ipv4 ? "192.0.2.1" : "2001:db8::1", port: 0) else {
            preconditionFailure("answer path: no literal")
        }
        return address
    }
}
