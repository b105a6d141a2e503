import Model

extension Document {
    /// What a document holds, in a few words, for whoever checks it.
    var summary: String {
        let listeners = loadBalancers.reduce(0) { $0 + $1.listeners.count }
        let rules = loadBalancers.reduce(0) { $0 + $1.listeners.reduce(0) { $0 + $1.rules.count } }
        let targets = targetGroups.reduce(0) { $0 + $1.targets.count }
        return [
            counted(loadBalancers.count, "load balancer"), counted(listeners, "listener"), counted(rules, "rule"),
            counted(targetGroups.count, "target group"), counted(targets, "target"),
        ].joined(separator: ", ")
    }
}

/// `1 rule`, `2 rules`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
