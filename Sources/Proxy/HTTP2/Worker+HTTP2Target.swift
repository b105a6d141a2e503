import Core
import HTTP1
import HTTP2
import Routing

/// HTTP/2 connections to targets.
extension Worker {
    /// Opens a stream for the exchange on a connection to `pool`'s target that has room. If there is none, the exchange
    /// is queued, and connections are opened as needed.
    mutating func requestStream(_ exchange: Exchange, _ pool: TargetPool, _ group: Group, _ name: [UInt8]) {
        if pool.queue.first(for: name) == nil, let connection = connectionWithRoom(exchange, pool, name) {
            counters.targetConnectionsReused.add()
            return openStream(exchange, connection, beganAt: now)
        }
        let ticket = pool.queue.append(exchange, for: name)
        exchange.record.target = pool.address
        exchange.attempts.wait(for: pool, ticket: ticket, now: now)
        awaitRace(exchange, group)
        openConnections(pool, group, name)
    }

    /// The first connection with room; for a retry the last one, because the connection that refused it is likely to
    /// end soon.
    private func connectionWithRoom(
        _ exchange: Exchange, _ pool: TargetPool, _ name: [UInt8]
    ) -> HTTP2TargetConnection? {
        exchange.attempts.count == 1
            ? pool.connections.first { $0.hasRoom && $0.serverName == name }
            : pool.connections.last { $0.hasRoom && $0.serverName == name }
    }

    private mutating func openStream(
        _ exchange: Exchange, _ connection: HTTP2TargetConnection, beganAt: Instant
    ) {
        joinTarget(exchange, TargetStream(connection, now: now), beganAt: beganAt)
    }

    /// Opens streams for queued exchanges as far as there is room, and opens connections for the rest.
    mutating func serveQueue(_ pool: TargetPool, _ group: Group) {
        guard !pool.queue.isEmpty else { return }
        for connection in pool.connections {
            while connection.hasRoom, let exchange = pool.queue.first(for: connection.serverName),
                let attempt = exchange.attempts.take(pool)
            {
                pool.queue.remove(ticket: attempt.ticket)
                let client = exchange.client
                openStream(exchange, connection, beganAt: attempt.beganAt)
                resources.deferToNextPass(client)
            }
        }
        if let name = pool.queue.firstName { openConnections(pool, group, name) }
    }

    /// Opens as many connections as the queued exchanges need: one while it is not known how many streams the target
    /// allows per connection, and one a second while it allows none.
    private mutating func openConnections(_ pool: TargetPool, _ group: Group, _ name: [UInt8]) {
        var ownCount = pool.connections.count { $0.serverName == name }
        var openingCount = pool.connections.count { $0.isOpening && $0.serverName == name }
        let streamCount = pool.streamCountMax ?? .max
        let mayOpen = streamCount > 0 || now.since(pool.openedAt) >= Limits.emptyConnectionInterval
        guard mayOpen || ownCount == 0 else { return }
        // Counting the exchanges that wait for this server name takes a walk over the queue, which is rarely needed.
        if openingCount > 0, (pool.queue.count - 1) / max(1, streamCount) < openingCount { return }
        let waitingCount = pool.queue.count(for: name)
        while waitingCount > 0, openingCount == 0 || (waitingCount - 1) / max(1, streamCount) >= openingCount,
            ownCount < Limits.http2ConnectionsPerTargetMax
        {
            switch openTransport(pool, group.tls, name) {
            case .failed(let code): return failQueue(pool, group, name, connectEnding(code))
            case .opened(let transport): add(transport, pool, group, name)
            }
            openingCount += 1
            ownCount += 1
        }
    }

    private mutating func add(_ transport: Transport, _ pool: TargetPool, _ group: Group, _ name: [UInt8]) {
        var settings = HTTP2Settings.target
        settings.streamCountBeforeSettings = max(1, pool.streamCountMax ?? 1)
        let session = HTTP2Session(.client, settings, heads: resources.heads, now: now)
        let connection = HTTP2TargetConnection(
            transport: transport, session: session, pool: pool, group: group, serverName: name, now: now)
        watchTarget(transport, as: .http2Target(connection))
        counters.targetHTTP2Connections.add()
        pool.connections.append(connection)
        pool.openedAt = now
        schedule(connection, at: now + group.plan.connectTimeout)
    }

    /// A connection could not be opened: unless there is another one, the exchanges that wait for it try another
    /// target.
    private mutating func failQueue(
        _ pool: TargetPool, _ group: Group, _ name: [UInt8], _ ending: AttemptOutcome.Ending
    ) {
        if pool.connections.contains(where: { $0.serverName == name && !$0.isEnding }) { return }
        // All are taken out of the queue before the first is handled, because some may be queued again.
        let failed = pool.queue.removeAll(for: name).map { exchange in
            guard let attempt = exchange.attempts.take(pool) else {
                preconditionFailure("HTTP/2: queued without waiting")
            }
            return (exchange, attempt)
        }
        for (exchange, attempt) in failed {
            let client = exchange.client
            connectFailed(exchange, pool, ending, beganAt: attempt.beganAt)
            resources.deferToNextPass(client)
        }
    }

    /// Acts on the socket of a connection.
    mutating func targetReady(_ connection: HTTP2TargetConnection, _ ready: Poller.Ready) {
        switch connection.phase {
        case .connecting:
            switch connection.transport.continueConnecting(ready, &resources) {
            case .waiting: return
            case .failed(let ending): return connectFailed(connection, ending)
            case .connected:
                // A target that does not speak HTTP/2 would take our preface for a malformed request.
                if let tls = connection.transport.tls, tls.applicationProtocol != .http2 {
                    resources.countTLSFailure(.noSharedProtocol, at: .target)
                    return connectFailed(connection, .handshakeFailed)
                }
                begin(connection)
            }
        case .open, .finishing:
            connection.transport.noteReady(ready)
            if connection.mayRead, !connection.isBacklogged {
                serve(connection)
            } else {
                resources.markDirty(connection)
            }
        case .closed: preconditionFailure("HTTP/2 target: an event after closed")
        }
    }

    private mutating func begin(_ connection: HTTP2TargetConnection) {
        connection.enter(.open)
        connection.deadline = .distantFuture
        connection.lastActivity = now
        connection.pool.recordResponsive(now: now)
        serveQueue(connection.pool, connection.group)
        serve(connection)
    }

    mutating func connectFailed(_ connection: HTTP2TargetConnection, _ ending: AttemptOutcome.Ending) {
        connection.isWithdrawn = true
        close(connection)
        failQueue(connection.pool, connection.group, connection.serverName, ending)
    }

    // MARK: Events of the session

    mutating func handleEvents(of connection: HTTP2TargetConnection, _ input: Span<UInt8>) {
        let session = connection.session
        var index = 0
        while index < session.eventCount, !connection.isClosed {
            let event = session.event(index)
            if let exchange = connection.unreadInterim(before: event) { readResponse(exchange) }
            connection.handleEvent(event, input, &resources)
            index += 1
        }
        session.removeEvents()
        serveQueue(connection.pool, connection.group)
    }

    // MARK: Shutdown and close

    /// Called once all due frames are written or wait for the kernel.
    mutating func finishTurn(_ connection: HTTP2TargetConnection) {
        if case .connecting = connection.phase { return }
        if connection.isFailed { return endConnection(connection) }
        serveQueue(connection.pool, connection.group)
        let isLast = connection.pool.queue.isEmpty && (connection.pool.draining != nil || finishDeadline != nil)
        if isLast, case .open = connection.phase { connection.enter(.finishing) }
        if connection.streamCount == 0 {
            if case .finishing = connection.phase { return closeUnused(connection) }
            limitIdle(connection.pool, connection.plan)
            if connection.isClosed { return }
        }
        schedule(connection, at: connection.nextDeadline)
    }

    /// Closes the oldest connections without streams, as far as there are more than a pool may keep.
    private mutating func limitIdle(_ pool: TargetPool, _ plan: GroupPlan) {
        guard pool.connections.count > plan.poolConnectionsMax else { return }
        let idle = pool.connections.filter { $0.isIdle }
        for connection in idle.dropLast(plan.poolConnectionsMax) { closeUnused(connection) }
    }

    /// Sends a last GOAWAY and closes: no stream is open.
    mutating func closeUnused(_ connection: HTTP2TargetConnection) {
        connection.session.finishShutdown()
        connection.writeLastFrames(&resources)
        close(connection)
        serveQueue(connection.pool, connection.group)
    }

    /// Ends a connection to a target that has ended or broken, with all its exchanges.
    mutating func endConnection(_ connection: HTTP2TargetConnection) {
        guard !connection.isClosed else { return }
        if connection.isConnecting { return connectFailed(connection, .connectFailed) }
        let streams = connection.endStreams()
        close(connection)
        for stream in streams { stream.deferExchange(&resources) }
        serveQueue(connection.pool, connection.group)
    }

    private mutating func close(_ connection: HTTP2TargetConnection) {
        keepResumption(of: connection.transport, connection.pool)
        connection.enter(.closed)
        connection.pool.connections.removeAll { $0 === connection }
        releaseConnection(connection, reset: connection.isWithdrawn)
        counters.targetConnectionsActive.subtract()
    }

    // MARK: Deadlines

    /// Sets the connection's deadline, and its timer if that is before the one it is set to.
    mutating func schedule(_ connection: HTTP2TargetConnection, at deadline: Instant) {
        connection.deadline = deadline
        setTimer(of: &connection.transport, at: deadline)
    }
}
