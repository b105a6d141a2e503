import Core
import HTTP1
import HTTP2
import Telemetry

/// HTTP/2 connections of clients.
extension Worker {
    /// Goes on with a connection as HTTP/2, which its client has chosen.
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
        discardBuffers(client)
        if let received {
            session.beginTurn(HTTP2.Limits.turnWorkMax / turnDivisor)
            take(received, connection)
            resources.buffers.release(consume received)
        }
        serve(connection)
    }

    /// Acts on the socket of a client's HTTP/2 connection.
    mutating func clientReady(_ connection: HTTP2ClientConnection, _ ready: Poller.Ready) {
        connection.transport.noteReady(ready)
        if ready.isDead { return end(connection) }
        if case .lingering = connection.phase { return linger(connection) }
        if connection.mayRead, !connection.isBacklogged { serve(connection) } else { markDirty(connection) }
    }

    // MARK: What the session says

    mutating func handleEvents(of connection: HTTP2ClientConnection, _ input: Span<UInt8>) {
        let session = connection.session
        var index = 0
        while index < session.eventCount, !connection.isClosed {
            switch session.event(index) {
            case .head(let slot, let head, let isEnd): begin(connection, slot, head, isEnd: isEnd, refusal: nil)
            case .refusedHead(let slot, let head, let violation, let isEnd):
                begin(connection, slot, head, isEnd: isEnd, refusal: violation)
            case .data(let slot, let range): receive(connection, slot, input.extracting(range))
            case .end(let slot, let trailers): endRequest(connection, slot, trailers)
            case .closed(let slot, _, let ending): closeStream(connection, slot, ending)
            case .pingAcknowledged: if case .announcing = connection.phase { finishShutdown(connection) }
            case .faultyRequest(let fault): noteFaulty(connection, fault)
            case .goAway: counters.http2GoAways.add(.client)
            case .settings: break
            }
            index += 1
        }
        session.removeEvents()
    }

    /// A request's head has come.
    private mutating func begin(
        _ connection: HTTP2ClientConnection, _ slot: Int, _ head: Head, isEnd: Bool, refusal: Violation?
    ) {
        let stream = ClientStream(connection, slot: slot, now: now)
        while connection.streams.count <= slot { connection.streams.append(nil) }
        precondition(connection.streams[slot] == nil, "HTTP/2: a slot given twice")
        connection.streams[slot] = stream
        connection.streamCount += 1
        connection.requestCount += 1
        stream.stream.isEndReceived = isEnd
        // Bytes of a tunnel wait until there is one.
        stream.decoder = BodyDecoder(isEnd || head.isWebSocket ? .none : .untilClose)
        let exchange = freeExchanges.popLast() ?? Exchange()
        resources.heads.put(exchange.request)
        exchange.request = head
        startExchange(exchange, stream)
        stream.consumedCount += UInt64(head.byteCount)
        stream.stream.reportedCount = stream.consumedCount
        exchange.facts.isPersistent = true
        exchange.facts.isHEAD = head.bytes(head.method).equals("HEAD")
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
        if stream.exchange === exchange { deferToNextPass(stream) }
    }

    private mutating func receive(_ connection: HTTP2ClientConnection, _ slot: Int, _ bytes: Span<UInt8>) {
        guard let stream = connection.streams[slot] else { preconditionFailure("HTTP/2: data on no stream") }
        guard stream.exchange != nil else {
            // Answered already: what comes until the client has seen it is thrown away.
            stream.consumedCount += UInt64(bytes.count)
            return report(stream.consumedCount, &stream.stream)
        }
        receive(bytes, stream)
        deferToNextPass(stream)
    }

    private mutating func endRequest(_ connection: HTTP2ClientConnection, _ slot: Int, _ trailers: Head?) {
        guard let stream = connection.streams[slot] else { preconditionFailure("HTTP/2: an end on no stream") }
        stream.stream.isEndReceived = true
        if stream.exchange == nil {
            if let trailers { resources.heads.put(trailers) }
            return
        }
        stream.receivedTrailers = trailers
        deferToNextPass(stream)
    }

    private mutating func closeStream(
        _ connection: HTTP2ClientConnection, _ slot: Int, _ ending: HTTP2Ending
    ) {
        guard let stream = connection.streams[slot] else { preconditionFailure("HTTP/2: closed twice") }
        connection.streams[slot] = nil
        connection.streamCount -= 1
        connection.idleSince = now
        stream.stream.isReset = true
        switch ending {
        case .resetByOtherSide: counters.http2StreamsReset.add(.client)
        case .fault(let fault):
            countFault(fault)
            stream.exchange?.clientFault = fault.reasonCode
        case .complete, .resetByUs, .notProcessed: break
        }
        guard let exchange = stream.exchange else { return }
        if exchange.state.phase != .ended { return handle(exchange, .clientGone) }
        exchange.clientPersistence.revoke()
        finish(exchange)
    }

    /// A request that is none was reset by the session: it is counted and logged like one that is refused.
    private mutating func noteFaulty(_ connection: HTTP2ClientConnection, _ fault: HTTP2StreamFault) {
        countFault(fault)
        // One too many is told to come again, which is no fault of what it asked.
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
        giveUp(exchange, reasonCode: fault.reasonCode)
    }

    private func countFault(_ fault: HTTP2StreamFault) {
        counters.http2StreamFaults.add(.client)
        counters.clientStreamFaults.add(StreamFaultReason(fault))
    }

    // MARK: Its end

    /// Takes no new requests any more, and says so in two steps. Source: RFC 9113 §6.8.
    mutating func beginShutdown(_ connection: HTTP2ClientConnection) {
        guard case .serving = connection.phase else { return }
        connection.enter(.announcing(until: now + Limits.goAwayTime))
        connection.session.beginShutdown()
        connection.session.ping()
        markDirty(connection)
    }

    private mutating func finishShutdown(_ connection: HTTP2ClientConnection) {
        connection.announceEnd()
        markDirty(connection)
    }

    /// All that is due was written or waits for the kernel.
    mutating func rest(_ connection: HTTP2ClientConnection) {
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
        // A session is finished as well once the client has said GOAWAY and no stream is open: it answers nothing more.
        let isOver = connection.isFailed || connection.session.isFinished
        if isOver && connection.isFlushed { return beginLinger(connection) }
        rearm(connection, at: nextDeadline(of: connection))
    }

    private mutating func beginLinger(_ connection: HTTP2ClientConnection) {
        endStreams(connection)
        dropUnread(of: connection)
        connection.transport.shutdownWrite(&resources)
        connection.enter(.lingering(until: now + Limits.lingerTime))
        linger(connection)
    }

    /// Reads and throws away what a client still sends, so that closing does not reset the last frames away.
    private mutating func linger(_ connection: HTTP2ClientConnection) {
        if connection.transport.flushSealed(&resources) == .failed { return close(connection) }
        let input = resources.frames
        for _ in 0..<Limits.readsPerTurnMax {
            input.removeAll()
            switch connection.transport.receive(into: input, &resources) {
            case .got: continue
            case .nothing: return rearm(connection, at: nextDeadline(of: connection))
            case .ended, .failed: return close(connection)
            }
        }
        close(connection)
    }

    /// The client's connection has ended or broken: so have all its requests.
    mutating func end(_ connection: HTTP2ClientConnection) {
        guard !connection.isClosed else { return }
        endStreams(connection)
        close(connection)
    }

    private mutating func endStreams(_ connection: HTTP2ClientConnection) {
        for slot in connection.streams.indices where connection.streams[slot] != nil {
            connection.streams[slot]?.exchange?.clientFault = connection.session.fault?.reasonCode
            closeStream(connection, slot, .resetByUs)
        }
    }

    /// Gives back everything a connection has. It has no stream any more.
    private mutating func close(_ connection: HTTP2ClientConnection) {
        connection.enter(.closed)
        release(connection)
        clientCount -= 1
        counters.connectionsActive.subtract()
    }

    // MARK: Deadlines

    /// Sets the connection's timer if `deadline` is before the one it is set to.
    mutating func rearm(_ connection: HTTP2ClientConnection, at deadline: Instant) {
        guard deadline < connection.transport.timer else { return }
        connection.transport.timer = deadline
        timers.schedule(connection.transport.token, at: deadline)
    }

    private func nextDeadline(of connection: HTTP2ClientConnection) -> Instant {
        switch connection.phase {
        case .lingering(let until): return until
        case .closed: return .distantFuture
        case .serving:
            let idle = connection.streamCount == 0 ? idleDeadline(of: connection) : .distantFuture
            return min(idle, connection.keepAliveUntil, commonDeadline(of: connection))
        case .announcing(let until): return min(until, commonDeadline(of: connection))
        case .finishing: return commonDeadline(of: connection)
        }
    }

    /// The deadlines of every phase in which frames go both ways.
    private func commonDeadline(of connection: HTTP2ClientConnection) -> Instant {
        var deadline = min(flushDeadline(of: connection), connection.failedUntil, frameDeadline(of: connection))
        for case let stream? in connection.streams {
            deadline = min(deadline, stream.exchange == nil ? stream.lingerUntil : exchangeDeadline(of: stream))
        }
        return deadline
    }

    /// Source: docs/elbv2.md, "HTTP connections".
    private func idleDeadline(of connection: HTTP2ClientConnection) -> Instant {
        connection.idleSince + patience(with: connection).duration
    }

    private func patience(with connection: HTTP2ClientConnection) -> (duration: Nanoseconds, isFirstByte: Bool) {
        connection.listener.settings.patience(hasAsked: !connection.isSilent)
    }

    /// When the client has taken none of the frames that wait for it for too long.
    private func flushDeadline(of connection: HTTP2ClientConnection) -> Instant {
        connection.isFlushed ? .distantFuture : connection.lastFlush + connection.listener.settings.idleTimeout
    }

    /// When a head that has begun must be complete, as on HTTP/1.
    private func frameDeadline(of connection: HTTP2ClientConnection) -> Instant {
        connection.partialSince == .distantFuture
            ? .distantFuture : connection.partialSince + connection.listener.settings.headTimeout
    }

    /// The connection's timer has fired: acts on the deadlines that have come, and sets the timer again.
    mutating func clientTimerFired(_ connection: HTTP2ClientConnection) {
        connection.transport.timer = .distantFuture
        switch connection.phase {
        case .lingering(let until): if until <= now { return close(connection) }
        case .announcing(let until): if until <= now { finishShutdown(connection) }
        case .serving where connection.streamCount == 0 && idleDeadline(of: connection) <= now:
            return idledOut(connection)
        case .serving: if connection.keepAliveUntil <= now { beginShutdown(connection) }
        case .finishing: break
        case .closed: preconditionFailure("HTTP/2 client connection: a timer after closed")
        }
        if isOverdue(connection) { return end(connection) }
        for slot in connection.streams.indices {
            guard let stream = connection.streams[slot] else { continue }
            if stream.lingerUntil <= now { stream.endLinger(&self) }
            guard stream.exchange != nil, exchangeDeadline(of: stream) <= now else { continue }
            exchangeTimedOut(stream)
            stream.advance(&self)
        }
        // What was done about a deadline has moved it; if it has not, the worker must not turn on the spot.
        rearm(connection, at: max(nextDeadline(of: connection), now + Limits.timerPause))
    }

    /// Whether a client has kept the connection from going on for too long: by not reading, or by half a frame.
    private mutating func isOverdue(_ connection: HTTP2ClientConnection) -> Bool {
        if case .lingering = connection.phase { return false }
        if connection.failedUntil <= now { return true }
        if frameDeadline(of: connection) <= now {
            counters.timeouts.add(.requestHead)
            return true
        }
        guard flushDeadline(of: connection) <= now else { return false }
        if connection.transport.hasTakenMore(than: &connection.takenAtLastLook) {
            connection.lastFlush = now
            return false
        }
        counters.timeouts.add(.clientIdle)
        return true
    }

    private mutating func idledOut(_ connection: HTTP2ClientConnection) {
        counters.timeouts.add(patience(with: connection).isFirstByte ? .firstByte : .clientKeepAlive)
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
