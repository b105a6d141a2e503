import Core
import HTTP1

extension Worker {
    /// Gives the exchange a connection to `pool`'s target: the most recently used idle one, else a new one.
    mutating func connect(_ exchange: Exchange, to pool: TargetPool) {
        hold(pool, for: exchange)
        if !exchange.hasRetried, let idle = pool.takeIdle() {
            counters.targetConnectionsIdle.subtract()
            counters.targetConnectionsReused.add()
            idle.phase = .busy
            idle.deadline = .distantFuture
            join(exchange, idle)
            return handle(exchange, .connected)
        }
        open(exchange, pool)
    }

    /// Opens a new connection for the exchange.
    private mutating func open(_ exchange: Exchange, _ pool: TargetPool) {
        exchange.connectAttempts += 1
        let socket: Socket
        do {
            socket = try Socket.connect(to: pool.address)
        } catch {
            countConnectFailure(exchange)
            return handle(exchange, .connectFailed)
        }
        let transport = Transport(token: slab.nextToken, socket: socket, to: .target)
        let target = TargetConnection(transport: transport, pool: pool, now: now)
        let token = slab.insert(.target(target))
        poller.add(socket.descriptor, token: token, interest: .edges)
        counters.targetConnectionsOpened.add()
        counters.targetConnectionsActive.add()
        join(exchange, target)
        schedule(target, at: now + (exchange.group?.plan.connectTimeout ?? 0))
    }

    private func join(_ exchange: Exchange, _ target: TargetConnection) {
        exchange.target = target
        target.writtenAtStart = target.writtenCount
        target.exchange = exchange
    }

    /// Counts the exchange as in flight for one target, instead of the one it had before.
    private mutating func hold(_ pool: TargetPool, for exchange: Exchange) {
        guard exchange.pool !== pool else { return }
        releasePool(exchange, cut: false)
        exchange.pool = pool
        pool.begin()
    }

    /// Ends the exchange's count for its target, and tells control when it was the last of a draining one.
    mutating func releasePool(_ exchange: Exchange, cut: Bool) {
        guard let pool = exchange.pool else { return }
        exchange.pool = nil
        pool.end(cut: cut)
        reportIfDrained(pool)
    }

    /// Acts on a target's socket.
    mutating func targetReady(_ target: TargetConnection, _ ready: Poller.Ready) {
        switch target.phase {
        case .connecting:
            if ready.isDead {
                let error = target.transport.socket.takeError()
                return connectFailed(target, timedOut: error == timedOutError)
            }
            guard ready.isWritable, let exchange = target.exchange else { return }
            target.transport.note(ready)
            target.phase = .busy
            target.deadline = .distantFuture
            handle(exchange, .connected)
            exchange.client.advance(&self)
        case .idle:
            guard ready.isReadable else { return target.transport.isWritable = true }
            // The target closes, or says something nobody asked for: either way it is of no use any more.
            target.pool.removeIdle(target)
            counters.targetConnectionsIdle.subtract()
            close(target)
        case .busy:
            target.transport.note(ready)
            guard let exchange = target.exchange else { preconditionFailure("target: busy with nothing") }
            exchange.client.advance(&self)
        case .closed:
            preconditionFailure("target: an event after closed")
        }
    }

    /// A connection was refused, or took too long.
    mutating func connectFailed(_ target: TargetConnection, timedOut: Bool) {
        guard let exchange = target.exchange else { preconditionFailure("target: connecting for nothing") }
        let client = exchange.client
        countConnectFailure(exchange)
        detach(exchange)
        exchange.connectTimedOut = timedOut
        handle(exchange, .connectFailed)
        client.advance(&self)
    }

    private func countConnectFailure(_ exchange: Exchange) {
        counters.targetConnectFailures.add()
        exchange.group?.plan.counters.connectionErrors.add()
    }

    /// Tries the next target whose turn it is, within bounds; then answers that none could be reached.
    mutating func tryNextTarget(_ exchange: Exchange) {
        if exchange.connectAttempts < Limits.connectAttemptsMax, let next = exchange.group?.pick() {
            counters.retries.add()
            connect(exchange, to: next)
        } else if exchange.connectTimedOut {
            answer(exchange, status: 504, word: "TargetConnectTimeout")
        } else {
            answer(exchange, status: 502, word: "TargetConnectFailed")
        }
    }

    /// A reused connection died before an octet of an answer: targets close idle connections whenever they like, and
    /// that may cross a request. Sends it once more, on a fresh connection, if that cannot do harm.
    mutating func retryOrFail(_ exchange: Exchange) {
        guard let target = exchange.target, let pool = exchange.pool else {
            preconditionFailure("exchange: retry without a target")
        }
        let isUnsent = target.isUnprocessed
        let isWhole = exchange.isIdempotent && exchange.bodyByteCount == 0 && !hasChunkedEnd(exchange)
        guard target.isReused, !exchange.hasRetried, !exchange.hasAnswer, isUnsent || isWhole else {
            counters.targetConnectionErrors.add()
            return answer(exchange, status: 502, word: "TargetClosedConnection")
        }
        exchange.hasRetried = true
        if isUnsent {
            exchange.unsent = target.outbound.take()
        } else {
            exchange.isRequestDone = false
        }
        exchange.state.retry()
        counters.retries.add()
        detach(exchange)
        connect(exchange, to: pool)
    }

    private func hasChunkedEnd(_ exchange: Exchange) -> Bool {
        exchange.isRequestDone && exchange.request.body == .unknown
    }

    /// Closes the exchange's connection to its target.
    private mutating func detach(_ exchange: Exchange) {
        guard let target = exchange.target else { return }
        exchange.target = nil
        target.exchange = nil
        target.release(reusable: false, nil, &self)
    }

    /// Ends the exchange's use of its target, whose connection may serve another one if `reusable`.
    mutating func releaseTarget(_ exchange: Exchange, reusable: Bool) {
        if let target = exchange.target {
            exchange.target = nil
            target.exchange = nil
            target.release(reusable: reusable, exchange.group?.plan, &self)
        }
        releasePool(exchange, cut: exchange.isCut)
    }

    /// Puts a connection into its pool.
    mutating func keepIdle(_ target: TargetConnection, _ plan: GroupPlan) {
        target.isReused = true
        target.phase = .idle
        target.settle(&self)
        counters.targetConnectionsIdle.add()
        schedule(target, at: now + plan.poolIdleTimeout)
        target.pool.putIdle(target)
        while let oldest = target.pool.takeExcess(over: plan.poolConnectionsMax) {
            counters.targetConnectionsIdle.subtract()
            close(oldest)
        }
    }

    /// Gives back everything a connection has. It is in no pool and serves no exchange.
    mutating func close(_ target: TargetConnection) {
        target.phase = .closed
        discardBuffers(target)
        timers.cancel(target.transport.token)
        slab.remove(target.transport.token)
        target.transport.socket.close()
        counters.targetConnectionsActive.subtract()
    }
}
