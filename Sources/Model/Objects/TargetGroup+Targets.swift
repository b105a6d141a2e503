/// What makes a target itself within its group.
struct TargetKey: Hashable, Sendable {
    /// The id.
    let id: String
    /// The port at which it is reached.
    let port: Int
}

extension TargetGroup {
    /// The identity of a target in this group.
    func key(of target: TargetDescription) -> TargetKey {
        TargetKey(id: target.id, port: effectivePort(of: target))
    }

    /// Adds the targets that are not there yet, at the end.
    mutating func register(_ added: [TargetDescription]) {
        targets.register(added, defaultPort: port)
    }

    /// Removes the targets that are there.
    mutating func deregister(_ removed: [TargetDescription]) {
        targets.deregister(removed, defaultPort: port)
    }
}

extension [TargetDescription] {
    /// Where a target of this identity stands. Ports are compared first: it is the cheaper half.
    func index(of target: TargetDescription, defaultPort: Int) -> Int? {
        let port = target.port ?? defaultPort
        return firstIndex { ($0.port ?? defaultPort) == port && $0.id == target.id }
    }

    /// Adds the targets that are not there yet, at the end. One is looked for by walking the list, many in a set, so
    /// that neither a single change nor a large batch costs more than one pass.
    mutating func register(_ added: [TargetDescription], defaultPort: Int) {
        if added.count < 4 {
            for target in added where index(of: target, defaultPort: defaultPort) == nil { append(target) }
            return
        }
        var known = Set(map { TargetKey(id: $0.id, port: $0.port ?? defaultPort) })
        for target in added where known.insert(TargetKey(id: target.id, port: target.port ?? defaultPort)).inserted {
            append(target)
        }
    }

    /// Removes the targets that are there.
    mutating func deregister(_ removed: [TargetDescription], defaultPort: Int) {
        if removed.count < 4 {
            for target in removed {
                if let index = index(of: target, defaultPort: defaultPort) { remove(at: index) }
            }
            return
        }
        let gone = Set(removed.map { TargetKey(id: $0.id, port: $0.port ?? defaultPort) })
        removeAll { gone.contains(TargetKey(id: $0.id, port: $0.port ?? defaultPort)) }
    }
}
