#if DEBUG
    import CLinux
    import Glibc

    /// One end of a TCP connection, as the kernel has it.
    ///
    /// Shape:  bytes wait in `outgoing` until they arrive in the other end's `incoming`, so each is held once.
    final class SimulatedStream: CustomStringConvertible {
        /// How far it has come.
        enum State { case fresh, connecting, connected }

        var state = State.fresh
        var other: SimulatedStream?
        /// Open or, once `isClosed`, the last one it had.
        var descriptor: SimulatedDescriptor!
        var localAddress = SocketAddress.unspecified
        var remoteAddress = SocketAddress.unspecified
        /// Of packets to this end.
        let latency: Nanoseconds
        let segmentBytesMax: Int
        /// The packets to this end arrive in the order in which they were sent.
        var lastArrival = Instant(nanoseconds: 0)
        let outgoing: Buffer
        let incoming: Buffer
        /// Bytes of `outgoing` that are on their way.
        var travellingCount = 0
        /// Bytes that have arrived and that this end does not know of yet.
        var arrivedCount = 0
        var isShut = false
        var hasSentEnd = false
        var hasReceivedEnd = false
        /// Of a reset, or a refusal; told once.
        var error: Int32 = 0
        /// No packet goes out any more, and none that comes means anything.
        var isReset = false
        /// What it has written does not arrive any more.
        var isLost = false
        var isClosed = false
        var resetsAtClose = false
        /// A write has found no room: tell when there is some.
        var wantsRoom = false
        var heardAt = Instant(nanoseconds: 0)

        init(_ network: SimulatedNetwork) {
            let conditions = network.conditions
            latency = network.random.next() % (conditions.latencyMax + 1)
            segmentBytesMax = 1 + network.random.next(below: conditions.segmentBytesMax)
            let room = max(1, conditions.bufferBytesMax - 1024)
            outgoing = Buffer(capacity: 1024 + network.random.next(below: room))
            incoming = Buffer(capacity: 1024 + network.random.next(below: room))
        }

        var description: String { "\(localAddress)↔\(remoteAddress)" }

        var freeCount: Int { outgoing.capacity - outgoing.count - arrivedCount }

        /// What epoll would say. Source: tcp_poll.
        var mask: UInt32 {
            if state != .connected && !isReset { return 0 }
            var mask: UInt32 = 0
            if !incoming.isEmpty || hasReceivedEnd || isReset { mask |= EPOLLIN.rawValue }
            if hasReceivedEnd || isReset { mask |= EPOLLRDHUP.rawValue }
            if isShut || isReset || freeCount * 3 >= outgoing.capacity { mask |= EPOLLOUT.rawValue }
            if isReset || isShut && hasReceivedEnd { mask |= EPOLLHUP.rawValue }
            if error != 0 { mask |= EPOLLERR.rawValue }
            return mask
        }

        private func wake() { if !isClosed { descriptor.wake() } }

        // MARK: Sending

        /// Sends what may go out.
        func pump(_ network: SimulatedNetwork) {
            guard state == .connected, !isReset, let other else { return }
            while true {
                let waiting = outgoing.count - travellingCount
                if waiting == 0 { break }
                // A closed end answers with a reset instead of taking bytes.
                let room = other.isClosed ? waiting : other.incoming.capacity - other.incoming.count - travellingCount
                guard room > 0 else { return }
                // Long bodies in tiny packets would only be slow.
                let segment = max(1 + network.random.next(below: segmentBytesMax), outgoing.count / 16)
                let count = min(waiting, room, segment)
                travellingCount += count
                network.post(.bytes(count), to: other)
            }
            guard isShut, !hasSentEnd else { return }
            hasSentEnd = true
            network.post(.end, to: other)
        }

        /// Ends both directions at once: what is on its way may arrive, what waits is lost.
        func abort(_ network: SimulatedNetwork) {
            guard !isReset else { return }
            isReset = true
            outgoing.truncate(by: outgoing.count - travellingCount)
            if let other { network.post(.reset, to: other, isOrdered: network.random.next() % 2 == 0) }
        }

        // MARK: Receiving

        /// Takes a packet. False if it means nothing any more.
        func receive(_ content: SimulatedPackets.Content, _ network: SimulatedNetwork) -> Bool {
            switch content {
            case .connect: return offer(network)
            case .accepted:
                heardAt = network.now
                guard !isClosed else {
                    if let other { network.post(.reset, to: other) }
                    return false
                }
                state = .connected
            case .refused:
                guard !isClosed else { return false }
                fail(connectionRefusedError)
            case .bytes(let count): return take(count, network)
            case .end:
                guard !isReset, !isClosed, let other, !other.isLost else { return false }
                heardAt = network.now
                hasReceivedEnd = true
            case .reset:
                guard !isReset else { return false }
                fail(hasReceivedEnd ? EPIPE : ECONNRESET)
            case .acknowledgement(let count):
                heardAt = network.now
                arrivedCount -= count
                guard wantsRoom, freeCount * 3 >= outgoing.capacity else { return false }
                wantsRoom = false
            case .window:
                heardAt = network.now
                pump(network)
                return false
            }
            wake()
            return true
        }

        private func fail(_ code: Int32) {
            error = code
            isReset = true
            loseOutgoing()
        }

        /// Nothing of what was written and has not arrived ever will.
        func loseOutgoing() {
            isLost = true
            outgoing.removeAll()
            travellingCount = 0
        }

        /// This end wants to connect, and the other host hears of it.
        private func offer(_ network: SimulatedNetwork) -> Bool {
            guard !isClosed else { return false }
            let listeners = network.listeners(at: remoteAddress)
            guard !listeners.isEmpty else {
                network.post(.refused, to: self)
                return true
            }
            let listener = listeners[network.random.next(below: listeners.count)]
            let end = SimulatedStream(network)
            end.state = .connected
            end.localAddress = remoteAddress
            end.remoteAddress = localAddress
            end.other = self
            other = end
            // Until it is accepted it belongs to the listening socket.
            end.descriptor = listener
            listener.waiting.append(end)
            listener.wake()
            network.post(.accepted, to: self)
            return true
        }

        private func take(_ count: Int, _ network: SimulatedNetwork) -> Bool {
            guard let sender = other, !sender.isLost else { return false }
            sender.travellingCount -= count
            heardAt = network.now
            guard !isClosed, !isReset else {
                sender.outgoing.consume(count)
                isReset = true
                network.post(.reset, to: sender)
                return false
            }
            incoming.compact()
            let outgoing = sender.outgoing
            let bytes = outgoing.bytes
            incoming.append(bytes.extracting(first: count))
            sender.outgoing.consume(count)
            sender.outgoing.compact()
            sender.arrivedCount += count
            network.post(.acknowledgement(count), to: sender)
            wake()
            return true
        }
    }
#endif
