/// An object of which `Changes` keeps a change, by its kind and name.
enum ChangedObject: Hashable, Sendable {
    /// An entry of the instance registry.
    case instance(String)
    /// A prefix list.
    case prefixList(String)
    /// A whole target group.
    case targetGroup(String)
    /// A whole load balancer.
    case loadBalancer(String)
    /// A whole listener.
    case listener(ListenerName)
    /// A whole rule.
    case rule(RuleName)
    /// The weights of an action.
    case weights(ActionName)
    /// The targets of a group.
    case targets(String)
}

extension ChangedObject: CustomStringConvertible {
    /// As people name it, as in `weights of web:8080`.
    var description: String {
        switch self {
        case .instance(let id): "instance \(id)"
        case .prefixList(let name): "prefix list \(name)"
        case .targetGroup(let name): "target group \(name)"
        case .loadBalancer(let name): "load balancer \(name)"
        case .listener(let name): "listener \(name)"
        case .rule(let name): "rule \(name.priority) of \(name.listener)"
        case .weights(let name):
            "weights of " + (name.priority.map { "rule \($0) of " } ?? "") + "\(name.listener)"
        case .targets(let group): "targets of \(group)"
        }
    }
}

extension Changes {
    /// The object under which `change` is kept: the outermost enclosing object that was itself put at run time.
    func object(changedBy change: Change) -> ChangedObject {
        switch change {
        case .putInstance(let instance): return .instance(instance.id)
        case .deleteInstance(let id): return .instance(id)
        case .putPrefixList(let list): return .prefixList(list.name)
        case .deletePrefixList(let name): return .prefixList(name)
        case .putTargetGroup(let group): return .targetGroup(group.name)
        case .deleteTargetGroup(let name): return .targetGroup(name)
        case .registerTargets(let name, _), .deregisterTargets(let name, _):
            return targetGroups.put.index(of: name) == nil ? .targets(name) : .targetGroup(name)
        case .putLoadBalancer(let loadBalancer): return .loadBalancer(loadBalancer.name)
        case .deleteLoadBalancer(let name): return .loadBalancer(name)
        case .putListener(let name, let listener):
            return outermost(ListenerName(loadBalancer: name, port: listener.port), itself: true)!
        case .deleteListener(let name, let port):
            return outermost(ListenerName(loadBalancer: name, port: port), itself: true)!
        case .putRule(let name, let port, let rule):
            let listener = ListenerName(loadBalancer: name, port: port)
            return outermost(listener) ?? .rule(RuleName(listener: listener, priority: rule.priority))
        case .deleteRule(let name, let port, let priority):
            let listener = ListenerName(loadBalancer: name, port: port)
            return outermost(listener) ?? .rule(RuleName(listener: listener, priority: priority))
        case .setWeights(let name, let port, let priority, _):
            let listener = ListenerName(loadBalancer: name, port: port)
            if let object = outermost(listener) { return object }
            if let rule = priority.map({ RuleName(listener: listener, priority: $0) }), rules.put.index(of: rule) != nil
            {
                return .rule(rule)
            }
            return .weights(ActionName(listener: listener, priority: priority))
        }
    }

    /// The load balancer or the listener that was put at run time and encloses `listener`'s parts. If neither was put:
    /// the listener with `itself`, else nil.
    private func outermost(_ listener: ListenerName, itself: Bool = false) -> ChangedObject? {
        if loadBalancers.put.index(of: listener.loadBalancer) != nil { return .loadBalancer(listener.loadBalancer) }
        return itself || listeners.put.index(of: listener) != nil ? .listener(listener) : nil
    }

    /// What is kept of an object, to be compared; nil if nothing is.
    func kept(of object: ChangedObject) -> AnyHashable? {
        func overlay<Element: Named>(_ overlay: Overlay<Element>, _ name: Element.Name) -> AnyHashable? {
            if let index = overlay.put.index(of: name) { return AnyHashable(overlay.put[index]) }
            return overlay.deleted.contains(name) ? AnyHashable(name) : nil
        }
        switch object {
        case .instance(let id): return overlay(instances, id)
        case .prefixList(let name): return overlay(prefixLists, name)
        case .targetGroup(let name): return overlay(targetGroups, name)
        case .loadBalancer(let name): return overlay(loadBalancers, name)
        case .listener(let name): return overlay(listeners, name)
        case .rule(let name): return overlay(rules, name)
        case .weights(let name): return weights.index(of: name).map { AnyHashable(weights[$0]) }
        case .targets(let group): return targets.index(of: group).map { AnyHashable(targets[$0]) }
        }
    }

    /// Forgets when parts of an object were changed: the object was put or deleted as a whole.
    mutating func forgetTimes(within object: ChangedObject) {
        switch object {
        case .targetGroup(let name): times[.targets(name)] = nil
        case .rule(let name): times[.weights(ActionName(listener: name.listener, priority: name.priority))] = nil
        case .loadBalancer(let name): times = times.filter { $0.key.listener?.loadBalancer != name }
        case .listener(let name): times = times.filter { $0.key == object || $0.key.listener != name }
        case .instance, .prefixList, .weights, .targets: break
        }
    }
}

extension ChangedObject {
    /// The listener that it is, or is a part of.
    fileprivate var listener: ListenerName? {
        switch self {
        case .listener(let name): name
        case .rule(let name): name.listener
        case .weights(let name): name.listener
        case .instance, .prefixList, .targetGroup, .loadBalancer, .targets: nil
        }
    }
}
