import Core
import HTTP1

// What an HTTP/1 connection does the same for a client as for a target: the bytes of its transport are the messages, so
// `inbound` is read from it and `outbound` written to it.
extension Side {
    /// Reads once from `transport` into `inbound`.
    final func fillInbound(from transport: inout Transport, _ resources: inout Resources) -> Transport.ReadResult {
        guard transport.mayReceive else { return transport.resultWithoutRead }
        let inbound: Buffer
        if let waiting = self.inbound.take() {
            inbound = resources.buffers.enlarge(waiting)
            inbound.compact()
        } else {
            inbound = resources.buffers.acquireBulk()
        }
        let result = transport.receive(into: inbound, &resources)
        self.inbound = consume inbound
        if result == .got { lastActivity = resources.now }
        return result
    }

    /// Writes what waits in `outbound` to `transport`.
    final func flushOutbound(to transport: inout Transport, _ resources: inout Resources) -> Transport.WriteResult {
        guard let outbound, !outbound.isEmpty else { return transport.flushSealed(&resources) }
        let before = outbound.count
        let result = transport.send(outbound, &resources)
        noteWritten(before - outbound.count, now: resources.now)
        return result
    }

    /// Writes what waits in `outbound` and then the first `count` bytes of `body`, from where they lie. Returns how
    /// many of `body` were taken, which are consumed; nil if the connection is dead.
    final func writeBody(
        _ body: Buffer, count: Int, to transport: inout Transport, _ resources: inout Resources
    ) -> Int? {
        let before = body.count
        let waiting = outbound?.count ?? 0
        guard transport.send(outbound, then: body, count: count, &resources) else { return nil }
        let taken = before - body.count
        noteWritten(taken + waiting - (outbound?.count ?? 0), now: resources.now)
        return taken
    }

    /// Writes what ends a body: the last chunk if it is chunked.
    final func endBody(
        trailers: Head?, to transport: inout Transport, _ resources: inout Resources
    ) -> Transport.WriteResult {
        guard sending == .chunked else { return flushOutbound(to: &transport, &resources) }
        let outbound = outboundBuffer(&resources)
        var trailers = trailers
        if outbound.freeCount < lastChunkByteCount(trailers: trailers) {
            if flushOutbound(to: &transport, &resources) == .failed { return .failed }
            outbound.compact()
            // A blocked sink keeps at most a buffer full; trailers that do not fit behind it are left out, as
            // RFC 9110 §6.5.1 allows, rather than held without bound.
            if outbound.freeCount < lastChunkByteCount(trailers: trailers) { trailers = nil }
        }
        writeLastChunk(trailers: trailers, into: outbound)
        return flushOutbound(to: &transport, &resources)
    }
}
