extension Document {
    /// This document with one change, which is checked against it. Errors: what is wrong with the change, with ELBv2's
    /// code; nothing is changed then.
    public func applying(_ change: Change) throws(ConfigErrors) -> Document {
        var changed = self
        try checkUnchangeable(change)
        try changed.apply(change)
        return changed
    }

    /// Makes one change in place. Only what the change touches is looked at, so that registering a target costs the
    /// same in a large document as in a small one.
    public mutating func apply(_ change: Change) throws(ConfigErrors) {
        try check(change)
        try checkTogether(after: change)
        try perform(change)
    }

    /// Refuses a change after which objects contradict each other that are valid by themselves: load balancers about
    /// the zones of a group, and targets of one listener by their server ids. Both are of network load balancers, and
    /// only where there are such is the document looked at as a whole.
    private func checkTogether(after change: Change) throws(ConfigErrors) {
        let mayConflict =
            switch change {
            case .registerTargets: targetGroups.contains(where: \.protocol.hasQUIC)
            case .putTargetGroup, .putListener, .putRule: loadBalancers.contains { $0.type == .network }
            case .putLoadBalancer(let loadBalancer): loadBalancer.type == .network
            default: false
            }
        guard mayConflict else { return }
        var changed = self
        try changed.perform(change)
        try changed.checkServerIDs()
        var findings = Findings()
        findings.within(.key("loadBalancers")) { changed.validateZones(&$0) }
        try findings.throwIfAny()
    }

    /// Makes one change without validating the document afterwards. Errors: the object of which it changes a part does
    /// not exist. Deleting what does not exist is no mistake here.
    mutating func perform(_ change: Change) throws(ConfigErrors) {
        switch change {
        case .putInstance(let instance): instances.put(instance)
        case .deleteInstance(let id): instances.remove(id)
        case .putPrefixList(let list): prefixLists.put(list)
        case .deletePrefixList(let name): prefixLists.remove(name)
        case .putTargetGroup(let group): targetGroups.put(group)
        case .deleteTargetGroup(let name): targetGroups.remove(name)
        case .registerTargets(let name, let targets): targetGroups[try index(ofTargetGroup: name)].register(targets)
        case .deregisterTargets(let name, let targets): targetGroups[try index(ofTargetGroup: name)].deregister(targets)
        case .putLoadBalancer(let loadBalancer): loadBalancers.put(loadBalancer)
        case .deleteLoadBalancer(let name): loadBalancers.remove(name)
        case .putListener(let name, let listener):
            loadBalancers[try index(ofLoadBalancer: name)].listeners.put(listener)
        case .deleteListener(let name, let port):
            if let index = loadBalancers.index(of: name) { loadBalancers[index].listeners.remove(port) }
        case .putRule(let name, let port, let rule):
            let (outer, inner) = try indices(ofListener: port, of: name)
            loadBalancers[outer].listeners[inner].rules.put(rule)
        case .deleteRule(let name, let port, let priority):
            if let outer = loadBalancers.index(of: name), let inner = loadBalancers[outer].listeners.index(of: port) {
                loadBalancers[outer].listeners[inner].rules.remove(priority)
            }
        case .setWeights(let name, let port, let priority, let weights):
            let (outer, inner) = try indices(ofListener: port, of: name)
            try checkWeights(weights, of: loadBalancers[outer].listeners[inner], priority, in: name)
            loadBalancers[outer].listeners[inner].setWeights(weights, priority: priority)
        }
    }

    /// Refuses a change of properties that an existing object must keep. A new file may change them, so this is not
    /// checked when changes are applied on top of a new file.
    private func checkUnchangeable(_ change: Change) throws(ConfigErrors) {
        guard case .putTargetGroup(let group) = change, let index = targetGroups.index(of: group.name) else { return }
        let old = targetGroups[index]
        let fixed = [
            ("targetType", old.targetType.rawValue, group.targetType.rawValue),
            ("protocol", old.protocol.rawValue, group.protocol.rawValue),
            ("protocolVersion", old.protocolVersion.rawValue, group.protocolVersion.rawValue),
        ]
        for (key, before, after) in fixed where before != after {
            throw ConfigErrors(
                ConfigError(
                    path: key, expected: "\(key) of target group \(group.name) must stay \(before)", found: after,
                    remedy: "Put a group with another name, or delete this one first.",
                    code: .invalidConfigurationRequest))
        }
    }

    private func check(_ change: Change) throws(ConfigErrors) {
        var findings = Findings()
        switch change {
        case .putInstance(let instance): checkRoom(for: instance, &findings)
        case .deleteInstance(let id): try checkInstance(id)
        case .putPrefixList(let list): checkPrefixList(list, &findings)
        case .deletePrefixList(let name): try checkDeletion(ofPrefixList: name)
        case .putTargetGroup(let group):
            if targetGroups.index(of: group.name) == nil, targetGroups.count >= Limits.targetGroupsMax {
                findings.full("target groups", Limits.targetGroupsMax, .tooManyTargetGroups)
            }
            group.validateTargets(&findings)
            let discovers = targetGroups.index(of: group.name).map { targetGroups[$0].discovery != nil } ?? false
            if group.discovery != nil, !discovers, discoveringGroupsCount >= Limits.discoveringGroupsMax {
                findings.tooManyDiscoveries()
            }
            if let index = targetGroups.index(of: group.name) {
                targetGroups[index].checkServerIDsStay(group.targets, &findings)
            }
            checkUsers(of: group, &findings)
        case .deleteTargetGroup(let name):
            _ = try index(ofTargetGroup: name)
            checkUnused(name, &findings)
        case .registerTargets(let name, let targets): try checkRegistration(of: targets, in: name, &findings)
        case .deregisterTargets, .setWeights, .deleteLoadBalancer: break  // performing them checks all there is
        case .putLoadBalancer(let loadBalancer):
            if loadBalancers.index(of: loadBalancer.name) == nil, loadBalancers.count >= Limits.loadBalancersMax {
                findings.full("load balancers", Limits.loadBalancersMax, .tooManyLoadBalancers)
            }
            let old = loadBalancers.index(of: loadBalancer.name).map { loadBalancers[$0].rateLimitCount }
            checkRateLimits(loadBalancer.rateLimitCount, insteadOf: old, &findings)
            loadBalancer.validateAccess(PrefixListNames(self), &findings)
            checkListeners(of: loadBalancer, &findings)
        case .putListener(let name, let listener):
            let index = try index(ofLoadBalancer: name)
            let listeners = loadBalancers[index].listeners
            let old = listeners.index(of: listener.port).map { listeners[$0].rateLimitCount }
            checkRateLimits(listener.rateLimitCount, insteadOf: old, &findings)
            checkPort(of: listener, in: loadBalancers[index], &findings)
            listener.validateAccess(PrefixListNames(self), &findings)
            listener.validate(GroupNames(self), in: loadBalancers[index], &findings)
        case .deleteListener(let name, let port): _ = try indices(ofListener: port, of: name)
        case .putRule(let name, let port, let rule):
            let (outer, inner) = try indices(ofListener: port, of: name)
            let rules = loadBalancers[outer].listeners[inner].rules
            if rules.count >= Limits.rulesPerListenerMax, rules.index(of: rule.priority) == nil {
                findings.full("rules of a listener", Limits.rulesPerListenerMax, .tooManyRules)
            }
            let limits = rules.index(of: rule.priority).map { rules[$0].rateLimit == nil ? 0 : 1 }
            checkRateLimits(rule.rateLimit == nil ? 0 : 1, insteadOf: limits, &findings)
            let listener = loadBalancers[outer].listeners[inner]
            let remedy = listener.http2Remedy(in: loadBalancers[outer])
            rule.validate(
                GroupNames(self), on: listener, of: loadBalancers[outer], http2Remedy: remedy, &findings)
        case .deleteRule(let name, let port, let priority): try checkRule(priority, port, name)
        }
        try findings.throwIfAny()
    }

    private func checkRoom(for instance: Instance, _ findings: inout Findings) {
        if instances.count >= Limits.instancesMax, instances.index(of: instance.id) == nil {
            findings.full("instances", Limits.instancesMax, .validationError)
        }
    }

    private func checkInstance(_ id: String) throws(ConfigErrors) {
        if instances.index(of: id) != nil { return }
        throw .notFound("an instance of the registry", id, instances.map(\.id), .resourceNotFound)
    }

    /// Reports listeners that forward to the group and could not after this change.
    private func checkUsers(of group: TargetGroup, _ findings: inout Findings) {
        guard let index = targetGroups.index(of: group.name) else { return }
        let old = targetGroups[index]
        let steps: [Findings.Step]
        if old.protocol != group.protocol {
            steps = [.key("protocol")]
        } else if old.protocolVersion != group.protocolVersion {
            steps = [.key("protocolVersion")]
        } else if old.attributes.stickiness != group.attributes.stickiness {
            steps = [.key("attributes"), .key("stickiness.enabled")]
        } else {
            return
        }
        var changed = self
        changed.targetGroups[index] = group
        let groups = GroupNames(changed)
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners {
                let actions = (listener.defaultActions + listener.rules.flatMap(\.actions))
                    .filter { [$0].refers(to: group.name) }
                var own = Findings()
                actions.validate(groups, on: listener, http2Remedy: listener.http2Remedy(in: loadBalancer), &own)
                guard let error = own.errors.first else { continue }
                findings.within(steps) { findings in
                    findings.report(
                        "\(loadBalancer.name):\(listener.port) forwards to target group \(group.name), and "
                            + error.expected, found: error.found,
                        remedy: "Take it out of that listener first, or put a group with another name.",
                        code: error.code)
                }
                return
            }
        }
    }

    private func checkUnused(_ group: String, _ findings: inout Findings) {
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners {
                let place = "\(loadBalancer.name):\(listener.port)"
                let rule = listener.rules.first { $0.actions.refers(to: group) }
                guard listener.defaultActions.refers(to: group) || rule != nil else { continue }
                let user =
                    listener.defaultActions.refers(to: group) ? "the default action" : "rule \(rule?.priority ?? 0)"
                findings.report(
                    "target group \(group) is in use by \(user) of \(place)",
                    remedy: "Take it out of that action first; a weight of 0 is not enough.", code: .resourceInUse)
                return
            }
        }
    }

    private func checkRegistration(
        of targets: [TargetDescription], in name: String, _ findings: inout Findings
    ) throws(ConfigErrors) {
        let group = targetGroups[try index(ofTargetGroup: name)]
        group.checkServerIDsStay(targets, &findings)
        findings.within(.key("targets")) { findings in
            for (index, target) in targets.enumerated() {
                findings.within([.index(index), .key("id")]) { findings in group.checkID(of: target, &findings) }
                // The weight of a registered target may be changed without naming its server id again.
                let isKnown =
                    target.quicServerID == nil && group.protocol.hasQUIC
                    && group.targets.index(of: target, defaultPort: group.port) != nil
                if !isKnown { findings.within(.index(index)) { group.checkServerID(of: target, &$0) } }
            }
            // The exact number is needed only if it could be too high.
            guard group.targets.count + targets.count > Limits.targetsPerGroupMax else { return }
            var full = group
            full.register(targets)
            if full.targets.count > Limits.targetsPerGroupMax {
                findings.full("targets of a group", Limits.targetsPerGroupMax, .tooManyTargets)
            }
        }
    }

    private func checkListeners(of loadBalancer: LoadBalancer, _ findings: inout Findings) {
        var ports = BoundPorts()
        var count = loadBalancer.listeners.count
        for other in loadBalancers where other.name != loadBalancer.name {
            count += other.listeners.count
            for listener in other.listeners { _ = ports.bind(listener, on: other.addresses, for: other.name) }
        }
        if count > Limits.listenersMax { findings.tooManyListeners(count) }
        loadBalancer.validate(GroupNames(self), &ports, &findings)
        loadBalancer.validatePorts(beside: admin.metrics, &findings)
    }

    private func checkPort(of listener: Listener, in loadBalancer: LoadBalancer, _ findings: inout Findings) {
        var count = loadBalancer.listeners.index(of: listener.port) == nil ? 1 : 0
        for other in loadBalancers {
            count += other.listeners.count
            guard other.name != loadBalancer.name, let index = other.listeners.index(of: listener.port) else {
                continue
            }
            var ports = BoundPorts()
            _ = ports.bind(other.listeners[index], on: other.addresses, for: other.name)
            guard let conflict = ports.bind(listener, on: loadBalancer.addresses, for: loadBalancer.name) else {
                continue
            }
            findings.within(.key("port")) { findings in findings.portInUse(conflict, listener) }
        }
        loadBalancer.validatePort(of: listener, beside: admin.metrics, &findings)
        if count > Limits.listenersMax { findings.tooManyListeners(count) }
    }

    private func checkRule(_ priority: Int, _ port: Int, _ name: String) throws(ConfigErrors) {
        let (outer, inner) = try indices(ofListener: port, of: name)
        guard priority > 0 else {
            throw ConfigErrors(
                ConfigError(
                    expected: "the default rule of \(name):\(port) must stay",
                    remedy: "Put the listener with other default actions.", code: .operationNotPermitted))
        }
        let rules = loadBalancers[outer].listeners[inner].rules
        if rules.index(of: priority) != nil { return }
        throw .notFound(
            "a rule of \(name):\(port)", "\(priority)", rules.map { "\($0.priority)" }.sorted(), .ruleNotFound)
    }

    private func checkWeights(
        _ weights: [String: Int], of listener: Listener, _ priority: Int?, in name: String
    ) throws(ConfigErrors) {
        if let priority { try checkRule(priority, listener.port, name) }
        let actions =
            priority.flatMap { listener.rules.index(of: $0) }.map { listener.rules[$0].actions }
            ?? listener.defaultActions
        guard case .forward(let forward)? = actions.first else {
            throw ConfigErrors(
                ConfigError(
                    expected: "weights belong to a forward action, and this action is another",
                    remedy: "Put a forward action there first.", code: .invalidLoadBalancerAction))
        }
        var findings = Findings()
        let known = forward.targetGroups.map(\.targetGroupName)
        for (group, weight) in weights.sorted(by: { $0.key < $1.key }) {
            findings.within(.key(group)) { findings in
                if !known.contains(group) {
                    // An existing group was meant as it is written, however similar the names of others are.
                    let isInOtherZone = targetGroups.index(of: group) != nil
                    let remedy =
                        isInOtherZone
                        ? "This action forwards to \(known.joined(separator: ", ")): put it with \(group) first."
                        : Spelling.remedy(for: group, among: known, otherwise: "Put the action with this group first.")
                    findings.report(
                        "weights must name groups of this action",
                        found: isInOtherZone ? "\(group), a target group that it does not have" : Value.quoted(group),
                        remedy: remedy, code: .targetGroupNotFound)
                } else if !WeightedTargetGroup.weights.contains(weight) {
                    findings.report(
                        "\(group) must be an integer from 0 to 999", found: "\(weight)",
                        remedy: "Write a weight in that range.")
                }
            }
        }
        try findings.throwIfAny()
    }

    private func index(ofTargetGroup name: String) throws(ConfigErrors) -> Int {
        if let index = targetGroups.index(of: name) { return index }
        throw .notFound("a target group", name, targetGroups.map(\.name), .targetGroupNotFound)
    }

    private func index(ofLoadBalancer name: String) throws(ConfigErrors) -> Int {
        if let index = loadBalancers.index(of: name) { return index }
        throw .notFound("a load balancer", name, loadBalancers.map(\.name), .loadBalancerNotFound)
    }

    private func indices(ofListener port: Int, of name: String) throws(ConfigErrors) -> (Int, Int) {
        let outer = try index(ofLoadBalancer: name)
        if let inner = loadBalancers[outer].listeners.index(of: port) { return (outer, inner) }
        // If another load balancer has a listener of this port, that one was probably meant.
        let owners = loadBalancers.filter { $0.listeners.index(of: port) != nil }.map { "\($0.name):\(port)" }
        guard owners.isEmpty else {
            throw ConfigErrors(
                ConfigError(
                    expected: "expected a listener of \(name)", found: Value.quoted("\(port)"),
                    remedy: "Did you mean \(Shape.alternatives(owners))?", code: .listenerNotFound))
        }
        let ports = loadBalancers[outer].listeners.map(\.port).sorted()
        throw .notFound("a listener of \(name)", "\(port)", ports.map(String.init), .listenerNotFound)
    }
}

extension ConfigErrors {
    /// The error for a reference to an object that does not exist.
    static func notFound(_ noun: String, _ name: String, _ known: [String], _ code: ConfigError.Code) -> ConfigErrors {
        ConfigErrors(
            ConfigError(
                expected: "expected \(noun)", found: Value.quoted(name),
                remedy: Spelling.remedy(for: name, among: known, otherwise: "Add it first."), code: code))
    }
}

extension Findings {
    /// Reports that the limit is reached and one more was to be added.
    mutating func full(_ noun: String, _ most: Int, _ code: ConfigError.Code) {
        report("there must be at most \(most) \(noun)", remedy: "Delete some first.", code: code)
    }
}
