/// The identity of a target in its group: the same id may be registered with several ports.
public struct TargetKey: Hashable, Sendable, CustomStringConvertible {
    /// An IP address or an instance id.
    public let id: String
    /// The effective port.
    public let port: Int

    /// The target `id` at its effective port.
    public init(id: String, port: Int) {
        self.id = id
        self.port = port
    }

    /// `10.0.0.5:80`, `[2001:db8::1]:80` or `i-0a1b2c3d:80`.
    public var description: String { id.contains(":") ? "[\(id)]:\(port)" : "\(id):\(port)" }
}

extension Value {
    /// A target as the socket shows it; without a port, only its id.
    public static func target(
        _ id: String, _ port: Int?, weight: Int? = nil, zone: String? = nil, quicServerID: QUICServerID? = nil
    ) -> Value {
        var value: Value = ["id": .string(id)]
        value["port"] = port.map { .int($0) }
        value["apus.weight"] = weight.map { .int($0) }
        value["availabilityZone"] = zone.map { .string($0) }
        value["quicServerId"] = quicServerID.map { .string($0.description) }
        return value
    }
}

extension TargetGroup {
    /// The identity of a target in this group.
    public func key(of target: TargetDescription) -> TargetKey {
        TargetKey(id: target.id, port: effectivePort(of: target))
    }

    /// Adds the targets that are not there yet, at the end; the others take the weight and the zone that are given.
    mutating func register(_ added: [TargetDescription]) {
        targets.register(added, defaultPort: port)
    }

    /// Removes the targets that are there.
    mutating func deregister(_ removed: [TargetDescription]) {
        targets.deregister(removed, defaultPort: port)
    }
}

extension [TargetDescription] {
    /// The index of the target with the same identity. Ports are compared first, because that is cheaper.
    func index(of target: TargetDescription, defaultPort: Int) -> Int? {
        let port = target.port ?? defaultPort
        return firstIndex { ($0.port ?? defaultPort) == port && $0.id == target.id }
    }

    /// Adds the targets that are not there yet, at the end; the others take the weight and the zone that are given. One
    /// is looked for by walking the list, many in a table, so that neither a single change nor a large batch costs more
    /// than one pass.
    mutating func register(_ added: [TargetDescription], defaultPort: Int) {
        if added.count < 4 {
            for target in added {
                if let index = index(of: target, defaultPort: defaultPort) {
                    self[index].take(from: target)
                } else {
                    append(target)
                }
            }
            return
        }
        var places: [TargetKey: Int] = [:]
        for (index, target) in enumerated() {
            places[TargetKey(id: target.id, port: target.port ?? defaultPort)] = index
        }
        for target in added {
            let key = TargetKey(id: target.id, port: target.port ?? defaultPort)
            if let index = places[key] {
                self[index].take(from: target)
            } else {
                places[key] = count
                append(target)
            }
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

extension TargetDescription {
    /// Takes what a registration of the same target says.
    fileprivate mutating func take(from registered: TargetDescription) {
        weight = registered.weight ?? weight
        zone = registered.zone ?? zone
    }
}
