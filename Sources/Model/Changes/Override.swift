/// An object of the file that a change at run time overrides: something else is in force than the file says.
public struct Override: Hashable, Sendable {
    /// The object, as in `weights of web:8080`.
    public let object: String
    /// What is in force instead, as in `blue=50 green=50`.
    public let inForce: String
    /// What the file says, as in `blue=90 green=10`; nil where `inForce` tells the whole of it, as in `deleted`.
    public let inFile: String?
    /// When that was changed last: milliseconds since 1970; nil if an earlier version of Apus kept it.
    public let changedAt: Int?
    /// Whether the file now says something else about it than it did before.
    public var isEdited: Bool

    /// Both, as in `blue=50 green=50, where the file says blue=90 green=10`.
    public var change: String { inFile.map { "\(inForce), where the file says \($0)" } ?? inForce }

    /// An override of `object`.
    public init(object: String, inForce: String, inFile: String? = nil, changedAt: Int?, isEdited: Bool) {
        self.object = object
        self.inForce = inForce
        self.inFile = inFile
        self.changedAt = changedAt
        self.isEdited = isEdited
    }
}

extension Changes {
    /// The objects of `file` that are different in `effective`, which is the file with these changes. Those that were
    /// edited since `old`, the file as it was read before, come first. Objects that the file never had are not
    /// overrides.
    public func overrides(of file: Document, by effective: Document, since old: Document? = nil) -> [Override] {
        if isEmpty { return [] }
        let (file, effective) = (ObjectIndex(file), ObjectIndex(effective))
        let old = old.map(ObjectIndex.init)
        let all = objects.compactMap { object -> Override? in
            let change: Difference?
            let isEdited: Bool
            if case .targets(let group) = object {
                let before = old?.targets(of: group)
                let dropped = Set(before ?? []).subtracting(file.targets(of: group))
                change = Self.difference(file.targets(of: group), effective.targets(of: group), dropped).map {
                    ($0, nil)
                }
                isEdited = before.map { $0 != file.targets(of: group) } ?? false
            } else {
                change = Self.difference(file.content(of: object), effective.content(of: object))
                isEdited = old?.content(of: object).map { $0 != file.content(of: object) } ?? false
            }
            return change.map {
                Override(
                    object: "\(object)", inForce: $0.inForce, inFile: $0.inFile, changedAt: times[object],
                    isEdited: isEdited)
            }
        }
        return all.filter(\.isEdited) + all.filter { !$0.isEdited }
    }

    /// What is in force, and what the file says if that has to be told as well.
    private typealias Difference = (inForce: String, inFile: String?)

    private var objects: [ChangedObject] {
        func all<Element>(_ overlay: Overlay<Element>, _ make: (Element.Name) -> ChangedObject) -> [ChangedObject] {
            let put = overlay.put.map(\.key)
            let putAgain = Set(put)
            return (overlay.deleted.filter { !putAgain.contains($0) } + put).map(make)
        }
        return all(loadBalancers) { .loadBalancer($0) } + all(listeners) { .listener($0) } + all(rules) { .rule($0) }
            + weights.map { .weights($0.key) } + all(targetGroups) { .targetGroup($0) }
            + targets.map { .targets($0.key) } + all(instances) { .instance($0) }
            + all(prefixLists) { .prefixList($0) }
    }

    /// What is in force instead of the object; nil if the file has no such object, or the same.
    private static func difference(_ file: ObjectIndex.Content?, _ effective: ObjectIndex.Content?) -> Difference? {
        guard let file, file != effective else { return nil }
        switch (file, effective) {
        case (_, nil): return ("deleted", nil)
        case (.weights(let old), .weights(let new)): return (text(new), text(old))
        default: return ("replaced", nil)
        }
    }

    private static func text(_ weights: [WeightedTargetGroup]) -> String {
        weights.map { "\($0.targetGroupName)=\($0.weight)" }.joined(separator: " ")
    }

    /// Targets of the file that were deregistered, and those that the file has `dropped` and that are still registered.
    private static func difference(
        _ file: [TargetKey], _ effective: [TargetKey], _ dropped: Set<TargetKey>
    ) -> String? {
        let registered = Set(effective)
        let hidden = file.filter { !registered.contains($0) }
        let kept = effective.filter(dropped.contains)
        var parts: [String] = []
        if !hidden.isEmpty { parts.append("\(text(hidden)) deregistered, though the file has \(pronoun(hidden))") }
        if !kept.isEmpty { parts.append("\(text(kept)) registered, though the file has dropped \(pronoun(kept))") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private static func pronoun(_ keys: [TargetKey]) -> String { keys.count == 1 ? "it" : "them" }

    private static func text(_ keys: [TargetKey]) -> String {
        let shown = keys.prefix(Limits.targetsNamedMax).map(\.description)
        let more = keys.count - shown.count
        return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }
}

/// The objects of a document by their names, so that looking for many costs no more than a pass.
private struct ObjectIndex {
    /// What an object holds.
    enum Content: Equatable {
        case instance(Instance)
        case prefixList(PrefixList)
        case targetGroup(TargetGroup)
        case loadBalancer(LoadBalancer)
        case listener(Listener)
        case rule(Rule)
        case weights([WeightedTargetGroup])
    }

    private var instances: [String: Instance] = [:]
    private var prefixLists: [String: PrefixList] = [:]
    private var targetGroups: [String: TargetGroup] = [:]
    private var loadBalancers: [String: LoadBalancer] = [:]
    private var listeners: [ListenerName: Listener] = [:]
    private var rules: [RuleName: Rule] = [:]

    init(_ document: Document) {
        for instance in document.instances { instances[instance.id] = instance }
        for list in document.prefixLists { prefixLists[list.name] = list }
        for group in document.targetGroups { targetGroups[group.name] = group }
        for loadBalancer in document.loadBalancers {
            loadBalancers[loadBalancer.name] = loadBalancer
            for listener in loadBalancer.listeners {
                let name = ListenerName(loadBalancer: loadBalancer.name, port: listener.port)
                listeners[name] = listener
                for rule in listener.rules { rules[RuleName(listener: name, priority: rule.priority)] = rule }
            }
        }
    }

    /// What the document has of an object; nil if it has none. A list of targets has its own function.
    func content(of object: ChangedObject) -> Content? {
        switch object {
        case .instance(let id): instances[id].map { .instance($0) }
        case .prefixList(let name): prefixLists[name].map { .prefixList($0) }
        case .targetGroup(let name): targetGroups[name].map { .targetGroup($0) }
        case .loadBalancer(let name): loadBalancers[name].map { .loadBalancer($0) }
        case .listener(let name): listeners[name].map { .listener($0) }
        case .rule(let name): rules[name].map { .rule($0) }
        case .weights(let name): weights(of: name).map { .weights($0) }
        case .targets: nil
        }
    }

    private func weights(of action: ActionName) -> [WeightedTargetGroup]? {
        let actions =
            if let priority = action.priority {
                rules[RuleName(listener: action.listener, priority: priority)]?.actions
            } else { listeners[action.listener]?.defaultActions }
        return actions?.lazy.compactMap { action -> [WeightedTargetGroup]? in
            if case .forward(let forward) = action { forward.targetGroups } else { nil }
        }.first
    }

    /// The identities of a group's targets.
    func targets(of group: String) -> [TargetKey] {
        guard let group = targetGroups[group] else { return [] }
        return group.targets.map { group.key(of: $0) }
    }
}
