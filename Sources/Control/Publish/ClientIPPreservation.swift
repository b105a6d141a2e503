import Core
import Model

/// Checks whether this process and its host can preserve client addresses for the groups that want it. That takes a
/// capability, and routes that bring the targets' replies to this process. Without them every connection would hang
/// until it times out, while health checks, which come from our own address, would still pass.
///
/// Source: capabilities(7); ip(7), `IP_TRANSPARENT`.
struct ClientIPPreservation {
    /// The user to which this process dropped root's privileges; nil if it did not.
    var user: String?
    /// Whether connections may be made from addresses that this host does not have.
    var mayUseForeignAddresses: () -> Bool = { Socket.mayUseForeignAddresses }
    /// Finds the routes of replies from targets to clients, in the targets' order.
    var findReturnRoutes: ([SocketAddress]) throws(SystemError) -> [ReturnRoute] = ReturnRoute.find

    /// Checks the groups of `document` that want it; with `running`, only groups and targets that `running` does not
    /// have.
    ///
    /// Errors: `ConfigErrors` with what is missing for each group, and the commands that provide it.
    func check(
        _ document: Document, since running: Document? = nil, _ places: DocumentPlaces = DocumentPlaces()
    ) throws(ConfigErrors) {
        let groups = document.targetGroups.filter(\.preservesClientIP)
        if groups.isEmpty { return }
        let isAllowed = mayUseForeignAddresses()
        var mistakes: [ConfigError] = []
        for group in groups {
            let known = running?.targetGroups.first { $0.name == group.name && $0.preservesClientIP }
            let place = places.group(group.name).key("attributes").key("preserve_client_ip.enabled")
            if !isAllowed, known == nil { mistakes.append(place.mistake(missingCapability(group.name))) }
            let old = Set(known.map { running?.addresses(of: $0) ?? [] } ?? [])
            let targets = document.addresses(of: group).filter { !old.contains($0) }
            if let problem = problem(of: targets, group.name) { mistakes.append(place.mistake(problem)) }
        }
        guard mistakes.isEmpty else { throw ConfigErrors(mistakes) }
    }

    /// What is wrong, and what to do about it.
    fileprivate typealias Problem = (expected: String, found: String?, remedy: String)

    private func missingCapability(_ group: String) -> Problem {
        let expected = "preserve_client_ip.enabled of target group \(group) needs CAP_NET_ADMIN"
        if let user {
            return (
                expected, "that this process dropped it when it became user \(user)",
                "Restart apus: it keeps CAP_NET_ADMIN if a group has this on when it starts as root with it."
            )
        }
        return (
            expected, "that this process does not have it",
            "Run apus as root (in a container with --cap-add NET_ADMIN), or run "
                + "\"setcap cap_net_admin+ep $(command -v apus)\", or write AmbientCapabilities=CAP_NET_ADMIN in its "
                + "systemd service."
        )
    }

    private func problem(of targets: [SocketAddress], _ group: String) -> Problem? {
        let expected =
            "preserve_client_ip.enabled of target group \(group) needs the replies of its targets to clients"
            + " to be delivered on this host"
        let routes: [ReturnRoute]
        do throws(SystemError) { routes = targets.isEmpty ? [] : try findReturnRoutes(targets) } catch {
            return (
                expected, "that the routes cannot be read (\(error))",
                "Let apus open netlink sockets: AF_NETLINK in RestrictAddressFamilies of its systemd service."
            )
        }
        var lost: [SocketAddress] = []
        var commands: [String] = []
        for (target, route) in zip(targets, routes) {
            switch route {
            case .delivered: continue
            case .unreachable(let reason):
                return (
                    expected, "no route to \(target.host) (\(reason))",
                    "Give this host a route to it, or deregister the target."
                )
            case .lost(let missing):
                lost.append(target)
                commands += missing.filter { !commands.contains($0) }
            }
        }
        guard let first = lost.first else { return nil }
        let others = lost.count == 1 ? "" : " and of \(lost.count - 1) more"
        let shown = commands.prefix(Limits.commandsShownMax).map { "\"\($0)\"" }
        let more = commands.count > shown.count ? ", and so on (one rule for a whole network does as well)" : ""
        return (
            expected, "that those of \(first)\(others) are not",
            "Run \(shown.joined(separator: " and "))\(more)."
        )
    }
}

extension TargetGroup {
    /// Whether its targets see the addresses of clients.
    var preservesClientIP: Bool { attributes.preserveClientIP && `protocol`.kind == .network }
}

extension Document {
    /// Whether the targets of any group see the addresses of clients.
    var preservesClientIP: Bool { targetGroups.contains(where: \.preservesClientIP) }

    /// The addresses of the targets of `group`, as far as they have one.
    fileprivate func addresses(of group: TargetGroup) -> [SocketAddress] {
        let instances =
            group.targetType == .instance
            ? Dictionary(instances.map { ($0.id, $0.address) }, uniquingKeysWith: { $1 }) : [:]
        return group.targets.compactMap { target in
            let literal = group.targetType == .instance ? instances[target.id] : target.id
            return literal.flatMap { SocketAddress(literal: $0, port: UInt16(group.effectivePort(of: target))) }
        }
    }
}

extension DocumentPlaces.Place {
    fileprivate func mistake(_ problem: ClientIPPreservation.Problem) -> ConfigError {
        ConfigError(
            file: file, location: location, path: path, expected: problem.expected, found: problem.found,
            remedy: problem.remedy, code: .invalidConfigurationRequest)
    }
}
