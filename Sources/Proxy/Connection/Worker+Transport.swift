import Core

/// Reading and writing of an HTTP/1 connection, whose bytes are messages as they come.
extension Worker {
    /// Reads once into `side.inbound`.
    mutating func fill(_ side: Side, _ transport: inout Transport) -> Transport.ReadResult {
        guard transport.mayReceive else { return transport.resultWithoutRead }
        let inbound: Buffer
        if let waiting = side.inbound.take() {
            inbound = resources.buffers.enlarge(waiting)
            inbound.compact()
        } else {
            inbound = resources.buffers.acquireBulk()
        }
        let result = transport.receive(into: inbound, &resources)
        side.inbound = consume inbound
        if result == .got { side.lastActivity = now }
        return result
    }

    /// Writes what waits in `side.outbound`.
    mutating func flush(_ side: Side, _ transport: inout Transport) -> Transport.WriteResult {
        guard let outbound = side.outbound, !outbound.isEmpty else { return transport.flushSealed(&resources) }
        let before = outbound.count
        let result = transport.send(outbound, &resources)
        noteWritten(side, before - outbound.count)
        return result
    }

    /// Writes what waits in `side.outbound` and then the first `count` bytes of `body`, from where they lie.
    /// Returns how many of `body` were taken, which are consumed; nil if the connection is dead.
    mutating func write(_ side: Side, _ transport: inout Transport, body: Buffer, count: Int) -> Int? {
        let before = body.count
        let waiting = side.outbound?.count ?? 0
        guard transport.send(side.outbound, then: body, count: count, &resources) else { return nil }
        let taken = before - body.count
        noteWritten(side, taken + waiting - (side.outbound?.count ?? 0))
        return taken
    }

    private func noteWritten(_ side: Side, _ count: Int) {
        guard count > 0 else { return }
        side.lastActivity = now
        side.writtenCount += UInt64(count)
    }

    /// The buffer for what goes out.
    mutating func outbound(of side: Side) -> Buffer {
        if let outbound = side.outbound {
            if outbound.capacity == Core.Limits.largeBufferBytes { return outbound }
            let larger = resources.buffers.enlarge(outbound)
            side.outbound = larger
            return larger
        }
        let outbound = resources.buffers.acquireLarge()
        side.outbound = outbound
        return outbound
    }

    /// Gives back buffers in which nothing waits, and moves what waits into smaller ones where it fits.
    mutating func settleBuffers(_ side: Side) {
        if let inbound = side.inbound.take() { side.inbound = resources.buffers.settle(consume inbound) }
        if let outbound = side.outbound.take() { side.outbound = resources.buffers.settle(consume outbound) }
    }

    /// Gives back both buffers with whatever is in them.
    mutating func discardBuffers(_ side: Side) {
        if let inbound = side.inbound.take() { resources.buffers.release(consume inbound) }
        if let outbound = side.outbound.take() { resources.buffers.release(consume outbound) }
    }
}
