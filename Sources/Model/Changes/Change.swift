/// One change at run time, as it comes over the socket. Each identifies its object by name, so that it can be applied
/// again to another document.
public enum Change: Hashable, Sendable {
    /// Adds a target group, or replaces the one of its name, targets included.
    case putTargetGroup(TargetGroup)
    /// Removes a target group that nothing refers to.
    case deleteTargetGroup(name: String)
    /// Adds a load balancer, or replaces the one of its name, listeners included.
    case putLoadBalancer(LoadBalancer)
    /// Removes a load balancer with its listeners; it is no mistake if there is none of this name.
    case deleteLoadBalancer(name: String)
    /// Adds a listener, or replaces the one of its port, rules included.
    case putListener(loadBalancer: String, Listener)
    /// Removes a listener with its rules.
    case deleteListener(loadBalancer: String, port: Int)
    /// Adds a rule, or replaces the one of its priority.
    case putRule(loadBalancer: String, port: Int, Rule)
    /// Removes a rule.
    case deleteRule(loadBalancer: String, port: Int, priority: Int)
    /// Sets weights of groups in the forward action of a rule, or without priority in the listener's default action.
    /// Groups that are not named keep theirs.
    case setWeights(loadBalancer: String, port: Int, priority: Int?, [String: Int])
    /// Adds targets to a group; one that is there already takes the weight that is given, and else stays as it is.
    case registerTargets(group: String, [TargetDescription])
    /// Removes targets from a group; those that it does not have are ignored.
    case deregisterTargets(group: String, [TargetDescription])
    /// Adds an entry to the instance registry, or replaces the one of its id.
    case putInstance(Instance)
    /// Removes an entry of the instance registry; targets that name it become unused.
    case deleteInstance(id: String)
    /// Adds a prefix list, or replaces the one of its name.
    case putPrefixList(PrefixList)
    /// Removes a prefix list that nothing names.
    case deletePrefixList(name: String)
}

extension Change: CustomStringConvertible {
    /// What it does, in a few words, as in `put rule 10 of web:80`.
    public var description: String {
        switch self {
        case .putTargetGroup(let group): "put target group \(group.name)"
        case .deleteTargetGroup(let name): "delete target group \(name)"
        case .putLoadBalancer(let loadBalancer): "put load balancer \(loadBalancer.name)"
        case .deleteLoadBalancer(let name): "delete load balancer \(name)"
        case .putListener(let name, let listener): "put listener \(name):\(listener.port)"
        case .deleteListener(let name, let port): "delete listener \(name):\(port)"
        case .putRule(let name, let port, let rule): "put rule \(rule.priority) of \(name):\(port)"
        case .deleteRule(let name, let port, let priority): "delete rule \(priority) of \(name):\(port)"
        case .setWeights(let name, let port, let priority, let weights):
            "set weights \(Change.text(weights)) of \(priority.map { "rule \($0) of " } ?? "")\(name):\(port)"
        case .registerTargets(let group, let targets): "register \(Change.text(targets)) in target group \(group)"
        case .deregisterTargets(let group, let targets): "deregister \(Change.text(targets)) from target group \(group)"
        case .putInstance(let instance): "put instance \(instance.id)"
        case .deleteInstance(let id): "delete instance \(id)"
        case .putPrefixList(let list): "put prefix list \(list.name)"
        case .deletePrefixList(let name): "delete prefix list \(name)"
        }
    }

    private static func text(_ weights: [String: Int]) -> String {
        weights.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }

    private static func text(_ targets: [TargetDescription]) -> String {
        if targets.count > 3 { return "\(targets.count) targets" }
        return targets.map { target in
            let id = target.id.contains(":") ? "[\(target.id)]" : target.id
            let name = target.port.map { "\(id):\($0)" } ?? id
            let weighted = target.weight.map { "\(name) with weight \($0)" } ?? name
            return target.zone.map { "\(weighted) in zone \($0)" } ?? weighted
        }.joined(separator: ", ")
    }
}
