/// Where a registered target comes from.
public enum TargetLayer: Hashable, Sendable {
    /// The file lists it.
    case file
    /// The source of its group has named it so.
    case discovered(name: String)
    /// It was registered, or its group was put, at run time.
    case runTime

    /// The layer's name.
    public var label: String {
        switch self {
        case .file: "file"
        case .discovered: "discovered"
        case .runTime: "run-time"
        }
    }
}

extension Changes {
    /// Where the targets of `group` come from, which is what `file`, `discovered` and these changes make of it.
    public func layers(of group: TargetGroup, file: Document, _ discovered: Discovered) -> [TargetKey: TargetLayer] {
        var layers: [TargetKey: TargetLayer] = [:]
        for one in discovered.targets(of: group.name) ?? [] {
            layers[group.key(of: one.target)] = .discovered(name: one.name)
        }
        let put = targetGroups.put.index(of: group.name).map { targetGroups.put[$0] }
        let isPut = put != nil
        let below = put ?? file.targetGroups.index(of: group.name).map { file.targetGroups[$0] }
        for target in below?.targets ?? [] { layers[group.key(of: target)] = isPut ? .runTime : .file }
        for target in targets.index(of: group.name).map({ targets[$0].registered }) ?? [] {
            layers[group.key(of: target)] = .runTime
        }
        return layers
    }

    /// `change` without the targets of a group that only `discovered` has: what is shown of a group can be put again,
    /// and what was found stays found.
    public func withoutDiscovered(_ change: Change, file: Document, _ discovered: Discovered) -> Change {
        guard case .putTargetGroup(var group) = change, discovered.targets(of: group.name) != nil else { return change }
        let layers = layers(of: group, file: file, discovered)
        group.targets = group.targets.filter { target in
            if case .discovered? = layers[group.key(of: target)] { false } else { true }
        }
        return .putTargetGroup(group)
    }
}
