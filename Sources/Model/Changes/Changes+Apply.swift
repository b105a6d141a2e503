extension Changes {
    /// The document with these changes on top, and a sentence for each that no longer applies to it, which is left out.
    /// `file` is valid, and so is the result.
    public func apply(to file: Document) -> (Document, notApplicable: [String]) {
        if isEmpty { return (file, []) }
        // First all changes are applied without validating in between: in any order they may pass through an invalid
        // state, for example when two listeners exchange their ports.
        var document = file
        var notApplicable: [String] = []
        for change in steps {
            do {
                try document.perform(change)
            } catch {
                notApplicable.append(Changes.sentence(change, error))
            }
        }
        return document.validate().isEmpty ? (document, notApplicable) : applyOneByOne(to: file)
    }

    /// Applies what can be applied, again and again until nothing more can, and says why the rest cannot.
    private func applyOneByOne(to file: Document) -> (Document, notApplicable: [String]) {
        var document = file
        // A group that was deleted and put again is only replaced here: deleting it would fail if it is in use.
        let replaced = Set(targetGroups.put.map(\.name)), replacedLists = Set(prefixLists.put.map(\.name))
        var waiting = steps.filter { change in
            switch change {
            case .deleteTargetGroup(let name): !replaced.contains(name)
            case .deletePrefixList(let name): !replacedLists.contains(name)
            default: true
            }
        }
        while true {
            var refused: [(change: Change, errors: ConfigErrors)] = []
            for change in waiting {
                do {
                    try document.apply(change)
                } catch {
                    if !change.isDone(given: error) { refused.append((change, error)) }
                }
            }
            if refused.count == waiting.count || refused.isEmpty {
                return (document, refused.map { Changes.sentence($0.change, $0.errors) })
            }
            waiting = refused.map(\.change)
        }
    }

    /// The changes, ordered so that an object comes before what refers to it.
    private var steps: [Change] {
        var steps: [Change] = []
        steps += instances.deleted.map { .deleteInstance(id: $0) }
        steps += instances.put.map { .putInstance($0) }
        let listsPutAgain = Set(prefixLists.put.map(\.name))
        steps += prefixLists.deleted.filter { listsPutAgain.contains($0) }.map { .deletePrefixList(name: $0) }
        steps += prefixLists.put.map { .putPrefixList($0) }
        let putAgain = Set(targetGroups.put.map(\.name))
        steps += targetGroups.deleted.filter { putAgain.contains($0) }.map { .deleteTargetGroup(name: $0) }
        steps += targetGroups.put.map { .putTargetGroup($0) }
        for change in targets {
            if !change.deregistered.isEmpty {
                steps.append(.deregisterTargets(group: change.targetGroup, change.deregistered))
            }
            if !change.registered.isEmpty {
                steps.append(.registerTargets(group: change.targetGroup, change.registered))
            }
        }
        steps += loadBalancers.deleted.map { .deleteLoadBalancer(name: $0) }
        steps += loadBalancers.put.map { .putLoadBalancer($0) }
        steps += listeners.deleted.map { .deleteListener(loadBalancer: $0.loadBalancer, port: $0.port) }
        steps += listeners.put.map { .putListener(loadBalancer: $0.loadBalancer, $0.listener) }
        steps += rules.deleted.map {
            .deleteRule(loadBalancer: $0.listener.loadBalancer, port: $0.listener.port, priority: $0.priority)
        }
        steps += rules.put.map { .putRule(loadBalancer: $0.listener.loadBalancer, port: $0.listener.port, $0.rule) }
        steps += weights.map {
            .setWeights(
                loadBalancer: $0.key.listener.loadBalancer, port: $0.key.listener.port, priority: $0.key.priority,
                $0.weights)
        }
        steps += targetGroups.deleted.filter { !putAgain.contains($0) }.map { .deleteTargetGroup(name: $0) }
        steps += prefixLists.deleted.filter { !listsPutAgain.contains($0) }.map { .deletePrefixList(name: $0) }
        return steps
    }

    private static func sentence(_ change: Change, _ errors: ConfigErrors) -> String {
        "The change \"\(change)\" no longer applies: \(errors.first)"
    }
}

extension Change {
    /// Whether a refusal only says that the object to delete does not exist.
    fileprivate func isDone(given errors: ConfigErrors) -> Bool {
        switch self {
        case .deleteInstance, .deletePrefixList, .deleteTargetGroup, .deleteListener, .deleteRule:
            switch errors.first.code {
            case .resourceNotFound, .targetGroupNotFound, .loadBalancerNotFound, .listenerNotFound, .ruleNotFound: true
            default: false
            }
        default: false
        }
    }
}
