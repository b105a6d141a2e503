import Core
import HTTP1
import Routing

extension Worker {
    /// Acts on a target's socket.
    mutating func targetReady(_ target: TargetConnection, _ ready: Poller.Ready) {
        switch target.phase {
        case .connecting:
            switch target.transport.continueConnecting(ready, &resources) {
            case .waiting: return
            case .failed(let ending): connectFailed(target, ending)
            case .connected: connected(target)
            }
        case .idle:
            guard ready.isReadable else { return target.transport.isWritable = true }
            // The target closes, or says something nobody asked for: either way it is of no use any more.
            target.pool.removeIdle(target)
            counters.targetConnectionsIdle.subtract()
            close(target)
        case .busy:
            target.transport.noteReady(ready)
            guard let exchange = target.exchange else { preconditionFailure("target: busy with nothing") }
            advance(exchange.client)
        case .closed:
            preconditionFailure("target: an event after closed")
        }
    }

    /// A connection is ready: for its exchange, or for the pool if another target has taken that.
    private mutating func connected(_ target: TargetConnection) {
        guard let exchange = target.exchange else {
            target.pool.recordResponsive(now: now)
            let isUsed = target.pool.draining == nil && pools[target.pool.id] === target.pool
            guard isUsed, finishDeadline == nil else { return close(target) }
            return keepIdle(target)
        }
        guard let attempt = exchange.attempts.take(target.transport.token) else {
            preconditionFailure("target: connected for an exchange that does not wait")
        }
        target.pool.recordResponsive(now: now)
        schedule(target, at: now + target.plan.attempts.unacknowledgedMax)
        target.join(exchange)
        let client = exchange.client
        joinTarget(exchange, target, beganAt: attempt.beganAt)
        advance(client)
    }

    /// A connection was refused, or took too long.
    mutating func connectFailed(_ target: TargetConnection, _ ending: AttemptOutcome.Ending) {
        let exchange = target.exchange
        target.exchange = nil
        close(target, reset: true)
        guard let exchange else { return }
        guard let attempt = exchange.attempts.take(target.transport.token) else {
            preconditionFailure("target: a failure for an exchange that does not wait")
        }
        let client = exchange.client
        connectFailed(exchange, target.pool, ending, beganAt: attempt.beganAt)
        advance(client)
    }

    /// Ends the exchange's use of its target, whose connection may serve another one if `reusable`, and of those that
    /// it waits for.
    mutating func releaseTarget(_ exchange: Exchange, reusable: Bool) {
        while let attempt = exchange.attempts.takeFirst() {
            withdraw(attempt, exchange.state.isCut ? .cut : .withdrawn, exchange.group)
        }
        exchange.attempts.nextAt = .distantFuture
        if exchange.attemptBeganAt != nil { endAttempt(exchange, .abandoned) }
        if let target = exchange.target {
            exchange.target = nil
            target.exchange = nil
            releaseSide(target, reusable: reusable)
        }
        guard let pool = exchange.pool.take() else { return }
        endCount(pool, cut: exchange.state.isCut)
    }

    /// The exchange that a target's side has served is over: `reusable` if its message ends where it should. A
    /// connection that can serve another exchange goes into its pool.
    private mutating func releaseSide(_ target: TargetSide, reusable: Bool) {
        switch target.kind {
        case .connection(let connection):
            if reusable, connection.isClean, finishDeadline == nil {
                keepIdle(connection)
            } else {
                close(connection, reset: connection.isWithdrawn)
            }
        case .stream(let stream): stream.release(&resources)
        }
    }

    /// Remembers a session that a target has given, so that the next handshake is short.
    func keepResumption(of transport: Transport, _ pool: TargetPool) {
        guard let resumption = transport.tls?.takeResumption() else { return }
        pool.resumption = resumption
    }

    /// Puts a connection into its pool.
    mutating func keepIdle(_ target: TargetConnection) {
        let plan = target.plan
        keepResumption(of: target.transport, target.pool)
        target.hasServed = target.phase == .busy
        target.enter(.idle)
        target.shrinkBuffers(&resources)
        counters.targetConnectionsIdle.add()
        schedule(target, at: now + plan.poolIdleTimeout)
        target.pool.putIdle(target)
        while let oldest = target.pool.takeExcess(over: plan.poolConnectionsMax) {
            counters.targetConnectionsIdle.subtract()
            close(oldest)
        }
    }

    /// Gives back everything a connection has. It is in no pool and serves no exchange.
    mutating func close(_ target: TargetConnection, reset: Bool = false) {
        target.enter(.closed)
        keepResumption(of: target.transport, target.pool)
        target.discardBuffers(&resources)
        timers.cancel(target.transport.token)
        slab.remove(target.transport.token)
        target.transport.close(reset: reset, &resources)
        counters.targetConnectionsActive.subtract()
    }
}
