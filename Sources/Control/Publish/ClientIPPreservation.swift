import Core
import Model

/// Whether this process and its host can let targets see the addresses of clients, where groups want that: it takes a
/// capability, and routes that bring the targets' answers to this process. Without them every connection would hang
/// until it times out, while health checks, which come from our own address, go on to pass.
///
/// Source: capabilities(7); ip(7), `IP_TRANSPARENT`.
struct ClientIPPreservation {
    /// The user to which this process dropped root's privileges; nil if it did not.
    var user: String?
    /// Whether connections may be made from addresses that are not this host's.
    var mayUseForeignAddresses: () -> Bool = { Socket.mayUseForeignAddresses }
    /// What becomes of the answers of some targets to clients, in the targets' order.
    var answerPaths: ([SocketAddress]) throws(SystemError) -> [ReturnRoute] = ReturnRoute.find

    /// Checks the groups of `document` that want it; with `running`, only what that does not have.
    ///
    /// Errors: `ConfigErrors` with what is missing for each group, and the commands that bring it.
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
            if !isAllowed, known == nil { mistakes.append(place.mistake(capabilityIsMissing(group.name))) }
            let old = Set(known.map { running?.addresses(of: $0) ?? [] } ?? [])
            let targets = document.addresses(of: group).filter { !old.contains($0) }
            if let problem = problem(of: targets, group.name) { mistakes.append(place.mistake(problem)) }
        }
        guard mistakes.isEmpty else { throw ConfigErrors(mistakes) }
    }

    /// What is wrong, and what to do about it.
    fileprivate typealias Problem = (expected: String, found: String?, remedy: String)

    private func capabilityIsMissing(_ group: String) -> Problem {
        let expected = "preserve_client_ip.enabled of target group \(group) needs CAP_NET_ADMIN"
        if let user {
            return (
                expected, "that this process gave it up when it became user \(user)",
                "Restart apus: it keeps CAP_NET_ADMIN if a group has this on when it starts as root with it."
            )
        }
        return (
            expected, "that this process has not got it",
            "Run apus as root (in a container with --cap-add NET_ADMIN), or run "
                + "\"setcap cap_net_admin+ep $(command -v apus)\", or write AmbientCapabilities=CAP_NET_ADMIN in its "
                + "systemd service."
        )
    }

    private func problem(of targets: [SocketAddress], _ group: String) -> Problem? {
        let expected =
            "preserve_client_ip.enabled of target group \(group) needs the answers of its targets to clients"
            + " to be delivered on this host"
        let paths: [ReturnRoute]
        do throws(SystemError) { paths = targets.isEmpty ? [] : try answerPaths(targets) } catch {
            return (
                expected, "that this cannot be seen (\(error))",
                "Let apus open netlink sockets: AF_NETLINK in RestrictAddressFamilies of its systemd service."
            )
        }
        var lost: [SocketAddress] = []
        var commands: [String] = []
        for (target, path) in zip(targets, paths) {
            switch path {
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
    /// Whether its targets are to see the addresses of clients.
    var preservesClientIP: Bool { attributes.preserveClientIP && `protocol`.kind == .network }
}

extension Document {
    /// Whether targets of some group are to see the addresses of clients.
    var preservesClientIP: Bool { targetGroups.contains(where: \.preservesClientIP) }

    /// Where the targets of `group` are, of those that have an address.
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
