extension Document {
    /// Every mistake between the objects of this document: references to what does not exist, and duplicate names,
    /// ports, priorities and targets. Each object by itself was checked when it was read. The mistakes have paths, but
    /// no places in a file.
    public func validate() -> [ConfigError] {
        var findings = Findings()
        validate(&findings)
        return findings.errors
    }

    /// Reports the same mistakes to `findings`, which may know their places.
    func validate(_ findings: inout Findings) {
        let groups = GroupNames(self)
        findings.within(.key("instances")) { findings in
            var seen: Set<String> = []
            for (index, instance) in instances.enumerated() where !seen.insert(instance.id).inserted {
                findings.repeated("id", instance.id, at: index, "instance", .validationError)
            }
        }
        findings.within(.key("targetGroups")) { findings in
            var seen: Set<String> = []
            for (index, group) in targetGroups.enumerated() {
                if !seen.insert(group.name).inserted {
                    findings.repeated("name", group.name, at: index, "target group", .duplicateTargetGroupName)
                }
                findings.within(.index(index)) { findings in group.validateTargets(&findings) }
            }
            if discoveringGroupsCount > Limits.discoveringGroupsMax { findings.tooManyDiscoveries() }
        }
        validateServerIDs(&findings)
        findings.within(.key("loadBalancers")) { findings in
            var seen: Set<String> = []
            var ports = BoundPorts()
            for (index, loadBalancer) in loadBalancers.enumerated() {
                if !seen.insert(loadBalancer.name).inserted {
                    findings.repeated("name", loadBalancer.name, at: index, "load balancer", .duplicateLoadBalancerName)
                }
                findings.within(.index(index)) { findings in
                    loadBalancer.validate(groups, &ports, &findings)
                    loadBalancer.validatePorts(beside: admin.metrics, &findings)
                }
            }
            validateZones(&findings)
            validateRateLimits(&findings)
            let listeners = loadBalancers.reduce(0) { $0 + $1.listeners.count }
            if listeners > Limits.listenersMax { findings.tooManyListeners(listeners) }
        }
        validatePrefixLists(&findings)
    }
}

extension Document {
    /// How many groups have discovery.
    var discoveringGroupsCount: Int { targetGroups.count { $0.discovery != nil } }
}

/// The names of the target groups of a document.
struct GroupNames {
    /// The names in the document's order, to suggest one.
    let list: [String]
    /// The groups to which only HTTP/2 can be forwarded.
    let ofHTTP2: Set<String>
    /// The protocol of each group.
    let protocols: [String: TrafficProtocol]
    /// The groups whose clients stay with a target.
    let sticky: [String: StickinessAttributes]

    /// The names in `document`.
    init(_ document: Document) {
        list = document.targetGroups.map(\.name)
        protocols = Dictionary(
            document.targetGroups.map { ($0.name, $0.protocol) }, uniquingKeysWith: { one, _ in one })
        sticky = Dictionary(
            document.targetGroups.filter(\.attributes.stickiness.isEnabled).map { ($0.name, $0.attributes.stickiness) },
            uniquingKeysWith: { one, _ in one })
        ofHTTP2 = Set(document.targetGroups.filter { $0.protocolVersion != .http1 }.map(\.name))
    }
}

extension LoadBalancer {
    /// The mistakes of its listeners, among themselves and with the ports that others bind.
    func validate(_ groups: GroupNames, _ ports: inout BoundPorts, _ findings: inout Findings) {
        var bound = ports
        defer { ports = bound }
        findings.within(.key("listeners")) { findings in
            for (index, listener) in listeners.enumerated() {
                findings.within(.index(index)) { findings in
                    if let conflict = bound.bind(listener, on: addresses, for: name) {
                        findings.within(.key("port")) { findings in findings.portInUse(conflict, listener) }
                    }
                    listener.validate(groups, in: self, &findings)
                }
            }
        }
    }
}

extension Listener {
    /// The mistakes of its rules and of what its actions refer to.
    func validate(_ groups: GroupNames, in loadBalancer: LoadBalancer, _ findings: inout Findings) {
        validateKind(of: loadBalancer, &findings)
        validateProxies(of: loadBalancer, &findings)
        let remedy = http2Remedy(in: loadBalancer)
        findings.within(.key("defaultActions")) { findings in
            defaultActions.validate(groups, on: self, http2Remedy: remedy, &findings)
        }
        findings.within(.key("rules")) { findings in
            var seen: Set<Int> = []
            for (index, rule) in rules.enumerated() {
                if !seen.insert(rule.priority).inserted {
                    findings.repeated(
                        "priority", "\(rule.priority)", at: index, "rule", .priorityInUse)
                }
                findings.within(.index(index)) { findings in
                    rule.validate(groups, on: self, of: loadBalancer, http2Remedy: remedy, &findings)
                }
            }
        }
    }
}

extension Rule {
    /// The mistakes of its conditions and actions on `listener`. `http2Remedy` is what to change so that it speaks
    /// HTTP/2.
    func validate(
        _ groups: GroupNames, on listener: Listener, of loadBalancer: LoadBalancer, http2Remedy: String?,
        _ findings: inout Findings
    ) {
        checkConditions(on: listener, of: loadBalancer, &findings)
        if listener.protocol.kind == .network, !transforms.isEmpty {
            findings.within(.key("transforms")) { findings in
                findings.report(
                    "transforms belong to application load balancers",
                    found: "them on \(listener.protocol.withArticle) listener", remedy: "Remove them.",
                    code: .invalidConfigurationRequest)
            }
        }
        if listener.protocol.kind == .network {
            findings.misplaced(
                [
                    ("apus.requestHeaders", !requestHeaders.isEmpty),
                    ("apus.responseHeaders", !responseHeaders.isEmpty), ("apus.rateLimit", rateLimit != nil),
                ], belongTo: "application load balancers",
                found: "it on \(listener.protocol.withArticle) listener", remedy: "Remove it.")
        }
        checkFieldChanges(on: listener, &findings)
        findings.within(.key("actions")) { findings in
            actions.validate(groups, on: listener, http2Remedy: http2Remedy, &findings)
        }
    }
}

extension Listener {
    /// What to change so that it speaks HTTP/2; nil if it does.
    func http2Remedy(in loadBalancer: LoadBalancer) -> String? {
        switch `protocol` {
        case .https: loadBalancer.attributes.http2 ? nil : "Write routing.http2.enabled: true in its attributes."
        case .http:
            loadBalancer.attributes.h2c
                ? nil : "Make the listener HTTPS, or write apus.h2c.enabled: true in its load balancer's attributes."
        case .tcp, .tls, .udp, .tcpUDP, .quic, .tcpQUIC: nil
        }
    }

    /// Reports a listener of datagrams behind proxies: PROXY headers are read from connections only, so every datagram
    /// would be taken for the proxy's own.
    private func validateProxies(of loadBalancer: LoadBalancer, _ findings: inout Findings) {
        guard `protocol`.hasUDP, !loadBalancer.attributes.proxyProtocolTrusted.isEmpty else { return }
        findings.within(.key("protocol")) { findings in
            findings.report(
                "datagrams cannot come behind PROXY headers, which apus.proxy_protocol.trusted expects",
                found: `protocol`.rawValue, remedy: "Put the listener into a load balancer without that attribute.",
                code: .invalidConfigurationRequest)
        }
    }

    /// Reports a protocol that load balancers of this type do not have.
    fileprivate func validateKind(of loadBalancer: LoadBalancer, _ findings: inout Findings) {
        guard `protocol`.kind != loadBalancer.type else { return }
        let words = TrafficProtocol.allCases.filter { $0.kind == loadBalancer.type }.map(\.rawValue)
        findings.within(.key("protocol")) { findings in
            findings.report(
                "protocol must be \(Shape.alternatives(words)) on \(loadBalancer.type == .application ? "an" : "a") "
                    + "\(loadBalancer.type.rawValue) load balancer", found: `protocol`.rawValue,
                remedy: "Write one of them, or type: \(`protocol`.kind.rawValue) for the load balancer.",
                code: .invalidConfigurationRequest)
        }
    }
}

extension [Action] {
    /// Reports target groups that these actions name and that do not exist or cannot be forwarded to, and actions that
    /// the listener cannot have. `http2Remedy` is what to change so that it speaks HTTP/2; nil if it does.
    func validate(
        _ groups: GroupNames, on listener: Listener, http2Remedy: String?, _ findings: inout Findings
    ) {
        validateRedirects(on: listener, &findings)
        for (index, action) in enumerated() {
            guard case .forward(let forward) = action else {
                findings.within([.index(index), .key("type")]) { findings in
                    findings.reportNotForward(listener, action)
                }
                continue
            }
            findings.within([.index(index), .key("forwardConfig")]) { findings in
                forward.validateTogether(groups, on: listener, &findings)
            }
            for (position, group) in forward.targetGroups.map(\.targetGroupName).enumerated() {
                let `protocol` = groups.protocols[group]
                let isFitting = `protocol`.map(listener.protocol.targetProtocols.contains) ?? false
                if isFitting && (http2Remedy == nil || !groups.ofHTTP2.contains(group)) { continue }
                let steps: [Findings.Step] = [
                    .index(index), .key("forwardConfig"), .key("targetGroups"), .index(position),
                    .key("targetGroupName"),
                ]
                findings.within(steps) { findings in
                    guard let `protocol` else { return findings.unknownGroup(group, among: groups.list) }
                    if !isFitting { return findings.reportIncompatible(group, `protocol`, listener) }
                    findings.report(
                        "target groups of HTTP/2 and gRPC take only requests that came by HTTP/2",
                        found: "\(group) behind a listener that does not speak it", remedy: http2Remedy ?? "",
                        code: .invalidConfigurationRequest)
                }
            }
        }
    }
}

extension [Action] {
    /// Reports redirects that lead from HTTPS to HTTP, or back to where the request came from.
    fileprivate func validateRedirects(on listener: Listener, _ findings: inout Findings) {
        for (index, action) in enumerated() {
            guard case .redirect(let redirect) = action else { continue }
            findings.within([.index(index), .key("redirectConfig")]) { findings in
                if listener.protocol == .https, redirect.protocol == "HTTP" {
                    findings.within(.key("protocol")) { findings in
                        findings.report(
                            "a redirect must not lead from HTTPS to HTTP", found: "HTTP on an HTTPS listener",
                            remedy: "Write HTTPS or #{protocol}.", code: .invalidLoadBalancerAction)
                    }
                } else if redirect.leadsBack(to: listener) {
                    findings.report(
                        "a redirect must change the protocol, the host, the port or the path",
                        found: "one to this very listener",
                        remedy: "Change one of them, or clients would come back forever.",
                        code: .invalidLoadBalancerAction)
                }
            }
        }
    }
}

extension Redirect {
    /// Whether it sends every request to `listener` back to the same URL, its query aside.
    fileprivate func leadsBack(to listener: Listener) -> Bool {
        var same = Redirect(statusCode: statusCode, query: query)
        if `protocol` == listener.protocol.rawValue { same.protocol = `protocol` }
        if port == "\(listener.port)" { same.port = port }
        same.withoutEffect = withoutEffect
        return self == same
    }
}

extension TargetGroup {
    /// Reports targets whose ids are not of the group's target type, and duplicate targets.
    func validateTargets(_ findings: inout Findings) {
        findings.within(.key("targets")) { findings in
            var seen: Set<TargetKey> = []
            for (index, target) in targets.enumerated() {
                findings.within(.index(index)) { findings in
                    findings.within(.key("id")) { findings in checkID(of: target, &findings) }
                    checkServerID(of: target, &findings)
                    if !seen.insert(key(of: target)).inserted {
                        findings.report(
                            "each target must stand once in its group",
                            found: "a second \(target.id) with port \(effectivePort(of: target))",
                            remedy: "Remove one of the two.", code: .invalidTarget)
                    }
                }
            }
        }
    }

    /// Reports a target whose id is not of the group's target type.
    func checkID(of target: TargetDescription, _ findings: inout Findings) {
        let (fits, expected): (Bool, TextRule) =
            switch targetType {
            case .ip: (!TextRule.isInstanceID(target.id), .address)
            case .instance: (TextRule.isInstanceID(target.id), .instanceID)
            }
        if fits { return }
        findings.report(
            "id must be \(expected.expected), because the group's targetType is \(targetType.rawValue)",
            found: Value.quoted(target.id), remedy: expected.remedy, code: .invalidTarget)
    }
}

extension ForwardAction {
    /// Reports groups that one action cannot combine, and stickiness that the listener or the groups do not have.
    fileprivate func validateTogether(_ groups: GroupNames, on listener: Listener, _ findings: inout Findings) {
        validateStickiness(groups, on: listener, &findings)
        let protocols = Set(targetGroups.compactMap { groups.protocols[$0.targetGroupName] })
        guard listener.protocol == .tls, protocols.isSuperset(of: [.tcp, .tls]) else { return }
        findings.within(.key("targetGroups")) { findings in
            findings.report(
                "the target groups of one action on a TLS listener must be all of TCP or all of TLS",
                found: "both", remedy: "Remove one kind.", code: .incompatibleProtocols)
        }
    }
}

extension Findings {
    /// Reports an action other than forward: a listener that passes bytes on cannot answer itself.
    fileprivate mutating func reportNotForward(_ listener: Listener, _ action: Action) {
        guard listener.protocol.kind == .network else { return }
        report(
            "an action of \(listener.protocol.withArticle) listener must be of type forward",
            found: action.typeName, remedy: "Write type: forward.", code: .invalidLoadBalancerAction)
    }

    /// Reports a group whose protocol listeners of this protocol cannot forward to.
    fileprivate mutating func reportIncompatible(
        _ group: String, _ protocol: TrafficProtocol, _ listener: Listener
    ) {
        let fitting = Shape.alternatives(listener.protocol.targetProtocols.map(\.rawValue))
        report(
            "\(listener.protocol.withArticle) listener must forward to target groups of protocol \(fitting)",
            found: "\(group), which is of protocol \(`protocol`.rawValue)",
            remedy: "Name a group of one of these protocols, or change the group's.", code: .incompatibleProtocols)
    }

    /// Enters a part that lies several steps away.
    mutating func within(_ steps: [Step], _ body: (inout Findings) -> Void) {
        guard let first = steps.first else { return body(&self) }
        within(first) { findings in findings.within(Array(steps.dropFirst()), body) }
    }

    /// Reports that the element at `index` has the same key as an earlier one.
    mutating func repeated(_ key: String, _ text: String, at index: Int, _ noun: String, _ code: ConfigError.Code) {
        within([.index(index), .key(key)]) { findings in
            findings.report(
                "\(key) must be unique", found: "a second \(noun) \(text)",
                remedy: "Choose another \(key), or remove one.",
                code: code)
        }
    }

    /// Reports that another listener binds this port on this address already. A port has one listener, whatever its
    /// protocol.
    mutating func portInUse(_ conflict: BoundPorts.Conflict, _ listener: Listener) {
        let owner = conflict.owner
        let pair = Set([owner.protocol, listener.protocol])
        let both: TrafficProtocol? = pair == [.tcp, .udp] ? .tcpUDP : pair == [.tcp, .quic] ? .tcpQUIC : nil
        let place = "\(owner.address) port \(listener.port) in load balancer \(owner.loadBalancer) too"
        report(
            "a port must be bound once on an address",
            found: BoundPorts.inclusion(owner.address, conflict.address).map { "\(place): \($0)" } ?? place,
            remedy: both.map {
                "Write one listener of protocol \($0.rawValue) for both, or choose another port or another address."
            } ?? "Choose another port or another address.", code: .duplicateListener)
    }

    /// Reports a name that no target group has.
    mutating func unknownGroup(_ name: String, among known: [String]) {
        let remedy = remedy(for: name, among: known, otherwise: "Add a target group of this name first.")
        report(
            "\(subject) must name a target group", found: Value.quoted(name), remedy: remedy, code: .targetGroupNotFound
        )
    }

    /// Reports more groups with discovery than are allowed.
    mutating func tooManyDiscoveries() {
        report(
            "there must be at most \(Limits.discoveringGroupsMax) target groups with discovery",
            remedy: "Register the targets of some.", code: .tooManyTargetGroups)
    }

    /// Reports more listeners in all than are allowed.
    mutating func tooManyListeners(_ count: Int) {
        report(
            "there must be at most \(Limits.listenersMax) listeners in all", found: "\(count)", remedy: "Remove some.",
            code: .tooManyListeners)
    }
}
