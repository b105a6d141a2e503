import Core
import HTTP1
import Routing
import Telemetry

/// Attempts of exchanges on targets: how they begin, race, end, and are repeated. What each of them came to is noted in
/// one place, `note` (Worker+Outcome).
extension Worker {
    // MARK: Beginning

    /// Makes an attempt, which has begun (`Group.take`), on `pool`'s target: on an idle connection or one with free
    /// streams, else on a new one.
    mutating func attempt(_ exchange: Exchange, on pool: TargetPool) {
        guard let group = exchange.group else { preconditionFailure("exchange: an attempt without a group") }
        // A new configuration may have changed the group's protocol while the exchange waited or between attempts.
        guard mayGo(exchange, to: group) else {
            endCount(pool, cut: false)
            return answer(exchange, status: 464, reasonCode: "ProtocolMismatch")
        }
        exchange.attempts.begin()
        let name = targetServerName(exchange, pool)
        if group.plan.version != .http1 { return requestStream(exchange, pool, group, name) }
        if !exchange.attempts.needsFreshConnection, let idle = pool.takeIdle(for: name) {
            counters.targetConnectionsIdle.subtract()
            counters.targetConnectionsReused.add()
            schedule(idle, at: now + group.plan.attempts.unacknowledgedMax)
            idle.join(exchange)
            return joinTarget(exchange, idle, beganAt: now)
        }
        openConnection(exchange, pool, group, name)
    }

    /// Whether the targets of a group understand what is asked.
    func mayGo(_ exchange: Exchange, to group: Group) -> Bool {
        let isPOST = exchange.request.methodID == .post
        return RequestProtocol(exchange.request).mayGo(to: group.plan.version, isPOST: isPOST)
    }

    /// Opens a new HTTP/1 connection for the exchange.
    private mutating func openConnection(
        _ exchange: Exchange, _ pool: TargetPool, _ group: Group, _ serverName: [UInt8]
    ) {
        switch openTransport(pool, group.tls, serverName) {
        case .failed(let code): connectFailed(exchange, pool, connectEnding(code), beganAt: now)
        case .opened(let transport):
            let target = TargetConnection(
                transport: transport, pool: pool, group: group, serverName: serverName, now: now)
            target.exchange = exchange
            watchTarget(transport, as: .target(target))
            exchange.record.target = pool.address
            exchange.attempts.wait(for: pool, transport.token, now: now)
            schedule(target, at: now + group.plan.connectTimeout)
            awaitRace(exchange, group)
        }
    }

    /// Sets when the next target is tried as well, if the first one has not accepted the connection by then.
    /// A client that a cookie binds to its target stays with one that is slow to accept.
    func awaitRace(_ exchange: Exchange, _ group: Group) {
        guard exchange.stickiness.boundName == nil else { return }
        exchange.attempts.awaitNext(after: group.plan.attempts.raceDelay, now: now)
    }

    /// The head start is over, or a target failed while others are pending: another target is tried.
    mutating func joinRace(_ exchange: Exchange) {
        exchange.attempts.nextAt = .distantFuture
        guard exchange.state.phase == .connecting, exchange.targetWait == nil, exchange.attempts.mayBegin,
            let group = exchange.group, !(group.isLimited && group.isAnyWaiting),
            let next = group.take(hash: exchange.hash, tried: exchange.attempts.tried, now: now)
        else { return }
        counters.connectRaces.add()
        attempt(exchange, on: next)
    }

    /// A connection of one of the exchange's attempts is ready: the request is sent there, and the other attempts are
    /// withdrawn.
    mutating func joinTarget(_ exchange: Exchange, _ side: TargetSide, beganAt: Instant) {
        while let other = exchange.attempts.takeFirst() {
            withdraw(other, other.beganAt < beganAt ? .overtaken : .outrun, exchange.group)
        }
        exchange.attempts.nextAt = .distantFuture
        exchange.pool = side.pool
        exchange.target = side
        side.exchange = exchange
        exchange.attemptBeganAt = beganAt
        handle(exchange, .connected)
    }

    // MARK: Not connected

    /// A connection could not be opened: another target is tried at once.
    mutating func connectFailed(
        _ exchange: Exchange, _ pool: TargetPool, _ ending: AttemptOutcome.Ending, beganAt: Instant
    ) {
        exchange.attempts.exclude(pool)
        exchange.attempts.lastFailure = ending
        if ending != .notAttempted { exchange.record.target = pool.address }
        note(AttemptOutcome(ending, duration: now.since(beganAt)), of: pool, exchange.group)
        endCount(pool, cut: false)
        if exchange.attempts.pending.isEmpty { handle(exchange, .connectFailed) } else { joinRace(exchange) }
    }

    /// Tries another target, within the limits; or answers that none could be reached.
    mutating func tryNextTarget(_ exchange: Exchange) {
        guard let group = exchange.group else { preconditionFailure("exchange: no target of no group") }
        guard exchange.attempts.mayBegin, group.hasTargets else { return failConnect(exchange) }
        guard group.retryBudget.take(percent: group.plan.attempts.budgetPercent, now: now) else {
            counters.retriesOverBudget.add()
            return answer(exchange, status: 502, reasonCode: "RetryBudgetExhausted")
        }
        counters.retries.add()
        attemptNext(exchange, group)
    }

    /// Answers that no target could be connected to.
    private mutating func failConnect(_ exchange: Exchange) {
        switch exchange.attempts.lastFailure {
        case .connectTimedOut: answer(exchange, status: 504, reasonCode: "TargetConnectTimeout")
        case .handshakeFailed: answer(exchange, status: 502, reasonCode: "TargetHandshakeFailed")
        // The cause is a lack of our own resources, so the log names no target.
        case .notAttempted: answer(exchange, status: 502, reasonCode: "ConnectNotAttempted")
        default: answer(exchange, status: 502, reasonCode: "TargetConnectFailed")
        }
    }

    /// Makes an attempt on the target that a cookie names, on one that was not tried, or else on any. If those are full
    /// the exchange waits for one.
    private mutating func attemptNext(_ exchange: Exchange, _ group: Group) {
        let tried = exchange.attempts.tried
        if let name = exchange.stickiness.boundName, case .pool(let bound) = group.target(named: name, now: now),
            !bound.isAmong(tried)
        {
            if let pool = takeTarget(exchange, group, only: bound) { attempt(exchange, on: pool) }
        } else if group.isLimited, group.isAnyWaiting {
            awaitTarget(exchange, group)
        } else if let next = group.take(hash: exchange.hash, tried: tried, now: now) {
            attempt(exchange, on: next)
        } else if !group.isLimited, let next = group.take(hash: exchange.hash, now: now) {
            attempt(exchange, on: next)
        } else {
            awaitTarget(exchange, group)
        }
    }

    /// Ends a pending attempt. The connection of one that lost the race continues, and will be put into its pool; any
    /// other is closed.
    mutating func withdraw(_ attempt: Attempts.Pending, _ ending: AttemptOutcome.Ending, _ group: Group?) {
        var ending = ending
        if attempt.token == .none {
            attempt.pool.queue.remove(ticket: attempt.ticket)
            // It waited for a free stream, not for a connection.
            let isConnected = attempt.pool.connections.contains { !$0.isConnecting }
            if ending == .overtaken, isConnected { ending = .withdrawn }
        } else if case .target(let connection) = slab.resolve(attempt.token) {
            connection.exchange = nil
            if !ending.isLostRace { close(connection, reset: true) }
        }
        note(AttemptOutcome(ending, duration: now.since(attempt.beganAt)), of: attempt.pool, group)
        endCount(attempt.pool, cut: ending == .cut)
    }

    /// Moves every exchange and tunnel that waits for a connection to this target to another target, if there is one.
    mutating func releaseConnects(to pool: TargetPool) {
        guard pool.inFlight > 0 else { return }
        for exchange in pool.queue.all { leave(pool, exchange) }
        for index in 0..<slab.slotCount {
            switch slab.occupant(at: index) {
            case .target(let target):
                guard target.pool === pool, case .connecting = target.phase, let exchange = target.exchange else {
                    continue
                }
                leave(pool, exchange)
            case .tunnelSide(let side):
                guard let tunnel = side.tunnel, side !== tunnel.client, case .connecting = tunnel.phase else {
                    continue
                }
                if side.pool === pool { leave(side, tunnel) }
            default: continue
            }
        }
    }

    private mutating func leave(_ pool: TargetPool, _ exchange: Exchange) {
        guard let group = exchange.group, let attempt = exchange.attempts.take(pool) else { return }
        let client = exchange.client
        let next = group.take(hash: exchange.hash, tried: exchange.attempts.tried, now: now)
        guard next != nil || !exchange.attempts.pending.isEmpty else {
            return exchange.attempts.putBack(attempt)
        }
        exchange.attempts.uncount()
        withdraw(attempt, .withdrawn, group)
        if let next {
            counters.retries.add()
            self.attempt(exchange, on: next)
        }
        resources.deferToNextPass(client)
    }

    // MARK: The end

    /// Ends the attempt under way and notes what it came to.
    @discardableResult mutating func endAttempt(
        _ exchange: Exchange, _ ending: AttemptOutcome.Ending, isUnprocessed: Bool = false, isServerError: Bool = false,
        isRetired: Bool = false
    ) -> AttemptOutcome {
        guard let beganAt = exchange.attemptBeganAt.take(), let pool = exchange.pool else {
            preconditionFailure("exchange: an attempt that ends twice")
        }
        var outcome = AttemptOutcome(ending, isUnprocessed: isUnprocessed, duration: now.since(beganAt))
        outcome.isServerError = isServerError
        outcome.isRetired = isRetired
        let isSent = exchange.requestProgress == .passedOn
        outcome.latency = isSent ? now.since(max(beganAt, exchange.sentAt)) : nil
        note(outcome, of: pool, exchange.group)
        return outcome
    }

    /// The target's side ended without a response: retries the request if that is safe.
    mutating func retryOrFail(_ exchange: Exchange) {
        guard let target = exchange.target else { preconditionFailure("exchange: retry without a target") }
        // To repeat a request that is idempotent does no harm, so that it need not wait.
        let mayStillRead = !exchange.isIdempotent && target.mayStillRead
        if mayStillRead, awaitAcknowledgement(by: target) { return }
        let isUnprocessed = !mayStillRead && target.isUnprocessed(isUnresponsive: false)
        let isRetired = isUnprocessed && target.wasRetired
        let ending: AttemptOutcome.Ending = isRetired || target.isRefused ? .refused : .closed
        let outcome = endAttempt(exchange, ending, isUnprocessed: isUnprocessed, isRetired: isRetired)
        // A request that a target returns unprocessed with its connection (GOAWAY, keep-alive race) is moved and does
        // not count as a retry.
        if isRetired { exchange.attempts.uncountRetired() }
        switch decide(exchange, outcome) {
        case .sendAgain:
            // A target that only ended an idle connection is not overloaded, so the retry budget is not charged.
            guard isRetired || takeRetry(exchange) else {
                return answer(exchange, status: 502, reasonCode: "RetryBudgetExhausted")
            }
            sendAgain(exchange, after: outcome, excludes: !isRetired)
        case .leaveToClient where exchange.client.mayRefuse,
            .fail where exchange.client.mayRefuse && target.resetCode != nil:
            handle(exchange, .leftToClient)
        case .leaveToClient: answer(exchange, status: 502, reasonCode: "RequestBodyNotKept")
        case .fail: answer(exchange, status: 502, reasonCode: "TargetClosedConnection")
        }
    }

    /// Waits until the kernel of a target that has ended its direction acknowledges the request or resets the
    /// connection. The poller tells of a reset; for an acknowledgement the target's timer looks, soon at first. False
    /// if the time in which a kernel has to acknowledge something is over.
    private mutating func awaitAcknowledgement(by target: TargetSide) -> Bool {
        guard case .connection(let connection) = target.kind else { return false }
        let since = connection.mayStillReadSince ?? now
        connection.mayStillReadSince = since
        let waited = now.since(since)
        guard waited < connection.plan.attempts.unacknowledgedMax else { return false }
        schedule(connection, at: now + max(waited, Limits.acknowledgementLookInterval))
        return true
    }

    /// Moves a request that waits for a response to another target, if there is one and a retry is safe. Returns false
    /// if it has to wait.
    @discardableResult mutating func moveElsewhere(
        _ exchange: Exchange, _ ending: AttemptOutcome.Ending, isUnprocessed: Bool = false
    ) -> Bool {
        guard exchange.state.phase == .waiting, exchange.responseProgress == .awaited, let pool = exchange.pool,
            let group = exchange.group, let beganAt = exchange.attemptBeganAt, group.hasOther(than: [pool])
        else { return false }
        let outcome = AttemptOutcome(ending, isUnprocessed: isUnprocessed, duration: now.since(beganAt))
        guard decide(exchange, outcome) == .sendAgain, takeRetry(exchange) else { return false }
        endAttempt(exchange, ending, isUnprocessed: isUnprocessed)
        sendAgain(exchange, after: outcome)
        return true
    }

    /// Whether `moveElsewhere` would, but for the budget.
    func mayMove(_ exchange: Exchange, _ ending: AttemptOutcome.Ending, isUnprocessed: Bool) -> Bool {
        guard exchange.state.phase == .waiting, exchange.responseProgress == .awaited, let pool = exchange.pool,
            let group = exchange.group, group.hasOther(than: [pool])
        else { return false }
        return decide(exchange, AttemptOutcome(ending, isUnprocessed: isUnprocessed, duration: 0)) == .sendAgain
    }

    private func decide(_ exchange: Exchange, _ outcome: AttemptOutcome) -> RetryPolicy.Decision {
        return RetryPolicy.decide(
            outcome,
            RetryPolicy.Request(
                isIdempotent: exchange.isIdempotent, isSafe: exchange.request.methodID.isSafe,
                isComplete: !exchange.keptBody.isLost, attemptCount: exchange.attempts.count,
                isCopy: exchange.attempts.isCopy))
    }

    private func takeRetry(_ exchange: Exchange) -> Bool {
        guard let group = exchange.group else { return false }
        if group.retryBudget.take(percent: group.plan.attempts.budgetPercent, now: now) { return true }
        counters.retriesOverBudget.add()
        return false
    }

    /// Abandons the target's connection and retries the request, on another target if there is one.
    private mutating func sendAgain(_ exchange: Exchange, after outcome: AttemptOutcome, excludes: Bool = true) {
        guard let target = exchange.target, let pool = exchange.pool else {
            preconditionFailure("exchange: sent again without a target")
        }
        if excludes { exchange.attempts.exclude(pool) }
        exchange.attempts.noteSentAgain(after: outcome)
        exchange.keptBody.rewind(&resources.buffers)
        exchange.requestProgress.receive(.sentAgain)
        exchange.responseProgress.receive(.sentAgain)
        exchange.client.requestRate.cancel()
        target.isWithdrawn = true
        counters.retries.add()
        releaseTarget(exchange, reusable: false)
        handle(exchange, .sentAgain)
    }

    /// Connects once more, after the request was taken from one target.
    mutating func connectAgain(_ exchange: Exchange) {
        let client = exchange.client
        guard let group = exchange.group else { preconditionFailure("exchange: connected again without a group") }
        attemptNext(exchange, group)
        // On a connection that is open already no event tells that the body may follow, or the next request.
        resources.deferToNextPass(client)
    }

    /// Resets a client's HTTP/2 stream: with the code that its target has given, or with REFUSED_STREAM, as the request
    /// was not processed and may be retried. Source: RFC 9113 §8.7.
    mutating func refuse(_ exchange: Exchange) {
        exchange.record.status = 502
        if exchange.target?.resetCode != nil { return abandonExchange(exchange, reasonCode: "TargetResetStream") }
        exchange.client.resetCode = .refusedStream
        abandonExchange(exchange, reasonCode: "RequestBodyNotKept")
    }
}
