/// The target groups and rules that containers have by their labels, and what of that is refused.
///
/// A claim touches nothing of the file, of what was changed at run time, and of claims that were there before it.
///
/// Shape:  a value, made anew from the claims whenever the file, the claims or the changes are others.
/// Limits: those of the document.
public struct ClaimedObjects: Equatable, Sendable {
    /// A group, and who is in it.
    struct Group: Equatable, Sendable {
        /// Its settings, without targets.
        let group: TargetGroup
        /// What its containers say.
        let labels: ContainerLabels
        /// The listeners of its rules.
        let listeners: [ListenerName]
        /// Its targets.
        let targets: [Discovered.Target]
        /// The names of its containers; if there are none, of one that was in it.
        let containers: [String]
        /// Whether all its containers are gone.
        let isEmpty: Bool
    }

    /// A rule, and whose it is.
    struct OwnedRule: Equatable, Sendable {
        /// The rule.
        let rule: Rule
        /// The group that it forwards to.
        let group: String
    }

    /// The groups, in the order in which they were granted.
    private(set) var groups: [Group] = []
    /// The rules of listeners.
    private(set) var rules: [ListenerName: [OwnedRule]] = [:]
    /// What was refused.
    private(set) var refusals: [Discovered.Refusal] = []

    /// Nothing is claimed.
    public init() {}

    /// The groups that `claims` get beside those of `taken`, which have their names already. What rules they get is not
    /// known yet.
    init(_ claims: [Claim], allowed: LabelDiscovery, taken: Set<String>) {
        var byName: [String: Group] = [:]
        for (subject, claims) in Claim.bySubject(claims) {
            let name = subject.groupName
            let present = claims.filter { $0.target != nil }
            let names = (present.isEmpty ? Array(claims.prefix(1)) : present).map(\.container)
            do throws(ConfigErrors) {
                let listeners = try subject.listeners(allowedBy: allowed)
                try subject.checkHosts(allowed)
                try Self.checkName(name, of: subject, taken, byName[name])
                guard taken.count + groups.count < Limits.targetGroupsMax else { throw .tooManyGroups }
                var group = subject.settings
                group.name = name
                let one = Group(
                    group: group, labels: subject, listeners: listeners, targets: present.compactMap(\.target),
                    containers: names, isEmpty: present.isEmpty)
                byName[name] = one
                groups.append(one)
            } catch {
                refuse(present, error)
            }
        }
    }

    private mutating func refuse(_ claims: [Claim], _ mistakes: ConfigErrors) {
        for claim in claims {
            refusals += mistakes.all.map { Discovered.Refusal(group: nil, name: claim.container, mistake: $0) }
        }
    }

    private mutating func refuse(_ group: Group, _ mistakes: [ConfigError]) {
        guard !group.isEmpty else { return }
        for name in group.containers {
            refusals += mistakes.map { Discovered.Refusal(group: nil, name: name, mistake: $0) }
        }
    }

    private static func checkName(
        _ name: String, of subject: ContainerLabels, _ taken: Set<String>, _ other: Group?
    ) throws(ConfigErrors) {
        if taken.contains(name) {
            throw .claim(
                "apus.group must not be the name of a target group of the file or of the socket", found: name,
                remedy: "Choose another name.", .duplicateTargetGroupName)
        }
        guard let other else { return }
        let difference = subject.difference(from: other.labels)
        let owner = "container \(other.containers[0]) of group \(name)"
        throw .claim(
            "label \(difference?.label ?? "apus.group") must be \(difference?.other ?? "absent"), as \(owner) has it",
            found: difference?.own ?? "no such label",
            remedy: "Give all containers of a group the same labels, or this one another apus.group.",
            .invalidConfigurationRequest)
    }
}

extension ConfigErrors {
    fileprivate static var tooManyGroups: ConfigErrors {
        .claim(
            "there must be at most \(Limits.targetGroupsMax) target groups", found: nil, remedy: "Remove some.",
            .tooManyTargetGroups)
    }

    /// A mistake in what a container claims.
    fileprivate static func claim(
        _ expected: String, found: String?, remedy: String, _ code: ConfigError.Code = .operationNotPermitted
    ) -> ConfigErrors {
        ConfigErrors(ConfigError(expected: expected, found: found, remedy: remedy, code: code))
    }
}

// MARK: What others ask of it

extension ClaimedObjects {
    /// The containers of each group, by the group's name.
    public var containers: [String: [String]] {
        Dictionary(groups.map { ($0.group.name, $0.isEmpty ? [] : $0.containers) }) { first, _ in first }
    }

    /// The priorities of its rules on the listener of this load balancer and port, with the containers of each.
    public func priorities(loadBalancer: String, port: Int) -> [Int: [String]] {
        let all = containers
        let own = rules[ListenerName(loadBalancer: loadBalancer, port: port)] ?? []
        return Dictionary(own.map { ($0.rule.priority, all[$0.group] ?? []) }) { first, _ in first }
    }

    /// `file` with the groups, which have no targets there.
    public func adding(to file: Document) -> Document {
        guard !groups.isEmpty else { return file }
        var document = file
        document.targetGroups += groups.map(\.group)
        return document
    }

    /// Refuses a change of what containers have by their labels: they would have it again at once. Errors: what has to
    /// be changed instead.
    public func check(_ change: Change) throws(ConfigErrors) {
        if groups.isEmpty { return }
        func refuse(_ what: String, _ group: String) -> ConfigErrors {
            let names = groups.first { $0.group.name == group }?.containers ?? []
            return .claim(
                "\(what) must be changed by the labels of its containers (\(names.prefix(4).joined(separator: ", ")))",
                found: nil, remedy: "Change their apus. labels, stop them, or use another name or priority.")
        }
        switch change {
        case .putTargetGroup(let group) where groups.contains { $0.group.name == group.name }:
            throw refuse("target group \(group.name)", group.name)
        case .deleteTargetGroup(let name) where groups.contains { $0.group.name == name }:
            throw refuse("target group \(name)", name)
        case .putRule(let name, let port, let rule): try check(rule.priority, name, port, refuse)
        case .deleteRule(let name, let port, let priority): try check(priority, name, port, refuse)
        case .setWeights(let name, let port, let priority?, _): try check(priority, name, port, refuse)
        default: break
        }
    }

    private func check(
        _ priority: Int, _ name: String, _ port: Int, _ refuse: (String, String) -> ConfigErrors
    ) throws(ConfigErrors) {
        let listener = ListenerName(loadBalancer: name, port: port)
        guard let owned = rules[listener]?.first(where: { $0.rule.priority == priority }) else { return }
        throw refuse("rule \(priority) of \(listener)", owned.group)
    }

    /// `change` without the rules that containers have: what is shown of a listener can be put again, and they keep
    /// them by their labels alone.
    public func removingRules(from change: Change) -> Change {
        func strip(_ listener: Listener, of loadBalancer: String) -> Listener {
            let own = rules[ListenerName(loadBalancer: loadBalancer, port: listener.port)]?.map(\.rule) ?? []
            guard !own.isEmpty else { return listener }
            var stripped = listener
            let owned = Set(own)
            stripped.rules.removeAll { owned.contains($0) }
            return stripped
        }
        switch change {
        case .putListener(let name, let listener): return .putListener(loadBalancer: name, strip(listener, of: name))
        case .putLoadBalancer(var loadBalancer):
            loadBalancer.listeners = loadBalancer.listeners.map { strip($0, of: loadBalancer.name) }
            return .putLoadBalancer(loadBalancer)
        default: return change
        }
    }
}

// MARK: What is allowed

extension ContainerLabels {
    /// The listeners that it gets rules on.
    fileprivate func listeners(allowedBy allowed: LabelDiscovery) throws(ConfigErrors) -> [ListenerName] {
        let known = allowed.allowListeners
        if listeners.isEmpty {
            if known.count == 1 { return known }
            throw .claim(
                "a container must have the label apus.listener, as several are allowed", found: "none",
                remedy: "Write one of \(known.map(\.description).joined(separator: ", ")).", .validationError)
        }
        for listener in listeners where !known.contains(listener) {
            throw .claim(
                "apus.listener must be allowed by allowListeners", found: listener.description,
                remedy: Spelling.remedy(
                    for: listener.description, among: known.map(\.description),
                    otherwise: "Add it there, or choose one that is."))
        }
        return Set(listeners).sorted { $0.description < $1.description }
    }

    fileprivate func checkHosts(_ allowed: LabelDiscovery) throws(ConfigErrors) {
        for host in hosts where !allowed.allows(host: host) {
            throw .claim(
                "apus.host must be allowed by allowHosts", found: host,
                remedy: "Allowed: \(allowed.allowHosts.prefix(8).joined(separator: ", ")). Add it there, or choose "
                    + "one that is.")
        }
        guard hosts.isEmpty, !allowed.allows(host: "*") else { return }
        throw .claim(
            "a container must have the label apus.host, since allowHosts does not allow all", found: "none",
            remedy: "Write one of \(allowed.allowHosts.prefix(8).joined(separator: ", ")), or allow \"*\".")
    }
}

// MARK: Rules

/// A host and a path that a rule is for; nil is any.
private struct Place: Hashable {
    /// The host, in lower case.
    let host: String?
    /// The path.
    let path: String?

    /// Each host with each path.
    static func all(_ hosts: [String], _ paths: [String]) -> [Place] {
        let hosts: [String?] = hosts.isEmpty ? [nil] : hosts
        let paths: [String?] = paths.isEmpty ? [nil] : paths
        return hosts.flatMap { host in paths.map { Place(host: host?.lowercased(), path: $0) } }
    }

    /// The places of a rule that has no other conditions.
    static func all(of rule: Rule) -> [Place] {
        var (hosts, paths): ([String], [String]) = ([], [])
        for condition in rule.conditions {
            switch condition {
            case .hostHeader(let values): hosts = values
            case .pathPattern(let values): paths = values
            default: return []
            }
        }
        return all(hosts, paths)
    }

    var text: String { "\(host ?? "any host") with \(path ?? "any path")" }
}

/// What a listener has while rules are granted.
///
/// Shape: an object, as a value would be copied with each rule.
private final class Occupancy {
    /// Whose a place is.
    private(set) var places: [Place: String] = [:]
    /// Whose a priority is.
    private(set) var priorities: [Int: String] = [:]
    /// Rules that say their priority.
    private(set) var placed: [(group: ClaimedObjects.Group, rule: Rule)] = []
    /// Rules that get what priority is left.
    private(set) var waiting: [(group: ClaimedObjects.Group, rule: Rule)] = []
    /// How many rules there are in all.
    var count: Int { ownCount + placed.count + waiting.count }
    private let ownCount: Int

    init(_ listener: Listener) {
        ownCount = listener.rules.count
        for rule in listener.rules {
            priorities[rule.priority] = "a rule of the file or of the socket"
            for place in Place.all(of: rule) { places[place] = "rule \(rule.priority)" }
        }
    }

    /// `group` gets `rule`.
    func grant(_ rule: Rule, to group: ClaimedObjects.Group) {
        let who = "container \(group.containers[0])"
        for place in Place.all(group.labels.hosts, group.labels.paths) { places[place] = who }
        if let priority = group.labels.priority {
            priorities[priority] = who
            placed.append((group, rule))
        } else {
            waiting.append((group, rule))
        }
    }
}

extension ClaimedObjects {
    /// Adds the rules to the listeners of `document`, which has the groups, and takes out groups that get none and that
    /// nothing else forwards to.
    mutating func addRules(to document: inout Document) {
        guard !groups.isEmpty else { return }
        let names = GroupNames(document)
        var occupancies: [ListenerName: Occupancy] = [:]
        var served: Set<String> = []
        for group in groups {
            for name in group.listeners {
                guard let (outer, inner) = document.indices(of: name) else {
                    refuse(group, [.noListener(name)])
                    continue
                }
                let owner = document.loadBalancers[outer]
                let occupancy = occupancies[name] ?? Occupancy(owner.listeners[inner])
                occupancies[name] = occupancy
                let rule = Rule(
                    priority: group.labels.priority ?? Limits.labelPriorities.upperBound,
                    conditions: group.labels.conditions,
                    actions: [.forward(ForwardAction(targetGroups: [.init(targetGroupName: group.group.name)]))])
                let mistakes = Self.mistakes(in: rule, group, owner.listeners[inner], of: owner, names, occupancy)
                guard mistakes.isEmpty else {
                    refuse(group, mistakes)
                    continue
                }
                served.insert(group.group.name)
                occupancy.grant(rule, to: group)
            }
        }
        for (name, occupancy) in occupancies {
            guard let (outer, inner) = document.indices(of: name) else { continue }
            for (group, rule) in occupancy.placed {
                add(rule, group, name, &document.loadBalancers[outer].listeners[inner])
            }
            addWaiting(occupancy, name, &document.loadBalancers[outer].listeners[inner])
        }
        removeGroups(exceptFor: served, from: &document)
    }

    private mutating func add(_ rule: Rule, _ group: Group, _ name: ListenerName, _ listener: inout Listener) {
        listener.rules.append(rule)
        rules[name, default: []].append(OwnedRule(rule: rule, group: group.group.name))
    }

    /// Adds the rules that say no priority, the most specific first.
    private mutating func addWaiting(_ occupancy: Occupancy, _ name: ListenerName, _ listener: inout Listener) {
        let sorted = occupancy.waiting.sorted { first, second in
            (second.group.labels.specificity, first.group.group.name)
                < (first.group.labels.specificity, second.group.group.name)
        }
        var next = Limits.labelPriorities.lowerBound
        for (group, waiting) in sorted {
            while occupancy.priorities[next] != nil { next += 1 }
            guard Limits.labelPriorities.contains(next) else {
                refuse(group, [.noPriority])
                continue
            }
            var rule = waiting
            rule.priority = next
            add(rule, group, name, &listener)
            next += 1
        }
    }

    private static func mistakes(
        in rule: Rule, _ group: Group, _ listener: Listener, of owner: LoadBalancer, _ names: GroupNames,
        _ occupancy: Occupancy
    ) -> [ConfigError] {
        let name = "\(owner.name):\(listener.port)"
        if listener.protocol.kind == .network {
            return [
                ConfigError(
                    expected: "apus.listener must be a listener of HTTP or HTTPS",
                    found: "\(name), which is of \(listener.protocol.rawValue)", remedy: "Choose another one.",
                    code: .incompatibleProtocols)
            ]
        }
        if occupancy.count >= Limits.rulesPerListenerMax {
            return [
                ConfigError(
                    expected: "a listener must have at most \(Limits.rulesPerListenerMax) rules", found: name,
                    remedy: "Choose another one.", code: .tooManyRules)
            ]
        }
        for place in Place.all(group.labels.hosts, group.labels.paths) {
            guard let who = occupancy.places[place] else { continue }
            return [
                ConfigError(
                    expected: "apus.host and apus.path must be nobody else's on \(name)",
                    found: "\(place.text), which \(who) has",
                    remedy: "Choose others, or put both containers into one group by apus.group.",
                    code: .resourceInUse)
            ]
        }
        if let priority = group.labels.priority, let who = occupancy.priorities[priority] {
            return [
                ConfigError(
                    expected: "apus.priority must be free on \(name)", found: "\(priority), which \(who) has",
                    remedy: "Choose another one, or none.", code: .priorityInUse)
            ]
        }
        var findings = Findings()
        rule.validate(names, on: listener, of: owner, http2Remedy: listener.http2Remedy(in: owner), &findings)
        return findings.errors
    }

    private mutating func removeGroups(exceptFor served: Set<String>, from document: inout Document) {
        let without = Set(groups.map(\.group.name)).subtracting(served)
        guard !without.isEmpty else { return }
        let used = document.loadBalancers.flatMap(\.listeners).reduce(into: Set<String>()) {
            $0.formUnion($1.groupNames)
        }
        let gone = without.subtracting(used)
        groups.removeAll { gone.contains($0.group.name) }
        document.targetGroups.removeAll { gone.contains($0.name) }
    }
}

extension ConfigError {
    fileprivate static func noListener(_ name: ListenerName) -> ConfigError {
        ConfigError(
            expected: "apus.listener must be a listener that there is", found: name.description,
            remedy: "Add it, or take it out of allowListeners.", code: .listenerNotFound)
    }

    fileprivate static var noPriority: ConfigError {
        ConfigError(
            expected: "a rule without apus.priority must get one of \(Limits.labelPriorities.lowerBound) to "
                + "\(Limits.labelPriorities.upperBound)", found: "no free one", remedy: "Write apus.priority.",
            code: .tooManyRules)
    }
}

extension Document {
    /// Where the listener of this name is.
    fileprivate func indices(of name: ListenerName) -> (Int, Int)? {
        guard let outer = loadBalancers.index(of: name.loadBalancer),
            let inner = loadBalancers[outer].listeners.index(of: name.port)
        else { return nil }
        return (outer, inner)
    }
}
