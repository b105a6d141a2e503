import Core
import HTTP1
import HTTP2

/// HTTP/2 connections to targets.
extension Worker {
    /// Gives the exchange a stream on a connection to `pool`'s target: on one that has room, else on a new one.
    mutating func openStream(_ exchange: Exchange, _ pool: TargetPool, _ plan: GroupPlan) {
        let isFresh = exchange.needsFreshConnection
        let name = targetServerName(exchange, pool)
        let connection = pool.connections.first {
            $0.hasRoom && $0.serverName == name && !(isFresh && $0.hasServed)
        }
        if let connection {
            let side = TargetStream(connection, now: now)
            exchange.target = side
            side.exchange = exchange
            guard case .open = connection.phase else {
                exchange.connectAttempts += 1
                return connection.waiting.append(side)
            }
            counters.targetConnectionsReused.add()
            return handle(exchange, .connected)
        }
        openConnection(exchange, pool, plan, name)
    }

    private mutating func openConnection(
        _ exchange: Exchange, _ pool: TargetPool, _ plan: GroupPlan, _ name: [UInt8]
    ) {
        guard let transport = openTransport(exchange, pool, name) else { return handle(exchange, .connectFailed) }
        let session = HTTP2Session(.client, .target, heads: heads, now: now)
        let connection = HTTP2TargetConnection(
            transport: transport, session: session, pool: pool, plan: plan, serverName: name, now: now)
        register(transport, as: .http2Target(connection))
        counters.targetHTTP2Connections.add()
        pool.connections.append(connection)
        let side = TargetStream(connection, now: now)
        exchange.target = side
        side.exchange = exchange
        connection.waiting.append(side)
        schedule(connection, at: now + plan.connectTimeout)
    }

    /// Acts on the socket of a connection.
    mutating func targetReady(_ connection: HTTP2TargetConnection, _ ready: Poller.Ready) {
        switch connection.phase {
        case .connecting:
            switch connection.transport.connect(ready, &self) {
            case .waiting: return
            case .failed(let timedOut): return connectFailed(connection, timedOut: timedOut)
            case .connected:
                // A target that does not know HTTP/2 would take our preface for a bad request.
                if let tls = connection.transport.tls, tls.applicationProtocol != .http2 {
                    countTLSFailure(.noSharedProtocol, at: .target)
                    return connectFailed(connection, timedOut: false)
                }
                begin(connection)
            }
        case .open, .finishing:
            connection.transport.note(ready)
            if connection.mayRead { serve(connection) } else { keepBusy(connection) }
        case .closed: preconditionFailure("HTTP/2 target: an event after closed")
        }
    }

    private mutating func begin(_ connection: HTTP2TargetConnection) {
        connection.enter(.open)
        connection.deadline = .distantFuture
        connection.lastActivity = now
        let sides = connection.waiting
        connection.waiting = []
        for side in sides {
            guard let exchange = side.exchange else { continue }
            handle(exchange, .connected)
            postpone(exchange.client)
        }
        serve(connection)
    }

    private mutating func connectFailed(_ connection: HTTP2TargetConnection, timedOut: Bool) {
        let sides = connection.waiting
        connection.waiting = []
        close(connection)
        for side in sides {
            guard let exchange = side.exchange else { continue }
            let client = exchange.client
            countConnectFailure(exchange)
            detach(exchange)
            exchange.connectTimedOut = timedOut
            handle(exchange, .connectFailed)
            postpone(client)
        }
    }

    // MARK: What the session says

    mutating func handleEvents(of connection: HTTP2TargetConnection, _ input: Span<UInt8>) {
        let session = connection.session
        var index = 0
        while index < session.eventCount, !connection.isClosed {
            switch session.event(index) {
            case .head(let slot, let head, let isEnd): receive(connection, slot, head, isEnd: isEnd)
            case .refusedHead, .faultyRequest: preconditionFailure("HTTP/2 target: a request")
            case .data(let slot, let range): receive(connection, slot, input.extracting(range))
            case .end(let slot, let trailers): endResponse(connection, slot, trailers)
            case .closed(let slot, _, let ending): closeStream(connection, slot, ending)
            case .pingAcknowledged: connection.isPinged = false
            case .goAway:
                counters.http2GoAways.add(.target)
                if case .open = connection.phase { connection.enter(.finishing) }
            case .settings: break
            }
            index += 1
        }
        session.removeEvents()
    }

    private func side(_ connection: HTTP2TargetConnection, _ slot: Int) -> TargetStream {
        guard let side = connection.streams[slot] else { preconditionFailure("HTTP/2: an event on no stream") }
        return side
    }

    private mutating func receive(_ connection: HTTP2TargetConnection, _ slot: Int, _ head: Head, isEnd: Bool) {
        let side = side(connection, slot)
        side.stream.isEndReceived = isEnd
        side.lastActivity = now
        guard let exchange = side.exchange, exchange.state.phase == .waiting else { return heads.put(head) }
        side.pendingHead = head
        readResponse(exchange)
        if exchange.isJoined { postpone(exchange.client) }
    }

    private mutating func receive(_ connection: HTTP2TargetConnection, _ slot: Int, _ octets: Span<UInt8>) {
        let side = side(connection, slot)
        guard let exchange = side.exchange else {
            side.consumedCount += UInt64(octets.count)
            return report(side.consumedCount, &side.stream)
        }
        receive(octets, side)
        postpone(exchange.client)
    }

    private mutating func endResponse(_ connection: HTTP2TargetConnection, _ slot: Int, _ trailers: Head?) {
        let side = side(connection, slot)
        side.stream.isEndReceived = true
        guard let exchange = side.exchange else {
            if let trailers { heads.put(trailers) }
            return
        }
        side.receivedTrailers = trailers
        postpone(exchange.client)
    }

    private mutating func closeStream(
        _ connection: HTTP2TargetConnection, _ slot: Int, _ ending: HTTP2Ending
    ) {
        let side = side(connection, slot)
        connection.streams[slot] = nil
        connection.streamCount -= 1
        side.stream.isReset = true
        switch ending {
        case .resetByOtherSide: counters.http2StreamsReset.add(.target)
        case .notProcessed:
            counters.http2StreamsReset.add(.target)
            side.wasRefused = true
        case .fault:
            counters.http2StreamFaults.add(.target)
            side.isMalformed = true
        case .complete, .resetByUs: break
        }
        if let exchange = side.exchange { postpone(exchange.client) }
    }

    // MARK: Its end

    /// All that is due was written or waits for the kernel.
    mutating func rest(_ connection: HTTP2TargetConnection) {
        if case .connecting = connection.phase { return }
        if connection.isFailed { return end(connection) }
        if case .open = connection.phase, connection.pool.draining != nil || finishDeadline != nil {
            connection.enter(.finishing)
        }
        if connection.streamCount == 0 {
            if case .finishing = connection.phase { return finish(connection) }
            limitIdle(connection.pool, connection.plan)
            if connection.isClosed { return }
        }
        if !connection.isPinged { schedule(connection, at: silenceDeadline(of: connection)) }
    }

    /// Until when the target may be silent: without streams a connection is kept for a while, with streams it has to be
    /// heard of, whatever we write to it.
    private func silenceDeadline(of connection: HTTP2TargetConnection) -> Instant {
        if connection.streamCount == 0 { return connection.lastActivity + connection.plan.poolIdleTimeout }
        return max(connection.lastReceived, connection.askedSince) + Limits.targetSilenceMax
    }

    /// Closes the oldest connections without streams that are more than a pool may keep.
    private mutating func limitIdle(_ pool: TargetPool, _ plan: GroupPlan) {
        guard pool.connections.count > plan.poolConnectionsMax else { return }
        let idle = pool.connections.filter { $0.isIdle }
        for connection in idle.dropLast(plan.poolConnectionsMax) { finish(connection) }
    }

    /// Says goodbye and closes: no stream is open.
    private mutating func finish(_ connection: HTTP2TargetConnection) {
        connection.session.finishShutdown()
        sendLast(connection)
        close(connection)
    }

    /// The connection has ended or broken, and with it all its exchanges.
    mutating func end(_ connection: HTTP2TargetConnection) {
        guard !connection.isClosed else { return }
        if case .connecting = connection.phase { return connectFailed(connection, timedOut: false) }
        let sides = connection.streams
        connection.streams = []
        connection.streamCount = 0
        close(connection)
        for case let side? in sides {
            side.stream.isReset = true
            if let exchange = side.exchange { postpone(exchange.client) }
        }
    }

    private mutating func close(_ connection: HTTP2TargetConnection) {
        keepResumption(of: connection.transport, connection.pool)
        connection.enter(.closed)
        connection.pool.connections.removeAll { $0 === connection }
        release(connection)
        counters.targetConnectionsActive.subtract()
    }

    // MARK: Deadlines

    /// Sets the connection's deadline, and its timer if that is before the one it is set to.
    private mutating func schedule(_ connection: HTTP2TargetConnection, at deadline: Instant) {
        connection.deadline = deadline
        guard deadline < connection.transport.timer else { return }
        connection.transport.timer = deadline
        timers.schedule(connection.transport.token, at: deadline)
    }

    /// The connection's timer has fired: acts if its deadline has come, or sets the timer again.
    mutating func targetTimerFired(_ connection: HTTP2TargetConnection) {
        connection.transport.timer = .distantFuture
        guard connection.deadline != .distantFuture else { return }
        guard connection.deadline <= now else { return schedule(connection, at: connection.deadline) }
        switch connection.phase {
        case .connecting:
            counters.timeouts.add(.targetConnect)
            connectFailed(connection, timedOut: true)
        case .open, .finishing: watch(connection)
        case .closed: preconditionFailure("HTTP/2 target: a deadline after closed")
        }
    }

    /// A connection was silent: one without streams is closed, the others are asked whether they live.
    private mutating func watch(_ connection: HTTP2TargetConnection) {
        if connection.isPinged { return end(connection) }
        let deadline = silenceDeadline(of: connection)
        guard deadline <= now else { return schedule(connection, at: deadline) }
        if connection.streamCount == 0 { return finish(connection) }
        connection.isPinged = true
        connection.session.ping()
        keepBusy(connection)
        schedule(connection, at: now + Limits.pingTimeout)
    }
}
