// What target groups of QUIC need, and what they do not have. Source: Network Load Balancer user guide, "Target groups"
// and "Register targets".

extension TargetGroup {
    /// Reports attributes, and a family of addresses, that groups of QUIC do not have.
    func checkQUIC(_ findings: inout Findings) {
        guard `protocol`.hasQUIC else { return }
        let owners = "groups of TCP, TLS, UDP and TCP_UDP"
        let found = "it in a group of protocol \(`protocol`.rawValue)"
        let termination = "deregistration_delay.connection_termination.enabled"
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                [("stickiness.enabled", attributes.stickiness.isEnabled)], belongTo: owners, found: found,
                remedy: "Remove it: the server ids of targets bind a connection to one of them.")
            findings.misplaced(
                [(termination, attributes.deregistrationConnectionTermination != nil)], belongTo: owners, found: found,
                remedy: "Remove it: flows of QUIC end with the deregistration delay.")
        }
        guard withoutEffect["ipAddressType"] == "ipv6" else { return }
        findings.within(.key("ipAddressType")) { findings in
            findings.report(
                "ipAddressType must be ipv4 in a group of protocol \(`protocol`.rawValue)", found: Value.quoted("ipv6"),
                remedy: "Write ipv4, or remove it.", code: .invalidConfigurationRequest)
        }
    }

    /// Reports a target that lacks a server id though the group is one of QUIC, one that has an id though it is not,
    /// and one at an address that QUIC groups do not take.
    func checkServerID(of target: TargetDescription, _ findings: inout Findings) {
        guard `protocol`.hasQUIC else {
            return findings.misplaced(
                [("quicServerId", target.quicServerID != nil)], belongTo: "targets of QUIC and TCP_QUIC groups",
                found: "it in a group of protocol \(`protocol`.rawValue)", remedy: "Remove it.")
        }
        if target.quicServerID == nil {
            findings.report(
                "a target of a group of protocol \(`protocol`.rawValue) must have the key quicServerId",
                remedy: "Add quicServerId: the id that its server puts into connection IDs, such as "
                    + "0x0000000000000001.", code: .invalidTarget)
        }
        guard let address = IPAddress(target.id), !address.isIPv4 else { return }
        findings.within(.key("id")) { findings in
            findings.report(
                "targets of a group of protocol \(`protocol`.rawValue) must have IPv4 addresses",
                found: Value.quoted(target.id), remedy: "Register the server's IPv4 address.", code: .invalidTarget)
        }
    }
}

extension Document {
    /// Two targets of one server id behind one listener: no datagram could say which of them it is for.
    struct ServerIDConflict {
        let id: QUICServerID
        /// The place of the later of the two.
        let group: Int
        let target: Int
        /// What the other is called.
        let other: String
        /// The listener that forwards to both.
        let listener: String
    }

    /// The conflicts of server ids, each target once. A target that stands in several groups of a listener, under the
    /// same address and port, is one.
    var serverIDConflicts: [ServerIDConflict] {
        guard targetGroups.contains(where: \.protocol.hasQUIC) else { return [] }
        var conflicts: [ServerIDConflict] = []
        var reported: Set<[Int]> = []
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners where listener.protocol.hasQUIC {
                let actions = listener.defaultActions + listener.rules.flatMap(\.actions)
                var owners: [QUICServerID: (key: TargetKey, group: String)] = [:]
                for (groupIndex, group) in targetGroups.enumerated() where actions.refers(to: group.name) {
                    for (index, target) in group.targets.enumerated() {
                        guard let id = target.quicServerID else { continue }
                        guard let owner = owners[id] else {
                            owners[id] = (group.key(of: target), group.name)
                            continue
                        }
                        guard owner.key != group.key(of: target), reported.insert([groupIndex, index]).inserted
                        else { continue }
                        conflicts.append(
                            ServerIDConflict(
                                id: id, group: groupIndex, target: index, other: "\(owner.key) of group \(owner.group)",
                                listener: "\(loadBalancer.name):\(listener.port)"))
                    }
                }
            }
        }
        return conflicts
    }

    /// Reports the conflicts of server ids where the targets stand.
    func validateServerIDs(_ findings: inout Findings) {
        for conflict in serverIDConflicts {
            let steps: [Findings.Step] = [
                .key("targetGroups"), .index(conflict.group), .key("targets"), .index(conflict.target),
                .key("quicServerId"),
            ]
            findings.within(steps) { findings in
                findings.report(
                    "quicServerId must be unique among the targets of a listener",
                    found: "\(conflict.id), which \(conflict.other) behind \(conflict.listener) has too",
                    remedy: "Give each server an id of its own.", code: .invalidTarget)
            }
        }
    }

    /// Refuses two targets of a listener with one server id. Errors: the first conflict.
    func checkServerIDs() throws(ConfigErrors) {
        guard let conflict = serverIDConflicts.first else { return }
        let group = targetGroups[conflict.group]
        throw ConfigErrors(
            ConfigError(
                path: "targets", expected: "quicServerId must be unique among the targets of a listener",
                found: "\(conflict.id) for \(group.key(of: group.targets[conflict.target])) of group \(group.name) "
                    + "and for \(conflict.other), both behind \(conflict.listener)",
                remedy: "Give each server an id of its own.", code: .invalidTarget))
    }
}

extension TargetGroup {
    /// Reports targets that would get another server id than they have: connections carry the old one.
    func checkServerIDsStay(_ targets: [TargetDescription], _ findings: inout Findings) {
        guard `protocol`.hasQUIC else { return }
        var known: [TargetKey: QUICServerID] = [:]
        for target in self.targets { known[key(of: target)] = target.quicServerID }
        for (index, target) in targets.enumerated() {
            guard let old = known[key(of: target)], let new = target.quicServerID, old != new else { continue }
            findings.within([.key("targets"), .index(index), .key("quicServerId")]) { findings in
                findings.report(
                    "quicServerId of \(key(of: target)) must stay \(old)", found: Value.quoted("\(new)"),
                    remedy: "Deregister the target first.", code: .invalidTarget)
            }
        }
    }
}
