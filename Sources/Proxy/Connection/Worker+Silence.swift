import Core
import Routing
import Telemetry

/// Silent targets: those whose host does not acknowledge what is sent, and those whose program does not respond.
/// Checked by timers of waiting connections, never per request.
extension Worker {
    // MARK: HTTP/1

    /// A busy connection's timer has fired: checks whether the target responds and is still healthy.
    mutating func lookAt(_ target: TargetConnection) {
        guard let exchange = target.exchange else { preconditionFailure("target: busy with nothing") }
        if target.mayStillReadSince != nil { return advance(exchange.client) }
        let client = exchange.client
        let limit = target.plan.attempts.unacknowledgedMax
        if let silence = target.transport.silenceDuration(limit: limit, now: now) {
            hostUnresponsive(target.pool, target.group, since: target.transport.unacknowledgedSince)
            if target.exchange === exchange { moveElsewhere(exchange, .unacknowledged) }
            if target.exchange === exchange, exchange.state.phase == .waiting,
                silence >= limit * Limits.unacknowledgedWaits
            {
                counters.timeouts.add(.targetUnacknowledged)
                handle(exchange, .targetUnresponsive)
                resources.deferToNextPass(client)
            }
        } else {
            leaveUnhealthy(exchange)
        }
        guard target.exchange === exchange else { return }
        // What was sent since the last look is looked at when its own time is over; what was looked at, once a limit.
        let due = target.transport.unacknowledgedSince + limit
        schedule(target, at: due > now ? min(due, now + limit) : now + limit)
    }

    // MARK: HTTP/2

    /// The connection's timer has fired: acts if its deadline has come, or sets the timer again.
    mutating func targetTimerFired(_ connection: HTTP2TargetConnection) {
        connection.transport.timer = .distantFuture
        guard connection.deadline != .distantFuture else { return }
        guard connection.deadline <= now else { return schedule(connection, at: connection.deadline) }
        switch connection.phase {
        case .connecting:
            counters.timeouts.add(connection.transport.connectTimeoutKind)
            connectFailed(connection, .connectTimedOut)
        case .open, .finishing: lookAt(connection)
        case .closed: preconditionFailure("HTTP/2 target: a deadline after closed")
        }
    }

    private mutating func lookAt(_ connection: HTTP2TargetConnection) {
        let deadline = connection.nextDeadline
        guard deadline <= now else { return schedule(connection, at: deadline) }
        if connection.streamCount == 0 { return closeUnused(connection) }
        connection.lookedAt = now
        let limit = connection.plan.attempts.unacknowledgedMax
        if let silence = connection.transport.silenceDuration(limit: limit, now: now) {
            hostUnresponsive(connection.pool, connection.group, since: connection.transport.unacknowledgedSince)
            if !connection.isClosed { moveStreams(of: connection) }
            if connection.isClosed { return }
            if silence >= limit * Limits.unacknowledgedWaits { return timeOutExchanges(of: connection) }
        } else {
            for exchange in connection.exchanges { leaveUnhealthy(exchange) }
            if connection.pingDeadline <= now { ping(connection) }
        }
        serveQueue(connection.pool, connection.group)
        if !connection.isClosed { schedule(connection, at: max(connection.nextDeadline, now + Limits.timerPause)) }
    }

    /// Sends a PING to a silent target. Without a response it is suspect: it gets no new streams on this connection,
    /// requests that may be retried move to another target, and the others wait.
    private mutating func ping(_ connection: HTTP2TargetConnection) {
        guard connection.isPinged else {
            connection.isPinged = true
            connection.pingedAt = now
            connection.session.ping()
            return resources.markDirty(connection)
        }
        connection.isPinged = false
        if case .open = connection.phase { connection.enter(.finishing) }
        suspect(connection.pool, connection.group, .timedOut, Limits.targetSilenceMax + Limits.pingTimeout)
        for exchange in connection.exchanges { moveElsewhere(exchange, .unhealthy) }
        resources.markDirty(connection)
    }

    /// Times out the requests that the target has not begun to answer.
    private mutating func timeOutExchanges(of connection: HTTP2TargetConnection) {
        for exchange in connection.exchanges {
            let client = exchange.client
            counters.timeouts.add(.targetUnacknowledged)
            if exchange.state.phase == .waiting { handle(exchange, .targetUnresponsive) }
            resources.deferToNextPass(client)
        }
        connection.isWithdrawn = true
        endConnection(connection)
    }

    // MARK: Both

    /// A target's host acknowledges nothing: it becomes suspect, its idle connections are closed, and requests that may
    /// be retried move to another target. If another connection received something meanwhile, only the silent
    /// connection is broken.
    private mutating func hostUnresponsive(_ pool: TargetPool, _ group: Group, since: Instant) {
        guard pool.recordUnresponsive(since: since) else { return }
        suspect(pool, group, .unacknowledged, now.since(since))
        // Every connection detects it separately, but handling it once is enough for a while.
        let pause = group.plan.attempts.unacknowledgedMax / 4
        if let last = pool.unresponsiveHandledAt, now.since(last) < pause { return }
        pool.unresponsiveHandledAt = now
        while let idle = pool.takeIdle() {
            counters.targetConnectionsIdle.subtract()
            close(idle, reset: true)
        }
        forEachConnection(to: pool) { target, worker in
            guard let exchange = target.exchange, exchange.state.phase == .waiting else { return }
            // A live host may delay its acknowledgement, so each connection decides for itself.
            let silence = target.transport.silenceDuration(limit: Limits.acknowledgementDelayMax, now: worker.now)
            let isUnprocessed = silence != nil && target.isUnprocessed(isUnresponsive: true)
            worker.moveElsewhere(exchange, .unacknowledged, isUnprocessed: isUnprocessed)
        } http2: { connection, worker in
            worker.moveStreams(of: connection)
        }
    }

    /// Moves the streams of a connection whose other side is not heard. What waits in our kernel would still reach it
    /// if it came back, and with it requests that were sent again meanwhile: so either all go and the connection is
    /// reset, or those alone that may be processed twice.
    private mutating func moveStreams(of connection: HTTP2TargetConnection) {
        if connection.isIdle {
            connection.isWithdrawn = true
            return endConnection(connection)
        }
        let sides = connection.streams.compactMap { $0 }
        let isSilent = connection.transport.silenceDuration(limit: Limits.acknowledgementDelayMax, now: now) != nil
        let goTogether =
            isSilent
            && sides.allSatisfy { side in
                guard let exchange = side.exchange else { return true }
                return mayMove(exchange, .unacknowledged, isUnprocessed: side.isUnprocessed(isUnresponsive: true))
            }
        var movedCount = 0
        for side in sides {
            guard let exchange = side.exchange else { continue }
            let isUnprocessed = goTogether && side.isUnprocessed(isUnresponsive: true)
            if isUnprocessed && !exchange.isIdempotent { connection.isWithdrawn = true }
            if moveElsewhere(exchange, .unacknowledged, isUnprocessed: isUnprocessed) { movedCount += 1 }
        }
        if connection.isWithdrawn || movedCount == sides.count {
            connection.isWithdrawn = true
            return endConnection(connection)
        }
        if isSilent, case .open = connection.phase { connection.enter(.finishing) }
        resources.markDirty(connection)
    }

    /// A safe request without a response moves away from a target that became unhealthy. A draining target is not
    /// unhealthy, and keeps its requests.
    private mutating func leaveUnhealthy(_ exchange: Exchange) {
        guard let pool = exchange.pool, !pool.cell.isHealthy, pool.draining == nil,
            exchange.group?.plan.attempts.leavesUnhealthy ?? false
        else { return }
        moveElsewhere(exchange, .unhealthy)
    }

    /// A target became unhealthy.
    mutating func targetUnhealthy(_ targetID: Int) {
        guard targetID < pools.count, let pool = pools[targetID] else { return }
        releaseConnects(to: pool)
        forEachConnection(to: pool) { target, worker in
            if let exchange = target.exchange { worker.leaveUnhealthy(exchange) }
        } http2: { connection, worker in
            for exchange in connection.exchanges { worker.leaveUnhealthy(exchange) }
        }
    }

    /// Calls `body` for every busy connection to a target. Visits every slot, so it must not be called per request.
    private mutating func forEachConnection(
        to pool: TargetPool, http1: (TargetConnection, inout Worker) -> Void,
        http2: (HTTP2TargetConnection, inout Worker) -> Void
    ) {
        for index in 0..<slab.slotCount {
            guard case .target(let target) = slab.occupant(at: index), target.pool === pool,
                case .busy = target.phase
            else { continue }
            http1(target, &self)
        }
        for connection in pool.connections where !connection.isConnecting { http2(connection, &self) }
    }
}
