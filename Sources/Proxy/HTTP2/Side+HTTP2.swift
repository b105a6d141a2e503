import Core
import HTTP1
import HTTP2

// What an HTTP/2 stream does the same for a client as for a target. What it writes becomes frames at once, in the
// connection's `outbound`, as far as the stream's window and the room there let it. For that the session reads the
// bytes from where they lie: a buffer is attached to it for the time of one call, and detached again.
extension Side {
    /// Makes frames of what waits in `outbound`, and ends the stream if that is due.
    final func flushOutbound(to stream: inout StreamState, _ resources: inout Resources) -> Transport.WriteResult {
        guard hasToSend(stream) else { return .done }
        if stream.isReset { return .failed }
        guard !stream.isBlocked else { return .blocked }
        attachOutbound(to: stream)
        let before = outbound?.count ?? 0
        let produced = stream.connection.produceFrames(&resources)
        let result = detachOutbound(from: &stream, produced, &resources)
        noteWritten(before - (outbound?.count ?? 0), now: resources.now)
        return result
    }

    /// Makes frames of what waits in `outbound` and then of the first `count` bytes of `body`. Returns how many of
    /// `body` were taken, which are consumed; nil if the stream is over.
    final func writeBody(
        _ body: Buffer, count: Int, to stream: inout StreamState, _ resources: inout Resources
    ) -> Int? {
        if stream.isReset { return nil }
        switch flushOutbound(to: &stream, &resources) {
        case .failed: return nil
        case .blocked: return 0
        case .done: break
        }
        let before = body.count
        stream.session.attach(stream.slot, body, count: count, isLast: false)
        let produced = stream.connection.produceFrames(&resources)
        let isDone = stream.session.detach(stream.slot)
        resources.markDirty(stream.connection)
        if produced == .failed { return nil }
        if !isDone { block(&stream) }
        noteWritten(before - body.count, now: resources.now)
        return before - body.count
    }

    /// Ends the body that goes out.
    final func endBody(
        trailers: Head?, to stream: inout StreamState, _ resources: inout Resources
    ) -> Transport.WriteResult {
        guard !stream.isEnding else { return flushOutbound(to: &stream, &resources) }
        stream.isEnding = true
        if let trailers, trailers.fieldCount > 0 {
            precondition(trailers === resources.trailers, "stream: trailers from elsewhere")
            stream.trailers = trailers
            resources.trailers = resources.heads.take()
        }
        return flushOutbound(to: &stream, &resources)
    }

    // MARK: Streams that wait

    /// Attaches to the session what a blocked stream has to send, together with other streams.
    final func attachBlocked(to stream: inout StreamState) {
        stream.isBlocked = false
        guard !stream.isReset, hasToSend(stream) else { return }
        stream.attachedCount = outbound?.count ?? 0
        attachOutbound(to: stream)
    }

    /// Detaches it, after frames were made with the result `produced`. True if the stream is not blocked any more.
    final func detachBlocked(
        from stream: inout StreamState, _ produced: Transport.WriteResult, _ resources: inout Resources
    ) -> Bool {
        guard let before = stream.attachedCount.take() else { return true }
        let result = detachOutbound(from: &stream, produced, &resources)
        noteWritten(before - (outbound?.count ?? 0), now: resources.now)
        return result != .blocked
    }

    private final func hasToSend(_ stream: StreamState) -> Bool {
        !isOutboundEmpty || stream.isEnding && !stream.isEnded
    }

    private final func attachOutbound(to stream: StreamState) {
        stream.session.attach(stream.slot, outbound, isLast: stream.isEnding, trailers: stream.trailers)
    }

    private final func detachOutbound(
        from stream: inout StreamState, _ produced: Transport.WriteResult, _ resources: inout Resources
    ) -> Transport.WriteResult {
        let isDone = stream.session.detach(stream.slot)
        resources.markDirty(stream.connection)
        if produced == .failed { return .failed }
        guard isDone else {
            block(&stream)
            return .blocked
        }
        if stream.isEnding {
            stream.isEnded = true
            if let trailers = stream.trailers.take() { resources.heads.put(trailers) }
        }
        return .done
    }

    private final func block(_ stream: inout StreamState) {
        stream.isBlocked = true
        stream.connection.blocked.append(self)
    }

    // MARK: What comes in

    /// Keeps data that came in on the stream until its exchange, whose client is resumed for that, takes it. Without an
    /// exchange it is thrown away.
    final func takeData(
        _ bytes: Span<UInt8>, of stream: inout StreamState, for client: ClientSide?, _ resources: inout Resources
    ) {
        guard let client else {
            consumedCount += UInt64(bytes.count)
            return stream.reportConsumed(consumedCount, &resources)
        }
        appendInbound(bytes, &resources)
        resources.deferToNextPass(client)
    }

    /// The other side has ended its message: the exchange's client is resumed, if there is one.
    final func takeEnd(
        _ trailers: Head?, of stream: inout StreamState, for client: ClientSide?, _ resources: inout Resources
    ) {
        stream.isEndReceived = true
        guard let client else {
            if let trailers { resources.heads.put(trailers) }
            return
        }
        receivedTrailers = trailers
        resources.deferToNextPass(client)
    }

    /// The stream's window makes sure that it fits.
    private final func appendInbound(_ bytes: Span<UInt8>, _ resources: inout Resources) {
        let inbound: Buffer
        if let waiting = self.inbound.take() {
            inbound = resources.buffers.enlarge(waiting)
            inbound.compact()
        } else {
            inbound = resources.buffers.acquireLarge()
        }
        inbound.append(bytes)
        self.inbound = inbound
        lastActivity = resources.now
    }

    /// Gives back buffers in which nothing waits, and opens the stream's window by what was consumed.
    final func shrinkBuffers(of stream: inout StreamState, _ resources: inout Resources) {
        shrinkOwnBuffers(&resources)
        stream.reportConsumed(consumedCount, &resources)
    }

    /// Discards bytes that came in and were not taken: they are not needed any more.
    final func discardInbound(of stream: inout StreamState, _ resources: inout Resources) {
        if let inbound, !inbound.isEmpty {
            consumedCount += UInt64(inbound.count)
            inbound.removeAll()
        }
        if let trailers = receivedTrailers.take() { resources.heads.put(trailers) }
        stream.reportConsumed(consumedCount, &resources)
    }

    /// The stream is over: gives back everything that it holds.
    final func releaseStream(_ stream: inout StreamState, _ resources: inout Resources) {
        discardBuffers(&resources)
        if let trailers = stream.trailers.take() { resources.heads.put(trailers) }
        resources.markDirty(stream.connection)
    }
}
