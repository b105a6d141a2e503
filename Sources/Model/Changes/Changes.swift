/// What was changed at run time, object by object, on top of what the file says.
///
/// Shape:  no history: later changes absorb earlier ones, so it grows with the objects that differ from the file, never
///         with the number of changes. Invariant: applied to the file, it gives exactly what the changes gave one by
///         one.
/// Limits: those of the document.
public struct Changes: Hashable, Sendable {
    /// Entries of the instance registry.
    var instances = Overlay<Instance>()
    /// Prefix lists.
    var prefixLists = Overlay<PrefixList>()
    /// Whole target groups.
    var targetGroups = Overlay<TargetGroup>()
    /// Whole load balancers.
    var loadBalancers = Overlay<LoadBalancer>()
    /// Listeners of load balancers that were not themselves put.
    var listeners = Overlay<ListenerChange>()
    /// Rules of listeners that were not themselves put.
    var rules = Overlay<RuleChange>()
    /// Weights in actions that were not themselves put.
    var weights: [WeightsChange] = []
    /// Targets of groups that were not themselves put.
    var targets: [TargetsChange] = []
    /// When each of these was changed last: milliseconds since 1970. Unknown of what an earlier version kept.
    var times: [ChangedObject: Int] = [:]

    /// Nothing changed.
    public init() {}

    /// Whether nothing differs from the file.
    public var isEmpty: Bool { self == Changes() }

    /// Adds a change that was applied to the effective document. `file` is the document as the file says it, without
    /// changes: what never was in it, nor in `discovered`, need not be remembered once it is gone. `time` is when, in
    /// milliseconds since 1970; a change that changes nothing leaves the time of the one before it.
    public mutating func record(
        _ change: Change, over file: Document, _ discovered: Discovered = Discovered(), at time: Int? = nil
    ) {
        let object = object(changedBy: change)
        let before = kept(of: object)
        keep(change, over: file, discovered)
        forgetTimes(within: object)
        let after = kept(of: object)
        if after == nil { times[object] = nil } else if after != before { times[object] = time }
    }

    private mutating func keep(_ change: Change, over file: Document, _ discovered: Discovered) {
        switch change {
        case .putInstance(let instance): instances.put(instance)
        case .deleteInstance(let id): instances.delete(id, inFile: file.instances.index(of: id) != nil)
        case .putPrefixList(let list): prefixLists.put(list)
        case .deletePrefixList(let name):
            prefixLists.delete(name, inFile: file.prefixLists.index(of: name) != nil)
        case .putTargetGroup(let group):
            targetGroups.put(group)
            keepDeregistered(from: group, discovered)
        case .deleteTargetGroup(let name):
            targetGroups.delete(name, inFile: file.targetGroups.index(of: name) != nil)
            targets.remove(name)
        case .registerTargets(let name, let added): recordTargets(of: name, over: file, discovered, registered: added)
        case .deregisterTargets(let name, let removed):
            recordTargets(of: name, over: file, discovered, deregistered: removed)
        case .putLoadBalancer(let loadBalancer):
            loadBalancers.put(loadBalancer)
            forgetParts { $0.loadBalancer == loadBalancer.name }
        case .deleteLoadBalancer(let name):
            loadBalancers.delete(name, inFile: file.loadBalancers.index(of: name) != nil)
            forgetParts { $0.loadBalancer == name }
        case .putListener(let name, let listener):
            if let index = loadBalancers.put.index(of: name) {
                loadBalancers.put[index].listeners.put(listener)
            } else {
                listeners.put(ListenerChange(loadBalancer: name, listener: listener))
                forgetRules(of: ListenerName(loadBalancer: name, port: listener.port))
            }
        case .deleteListener(let name, let port):
            if let index = loadBalancers.put.index(of: name) {
                loadBalancers.put[index].listeners.remove(port)
            } else {
                let key = ListenerName(loadBalancer: name, port: port)
                listeners.delete(key, inFile: file.listener(key) != nil)
                forgetRules(of: key)
            }
        case .putRule(let name, let port, let rule):
            let key = ListenerName(loadBalancer: name, port: port)
            if editPut(key, { $0.rules.put(rule) }) { return }
            rules.put(RuleChange(listener: key, rule: rule))
            weights.remove(ActionName(listener: key, priority: rule.priority))
        case .deleteRule(let name, let port, let priority):
            let key = ListenerName(loadBalancer: name, port: port)
            if editPut(key, { $0.rules.remove(priority) }) { return }
            let inFile = file.listener(key)?.rules.index(of: priority) != nil
            rules.delete(RuleName(listener: key, priority: priority), inFile: inFile)
            weights.remove(ActionName(listener: key, priority: priority))
        case .setWeights(let name, let port, let priority, let new):
            recordWeights(
                new, of: ActionName(listener: ListenerName(loadBalancer: name, port: port), priority: priority))
        }
    }

    /// Edits a listener that was put, by itself or with its load balancer; false when it was not.
    private mutating func editPut(_ key: ListenerName, _ edit: (inout Listener) -> Void) -> Bool {
        if let outer = loadBalancers.put.index(of: key.loadBalancer) {
            if let inner = loadBalancers.put[outer].listeners.index(of: key.port) {
                edit(&loadBalancers.put[outer].listeners[inner])
            }
            return true
        }
        guard let index = listeners.put.index(of: key) else { return false }
        edit(&listeners.put[index].listener)
        return true
    }

    private mutating func recordWeights(_ new: [String: Int], of action: ActionName) {
        if editPut(action.listener, { $0.setWeights(new, priority: action.priority) }) { return }
        if let priority = action.priority,
            let index = rules.put.index(of: RuleName(listener: action.listener, priority: priority))
        {
            rules.put[index].rule.actions.setWeights(new)
        } else if let index = weights.index(of: action) {
            weights[index].weights.merge(new) { _, new in new }
        } else {
            weights.append(WeightsChange(key: action, weights: new))
        }
    }

    private mutating func recordTargets(
        of name: String, over file: Document, _ discovered: Discovered, registered: [TargetDescription] = [],
        deregistered: [TargetDescription] = []
    ) {
        if let index = targetGroups.put.index(of: name) {
            targetGroups.put[index].register(registered)
            targetGroups.put[index].deregister(deregistered)
            hide(deregistered, of: targetGroups.put[index], discovered)
            return
        }
        guard var group = file.targetGroups.index(of: name).map({ file.targetGroups[$0] }) else { return }
        group.targets += discovered.targets(of: name)?.map(\.target) ?? []
        let index = targets.index(of: name) ?? targets.endIndex
        if index == targets.endIndex { targets.append(TargetsChange(targetGroup: name)) }
        targets[index].registered.register(registered, defaultPort: group.port)
        targets[index].deregister(deregistered, from: group)
        if targets[index].isEmpty { targets.remove(at: index) }
    }

    /// Forgets what was done to the targets of a group that containers had by their labels, and that is gone.
    public mutating func forgetTargets(of group: String) {
        guard targetGroups.put.index(of: group) == nil, targets.index(of: group) != nil else { return }
        times[.targets(group)] = nil
        targets.remove(group)
    }

    /// Remembers which of `removed` only `discovered` has in a group that was put at run time.
    private mutating func hide(_ removed: [TargetDescription], of group: TargetGroup, _ discovered: Discovered) {
        let found = removed.filter { discovered.has(group.key(of: $0), of: group) }
        guard !found.isEmpty else { return }
        if targets.index(of: group.name) == nil { targets.append(TargetsChange(targetGroup: group.name)) }
        guard let index = targets.index(of: group.name) else { return }
        targets[index].deregistered.register(found, defaultPort: group.port)
    }

    /// Forgets the changes of the targets of a group that was put, which are in it, except which of `discovered` were
    /// deregistered.
    private mutating func keepDeregistered(from group: TargetGroup, _ discovered: Discovered) {
        let before = targets.index(of: group.name).map { targets[$0].deregistered } ?? []
        targets.remove(group.name)
        guard group.discovery != nil else { return }
        var hidden = before
        hidden.deregister(group.targets, defaultPort: group.port)
        hide(hidden, of: group, discovered)
    }

    private mutating func forgetParts(_ matches: (ListenerName) -> Bool) {
        listeners.forget { matches($0) }
        rules.forget { matches($0.listener) }
        weights.removeAll { matches($0.key.listener) }
    }

    private mutating func forgetRules(of listener: ListenerName) {
        rules.forget { $0.listener == listener }
        weights.removeAll { $0.key.listener == listener }
    }
}

extension Document {
    /// The listener of this name.
    func listener(_ name: ListenerName) -> Listener? {
        guard let outer = loadBalancers.index(of: name.loadBalancer),
            let inner = loadBalancers[outer].listeners.index(of: name.port)
        else { return nil }
        return loadBalancers[outer].listeners[inner]
    }
}
