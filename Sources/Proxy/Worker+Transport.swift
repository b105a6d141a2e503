import Core

extension Worker {
    /// What one read brought.
    enum Fill: Equatable {
        /// There is more in `inbound`.
        case got
        /// Nothing now, or no room.
        case nothing
        /// The other side will send no more.
        case ended
        /// The connection is dead.
        case failed
    }

    /// Reads once into `connection.inbound`. A read that leaves room has emptied the kernel's buffer: the next edge
    /// will say when there is more, so no read is made to learn that there is none.
    mutating func fill(_ connection: Connection) -> Fill {
        guard connection.isReadable else { return connection.isEnded ? .ended : .nothing }
        let inbound: Buffer
        if let waiting = connection.inbound.take() {
            inbound = buffers.enlarge(waiting)
            inbound.compact()
        } else {
            inbound = buffers.acquireLarge()
        }
        let room = inbound.freeCount
        let result = room > 0 ? connection.socket.read(into: inbound) : .wouldBlock
        connection.inbound = consume inbound
        guard room > 0 else { return .nothing }
        switch result {
        case .bytes(let count):
            if count < room && !connection.isEndAnnounced { connection.isReadable = false }
            connection.lastActivity = now
            countReceived(connection, count)
            return .got
        case .wouldBlock:
            connection.isReadable = false
            return .nothing
        case .endOfStream:
            connection.isReadable = false
            connection.isEnded = true
            return .ended
        case .failed:
            connection.isReadable = false
            connection.isEnded = true
            connection.isBroken = true
            return .failed
        }
    }

    /// What a write achieved.
    enum Flush: Equatable {
        /// Nothing waits any more.
        case done
        /// The kernel's buffer is full: the poller will say when it is not.
        case blocked
        /// The connection is dead.
        case failed
    }

    /// Writes what waits in `connection.outbound`.
    mutating func flush(_ connection: Connection) -> Flush {
        guard let outbound = connection.outbound, !outbound.isEmpty else { return .done }
        guard connection.isWritable else { return .blocked }
        switch connection.socket.write(outbound) {
        case .bytes(let count):
            countSent(connection, count)
            if outbound.isEmpty { return .done }
            connection.isWritable = false
            return .blocked
        case .wouldBlock:
            connection.isWritable = false
            return .blocked
        case .failed: return .failed
        }
    }

    /// Writes what waits in `connection.outbound` and then the first `count` octets of `body`, from where they lie.
    /// Returns how many of `body` were taken, which are consumed; nil if the connection is dead.
    mutating func write(_ connection: Connection, body: Buffer, count: Int) -> Int? {
        guard connection.isWritable else { return 0 }
        let before = body.count
        let waiting = connection.outbound?.count ?? 0
        let result: Socket.WriteResult
        if let outbound = connection.outbound, waiting > 0 {
            result = connection.socket.write(outbound, then: body, count: count)
        } else {
            result = connection.socket.write(body, count: count)
        }
        switch result {
        case .bytes(let written):
            countSent(connection, written)
            if written < waiting + count { connection.isWritable = false }
            return before - body.count
        case .wouldBlock:
            connection.isWritable = false
            return 0
        case .failed: return nil
        }
    }

    /// The buffer for what goes out.
    mutating func outbound(of connection: Connection) -> Buffer {
        if let outbound = connection.outbound {
            if outbound.capacity == Core.Limits.largeBufferBytes { return outbound }
            let larger = buffers.enlarge(outbound)
            connection.outbound = larger
            return larger
        }
        let outbound = buffers.acquireLarge()
        connection.outbound = outbound
        return outbound
    }

    /// Gives back buffers in which nothing waits, and moves what waits into smaller ones where it fits.
    mutating func settle(_ connection: Connection) {
        if let inbound = connection.inbound.take() { connection.inbound = buffers.settle(consume inbound) }
        if let outbound = connection.outbound.take() { connection.outbound = buffers.settle(consume outbound) }
    }

    /// Gives back both buffers with whatever is in them.
    mutating func discardBuffers(_ connection: Connection) {
        if let inbound = connection.inbound.take() { buffers.release(consume inbound) }
        if let outbound = connection.outbound.take() { buffers.release(consume outbound) }
    }

    private func countReceived(_ connection: Connection, _ count: Int) {
        switch connection.side {
        case .client: counters.clientBytesReceived.add(UInt64(count))
        case .target: counters.targetBytesReceived.add(UInt64(count))
        }
    }

    private func countSent(_ connection: Connection, _ count: Int) {
        connection.lastActivity = now
        connection.writtenCount += UInt64(count)
        switch connection.side {
        case .client: counters.clientBytesSent.add(UInt64(count))
        case .target: counters.targetBytesSent.add(UInt64(count))
        }
    }
}
