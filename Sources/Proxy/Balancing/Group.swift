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
    /// How many of its requests may be sent again.
    var retryBudget = RetryBudget()
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

    /// The target whose turn it is, of those that were not `tried`; nil if there is none. Suspects come last, but now
    /// and then one has its turn first, to find out whether it is back: only where the budget has room for the retry.
    /// O(1), but for the first pick after a flip, and a step for each target tried.
    func pick(tried: [TargetPool] = [], now: Instant) -> TargetPool? {
        refresh()
        if !turns.suspects.isEmpty, tried.isEmpty, let trial = suspectToTry(now: now) { return trial }
        for _ in 0..<turns.eligibleCount {
            guard let index = turns.next() else { break }
            if !pools[index].isAmong(tried) { return pools[index] }
        }
        for index in turns.suspects where !pools[Int(index)].isAmong(tried) { return pools[Int(index)] }
        return nil
    }

    /// Whether a target other than these could be picked. Changes no turn.
    func hasOther(than tried: [TargetPool]) -> Bool {
        refresh()
        let isHealthy = !turns.isFailOpen
        return pools.contains { $0.cell.isHealthy == isHealthy && !$0.isAmong(tried) }
    }

    private func refresh() {
        let epoch = plan.cell.epoch
        guard epoch != seenEpoch else { return }
        seenEpoch = epoch
        rebuild()
    }

    private func suspectToTry(now: Instant) -> TargetPool? {
        guard retryBudget.isHalfFull(percent: plan.attempts.budgetPercent, now: now) else { return nil }
        for index in turns.suspects where pools[Int(index)].cell.claimTrial(now: now) { return pools[Int(index)] }
        return nil
    }

    /// The target of a flow with this hash that was not `tried`; nil if there is none.
    ///
    /// All registered targets have their places in the table, whatever their health: a flow whose target is not
    /// healthy, or suspect, looks further, by its hash again. So a target that fails moves its own flows and no
    /// other, evenly to the rest, and has the same ones again when it is back. If none is healthy all are used.
    /// A suspect is tried only by flows that would go elsewhere if it failed: where they `mayTry`.
    func pick(flow hash: UInt64, tried: [TargetPool] = [], mayTry: Bool = true, now: Instant) -> TargetPool? {
        guard !pools.isEmpty, let first = plan.table[hash] else { return nil }
        if mayTry, tried.isEmpty, pools[first].cell.isHealthy, pools[first].cell.claimTrial(now: now) {
            return pools[first]
        }
        var next = FlowHash(hash)
        var index = first
        for _ in 0..<Limits.flowLooksMax {
            if pools[index].cell.isTrusted, !pools[index].isAmong(tried) { return pools[index] }
            next.add(hash)
            index = plan.table[next.value] ?? first
        }
        if let trusted = inTurn(from: first, tried, where: \.isTrusted) { return trusted }
        if let healthy = inTurn(from: first, tried, where: \.isHealthy) { return healthy }
        if pools.contains(where: { $0.cell.isHealthy }) { return nil }
        return inTurn(from: first, tried) { _ in true }
    }

    private func inTurn(
        from first: Int, _ tried: [TargetPool], where isWanted: (TargetCell) -> Bool
    ) -> TargetPool? {
        for offset in pools.indices {
            let pool = pools[(first + offset) % pools.count]
            if isWanted(pool.cell), !pool.isAmong(tried) { return pool }
        }
        return nil
    }

    private func rebuild() {
        turns.rebuild(count: pools.count, isSuspect: { pools[$0].cell.isSuspect }) {
            pools[$0].cell.isHealthy ? .ready : .lastResort
        }
    }
}
