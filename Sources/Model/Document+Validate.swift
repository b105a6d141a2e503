extension Document {
    /// Every mistake between the objects of this document: names that name nothing, and names, ports, priorities and
    /// targets that stand twice. Each object by itself is right once it was read. Shape: paths, without places.
    public func validate() -> [ConfigError] {
        var findings = Findings()
        validate(&findings)
        return findings.errors
    }

    /// The same, into `findings`, which may know the places.
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
        }
        findings.within(.key("loadBalancers")) { findings in
            var seen: Set<String> = []
            var ports = BoundPorts()
            for (index, loadBalancer) in loadBalancers.enumerated() {
                if !seen.insert(loadBalancer.name).inserted {
                    findings.repeated("name", loadBalancer.name, at: index, "load balancer", .duplicateLoadBalancerName)
                }
                findings.within(.index(index)) { findings in
                    loadBalancer.validate(groups, &ports, &findings)
                }
            }
            let listeners = loadBalancers.reduce(0) { $0 + $1.listeners.count }
            if listeners > Limits.listenersMax { findings.tooManyListeners(listeners) }
        }
    }
}

/// The names of the target groups of a document.
struct GroupNames {
    /// The names, to look one up.
    let set: Set<String>
    /// The names in the document's order, to suggest one.
    let list: [String]
    /// The groups to which only HTTP/2 can be forwarded.
    let ofHTTP2: Set<String>

    /// The names in `document`.
    init(_ document: Document) {
        list = document.targetGroups.map(\.name)
        set = Set(list)
        ofHTTP2 = Set(document.targetGroups.filter { $0.protocolVersion != .http1 }.map(\.name))
    }
}

/// Which load balancer binds which address and port.
struct BoundPorts {
    private struct Place: Hashable {
        let address: String
        let port: Int
    }

    private var owners: [Place: String] = [:]

    /// Binds a listener's port on each address; says where and by whom the first of them is bound already.
    mutating func bind(_ addresses: [String], port: Int, for owner: String) -> (address: String, owner: String)? {
        var conflict: (address: String, owner: String)?
        for address in addresses {
            let place = Place(address: address, port: port)
            if let other = owners[place] {
                conflict = conflict ?? (address, other)
            } else {
                owners[place] = owner
            }
        }
        return conflict
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
                    if let conflict = bound.bind(addresses, port: listener.port, for: name) {
                        findings.within(.key("port")) { findings in findings.portInUse(listener.port, conflict) }
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
        let remedy = http2Remedy(in: loadBalancer)
        findings.within(.key("defaultActions")) { findings in
            defaultActions.validate(groups, http2Remedy: remedy, &findings)
            defaultActions.validateRedirects(on: self, &findings)
        }
        findings.within(.key("rules")) { findings in
            var seen: Set<Int> = []
            for (index, rule) in rules.enumerated() {
                if !seen.insert(rule.priority).inserted {
                    findings.repeated(
                        "priority", "\(rule.priority)", at: index, "rule", .priorityInUse)
                }
                findings.within(.index(index)) { findings in
                    findings.within(.key("actions")) { findings in
                        rule.actions.validate(groups, http2Remedy: remedy, &findings)
                        rule.actions.validateRedirects(on: self, &findings)
                    }
                }
            }
        }
    }
}

extension Listener {
    /// How it would come to speak HTTP/2; nil if it does.
    func http2Remedy(in loadBalancer: LoadBalancer) -> String? {
        switch `protocol` {
        case .https: loadBalancer.attributes.http2 ? nil : "Write routing.http2.enabled: true in its attributes."
        case .http:
            loadBalancer.attributes.h2c
                ? nil : "Make the listener HTTPS, or write apus.h2c.enabled: true in its load balancer's attributes."
        }
    }
}

extension [Action] {
    /// The target groups that these actions name and that are not there, or that nothing can be forwarded to.
    /// `http2Remedy` is how the listener would come to speak HTTP/2, nil if it does.
    func validate(_ groups: GroupNames, http2Remedy: String?, _ findings: inout Findings) {
        for (index, action) in enumerated() {
            guard case .forward(let forward) = action else { continue }
            for (position, group) in forward.targetGroups.map(\.targetGroupName).enumerated() {
                let isThere = groups.set.contains(group)
                if isThere && (http2Remedy == nil || !groups.ofHTTP2.contains(group)) { continue }
                let steps: [Findings.Step] = [
                    .index(index), .key("forwardConfig"), .key("targetGroups"), .index(position),
                    .key("targetGroupName"),
                ]
                findings.within(steps) { findings in
                    if !isThere { return findings.unknownGroup(group, among: groups.list) }
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
    /// The redirects that lead from HTTPS to HTTP, or back to where the request came from.
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
    /// Whether what it says is what every request to `listener` has already, its query set aside.
    fileprivate func leadsBack(to listener: Listener) -> Bool {
        var same = Redirect(statusCode: statusCode, query: query)
        if `protocol` == listener.protocol.rawValue { same.protocol = `protocol` }
        if port == "\(listener.port)" { same.port = port }
        return self == same
    }
}

extension TargetGroup {
    /// The targets whose ids are not of the group's target type, or that stand there twice.
    func validateTargets(_ findings: inout Findings) {
        findings.within(.key("targets")) { findings in
            var seen: Set<TargetKey> = []
            for (index, target) in targets.enumerated() {
                findings.within(.index(index)) { findings in
                    findings.within(.key("id")) { findings in checkID(of: target, &findings) }
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

extension Findings {
    /// Looks at a part that lies several steps away.
    mutating func within(_ steps: [Step], _ body: (inout Findings) -> Void) {
        guard let first = steps.first else { return body(&self) }
        within(first) { findings in findings.within(Array(steps.dropFirst()), body) }
    }

    /// The element at `index` has a key that an earlier one has too.
    mutating func repeated(_ key: String, _ text: String, at index: Int, _ noun: String, _ code: ConfigError.Code) {
        within([.index(index), .key(key)]) { findings in
            findings.report(
                "\(key) must be unique", found: "a second \(noun) \(text)",
                remedy: "Choose another \(key), or remove one.",
                code: code)
        }
    }

    /// Someone binds this port on this address already.
    mutating func portInUse(_ port: Int, _ conflict: (address: String, owner: String)) {
        report(
            "a port must be bound once on an address",
            found: "\(conflict.address) port \(port) in load balancer \(conflict.owner) too",
            remedy: "Choose another port or another address.", code: .duplicateListener)
    }

    /// A name that is no target group's.
    mutating func unknownGroup(_ name: String, among known: [String]) {
        let remedy = remedy(for: name, among: known, otherwise: "Add a target group of this name first.")
        report(
            "\(subject) must name a target group", found: Value.quoted(name), remedy: remedy, code: .targetGroupNotFound
        )
    }

    /// More listeners in all than there may be.
    mutating func tooManyListeners(_ count: Int) {
        report(
            "there must be at most \(Limits.listenersMax) listeners in all", found: "\(count)", remedy: "Remove some.",
            code: .tooManyListeners)
    }
}
