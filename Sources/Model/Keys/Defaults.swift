/// What the objects of a file have unless they say otherwise themselves: its key `defaults`.
///
/// Shape: nothing of it is kept. `Value.withDefaults` lays it under the objects of the same file, which are then read
/// as if they had said it. So a document needs no defaults to be read again, and what comes over the socket gets none.
struct Defaults {
    /// The keys of `defaults`. They are read for their mistakes, of which each is told once, however many objects have
    /// it.
    static let description = Description(
        "Defaults", "the defaults", blank: Defaults(),
        keys: [
            Key(
                checked: "targetGroups", TargetGroup.defaultsDescription.codec,
                "Any keys of target groups but name and targets. A group's own keys win; attributes are merged one by "
                    + "one, and each is for the kind of groups that has it.")
        ])
}

extension Value {
    /// A configuration as it is read: its target groups with what `defaults` says and they do not, and without keys
    /// that begin with `x-`, which are there for anchors.
    ///
    /// Limits: groups beyond `Limits.targetGroupsMax` stay as they are, since they are refused anyway.
    public var withDefaults: Value {
        guard let members else { return self }
        var whole = self
        if members.contains(where: { $0.key.hasPrefix("x-") }) {
            whole.content = .object(members.filter { !$0.key.hasPrefix("x-") })
        }
        guard let given = self["defaults"]?["targetGroups"]?.members,
            let groups = self["targetGroups"]?.array, groups.count <= Limits.targetGroupsMax
        else { return whole }
        let defaults = TargetGroupDefaults(given)
        var complete = self["targetGroups"]
        complete?.content = .array(groups.map(defaults.laid(under:)))
        whole["targetGroups"] = complete
        return whole
    }
}

/// What `defaults` says about target groups, as it was written.
private struct TargetGroupDefaults {
    /// All but attributes. What is no key of a group is left out: it is reported where it stands.
    private let members: [Value.Member]
    private let attributes: Value.Member?
    /// Those of the attributes that groups of a kind have.
    private let ofKind: [LoadBalancer.Kind: [Value.Member]]

    init(_ given: [Value.Member]) {
        let known = TargetGroup.defaultsDescription.names
        members = given.filter { known.contains($0.key) && $0.key != "attributes" }
        attributes = given.first { $0.key == "attributes" }
        let written = attributes?.value.members ?? []
        ofKind = Dictionary(
            uniqueKeysWithValues: LoadBalancer.Kind.allCases.map { kind in
                let names = TargetGroupAttributes.description.names(of: kind)
                return (kind, written.filter { names.contains($0.key) })
            })
    }

    /// `group` with what it does not say itself.
    func laid(under group: Value) -> Value {
        guard let own = group.members else { return group }
        let said = Set(own.map(\.key))
        var all = own + members.filter { !said.contains($0.key) }
        var complete = group
        complete.content = .object(all)
        let kind = complete["protocol"]?.string.flatMap(TrafficProtocol.init)?.kind
        if kind == .network, !said.contains("protocolVersion") {
            all.removeAll { $0.key == "protocolVersion" }
            complete.content = .object(all)
        }
        guard let attributes, let more = kind.flatMap({ ofKind[$0] }), !more.isEmpty else { return complete }
        if let index = own.firstIndex(where: { $0.key == "attributes" }) {
            guard let written = own[index].value.members else { return complete }
            let said = Set(written.map(\.key))
            all[index].value.content = .object(written + more.filter { !said.contains($0.key) })
        } else {
            all.append(
                Value.Member(
                    "attributes", Value(.object(more), at: attributes.value.location),
                    keyLocation: attributes.keyLocation))
        }
        complete.content = .object(all)
        return complete
    }
}
