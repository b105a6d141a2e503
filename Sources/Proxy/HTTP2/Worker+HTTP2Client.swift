import Core
import HTTP1
import HTTP2
import Telemetry

/// HTTP/2 connections of clients.
extension Worker {
    /// Continues a connection as HTTP/2, which its client has chosen.
    mutating func beginHTTP2(_ client: ClientConnection) {
        var settings = HTTP2Settings()
        settings.requestOptions = client.listener.options
        let session = HTTP2Session(.server, settings, heads: resources.heads, now: now)
        let connection = HTTP2ClientConnection(
            transport: client.transport, session: session, address: client.address, listener: client.listener,
            keepAliveUntil: client.keepAliveUntil, now: now)
        connection.trace = client.trace
        slab.replace(client.transport.token, with: .http2Client(connection))
        client.enter(.closed)
        counters.http2Connections.add()
        let received = client.inbound.take()
        client.discardBuffers(&resources)
        if let received {
            session.beginTurn(HTTP2.Limits.turnWorkMax / turnDivisor)
            takeFrames(received.bytes, connection)
            resources.buffers.release(consume received)
        }
        serve(connection)
    }

    /// Acts on the socket of a client's HTTP/2 connection.
    mutating func clientReady(_ connection: HTTP2ClientConnection, _ ready: Poller.Ready) {
        connection.transport.noteReady(ready)
        if ready.isDead { return endConnection(connection) }
        if case .lingering = connection.phase { return linger(connection) }
        if connection.mayRead, !connection.isBacklogged { serve(connection) } else { resources.markDirty(connection) }
    }

    // MARK: Events of the session

    mutating func handleEvents(of connection: HTTP2ClientConnection, _ input: Span<UInt8>) {
        let session = connection.session
        var index = 0
        while index < session.eventCount, !connection.isClosed {
            switch connection.handleEvent(session.event(index), input, &resources) {
            case .nothing: break
            case .request(let stream, let head, let isEnd, let refusal):
                beginRequest(stream, head, isEnd: isEnd, refusal: refusal)
            case .closed(let stream, let ending): streamClosed(stream, ending)
            case .faultyRequest(let fault): noteFaultyRequest(connection, fault)
            case .announced: finishShutdown(connection)
            }
            index += 1
        }
        session.removeEvents()
    }

    /// A request's head has come.
    private mutating func beginRequest(_ stream: ClientStream, _ head: Head, isEnd: Bool, refusal: Violation?) {
        stream.stream.isEndReceived = isEnd
        // Bytes for a WebSocket wait until the tunnel is open.
        stream.decoder = BodyDecoder(isEnd || head.isWebSocket ? .none : .untilClose)
        let exchange = freeExchanges.popLast() ?? Exchange()
        resources.heads.put(exchange.request)
        exchange.request = head
        startExchange(exchange, stream)
        stream.consumedCount += UInt64(head.byteCount)
        stream.stream.reportedCount = stream.consumedCount
        exchange.facts.isPersistent = true
        exchange.facts.isHEAD = head.methodID == .head
        exchange.record.isHTTP2 = true
        exchange.record.kind = head.isGRPC && !head.isWebSocket ? .grpc : .http2
        if exchange.record.kind == .grpc { counters.grpcRequests.add() }
        if let refusal {
            countRefusal(refusal)
            exchange.requestProgress.receive(.refused)
            answer(exchange, status: refusal.status, reasonCode: refusal.reasonCode)
        } else {
            decide(exchange)
        }
        if stream.exchange === exchange { resources.deferToNextPass(stream) }
    }

    /// Advances a stream's exchange as far as is possible without waiting.
    mutating func advance(_ stream: ClientStream) {
        guard let exchange = stream.exchange, !stream.isBacklogged else { return }
        if stream.isInvited {
            stream.isInvited = false
            exchange.share.receive(.invited)
            forward(exchange)
            // Where its group speaks HTTP/2 by now it takes no share, and so will not return one.
            if exchange.share == .none { stream.connection.inviteWaiting(countMax: targetShare, &resources) }
        }
        advanceExchange(exchange)
        guard stream.exchange === exchange else { return }
        stream.shrinkBuffers(&resources)
        // The connection's timer serves all its streams.
        rearm(stream.connection, at: stream.exchangeDeadline)
    }

    /// Whether the exchange may use a connection to a target now. If not, it is resumed when its client's connection
    /// has a share left. A client's HTTP/1 connection has one request at a time, so it always may.
    mutating func takeTargetShare(_ exchange: Exchange) -> Bool {
        guard case .stream(let stream) = exchange.client.kind else { return true }
        return stream.connection.takeTargetShare(for: stream, exchange, countMax: targetShare, &resources)
    }

    /// Returns the share of an exchange that needs no connection to a target any more.
    mutating func returnTargetShare(_ exchange: Exchange) {
        guard case .stream(let stream) = exchange.client.kind else { return }
        stream.connection.returnTargetShare(of: stream, exchange, countMax: targetShare, &resources)
    }

    /// A stream is over, and with it its exchange if it has one.
    private mutating func streamClosed(_ stream: ClientStream, _ ending: HTTP2Ending) {
        switch ending {
        case .resetByOtherSide: counters.http2StreamsReset.add(.client)
        case .fault(let fault):
            countStreamFault(fault)
            stream.exchange?.clientFault = fault.reasonCode
        case .complete, .resetByUs, .notProcessed: break
        }
        guard let exchange = stream.exchange else { return }
        if exchange.state.phase != .ended { return handle(exchange, .clientGone) }
        exchange.clientPersistence.revoke()
        finishExchange(exchange)
    }

    /// The session has reset a stream on which no valid request came: the stream is counted and logged like a refused
    /// request.
    private mutating func noteFaultyRequest(_ connection: HTTP2ClientConnection, _ fault: HTTP2StreamFault) {
        countStreamFault(fault)
        // A stream beyond the limit may be tried again: its request may be valid.
        if fault == .tooMuch { return }
        counters.nonCompliantRequests.add()
        let stream = ClientStream(connection, slot: -1, now: now)
        stream.stream.isReset = true
        let exchange = freeExchanges.popLast() ?? Exchange()
        startExchange(exchange, stream)
        exchange.requestProgress.receive(.refused)
        exchange.record.isHTTP2 = true
        exchange.record.kind = .http2
        exchange.record.status = 400
        abandonExchange(exchange, reasonCode: fault.reasonCode)
    }

    private func countStreamFault(_ fault: HTTP2StreamFault) {
        counters.http2StreamFaults.add(.client)
        counters.clientStreamFaults.add(StreamFaultReason(fault))
    }

    // MARK: Shutdown and close

    /// Begins a graceful shutdown (drain) with two GOAWAYs, and accepts no new requests. Source: RFC 9113 §6.8.
    mutating func beginShutdown(_ connection: HTTP2ClientConnection) {
        guard case .serving = connection.phase else { return }
        connection.enter(.announcing(until: now + Limits.goAwayTime))
        connection.session.beginShutdown()
        connection.session.ping()
        resources.markDirty(connection)
    }

    private mutating func finishShutdown(_ connection: HTTP2ClientConnection) {
        connection.announceEnd()
        resources.markDirty(connection)
    }

    /// Called once all due frames are written or wait for the kernel.
    mutating func finishTurn(_ connection: HTTP2ClientConnection) {
        switch connection.phase {
        case .serving:
            let isFull = connection.requestCount >= Limits.http2RequestsMax
            if isFull || now >= connection.keepAliveUntil || finishDeadline != nil || connection.listener.isRemoved {
                beginShutdown(connection)
            }
        case .announcing: break
        case .finishing: if connection.streamCount == 0 && connection.isFlushed { return beginLinger(connection) }
        case .lingering, .closed: return
        }
        // A session is also finished once the client has sent GOAWAY and no stream is open.
        let isOver = connection.isFailed || connection.session.isFinished
        if isOver && connection.isFlushed { return beginLinger(connection) }
        rearm(connection, at: connection.nextDeadline)
    }

    private mutating func beginLinger(_ connection: HTTP2ClientConnection) {
        endStreams(connection)
        connection.dropUnread(&resources)
        connection.transport.shutdownWrite(&resources)
        connection.enter(.lingering(until: now + Limits.lingerTime))
        linger(connection)
    }

    private mutating func linger(_ connection: HTTP2ClientConnection) {
        switch connection.discardInput(&resources) {
        case .waiting: rearm(connection, at: connection.nextDeadline)
        case .over: close(connection)
        }
    }

    /// Ends a client connection that has ended or broken, with all its requests.
    mutating func endConnection(_ connection: HTTP2ClientConnection) {
        guard !connection.isClosed else { return }
        endStreams(connection)
        close(connection)
    }

    private mutating func endStreams(_ connection: HTTP2ClientConnection) {
        for slot in connection.streams.indices where connection.streams[slot] != nil {
            let stream = connection.closeStream(slot, now: now)
            stream.exchange?.clientFault = connection.session.fault?.reasonCode
            streamClosed(stream, .resetByUs)
        }
    }

    /// Releases everything a connection holds. It has no streams any more.
    private mutating func close(_ connection: HTTP2ClientConnection) {
        connection.enter(.closed)
        releaseConnection(connection)
        clientCount -= 1
        counters.connectionsActive.subtract()
    }

    // MARK: Deadlines

    /// Sets the connection's timer if `deadline` is before the one it is set to.
    mutating func rearm(_ connection: HTTP2ClientConnection, at deadline: Instant) {
        setTimer(of: &connection.transport, at: deadline)
    }

    /// The connection's timer has fired: acts on the deadlines that have come, and sets the timer again.
    mutating func clientTimerFired(_ connection: HTTP2ClientConnection) {
        connection.transport.timer = .distantFuture
        switch connection.phase {
        case .lingering(let until): if until <= now { return close(connection) }
        case .announcing(let until): if until <= now { finishShutdown(connection) }
        case .serving where connection.streamCount == 0 && connection.idleDeadline <= now:
            return idledOut(connection)
        case .serving: if connection.keepAliveUntil <= now { beginShutdown(connection) }
        case .finishing: break
        case .closed: preconditionFailure("HTTP/2 client connection: a timer after closed")
        }
        if connection.isOverdue(&resources) { return endConnection(connection) }
        for slot in connection.streams.indices {
            guard let stream = connection.streams[slot] else { continue }
            if stream.lingerUntil <= now { stream.endLinger(&resources) }
            guard stream.exchange != nil, stream.exchangeDeadline <= now else { continue }
            exchangeTimedOut(stream)
            advance(stream)
        }
        // Handling a deadline moves it. If it did not, the pause keeps the worker from spinning.
        rearm(connection, at: max(connection.nextDeadline, now + Limits.timerPause))
    }

    private mutating func idledOut(_ connection: HTTP2ClientConnection) {
        counters.timeouts.add(connection.idleTimeout.isFirstByte ? .firstByte : .clientKeepAlive)
        connection.enter(.announcing(until: now))
        finishShutdown(connection)
        rearm(connection, at: now + Limits.lingerTime)
    }
}

extension StreamFaultReason {
    fileprivate init(_ fault: HTTP2StreamFault) {
        self =
            switch fault {
            case .badField: .badField
            case .badMessage: .badMessage
            case .flowControl: .flowControl
            case .streamClosed: .streamClosed
            case .tooMuch: .tooMuch
            case .violation: .violation
            case .other: .other
            }
    }
}
