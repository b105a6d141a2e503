import Core
import Routing
import TLS

/// One target group on one worker: its targets, and the balancer that picks one of them.
final class Group {
    private(set) var plan: GroupPlan
    /// Its name as access logs write it.
    let logName: [UInt8]
    private(set) var pools: [TargetPool]
    /// The TLS context for connections to its targets; nil without TLS.
    private(set) var tls: TLSClientContext?
    /// The name that TLS asks targets for, if the group has one; else empty.
    private(set) var serverName: [UInt8]
    /// The hash of its name, by which cookies name it.
    let nameHash: UInt64
    /// Whether clients stay with a target, by a cookie.
    private(set) var isSticky = false
    /// The cookie that names it, as it was sealed last.
    var cookie = SealedCookie()
    /// Its targets by the server ids of QUIC.
    private(set) var serverIDs = ServerIDTable()
    /// Limits its retries.
    var retryBudget = RetryBudget()
    /// Exchanges that wait until any of its targets takes one more.
    var queue = StreamQueue()
    /// How many wait until one target takes one more, which is their own.
    var ownWaitCount = 0
    /// Whether it stands in `Worker.queuedGroups`.
    var isQueued = false
    /// Whether it stands in `Worker.awaitedGroups`.
    var isListed = false
    /// The epoch of its targets as of which those that wait were served.
    private var servedEpoch: UInt64 = 0
    /// Whether its targets take only so many requests at once.
    private(set) var isLimited: Bool
    /// Its targets as `balancer` sees them, in the order of `pools`.
    private var targets: [BalancedTarget]
    private var balancer: Balancer
    /// Finds the targets that cookies name; empty unless clients stay with them.
    private var names = TargetNames([])
    private var seenEpoch: UInt64

    init(_ plan: GroupPlan, pools: [TargetPool], random: UInt64) {
        self.plan = plan
        logName = Array(plan.name.utf8)
        nameHash = cookieName(plan.name)
        self.pools = pools
        isLimited = plan.settings.limits.requestsMax > 0
        seenEpoch = plan.cell.epoch
        targets = Self.targets(plan, pools)
        balancer = Balancer(plan.balancing, targets: targets, seed: Int(random & 0xFFFF))
        tls = Self.context(plan)
        serverName = Array((plan.tls?.serverName ?? "").utf8)
        adoptStickiness()
        serverIDs.add(pools)
    }

    /// Adopts a new plan.
    func adopt(_ plan: GroupPlan, pools: [TargetPool]) {
        // The context offers the protocol by ALPN.
        let isOtherProtocol = plan.version != self.plan.version || (plan.flows == nil) != (self.plan.flows == nil)
        if plan.tls != self.plan.tls || isOtherProtocol { tls = Self.context(plan) }
        self.plan = plan
        serverName = Array((plan.tls?.serverName ?? "").utf8)
        self.pools = pools
        isLimited = plan.settings.limits.requestsMax > 0
        seenEpoch = plan.cell.epoch
        targets = Self.targets(plan, pools)
        balancer.adopt(plan.balancing, targets: targets)
        serverIDs.add(pools)
        adoptStickiness()
    }

    private func adoptStickiness() {
        isSticky = plan.settings.stickiness != nil
        names = TargetNames(isSticky ? plan.targets.map(\.nameHash) : [])
    }

    /// A target that has drained is not found any more.
    func forget(_ pool: TargetPool) { serverIDs.remove(pool) }

    private static func targets(_ plan: GroupPlan, _ pools: [TargetPool]) -> [BalancedTarget] {
        for (place, pool) in pools.enumerated() {
            let target = plan.targets[place]
            pool.balanced.adopt(
                weight: target.weight, isInOtherZone: target.isInOtherZone, limit: plan.settings.limits.requestsMax,
                plan.balancing, watch: plan.settings.watch, in: plan.cell)
            pool.groupID = plan.id
            pool.place = place
        }
        return pools.map(\.balanced)
    }

    private static func context(_ plan: GroupPlan) -> TLSClientContext? {
        guard let tls = plan.tls else { return nil }
        // A tunnel offers its target the protocol negotiated with the client.
        let wanted: [ApplicationProtocol] = plan.flows != nil ? [] : plan.version == .http1 ? [.http1] : [.http2]
        do { return try TLSClientContext(verification: tls.verification, applicationProtocols: wanted) } catch {
            preconditionFailure("group: roots that control has read: \(error)")
        }
    }

    /// The group was removed from the configuration: no target is picked any more.
    func dissolve() {
        pools = []
        targets = []
        names = TargetNames([])
        balancer.rebuild(targets)
    }

    /// Fail open: whether too few targets are healthy, so that all are used.
    var isFailOpen: Bool { balancer.isFailOpen }

    /// The target for a request, or for a flow, of those that were not `tried`; nil if there is none. What
    /// has the same hash goes to the same target, where the algorithm is one of hashing.
    ///
    /// Suspects come last, but now and then one is picked first, to find out whether it is back: where the caller
    /// `mayTry` another target then, and, with requests, where the budget has room for the retry.
    func pick(hash: UInt64 = 0, tried: [TargetPool] = [], mayTry: Bool = true, now: Instant) -> TargetPool? {
        refresh()
        return balancer.pick(question(hash, tried, mayTry, now), from: targets).map { pools[$0] }
    }

    /// What a cookie names.
    enum NamedTarget {
        /// A target that takes requests.
        case pool(TargetPool)
        /// No registered target.
        case gone
        /// One that takes none at present, as it is unhealthy or suspect.
        case unavailable
    }

    /// The target that a cookie names by the hash of its name. A weight of 0 keeps new clients from a target, and not
    /// those that are with it. A suspect is tried now and then, as in `pick`.
    func target(named name: UInt64, now: Instant) -> NamedTarget {
        refresh()
        guard let index = names.index(of: name) else { return .gone }
        let pool = pools[index]
        guard keepsClients(pool, at: index) else { return .unavailable }
        guard pool.cell.isSuspect else { return .pool(pool) }
        return hasRetries(now: now) && pool.cell.claimTrial(now: now) ? .pool(pool) : .unavailable
    }

    private func question(_ hash: UInt64, _ tried: [TargetPool], _ mayTry: Bool, _ now: Instant) -> PickRequest {
        let mayTrySuspect = mayTry && tried.isEmpty && balancer.hasSuspects && hasRetries(now: now)
        return PickRequest(
            hash: hash, tried: tried.isEmpty ? [] : tried.map(\.balanced), mayTrySuspect: mayTrySuspect,
            isLimited: isLimited, now: now)
    }

    /// Picks a target and begins an attempt on it; nil if no target may be picked, or if all of them are full.
    func take(hash: UInt64, tried: [TargetPool] = [], now: Instant) -> TargetPool? {
        guard isLimited else {
            let pool = pick(hash: hash, tried: tried, now: now)
            pool?.begin()
            return pool
        }
        // Another worker may take the last slot between the two steps.
        while let pool = pick(hash: hash, tried: tried, now: now) {
            if pool.beginWithinLimit() { return pool }
        }
        return nil
    }

    /// Begins an attempt on a suspect target whose trial is due. Such a trial does not wait until the queue is empty.
    func takeSuspect(now: Instant) -> TargetPool? {
        refresh()
        guard balancer.hasSuspects, let index = balancer.suspectToTry(question(0, [], true, now), from: targets)
        else { return nil }
        return pools[index].beginWithinLimit() ? pools[index] : nil
    }

    /// Whether it has any target that may be picked, be it full.
    var hasTargets: Bool {
        refresh()
        return balancer.hasTargets
    }

    /// Whether a target of it may be picked, be it full.
    func mayPick(_ pool: TargetPool) -> Bool {
        refresh()
        return pool.place < pools.count && pools[pool.place] === pool && balancer.mayPick(pool.place)
    }

    /// Whether a target of it takes clients that are with it, though it may not be picked for others.
    func mayKeep(_ pool: TargetPool) -> Bool {
        refresh()
        guard pool.place < pools.count, pools[pool.place] === pool else { return false }
        return keepsClients(pool, at: pool.place)
    }

    /// Whether clients stay with a target that their cookie names.
    private func keepsClients(_ pool: TargetPool, at place: Int) -> Bool {
        let isUsed = pool.cell.isUsable || (isFailOpen && pool.balanced.weight > 0)
        return isUsed && plan.targets[place].keepsClients
    }

    /// Whether exchanges of any worker wait until one of its targets takes one more.
    var isAnyWaiting: Bool { plan.cell.waitBoard?.isAnyWaiting ?? false }

    /// Whether exchanges of this worker wait for its targets.
    var isAwaited: Bool { !queue.isEmpty || ownWaitCount > 0 }

    /// Whether its targets have changed since those that wait were served.
    var mayServeMore: Bool { isAwaited && plan.cell.epoch != servedEpoch }

    /// Those that wait are served now.
    func noteServed() { servedEpoch = plan.cell.epoch }

    /// Whether a target other than these could be picked. Does not change the balancing state.
    func hasOther(than tried: [TargetPool]) -> Bool {
        refresh()
        let last: TargetUse = isFailOpen ? .lastResort : .otherZone
        return pools.contains { $0.balanced.use <= last && !$0.isAmong(tried) }
    }

    /// Whether a retry of an attempt on a suspect is covered: flows have no budget.
    private func hasRetries(now: Instant) -> Bool {
        plan.flows != nil || retryBudget.isHalfFull(percent: plan.attempts.budgetPercent, now: now)
    }

    private func refresh() {
        let epoch = plan.cell.epoch
        guard epoch != seenEpoch else { return }
        seenEpoch = epoch
        balancer.rebuild(targets)
    }
}
