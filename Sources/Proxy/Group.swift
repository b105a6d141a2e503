import Core
import Routing
import TLS

/// One target group on one worker: its targets, and whose turn it is.
final class Group {
    private(set) var plan: GroupPlan
    /// Its name as access logs write it.
    let logName: [UInt8]
    private(set) var pools: [TargetPool]
    /// How connections to its targets are made secure; nil if they are not.
    private(set) var tls: TLSClientContext?
    private var turns: RoundRobin
    private var seenEpoch: UInt64

    init(_ plan: GroupPlan, pools: [TargetPool], random: UInt64) {
        self.plan = plan
        logName = Array(plan.name.utf8)
        self.pools = pools
        turns = RoundRobin(startingAt: Int(random & 0xFFFF))
        seenEpoch = plan.cell.epoch
        tls = Self.context(plan)
        rebuild()
    }

    /// Works by a new plan from now on.
    func adopt(_ plan: GroupPlan, pools: [TargetPool]) {
        if plan.tls != self.plan.tls || (plan.flows == nil) != (self.plan.flows == nil) { tls = Self.context(plan) }
        self.plan = plan
        self.pools = pools
        seenEpoch = plan.cell.epoch
        rebuild()
    }

    private static func context(_ plan: GroupPlan) -> TLSClientContext? {
        guard let tls = plan.tls else { return nil }
        // Inside a connection that is passed on is spoken what its client has agreed on.
        let wanted: [ApplicationProtocol] = plan.flows != nil ? [] : plan.version == .http1 ? [.http1] : [.http2]
        do { return try TLSClientContext(verification: tls.verification, applicationProtocols: wanted) } catch {
            preconditionFailure("group: roots that control has read: \(error)")
        }
    }

    /// The group is no longer in the configuration: nothing is given out any more.
    func dissolve() {
        pools = []
        rebuild()
    }

    /// Whether no target is healthy, so that all are used.
    var isFailOpen: Bool { turns.isFailOpen }

    /// The target whose turn it is; nil if none is registered. O(1), but for the first pick after a flip.
    func pick() -> TargetPool? {
        let epoch = plan.cell.epoch
        if epoch != seenEpoch {
            seenEpoch = epoch
            rebuild()
        }
        return turns.next().map { pools[$0] }
    }

    /// The target of a flow with this hash that was not `tried`; nil if there is none.
    ///
    /// All registered targets have their places in the table, whatever their health: a flow whose target is not healthy
    /// looks further, by its hash again. So a target that fails moves its own flows and no other, evenly to the rest,
    /// and has the same ones again when it is back. If none is healthy all are used.
    func pick(flow hash: UInt64, tried: [TargetPool] = []) -> TargetPool? {
        guard !pools.isEmpty, let first = plan.table[hash] else { return nil }
        var next = FlowHash(hash)
        var index = first
        for _ in 0..<Limits.flowLooksMax {
            if isUsable(pools[index], tried) { return pools[index] }
            next.add(hash)
            index = plan.table[next.value] ?? first
        }
        for offset in pools.indices {
            let pool = pools[(first + offset) % pools.count]
            if isUsable(pool, tried) { return pool }
        }
        if pools.contains(where: { $0.cell.isHealthy }) { return nil }
        for offset in pools.indices {
            let pool = pools[(first + offset) % pools.count]
            if !tried.contains(where: { $0 === pool }) { return pool }
        }
        return nil
    }

    private func isUsable(_ pool: TargetPool, _ tried: [TargetPool]) -> Bool {
        pool.cell.isHealthy && !tried.contains { $0 === pool }
    }

    private func rebuild() {
        turns.rebuild(count: pools.count) { pools[$0].cell.isHealthy ? .ready : .lastResort }
    }
}
