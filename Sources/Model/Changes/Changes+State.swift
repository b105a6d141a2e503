extension Changes {
    /// The version of the form in which changes are kept on disk. A later one reads all earlier ones.
    public static let version = 2

    /// The changes as the state file keeps them.
    public func encoded() -> Value {
        State.description.codec.encode(State(changes: self))
    }

    /// Reads what `encoded()` wrote. Errors: it is damaged, or a later version wrote it.
    public init(_ value: Value, file: String = "") throws(ConfigErrors) {
        if let version = value["version"]?.int, version > Changes.version {
            throw ConfigErrors(
                ConfigError(
                    file: file, location: value["version"]?.location, path: "version",
                    expected: "version must be \(Changes.version), the form that this version of apus reads",
                    found: "\(version)",
                    remedy:
                        "Start the version that wrote it, or move the file away to start from the configuration alone.")
            )
        }
        self = try State.description.codec.read(value, file: file).changes
    }

    /// The state file: a version, and the changes.
    private struct State: Sendable {
        /// The version of the form.
        var version = Changes.version
        /// What was changed.
        var changes = Changes()
        /// Prefix lists; nil without any, so that versions that know none can read what never had one.
        private var prefixLists: Overlay<PrefixList>? {
            get { changes.prefixLists.isEmpty ? nil : changes.prefixLists }
            set { changes.prefixLists = newValue ?? Overlay() }
        }

        /// The keys of the state file.
        static let description = Description(
            "State", "the state", blank: State(),
            keys: [
                Key("version", \.version, .integer(1...Changes.version), required: true, "The version of this form."),
                Key(
                    "instances", \.changes.instances, overlay("Instances", Instance.description.codec, name),
                    "Instances."),
                Key(
                    optional: "prefixLists", \.prefixLists,
                    overlay("PrefixLists", PrefixList.description.codec, name), "Prefix lists."),
                Key(
                    "targetGroups", \.changes.targetGroups,
                    overlay("TargetGroups", TargetGroup.description.codec, name), "Target groups."),
                Key(
                    "loadBalancers", \.changes.loadBalancers,
                    overlay("LoadBalancers", LoadBalancer.description.codec, name), "Load balancers."),
                Key(
                    "listeners", \.changes.listeners,
                    overlay("Listeners", ListenerChange.description.codec, ListenerName.description.codec), "Listeners."
                ),
                Key(
                    "rules", \.changes.rules,
                    overlay("Rules", RuleChange.description.codec, RuleName.description.codec), "Rules."),
                Key("weights", \.changes.weights, list(WeightsChange.description.codec), "Weights."),
                Key("targets", \.changes.targets, list(TargetsChange.description.codec), "Targets."),
                Key(
                    "changedAt", \.changes.times,
                    list(ChangeTime.description.codec).converted(
                        to: { times, _ in
                            Dictionary(times.compactMap { time in time.object.map { ($0, time.at) } }) { $1 }
                        }, from: { $0.map { ChangeTime($0.key, at: $0.value) }.sorted { $0.order < $1.order } }),
                    "When each was changed last."),
            ])

        private static let name = Codec<String>.text(TextRule("a name", length: 1...64, remedy: "Write a name."))

        private static func list<Element: Sendable>(_ element: Codec<Element>) -> Codec<[Element]> {
            .list(element, count: 0...Int.max)
        }

        private static func overlay<Element: Named>(
            _ kind: String, _ element: Codec<Element>, _ name: Codec<Element.Name>
        ) -> Codec<Overlay<Element>> {
            Description(
                kind, "what was put and deleted", blank: Overlay<Element>(),
                keys: [
                    Key("deleted", \.deleted, list(name), "Names of what was deleted."),
                    Key("put", \.put, list(element), "What was put."),
                ]
            ).codec
        }
    }
}

/// When an object was changed, as the state file has it.
private struct ChangeTime: Sendable {
    /// Which kind it is of.
    enum Kind: String, Sendable, CaseIterable {
        case instance, prefixList, targetGroup, loadBalancer, listener, rule, weights, targets
    }

    /// Its kind.
    var kind = Kind.instance
    /// What names it, or its load balancer.
    var name = ""
    /// Port of the listener.
    var port: Int?
    /// Priority of the rule.
    var priority: Int?
    /// When: milliseconds since 1970.
    var at = 0

    init() {}

    init(_ object: ChangedObject, at: Int) {
        self.at = at
        switch object {
        case .instance(let name): (kind, self.name) = (.instance, name)
        case .prefixList(let name): (kind, self.name) = (.prefixList, name)
        case .targetGroup(let name): (kind, self.name) = (.targetGroup, name)
        case .loadBalancer(let name): (kind, self.name) = (.loadBalancer, name)
        case .targets(let name): (kind, self.name) = (.targets, name)
        case .listener(let name): (kind, self.name, port) = (.listener, name.loadBalancer, name.port)
        case .rule(let name):
            (kind, self.name, port) = (.rule, name.listener.loadBalancer, name.listener.port)
            priority = name.priority
        case .weights(let name):
            (kind, self.name, port) = (.weights, name.listener.loadBalancer, name.listener.port)
            priority = name.priority
        }
    }

    /// The object; nil if its name is incomplete.
    var object: ChangedObject? {
        let listener = port.map { ListenerName(loadBalancer: name, port: $0) }
        return switch kind {
        case .instance: .instance(name)
        case .prefixList: .prefixList(name)
        case .targetGroup: .targetGroup(name)
        case .loadBalancer: .loadBalancer(name)
        case .targets: .targets(name)
        case .listener: listener.map { .listener($0) }
        case .rule:
            if let listener, let priority { .rule(RuleName(listener: listener, priority: priority)) } else { nil }
        case .weights: listener.map { .weights(ActionName(listener: $0, priority: priority)) }
        }
    }

    /// The sort order of the state file, so that the same changes give the same bytes.
    var order: (String, String, Int, Int) { (kind.rawValue, name, port ?? 0, priority ?? 0) }

    static let description = Description(
        "ChangeTime", "when an object was changed", blank: ChangeTime(),
        keys: [
            Key("kind", \.kind, .word(), required: true, "What kind of object."),
            Key(
                "name", \.name, .text(TextRule("a name", length: 1...64, remedy: "Write a name.")), required: true,
                "Its name, or that of its load balancer."),
            Key(optional: "port", \.port, .integer(1...65535), "Port of the listener."),
            Key(optional: "priority", \.priority, .integer(1...50000), "Priority of the rule."),
            Key("at", \.at, .integer(0...Int.max), required: true, "Milliseconds since 1970."),
        ])
}

extension ListenerName {
    /// How a listener is named.
    fileprivate static let description = Description(
        "ListenerName", "the name of a listener", blank: ListenerName(loadBalancer: "", port: 0),
        keys: keys(\.loadBalancer, \.port))

    /// The keys of a name within a larger object.
    fileprivate static func keys<Root: Sendable>(
        _ loadBalancer: WritableKeyPath<Root, String> & Sendable, _ port: WritableKeyPath<Root, Int> & Sendable
    ) -> [Key<Root>] {
        [
            Key("loadBalancer", loadBalancer, .text(.name), required: true, "Name of the load balancer."),
            Key("port", port, .integer(1...65535), required: true, "Its port."),
        ]
    }
}

extension RuleName {
    /// How a rule is named.
    fileprivate static let description = Description(
        "RuleName", "the name of a rule",
        blank: RuleName(listener: ListenerName(loadBalancer: "", port: 0), priority: 0),
        keys: ListenerName.keys(\.listener.loadBalancer, \.listener.port) + [
            Key("priority", \.priority, .integer(1...50000), required: true, "Its priority.")
        ])
}

extension ListenerChange {
    /// A listener and where it belongs.
    fileprivate static let description = Description(
        "ListenerChange", "a listener that was put",
        blank: ListenerChange(loadBalancer: "", listener: Listener(port: 0, defaultActions: [])),
        keys: [
            Key("loadBalancer", \.loadBalancer, .text(.name), required: true, "Name of the load balancer."),
            Key("listener", \.listener, Listener.description.codec, required: true, "The listener."),
        ])
}

extension RuleChange {
    /// A rule and where it belongs.
    fileprivate static let description = Description(
        "RuleChange", "a rule that was put",
        blank: RuleChange(
            listener: ListenerName(loadBalancer: "", port: 0), rule: Rule(priority: 0, conditions: [], actions: [])),
        keys: ListenerName.keys(\.listener.loadBalancer, \.listener.port) + [
            Key("rule", \.rule, Rule.description.codec, required: true, "The rule.")
        ])
}

extension WeightsChange {
    /// Weights and where they belong.
    fileprivate static let description = Description(
        "WeightsChange", "weights that were set",
        blank: WeightsChange(key: ActionName(listener: ListenerName(loadBalancer: "", port: 0)), weights: [:]),
        keys: ListenerName.keys(\.key.listener.loadBalancer, \.key.listener.port) + [
            Key(optional: "priority", \.key.priority, .integer(1...50000), "Priority of the rule."),
            Key("weights", \.weights, .map(.integer(WeightedTargetGroup.weights)), required: true, "Weights by group."),
        ])
}

extension TargetsChange {
    /// Targets and the group to which they belong.
    fileprivate static let description = Description(
        "TargetsChange", "targets that changed", blank: TargetsChange(targetGroup: ""),
        keys: [
            Key("targetGroup", \.targetGroup, .text(.name), required: true, "Name of the group."),
            Key("registered", \.registered, TargetDescription.listCodec, "Targets that were registered."),
            Key("deregistered", \.deregistered, TargetDescription.listCodec, "Targets that were deregistered."),
        ])
}
