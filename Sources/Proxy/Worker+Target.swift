import Core
import HTTP1
import TLS

extension Worker {
    /// Gives the exchange a connection to `pool`'s target: the most recently used idle one, else a new one.
    mutating func connect(_ exchange: Exchange, to pool: TargetPool) {
        hold(pool, for: exchange)
        if let plan = exchange.group?.plan, plan.version != .http1 { return openStream(exchange, pool, plan) }
        let name = targetServerName(exchange, pool)
        if !exchange.needsFreshConnection, let idle = pool.takeIdle(for: name) {
            counters.targetConnectionsIdle.subtract()
            counters.targetConnectionsReused.add()
            idle.phase = .busy
            idle.deadline = .distantFuture
            join(exchange, idle)
            return handle(exchange, .connected)
        }
        open(exchange, pool, name)
    }

    /// Opens a new connection for the exchange.
    private mutating func open(_ exchange: Exchange, _ pool: TargetPool, _ serverName: [UInt8]) {
        guard let transport = openTransport(exchange, pool, serverName) else { return handle(exchange, .connectFailed) }
        let target = TargetConnection(transport: transport, pool: pool, serverName: serverName, now: now)
        register(transport, as: .target(target))
        join(exchange, target)
        schedule(target, at: now + (exchange.group?.plan.connectTimeout ?? 0))
    }

    /// Begins a connection to `pool`'s target, with TLS where the group has it. Nil if there is no way to it.
    mutating func openTransport(_ exchange: Exchange, _ pool: TargetPool, _ serverName: [UInt8]) -> Transport? {
        exchange.connectAttempts += 1
        let socket: Socket
        do {
            socket = try Socket.connect(to: pool.address)
        } catch {
            countConnectFailure(exchange)
            return nil
        }
        var transport = Transport(token: slab.nextToken, socket: socket, to: .target)
        if let context = exchange.group?.tls {
            transport.tls = TLSSession(
                context, serverName: serverName.span, resuming: pool.resumption, wire: wire)
        }
        return transport
    }

    /// Has a new connection to a target watched.
    mutating func register(_ transport: Transport, as occupant: Occupant) {
        let token = slab.insert(occupant)
        poller.add(transport.socket.descriptor, token: token, interest: .edges)
        counters.targetConnectionsOpened.add()
        counters.targetConnectionsActive.add()
    }

    /// The name that a target is asked for by TLS: the group's, else the host that the target sees, else the target's
    /// address. Empty without TLS.
    func targetServerName(_ exchange: Exchange, _ pool: TargetPool) -> [UInt8] {
        guard let tls = exchange.group?.plan.tls else { return [] }
        if !tls.serverName.isEmpty { return Array(tls.serverName.utf8) }
        let request = exchange.request
        var range = hostRange(request.bytes(request.authority), in: request.authority)
        if range.isEmpty { range = request.append(hostOf: pool.address) }
        let host = request.bytes(range)
        var name: [UInt8] = []
        name.reserveCapacity(host.count)
        // An IPv6 address stands in brackets in a Host field, and without them in a certificate.
        for index in 0..<host.count where host[index] != 0x5B && host[index] != 0x5D {
            name.append(host[index].lowercased)
        }
        return name
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
            guard let exchange = target.exchange else { preconditionFailure("target: connecting for nothing") }
            switch target.transport.connect(ready, &self) {
            case .waiting: return
            case .failed(let timedOut): return connectFailed(target, timedOut: timedOut)
            case .connected: break
            }
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

    func countConnectFailure(_ exchange: Exchange) {
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

    /// The target's side is gone without an answer. Sends the request once more, on a fresh connection, if that cannot
    /// do harm.
    mutating func retryOrFail(_ exchange: Exchange) {
        guard let target = exchange.target, let pool = exchange.pool else {
            preconditionFailure("exchange: retry without a target")
        }
        let most = target.isRefused ? Limits.refusedRetriesMax : 1
        guard exchange.retryCount < most, !exchange.hasAnswer, target.mayRetry(exchange) else {
            counters.targetConnectionErrors.add()
            return answer(exchange, status: 502, word: "TargetClosedConnection")
        }
        exchange.retryCount += 1
        exchange.needsFreshConnection = !target.isRefused
        exchange.unsent = target.takeUnsent()
        if exchange.unsent == nil { exchange.isRequestDone = false }
        exchange.state.retry()
        counters.retries.add()
        detach(exchange)
        connect(exchange, to: pool)
        // On a connection that is open already no event tells that the body may follow.
        if exchange.isJoined { postpone(exchange.client) }
    }

    /// Closes the exchange's connection to its target.
    mutating func detach(_ exchange: Exchange) {
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

    /// Remembers a session that a target has given, so that the next handshake is short.
    func keepResumption(of transport: Transport, _ pool: TargetPool) {
        guard let resumption = transport.tls?.takeResumption() else { return }
        pool.resumption = resumption
    }

    /// Puts a connection into its pool.
    mutating func keepIdle(_ target: TargetConnection, _ plan: GroupPlan) {
        keepResumption(of: target.transport, target.pool)
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
        keepResumption(of: target.transport, target.pool)
        discardBuffers(target)
        timers.cancel(target.transport.token)
        slab.remove(target.transport.token)
        target.transport.close(&self)
        counters.targetConnectionsActive.subtract()
    }
}
