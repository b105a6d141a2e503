/// What discovery has found: a layer of the document between the file and what was changed at run time.
///
/// Shape:  a value, never kept on disk. A group that is not in it was not heard of yet.
/// Limits: `Limits.targetsPerGroupMax` targets of a group are used, registered ones among them.
public struct Discovered: Equatable, Sendable {
    /// A target that a source has named.
    public struct Target: Hashable, Sendable {
        /// The target; without a port of its own it has that of its group.
        public var target: TargetDescription
        /// Its name at the source, as in `web-1`.
        public var name: String
        /// What it is that has the name: another identity under the same address is another target.
        public var identity: String

        /// A target with a name.
        public init(_ target: TargetDescription, name: String, identity: String) {
            self.target = target
            self.name = name
            self.identity = identity
        }
    }

    /// A target that a source has named and that its group does not take.
    public struct Refusal: Hashable, Sendable {
        /// Its group; nil for what containers ask for by their labels.
        public var group: String?
        /// Its name at the source.
        public var name: String
        /// What is wrong, and what to do about it.
        public var mistake: ConfigError

        /// A refusal of what `name` is in `group`.
        public init(group: String?, name: String, mistake: ConfigError) {
            self.group = group
            self.name = name
            self.mistake = mistake
        }
    }

    /// What was found, by group, in the order of the source.
    public var groups: [String: [Target]]
    /// What containers ask for by their labels.
    public let claims: [Claim]
    /// The targets of groups that they have got.
    private var grantedTargets: [String: [Target]] = [:]

    /// What was found.
    public init(_ groups: [String: [Target]] = [:], claims: [Claim] = []) {
        self.groups = groups
        self.claims = claims
    }

    /// What was found of the group of this name; nil if nothing was heard of it.
    func targets(of group: String) -> [Target]? { groups[group] ?? grantedTargets[group] }

    /// Notes which groups containers have got by their labels.
    public mutating func grant(_ claimed: ClaimedObjects) {
        if claims.isEmpty { return }
        grantedTargets = Dictionary(claimed.groups.map { ($0.group.name, $0.targets) }) { first, _ in first }
    }

    /// The targets of groups of `document` that `old` found as well and that are others now.
    public func renewed(since old: Discovered, in document: Document) -> [String: Set<TargetKey>] {
        var renewed: [String: Set<TargetKey>] = [:]
        for group in document.targetGroups {
            guard let found = targets(of: group.name), let before = old.targets(of: group.name), found != before
            else { continue }
            let identities = Dictionary(before.map { (group.key(of: $0.target), $0.identity) }) { first, _ in first }
            let others = found.map { (group.key(of: $0.target), $0.identity) }.filter { key, identity in
                identities[key].map { $0 != identity } ?? false
            }
            if !others.isEmpty { renewed[group.name] = Set(others.map(\.0)) }
        }
        return renewed
    }

    /// Adds what was found to the groups of `document` that have discovery, and to those of `claimed`, except what they
    /// have already and what `changes` took out again. Returns what they do not take, which touches nothing else.
    func apply(to document: inout Document, under changes: Changes, _ claimed: ClaimedObjects) -> [Refusal] {
        var refusals: [Refusal] = []
        let owned = Dictionary(claimed.groups.map { ($0.group.name, $0.targets) }) { first, _ in first }
        for index in document.targetGroups.indices {
            let group = document.targetGroups[index]
            guard let found = owned[group.name] ?? (group.discovery == nil ? nil : groups[group.name]), !found.isEmpty
            else { continue }
            let deregistered = changes.deregistered(from: document.targetGroups[index])
            document.targetGroups[index].take(found, except: deregistered, &refusals)
        }
        return refusals
    }

    /// Whether the source of `group` has named `key`.
    func has(_ key: TargetKey, of group: TargetGroup) -> Bool {
        targets(of: group.name)?.contains { group.key(of: $0.target) == key } ?? false
    }
}

extension TargetGroup {
    /// Adds `found` to its targets, except those that it has and those of `deregistered`.
    fileprivate mutating func take(
        _ found: [Discovered.Target], except deregistered: Set<TargetKey>, _ refusals: inout [Discovered.Refusal]
    ) {
        var known = Set(targets.map { key(of: $0) })
        var names: [TargetKey: String] = [:]
        for one in found {
            let key = key(of: one.target)
            if deregistered.contains(key) { continue }
            if let mistake = mistake(in: one.target, otherName: names[key]) {
                refusals.append(Discovered.Refusal(group: name, name: one.name, mistake: mistake))
                continue
            }
            names[key] = one.name
            guard known.insert(key).inserted else { continue }
            targets.append(one.target)
        }
    }

    /// Why it does not take `target`; nil if it does. `otherName` is what has the same address and port.
    private func mistake(in target: TargetDescription, otherName: String?) -> ConfigError? {
        var findings = Findings()
        if let otherName {
            findings.report(
                "each target must be found once", found: "\(key(of: target)), which is \(otherName) as well",
                remedy: "Remove one of the two, or give it another port.", code: .invalidTarget)
        } else if IPAddress(target.id) == nil, !TextRule.isInstanceID(target.id) {
            findings.within(.key("id")) { findings in
                findings.report(
                    "id must be \(TextRule.targetID.expected)", found: Value.quoted(target.id),
                    remedy: TextRule.targetID.remedy, code: .invalidTarget)
            }
        } else {
            findings.within(.key("id")) { checkID(of: target, &$0) }
            checkServerID(of: target, &findings)
            if findings.errors.isEmpty, targets.count >= Limits.targetsPerGroupMax {
                findings.full("targets of a group", Limits.targetsPerGroupMax, .tooManyTargets)
            }
        }
        return findings.errors.first
    }
}

extension Changes {
    /// The targets that were deregistered from `group` at run time and not registered since.
    fileprivate func deregistered(from group: TargetGroup) -> Set<TargetKey> {
        guard let index = targets.index(of: group.name) else { return [] }
        return Set(targets[index].deregistered.map { group.key(of: $0) })
    }

    /// The document with `discovered` and these changes on top. `file` is valid, and so is the result.
    public func apply(to file: Document, _ discovered: Discovered) -> Layers {
        var claimed = ClaimedObjects()
        if let allowed = file.discovery?.docker, !discovered.claims.isEmpty {
            let taken = Set(file.targetGroups.map(\.name) + targetGroups.put.map(\.name))
            claimed = ClaimedObjects(discovered.claims, allowed: allowed, taken: taken)
        }
        var (document, notApplicable) = apply(to: claimed.adding(to: file))
        claimed.addRules(to: &document)
        let refusals = discovered.apply(to: &document, under: self, claimed)
        return Layers(
            document: document, notApplicable: notApplicable, refusals: claimed.refusals + refusals, claimed: claimed)
    }

    /// Forgets that targets were deregistered which only discovery had and has no more, so that another one that gets
    /// the same address is not taken for them. `renewed` are found again as others.
    public mutating func forgetDeregistered(
        over file: Document, _ discovered: Discovered, renewed: [String: Set<TargetKey>]
    ) {
        for index in targets.indices.reversed() where !targets[index].deregistered.isEmpty {
            let name = targets[index].targetGroup
            let put = targetGroups.put.index(of: name).map { targetGroups.put[$0] }
            guard let found = discovered.targets(of: name),
                let group = put ?? file.targetGroups.index(of: name).map({ file.targetGroups[$0] })
            else { continue }
            let ofFile = put == nil ? Set(group.targets.map { group.key(of: $0) }) : []
            let others = renewed[name] ?? []
            let there = Set(found.map { group.key(of: $0.target) }).subtracting(others).union(ofFile)
            targets[index].deregistered.removeAll { !there.contains(group.key(of: $0)) }
            guard targets[index].isEmpty else { continue }
            times[.targets(name)] = nil
            targets.remove(at: index)
        }
    }
}

/// What the file, discovery and changes make together.
public struct Layers: Sendable {
    /// All of it.
    public let document: Document
    /// A sentence for each change that does not apply any more.
    public let notApplicable: [String]
    /// What of discovery is not used.
    public let refusals: [Discovered.Refusal]
    /// What containers have by their labels.
    public let claimed: ClaimedObjects
}
