/// What was put and deleted of one kind of object. An object in both was deleted first and then put, so it stands after
/// the others: applying keeps the order that the changes gave one by one.
struct Overlay<Element: Named>: Hashable, Sendable {
    /// Names of objects of the file that were deleted.
    var deleted: [Element.Name] = []
    /// Objects that were put, in the order in which they were first put.
    var put: [Element] = []

    /// Whether nothing was changed.
    var isEmpty: Bool { deleted.isEmpty && put.isEmpty }

    /// The object was put.
    mutating func put(_ element: Element) {
        put.put(element)
    }

    /// The object was deleted; only what the file has needs to be remembered.
    mutating func delete(_ name: Element.Name, inFile: Bool) {
        put.remove(name)
        deleted.removeAll { $0 == name }
        if inFile { deleted.append(name) }
    }

    /// Forgets all about some objects.
    mutating func forget(_ matches: (Element.Name) -> Bool) {
        deleted.removeAll(where: matches)
        put.removeAll { matches($0.key) }
    }
}

/// What names a rule: its listener and its priority.
struct RuleName: Hashable, Sendable {
    /// Its listener.
    var listener: ListenerName
    /// Its priority.
    var priority: Int
}

/// What names an action: its listener, and the priority of its rule, nil for the default action.
struct ActionName: Hashable, Sendable {
    /// Its listener.
    var listener: ListenerName
    /// The priority of its rule.
    var priority: Int?
}

/// A listener that was put into a load balancer of the file.
struct ListenerChange: Named {
    /// Name of the load balancer.
    var loadBalancer: String
    /// The listener.
    var listener: Listener
    /// What names the listener.
    var key: ListenerName { ListenerName(loadBalancer: loadBalancer, port: listener.port) }
}

/// A rule that was put into a listener of the file.
struct RuleChange: Named {
    /// The listener.
    var listener: ListenerName
    /// The rule.
    var rule: Rule
    /// What names the rule.
    var key: RuleName { RuleName(listener: listener, priority: rule.priority) }
}

/// Weights that were set in an action of the file.
struct WeightsChange: Named {
    /// The action.
    var key: ActionName
    /// Weights by group name.
    var weights: [String: Int]
}

/// Targets that were registered in or deregistered from a group of the file. One in both lists was deregistered first.
struct TargetsChange: Named {
    /// Name of the group.
    var targetGroup: String
    /// Registered, in that order, whether or not the file has them too: they stay when the file drops them.
    var registered: [TargetDescription] = []
    /// Deregistered at run time, though the file has them.
    var deregistered: [TargetDescription] = []
    /// Name of the group.
    var key: String { targetGroup }
    /// Whether nothing differs from the file.
    var isEmpty: Bool { registered.isEmpty && deregistered.isEmpty }

    /// Targets were deregistered from `group`, which is as the file has it; only what is there needs remembering.
    mutating func deregister(_ removed: [TargetDescription], from group: TargetGroup) {
        registered.deregister(removed, defaultPort: group.port)
        deregistered.deregister(removed, defaultPort: group.port)
        if removed.count < 4 {
            let had = removed.filter { group.targets.index(of: $0, defaultPort: group.port) != nil }
            deregistered.register(had, defaultPort: group.port)
        } else {
            let known = Set(group.targets.map { group.key(of: $0) })
            deregistered.register(removed.filter { known.contains(group.key(of: $0)) }, defaultPort: group.port)
        }
    }
}
