import Model

extension Rollout {
    /// Whether both change one action, or compare one group.
    func conflicts(with other: Rollout) -> Bool {
        action == other.action || !Set([from, to]).isDisjoint(with: [other.from, other.to])
    }
}

extension Document {
    /// The groups of a forward action with their weights; empty if there is no such action.
    func forwardedGroups(_ loadBalancer: String, _ port: Int, _ priority: Int?) -> [String: Int] {
        guard let balancer = loadBalancers.first(where: { $0.name == loadBalancer }),
            let listener = balancer.listeners.first(where: { $0.port == port })
        else { return [:] }
        let rule = priority.map { priority in listener.rules.first { $0.priority == priority } }
        let actions = rule.map { $0?.actions ?? [] } ?? listener.defaultActions
        for case .forward(let forward) in actions {
            return Dictionary(forward.targetGroups.map { ($0.targetGroupName, $0.weight) }) { first, _ in first }
        }
        return [:]
    }

    /// The weights of both groups of a rollout in its action; nil if that is not one of just these two.
    func weights(of rollout: Rollout) -> [String: Int]? {
        let weights = forwardedGroups(rollout.loadBalancerName, rollout.port, rollout.priority)
        return Set(weights.keys) == [rollout.from, rollout.to] ? weights : nil
    }

    /// Whether a load balancer of this name is one of requests.
    func isApplication(_ name: String) -> Bool {
        loadBalancers.contains { $0.name == name && $0.type == .application }
    }

    /// How many actions forward to a group.
    func actions(forwardingTo group: String) -> Int {
        var count = 0
        for listener in loadBalancers.flatMap(\.listeners) {
            for action in listener.defaultActions + listener.rules.flatMap(\.actions) {
                guard case .forward(let forward) = action else { continue }
                if forward.targetGroups.contains(where: { $0.targetGroupName == group }) { count += 1 }
            }
        }
        return count
    }
}
