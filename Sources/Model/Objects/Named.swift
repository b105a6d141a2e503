/// An object that is known by a name among its kind.
protocol Named: Hashable, Sendable {
    /// What names it.
    associatedtype Name: Hashable & Sendable
    /// Its name.
    var key: Name { get }
}

extension Instance: Named {
    /// Its id.
    var key: String { id }
}

extension PrefixList: Named {
    /// Its name.
    var key: String { name }
}

extension TargetGroup: Named {
    /// Its name.
    var key: String { name }
}

extension LoadBalancer: Named {
    /// Its name.
    var key: String { name }
}

extension Listener: Named {
    /// Its port.
    var key: Int { port }
}

extension Rule: Named {
    /// Its priority.
    var key: Int { priority }
}

extension Array where Element: Named {
    /// The index of the object with this name.
    func index(of name: Element.Name) -> Int? {
        firstIndex { $0.key == name }
    }

    /// Replaces the object of the same name where it stands, or adds this one at the end.
    mutating func put(_ element: Element) {
        if let index = index(of: element.key) { self[index] = element } else { append(element) }
    }

    /// Removes the object of this name, if it is there.
    mutating func remove(_ name: Element.Name) {
        if let index = index(of: name) { remove(at: index) }
    }
}

extension [Action] {
    /// Whether any of them forwards to this group.
    func refers(to group: String) -> Bool {
        contains { action in
            guard case .forward(let forward) = action else { return false }
            return forward.targetGroups.contains { $0.targetGroupName == group }
        }
    }

    /// Sets the weights of the groups that are named and in a forward action.
    mutating func setWeights(_ weights: [String: Int]) {
        for index in indices {
            guard case .forward(var forward) = self[index] else { continue }
            for position in forward.targetGroups.indices {
                if let weight = weights[forward.targetGroups[position].targetGroupName] {
                    forward.targetGroups[position].weight = weight
                }
            }
            self[index] = .forward(forward)
        }
    }
}

extension Listener {
    /// Sets weights in the action of a rule, or without priority in the default action.
    mutating func setWeights(_ weights: [String: Int], priority: Int?) {
        guard let priority else { return defaultActions.setWeights(weights) }
        if let index = rules.index(of: priority) { rules[index].actions.setWeights(weights) }
    }
}
