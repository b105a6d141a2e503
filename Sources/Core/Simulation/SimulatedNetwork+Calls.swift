#if DEBUG
    import Glibc

    /// What is asked about sockets. As from system calls, −1 is a failure, which is in `errno`.
    extension SimulatedNetwork {
        func makeStream() -> Int32 { insert(adopt(SimulatedStream(self))) }

        func bind(_ number: Int32, _ address: SocketAddress?) -> Int32 {
            stream(number).localAddress = address ?? .unspecified
            return 0
        }

        func connect(_ number: Int32, _ address: SocketAddress?) -> Int32 {
            elapse()
            let stream = stream(number)
            stream.remoteAddress = address ?? .unspecified
            if stream.localAddress.port == 0 { stream.localAddress = unusedAddress() }
            stream.state = .connecting
            post(.connect, to: stream)
            say(party, "\(stream) connects")
            return fail(EINPROGRESS)
        }

        func accept(_ number: Int32) -> (Int32, SocketAddress)? {
            elapse()
            let listener = self[number]
            guard !listener.waiting.isEmpty else {
                errno = EAGAIN
                return nil
            }
            let stream = listener.waiting.removeFirst()
            let accepted = insert(adopt(stream))
            say(party, "\(stream) is accepted")
            return (accepted, stream.remoteAddress)
        }

        func localAddress(_ number: Int32) -> SocketAddress {
            switch self[number].kind {
            case .stream(let stream): stream.localAddress
            case .listener(let address): address
            case .event, .poller: .unspecified
            }
        }

        func receive(_ number: Int32, into room: UnsafeMutableRawBufferPointer, peeks: Bool) -> Int {
            elapse()
            let stream = stream(number)
            let count = min(room.count, stream.incoming.count)
            guard count > 0 else {
                if stream.error != 0 { return Int(fail(takeError(number))) }
                if stream.hasReceivedEnd || stream.isReset { return 0 }
                return Int(fail(EAGAIN))
            }
            let incoming = stream.incoming
            let bytes = incoming.bytes
            unsafe bytes.extracting(first: count).withUnsafeBytes { unsafe room.copyMemory(from: $0) }
            say(party, "\(stream) \(peeks ? "looks at" : "reads") \(count)")
            if peeks { return count }
            stream.incoming.consume(count)
            if let other = stream.other, other.outgoing.count > other.travellingCount { post(.window, to: other) }
            return count
        }

        func send(_ number: Int32, _ pieces: [UnsafeRawBufferPointer]) -> Int {
            elapse()
            let stream = stream(number)
            if stream.error != 0 { return Int(fail(takeError(number))) }
            if stream.isShut || stream.isReset { return Int(fail(EPIPE)) }
            guard stream.state == .connected else { return Int(fail(EAGAIN)) }
            var taken = 0
            stream.outgoing.compact()
            for index in unsafe pieces.indices {
                let piece = unsafe pieces[index]
                let count = min(piece.count, stream.freeCount)
                _ = unsafe stream.outgoing.appendInPlace { room in
                    unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[..<count]))
                    return count
                }
                taken += count
                if count < piece.count { stream.wantsRoom = true }
            }
            stream.pump(self)
            say(party, "\(stream) writes \(taken)")
            return taken == 0 && stream.wantsRoom ? Int(fail(EAGAIN)) : taken
        }

        func shutdownWrite(_ number: Int32) {
            elapse()
            let stream = stream(number)
            guard stream.state == .connected, !stream.isReset else { return }
            say(party, "\(stream) ends its direction")
            stream.isShut = true
            stream.pump(self)
            stream.descriptor.wake()
        }

        func resetAtClose(_ number: Int32) { stream(number).resetsAtClose = true }

        func close(_ number: Int32) {
            elapse()
            let descriptor = self[number]
            unwatch(descriptor)
            remove(number)
            for stream in descriptor.waiting { abandon(stream) }
            descriptor.waiting = []
            guard case .stream(let stream) = descriptor.kind else { return }
            // What nobody will read is answered with a reset. Source: RFC 2525 §2.17.
            let isAborted = stream.resetsAtClose || !stream.incoming.isEmpty
            say(party, "\(stream) is \(isAborted ? "reset" : "closed")")
            if isAborted { abandon(stream) }
            stream.isClosed = true
            stream.isShut = true
            stream.pump(self)
        }

        private func abandon(_ stream: SimulatedStream) {
            stream.abort(self)
            stream.isClosed = true
        }

        func takeError(_ number: Int32) -> Int32 {
            let stream = stream(number)
            defer { stream.error = 0 }
            return stream.error
        }

        func unacknowledgedCount(_ number: Int32) -> Int {
            let stream = stream(number)
            return stream.outgoing.count + stream.arrivedCount
        }

        /// As in `tcp_info`: packets that are not acknowledged, probes that are not answered, milliseconds since the
        /// last acknowledgement.
        func acknowledgementInfo(_ number: Int32) -> (unacked: UInt32, probes: UInt8, lastHeard: UInt32) {
            let stream = stream(number)
            let silence = now.since(stream.heardAt) / 1_000_000
            // A side that lives answers the probes of a full window.
            if stream.travellingCount == 0 && stream.arrivedCount == 0 && !stream.outgoing.isEmpty {
                return (0, isSilent(stream) ? 2 : 0, UInt32(clamping: silence))
            }
            let isOwed = stream.travellingCount + stream.arrivedCount > 0
            return (isOwed ? 1 : 0, 0, UInt32(clamping: silence))
        }

        private func fail(_ code: Int32) -> Int32 {
            errno = code
            return -1
        }
    }
#endif
