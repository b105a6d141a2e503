import Core
import HTTP1
import HTTP2
import Telemetry

/// HTTP/2 connections: reading frames, and writing what their streams have to say.
extension Worker {
    /// Reads and acts as long as there is something and the turn is not over.
    mutating func serve(_ connection: HTTP2Connection) {
        connection.session.beginTurn(HTTP2.Limits.turnWorkMax / turnDivisor)
        if let unread = connection.unread.take() {
            take(unread, connection)
            resources.buffers.release(unread)
        }
        let input = resources.frames
        while !connection.session.isTurnOver {
            guard !connection.isClosed, !connection.isFailed else { return }
            input.removeAll()
            switch connection.transport.receive(into: input, &resources) {
            case .got: take(input, connection)
            case .nothing: return markDirty(connection)
            case .ended, .failed: return connection.end(&self)
            }
        }
        delay(connection)
        markDirty(connection)
    }

    /// Hands the bytes of a connection in `input` to its session and acts on them. What the turn has no time for is
    /// kept for the next.
    mutating func take(_ input: Buffer, _ connection: HTTP2Connection) {
        let takenCount = take(input.bytes, connection)
        guard takenCount < input.count, !connection.isClosed, !connection.isFailed else { return }
        let unread = resources.buffers.acquireBulk()
        unread.append(input.bytes.extracting(takenCount..<input.count))
        connection.unread = resources.buffers.settle(consume unread)
    }

    private mutating func take(_ input: Span<UInt8>, _ connection: HTTP2Connection) -> Int {
        connection.lastActivity = now
        connection.unansweredSince = .distantFuture
        let takenCount = connection.session.receive(input, now: now)
        connection.countDropped(counters)
        if !connection.session.isInsideFrame {
            connection.partialSince = .distantFuture
        } else if connection.partialSince == .distantFuture {
            connection.partialSince = now
        }
        noteFault(of: connection)
        connection.handleEvents(input, &self)
        if !connection.blocked.isEmpty { resumeBlocked(connection) }
        markDirty(connection)
        return takenCount
    }

    /// Has a connection's frames written at the end of the pass.
    mutating func markDirty(_ connection: HTTP2Connection) {
        guard !connection.isBusy, !connection.isClosed else { return }
        connection.isBusy = true
        resources.dirtyConnections.append(connection)
    }

    /// Has every connection write that has something to say.
    mutating func flushDirtyConnections() {
        guard !resources.dirtyConnections.isEmpty else { return }
        let connections = resources.dirtyConnections
        resources.dirtyConnections.removeAll(keepingCapacity: true)
        for connection in connections {
            connection.isBusy = false
            if !connection.isClosed { writeOut(connection) }
        }
    }

    /// Writes the frames that are due, as far as the kernel takes them.
    private mutating func writeOut(_ connection: HTTP2Connection) {
        let sentBefore = connection.transport.sentCount
        var flushed = produce(connection)
        noteFault(of: connection)
        if flushed == .done, let outbound = connection.outbound {
            flushed = connection.transport.send(outbound, &resources)
        }
        if connection.transport.sentCount > sentBefore {
            connection.lastActivity = now
            connection.unansweredSince = min(connection.unansweredSince, now)
            connection.lastFlush = now
        } else if flushed == .done {
            connection.lastFlush = now
        }
        if let outbound = connection.outbound.take() {
            connection.outbound = resources.buffers.settle(consume outbound)
        }
        charge(connection)
        if flushed == .failed { return readLast(connection) }
        let nothing = InlineArray<0, UInt8>(repeating: 0)
        connection.handleEvents(nothing.span, &self)
        if flushed == .done && connection.isFull { resumeBlocked(connection) }
        if !connection.isClosed { connection.rest(&self) }
    }

    /// The connection takes nothing any more. What came before it broke still counts: a GOAWAY tells which requests
    /// were never seen, and may be sent again.
    private mutating func readLast(_ connection: HTTP2Connection) {
        connection.transport.isReadable = true
        for _ in 0..<Limits.lastTurnsMax where connection.mayRead && !connection.isClosed { serve(connection) }
        connection.end(&self)
    }

    /// Turns what is due into frames. `.blocked` if the kernel takes no more and `outbound` is full.
    private mutating func produce(_ connection: HTTP2Connection) -> Transport.WriteResult {
        let outbound = roomForFrames(connection)
        while !connection.session.produce(into: outbound) {
            switch connection.transport.send(outbound, &resources) {
            case .done:
                connection.lastActivity = now
                connection.lastFlush = now
            case .blocked:
                let before = outbound.freeCount
                outbound.compact()
                if outbound.freeCount == before {
                    connection.isFull = true
                    return .blocked
                }
            case .failed: return .failed
            }
        }
        return .done
    }

    /// Makes frames of a request's head at once; they are written at the end of the pass.
    mutating func frameRequest(on connection: HTTP2TargetConnection) {
        _ = produce(connection)
        markDirty(connection)
    }

    /// Makes frames of what is due and writes what the kernel takes at once: the last words of a connection.
    mutating func sendLast(_ connection: HTTP2Connection) {
        let outbound = roomForFrames(connection)
        _ = connection.session.produce(into: outbound)
        _ = connection.transport.send(outbound, &resources)
    }

    private mutating func roomForFrames(_ connection: HTTP2Connection) -> Buffer {
        if let waiting = connection.outbound.take() {
            let outbound = resources.buffers.enlarge(waiting)
            outbound.compact()
            connection.outbound = outbound
            return outbound
        }
        let outbound = resources.buffers.acquireLarge()
        connection.outbound = outbound
        return outbound
    }

    /// Charges the worker's budget with what the session has grown to.
    mutating func charge(_ connection: HTTP2Connection) {
        let held = connection.session.heldByteCount
        resources.buffers.charge(held - connection.sessionByteCount)
        connection.sessionByteCount = held
    }

    // MARK: Streams as sides

    /// Writes what waits in `side.outbound`, and the stream's end if it is due.
    mutating func flush(_ side: Side, _ stream: inout StreamState) -> Transport.WriteResult {
        guard hasToSend(side, stream) else { return .done }
        if stream.isReset { return .failed }
        guard !stream.isBlocked else { return .blocked }
        lend(side, stream)
        let before = side.outbound?.count ?? 0
        let result = produce(stream.connection)
        let flushed = takeBack(side, &stream, result)
        noteTaken(side, before - (side.outbound?.count ?? 0))
        return flushed
    }

    private func hasToSend(_ side: Side, _ stream: StreamState) -> Bool {
        !side.isOutboundEmpty || stream.isEnding && !stream.isEnded
    }

    private mutating func lend(_ side: Side, _ stream: StreamState) {
        stream.session.attach(stream.slot, side.outbound, isLast: stream.isEnding, trailers: stream.trailers)
    }

    private mutating func takeBack(_ side: Side, _ stream: inout StreamState, _ result: Transport.WriteResult)
        -> Transport.WriteResult
    {
        let isDone = stream.session.detach(stream.slot)
        markDirty(stream.connection)
        if result == .failed { return .failed }
        guard isDone else {
            block(side, &stream)
            return .blocked
        }
        if stream.isEnding {
            stream.isEnded = true
            if let trailers = stream.trailers.take() { resources.heads.put(trailers) }
        }
        return .done
    }

    private func block(_ side: Side, _ stream: inout StreamState) {
        stream.isBlocked = true
        stream.connection.blocked.append(side)
    }

    /// Writes what waits in `side.outbound` and then the first `count` bytes of `body`. Returns how many of `body`
    /// were taken, which are consumed; nil if the stream is over.
    mutating func write(_ side: Side, _ stream: inout StreamState, body: Buffer, count: Int) -> Int? {
        if stream.isReset { return nil }
        switch flush(side, &stream) {
        case .failed: return nil
        case .blocked: return 0
        case .done: break
        }
        let before = body.count
        stream.session.attach(stream.slot, body, count: count, isLast: false)
        let result = produce(stream.connection)
        let isDone = stream.session.detach(stream.slot)
        markDirty(stream.connection)
        if result == .failed { return nil }
        if !isDone { block(side, &stream) }
        noteTaken(side, before - body.count)
        return before - body.count
    }

    private func noteTaken(_ side: Side, _ count: Int) {
        guard count > 0 else { return }
        side.writtenCount += UInt64(count)
        side.lastActivity = now
    }

    /// Windows may have opened, or `outbound` has room again: all streams that wait for it go on together, so that the
    /// session decides by their priorities (RFC 9218) who is first.
    mutating func resumeBlocked(_ connection: HTTP2Connection) {
        let sides = connection.blocked
        connection.isFull = false
        connection.blocked.removeAll(keepingCapacity: true)
        for side in sides { side.lendAgain(&self) }
        let result = produce(connection)
        for side in sides { side.takeBack(result, &self) }
    }

    /// Lends what a blocked stream has to send to the session.
    mutating func lendAgain(_ side: Side, _ stream: inout StreamState) {
        stream.isBlocked = false
        guard !stream.isReset, hasToSend(side, stream) else { return }
        stream.lentCount = side.outbound?.count ?? 0
        lend(side, stream)
    }

    /// Takes back what was lent to the session. True if the stream is not blocked any more.
    mutating func takeBackAgain(_ side: Side, _ stream: inout StreamState, _ result: Transport.WriteResult) -> Bool {
        guard let before = stream.lentCount.take() else { return true }
        let flushed = takeBack(side, &stream, result)
        noteTaken(side, before - (side.outbound?.count ?? 0))
        return flushed != .blocked
    }

    /// Ends the body that goes out on a stream.
    mutating func endBody(_ side: Side, _ stream: inout StreamState, trailers: Head?) -> Transport.WriteResult {
        guard !stream.isEnding else { return flush(side, &stream) }
        stream.isEnding = true
        if let trailers, trailers.fieldCount > 0 {
            precondition(trailers === self.trailers, "stream: trailers from elsewhere")
            stream.trailers = trailers
            resources.trailers = resources.heads.take()
        }
        return flush(side, &stream)
    }

    /// Tells the session what was consumed of the stream's data, and settles its buffers.
    mutating func settle(_ side: Side, _ stream: inout StreamState) {
        settleBuffers(side)
        report(side.consumedCount, &stream)
    }

    /// Opens the stream's window by what was consumed since it was told last.
    mutating func report(_ consumedCount: UInt64, _ stream: inout StreamState) {
        guard consumedCount > stream.reportedCount else { return }
        let count = Int(consumedCount - stream.reportedCount)
        stream.reportedCount = consumedCount
        guard !stream.isReset, !stream.isEndReceived else { return }
        stream.session.consumed(stream.slot, count)
        markDirty(stream.connection)
    }

    /// Throws away what came in and was not taken: nobody asks for it any more.
    mutating func discardInbound(_ side: Side, _ stream: inout StreamState) {
        if let inbound = side.inbound, !inbound.isEmpty {
            side.consumedCount += UInt64(inbound.count)
            inbound.removeAll()
        }
        if let trailers = side.receivedTrailers.take() { resources.heads.put(trailers) }
        report(side.consumedCount, &stream)
    }

    /// Gives back what a connection has, and closes its socket.
    mutating func release(_ connection: HTTP2Connection, reset: Bool = false) {
        if let outbound = connection.outbound.take() { resources.buffers.release(consume outbound) }
        dropUnread(of: connection)
        resources.buffers.charge(-connection.sessionByteCount)
        connection.sessionByteCount = 0
        timers.cancel(connection.transport.token)
        slab.remove(connection.transport.token)
        connection.transport.close(reset: reset, &resources)
        connection.blocked = []
        reserve.restore()
    }

    /// Throws away what was read and not looked at: nothing more is taken from the connection.
    mutating func dropUnread(of connection: HTTP2Connection) {
        if let unread = connection.unread.take() { resources.buffers.release(consume unread) }
    }

    /// Notes and counts that a session was ended, and why.
    func noteFault(of connection: HTTP2Connection) {
        guard let fault = connection.session.fault, !connection.isFailed else { return }
        connection.isFailed = true
        connection.failedUntil = now + Limits.lingerTime
        counters.http2Faults.add(HTTP2FaultReason(fault))
    }

    /// Keeps data that came in on a stream until its exchange takes it. The window makes sure that it fits.
    mutating func receive(_ bytes: Span<UInt8>, _ side: Side) {
        let inbound: Buffer
        if let waiting = side.inbound.take() {
            inbound = resources.buffers.enlarge(waiting)
            inbound.compact()
        } else {
            inbound = resources.buffers.acquireLarge()
        }
        inbound.append(bytes)
        side.inbound = inbound
        side.lastActivity = now
    }
}

extension HTTP2FaultReason {
    fileprivate init(_ fault: HTTP2Fault) {
        self =
            switch fault {
            case .badPreface: .badPreface
            case .protocolError: .protocolError
            case .frameSize: .frameSize
            case .flowControl: .flowControl
            case .compression: .compression
            case .streamClosed: .streamClosed
            case .resetFlood: .resetFlood
            case .controlFlood: .controlFlood
            case .continuationFlood: .continuationFlood
            case .headFlood: .headFlood
            case .acknowledgementFlood: .acknowledgementFlood
            case .settingsFlood: .settingsFlood
            case .memory: .memory
            case .internalError: .internalError
            }
    }
}
