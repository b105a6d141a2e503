import Core

/// The return route of a target's replies with client IP preservation: they are addressed to the clients, but have to
/// reach this host, and to be delivered locally by a route of type `local`.
///
/// Whether they reach this host at all depends on the target's own routing, which cannot be checked from here.
enum ReturnRoute: Equatable {
    /// They are delivered on this host, if the target sends them here.
    case delivered
    /// They are forwarded or dropped by this host; these commands change that.
    case lost(commands: [String])
    /// There is no route to the target itself, for this reason.
    case unreachable(reason: String)

    /// The return routes of `targets`, in their order. Errors: the kernel's routing tables cannot be read.
    static func find(_ targets: [SocketAddress]) throws(SystemError) -> [ReturnRoute] {
        let tables = try RoutingTables()
        defer { tables.close() }
        var rules: [SocketAddress.Family: [RoutingTables.Rule]] = [:]
        var routes: [ReturnRoute] = []
        for target in targets {
            if rules[target.family] == nil { rules[target.family] = try tables.rules(target.family) }
            routes.append(find(target, tables, rules[target.family] ?? []))
        }
        return routes
    }

    private static func find(
        _ target: SocketAddress, _ tables: RoutingTables, _ rules: [RoutingTables.Rule]
    ) -> ReturnRoute {
        let outgoing: RoutingTables.Route
        do throws(SystemError) { outgoing = try tables.route(to: target) } catch {
            return .unreachable(reason: error.reason)
        }
        let arrival = outgoing.isLocal ? nil : outgoing.interface
        // Whether a firewall sets the packet marks that rules ask for cannot be checked, so it is assumed.
        let marks = [0] + Set(rules.map(\.mark)).subtracting([0]).sorted()
        let isDelivered = marks.contains { mark in
            let route = try? tables.route(
                to: someClient(target.family), from: target, arrivingBy: arrival, mark: mark)
            return route?.isLocal ?? false
        }
        return isDelivered ? .delivered : .lost(commands: commands(target, interface: outgoing.interface.name, rules))
    }

    /// The commands that are missing for replies of `target`, which arrive by `interface`, under `rules`: a rule and
    /// the route in its table, or the route alone. Running one of them twice does no harm.
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

    /// An address that no host has, in place of a client's. Source: RFC 5737, RFC 3849.
    private static func someClient(_ family: SocketAddress.Family) -> SocketAddress {
        guard let address = SocketAddress(literal: family == .ipv4 ? "192.0.2.1" : "2001:db8::1", port: 0) else {
            preconditionFailure("return route: no literal")
        }
        return address
    }
}
