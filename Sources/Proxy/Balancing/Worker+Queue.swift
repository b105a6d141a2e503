import Core
import Routing

/// An exchange's place among those that wait until a target takes one more request.
struct TargetWait {
    let since: Instant
    /// When it has waited too long.
    let deadline: Instant
    /// Its place in the queue of `target`, or of its group.
    let ticket: Int
    /// The only target that it may go to; nil for any of its group.
    let target: TargetPool?
}

/// Requests wait where targets have a limit and all of them are full (`TargetLimits`). Every worker keeps its own, in
/// the order in which they came; what is in flight on a target is counted over all workers.
///
/// Who frees a slot gives it to the oldest request of all workers, as `WaitBoard` has it: its own, or it tells the
/// other worker. A younger one of its own goes first only if it came within `Limits.queueOrderTolerance` after that: so
/// no request is overtaken by one that came later. No slot of a target that may be picked stays free while a request
/// waits for any target: who finds none to give it to looks for those of other workers, and one that cannot be better
/// used goes to a request that has tried the target before.
///
/// Nobody is woken while nobody waits, and without a limit nothing of this runs.
extension Worker {
    // MARK: Waiting

    /// Begins an attempt on a target for an exchange, or on `target` alone if one is given. Without a target to pick
    /// the exchange is answered; if all are full it waits, and is resumed when it has its target. Then nil is returned.
    mutating func takeTarget(_ exchange: Exchange, _ group: Group, only target: TargetPool? = nil) -> TargetPool? {
        if let pool = exchange.slot.take() { return pool }
        guard group.isLimited else {
            if let target {
                target.begin()
                return target
            }
            if let pool = group.take(hash: exchange.hash, now: now) { return pool }
            answer(exchange, status: 503, reasonCode: "NoTargets")
            return nil
        }
        // Who comes now must not go before those who wait.
        if let target {
            let isAwaited =
                group.isAnyWaiting || !target.waiting.isEmpty || target.cell.waitBoard?.isAnyWaiting ?? false
            if !isAwaited, target.beginWithinLimit() { return target }
        } else if group.isAnyWaiting {
            if let pool = group.takeSuspect(now: now) { return pool }
        } else if let pool = group.take(hash: exchange.hash, now: now) {
            return pool
        }
        awaitTarget(exchange, group, only: target)
        return nil
    }

    /// Has an exchange wait until a target of its group, or `target` alone, takes one more request; or answers if there
    /// is no target, or if as many wait as may.
    mutating func awaitTarget(_ exchange: Exchange, _ group: Group, only target: TargetPool? = nil) {
        guard target != nil || group.hasTargets else { return answer(exchange, status: 503, reasonCode: "NoTargets") }
        let limits = group.plan.settings.limits
        guard group.plan.cell.beginWait(most: limits.queueMax) else {
            group.plan.counters.queueRejections.add()
            return answer(exchange, status: 503, reasonCode: "TargetQueueFull")
        }
        group.plan.counters.queueLength.add()
        if target != nil { group.ownWaitCount += 1 }
        if !group.isListed {
            group.isListed = true
            awaitedGroups.append(group)
        }
        // It does not race while it waits: it must not be served twice.
        exchange.attempts.nextAt = .distantFuture
        let isFirst = target?.waiting.isEmpty ?? group.queue.isEmpty
        let ticket = target?.waiting.append(exchange, for: []) ?? group.queue.append(exchange, for: [])
        // All of its waits together take no longer.
        let timeLeft = limits.queueTimeout - min(exchange.record.queueTime ?? 0, limits.queueTimeout)
        exchange.targetWait = TargetWait(since: now, deadline: now + timeLeft, ticket: ticket, target: target)
        guard isFirst else { return }
        publishWaits(group, target)
        // A slot may have been freed before others could see that somebody waits.
        if let target { addFreed(target) } else { serveLater(group) }
    }

    /// Takes an exchange out of the queue, if it is there.
    mutating func leaveTargetQueue(_ exchange: Exchange) {
        if let pool = exchange.slot.take() { endCount(pool, cut: false) }
        guard let wait = exchange.targetWait.take(), let group = exchange.group else { return }
        exchange.record.queueTime = (exchange.record.queueTime ?? 0) + now.since(wait.since)
        group.plan.cell.endWait()
        group.plan.counters.queueLength.subtract()
        if let target = wait.target {
            target.waiting.remove(ticket: wait.ticket)
            group.ownWaitCount -= 1
        } else {
            group.queue.remove(ticket: wait.ticket)
        }
        publishWaits(group, wait.target)
    }

    /// It has waited too long.
    mutating func targetWaitTimedOut(_ exchange: Exchange) {
        counters.timeouts.add(.targetQueue)
        exchange.group?.plan.counters.queueTimeouts.add()
        answer(exchange, status: 503, reasonCode: "TargetQueueTimeout")
    }

    /// Tells other workers since when the oldest of this one's waits, in the queue of `target` or of the group.
    private func publishWaits(_ group: Group, _ target: TargetPool?) {
        let index = configuration.index
        let board = group.plan.cell.waitBoard ?? group.plan.cell.waitBoard(mailboxes.map(\.wakeup))
        guard let target else { return board.publish(group.queue.firstWait, of: index) }
        let own = target.cell.waitBoard ?? target.cell.waitBoard(mailboxes.map(\.wakeup))
        own.publish(target.waiting.firstWait, of: index)
        board.publishOthers(group.ownWaitCount > 0, of: index)
    }

    // MARK: Free slots

    /// Whether targets may have free slots for exchanges that wait.
    var hasFreeSlots: Bool { !freedPools.isEmpty || !queuedGroups.isEmpty }

    /// An attempt on a target with a limit has ended: if anybody waits for that, it is served at the end of the pass.
    mutating func noteFreeSlot(_ pool: TargetPool) {
        guard pool.groupID < groups.count, let group = groups[pool.groupID] else { return }
        let isAwaited = group.plan.cell.waitBoard?.isAnyWaiting ?? false
        if isAwaited || pool.cell.waitBoard?.isAnyWaiting ?? false { addFreed(pool) }
    }

    /// Looks at the end of the pass who may have a free slot of this target.
    mutating func addFreed(_ pool: TargetPool) {
        guard !pool.isFreed else { return }
        pool.isFreed = true
        freedPools.append(pool)
    }

    /// Looks at the end of the pass who may have a free slot of any target of the group.
    mutating func serveLater(_ group: Group) {
        guard !group.isQueued else { return }
        group.isQueued = true
        queuedGroups.append(group)
    }

    /// Serves groups whose targets have changed while exchanges wait for them.
    mutating func serveChangedGroups() {
        for group in awaitedGroups where group.mayServeMore { serveLater(group) }
        awaitedGroups.removeAll { group in
            group.isListed = group.isAwaited
            return !group.isListed
        }
    }

    /// Lets exchanges go that wait, as far as targets have free slots.
    mutating func serveTargetQueues() {
        // What is freed meanwhile is served in the next pass. The lists are swapped: emptying a list that is referenced
        // twice would allocate.
        swap(&freedPools, &servedPools)
        swap(&queuedGroups, &servedGroups)
        for index in servedPools.indices {
            let pool = servedPools[index]
            pool.isFreed = false
            if pool.groupID < groups.count, let group = groups[pool.groupID] {
                _ = serve(pool, group, passing: .freeSlot(target: pool.id))
            }
        }
        for index in servedGroups.indices {
            let group = servedGroups[index]
            group.isQueued = false
            serve(group)
        }
        servedPools.removeAll(keepingCapacity: true)
        servedGroups.removeAll(keepingCapacity: true)
    }

    /// What became of a target's free slots.
    private enum Service {
        /// Exchanges of this worker have got some, as far as there were any.
        case served
        /// Others had taken them.
        case full
        /// The oldest request is another worker's, which was told.
        case passedOn
        /// Nobody waits.
        case nobody
    }

    /// Gives the free slots of any target of the group to those who wait.
    private mutating func serve(_ group: Group) {
        group.noteServed()
        for pool in group.pools where !pool.waiting.isEmpty {
            if !group.mayKeep(pool) { releaseOwnWaits(pool) }
            _ = serve(pool, group, passing: .freeSlot(target: pool.id))
        }
        guard group.hasTargets else { return failWaits(group) }
        while let board = group.plan.cell.waitBoard, board.isAnyWaiting {
            let hash = group.queue.first(for: [])?.hash ?? 0
            guard let pool = group.pick(hash: hash, mayTry: false, now: now) else { return }
            // One at a time, so that the algorithm decides where each of them goes.
            switch serve(pool, group, most: 1, passing: .freeSlots(group: group.plan.id)) {
            case .served, .full: continue
            case .passedOn, .nobody: return
            }
        }
    }

    /// Exchanges that wait for one target alone, which cannot be picked any more, wait for any other from now on.
    mutating func releaseOwnWaits(_ pool: TargetPool) {
        for exchange in pool.waiting.all {
            leaveTargetQueue(exchange)
            guard let group = exchange.group else { continue }
            let client = exchange.client
            awaitTarget(exchange, group)
            resources.deferToNextPass(client)
        }
    }

    /// The group has no targets any more.
    private mutating func failWaits(_ group: Group) {
        for exchange in group.queue.all {
            let client = exchange.client
            answer(exchange, status: 503, reasonCode: "NoTargets")
            resources.deferToNextPass(client)
        }
    }

    /// Gives the free slots of a target to those who wait, the oldest first, and `most` of them at most.
    /// `mail` is how another worker is told that it is its turn.
    private mutating func serve(
        _ pool: TargetPool, _ group: Group, most: Int = .max, passing mail: WorkerMail
    ) -> Service {
        // Who has waited for this very target keeps its place though it may not be picked by others now.
        let takesAny = group.mayPick(pool)
        var isServed = false
        var left = most
        while left > 0, pool.balanced.hasSlot {
            left -= 1
            let own = oldestWait(for: pool, group, takesAny: takesAny)
            let since = own?.targetWait?.since ?? .distantFuture
            if let other = oldestOnOtherWorker(for: pool, group, takesAny: takesAny),
                since > other.since + Limits.queueOrderTolerance
            {
                mailboxes[other.worker].send(mail)
                return .passedOn
            }
            guard let own else { return isServed ? .served : .nobody }
            guard pool.beginWithinLimit() else { return .full }
            isServed = true
            resume(own, group, on: pool)
        }
        return isServed ? .served : .full
    }

    /// The oldest exchange of this worker that may have a slot of this target. One that has tried it already, and may
    /// go elsewhere, is passed over if one of the next has not.
    private func oldestWait(for pool: TargetPool, _ group: Group, takesAny: Bool) -> Exchange? {
        let named = pool.waiting.first(for: [])
        guard takesAny else { return named }
        let any = group.queue.first(of: Limits.queueLooksMax) { exchange in
            !pool.isAmong(exchange.attempts.tried) || !group.hasOther(than: exchange.attempts.tried)
        }
        guard let named, let namedSince = named.targetWait?.since else { return any }
        guard let any, let anySince = any.targetWait?.since else { return named }
        return namedSince <= anySince ? named : any
    }

    /// The other worker on which the oldest request waits that may have a slot of this target.
    private func oldestOnOtherWorker(
        for pool: TargetPool, _ group: Group, takesAny: Bool
    ) -> (worker: Int, since: Instant)? {
        let any = takesAny ? group.plan.cell.waitBoard?.oldest(besides: configuration.index) : nil
        guard let named = pool.cell.waitBoard?.oldest(besides: configuration.index) else { return any }
        return named.since < any?.since ?? .distantFuture ? named : any
    }

    /// Lets an exchange go that has waited: a slot of `pool`'s target is its own.
    private mutating func resume(_ exchange: Exchange, _ group: Group, on pool: TargetPool) {
        let client = exchange.client
        if let since = exchange.targetWait?.since { group.plan.counters.queueTime.record(now.since(since)) }
        leaveTargetQueue(exchange)
        if exchange.state.phase == .deciding {
            exchange.slot = pool
            forward(exchange)
            // It waits for a descriptor, or for its client's share: others may use the slot meanwhile.
            if client.exchange === exchange, let pool = exchange.slot.take() { endCount(pool, cut: false) }
        } else {
            attempt(exchange, on: pool)
        }
        resources.deferToNextPass(client)
    }
}

extension StreamQueue {
    /// Since when the one that has waited longest waits until a target takes one more; nil if none does.
    fileprivate var firstWait: Instant? { first(for: [])?.targetWait?.since }
}
