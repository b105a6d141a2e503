/// The targets of a group of QUIC by their server ids, those that drain among them: connections to them continue.
///
/// Limits: one entry for each target that the worker knows.
struct ServerIDTable {
    private var targets: [UInt64: TargetPool] = [:]

    /// The target with this id.
    subscript(id: UInt64) -> TargetPool? { targets.isEmpty ? nil : targets[id] }

    /// Adds the targets of a new plan. One that has the id of a target which drains takes its place.
    mutating func add(_ pools: [TargetPool]) {
        for pool in pools {
            if let id = pool.serverID { targets[id] = pool }
        }
    }

    /// Takes out a target whose deregistration delay is over.
    mutating func remove(_ pool: TargetPool) {
        guard let id = pool.serverID, targets[id] === pool else { return }
        targets[id] = nil
    }
}
