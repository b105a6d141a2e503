import Core
import Telemetry

extension Worker {
    /// How passing on in one direction went.
    private enum Passed {
        /// The source has nothing more now, or the sink takes nothing more now.
        case waiting
        /// There is more to do, after others had their turn.
        case turnOver
        /// The source has ended, and the sink was told.
        case ended
        case sourceBroke, sinkBroke
    }

    /// Passes on what can be, after something has happened at `side`: first what comes from there, then what waits for
    /// it to take more.
    mutating func relay(_ tunnel: Tunnel, from side: TunnelSide) {
        guard let other = tunnel.other(than: side) else { preconditionFailure("tunnel: open to nobody") }
        let there = pass(from: side, to: other, tunnel)
        if there == .sourceBroke { return sideBroke(side, tunnel) }
        if there == .sinkBroke {
            // What it said before it broke may be why: an error that it answered with, and closed. The failed write has
            // taken the reset from the kernel: what is read behind that looks like an end, and is none.
            other.transport.isReadable = true
            _ = pass(from: other, to: side, tunnel, endsToo: false)
            return sideBroke(other, tunnel)
        }
        var back = Passed.waiting
        if side.isBlocked || other.transport.mayReceive || other.transport.isEnded {
            back = pass(from: other, to: side, tunnel)
            if back == .sourceBroke { return sideBroke(other, tunnel) }
            if back == .sinkBroke { return sideBroke(side, tunnel) }
        }
        if there == .ended && back == .ended { return end(tunnel, .finished, by: tunnel.firstEnded) }
        if there == .turnOver || back == .turnOver { delay(tunnel) }
        rest(tunnel)
    }

    /// Passes on what `source` sends, until it has no more, `sink` takes no more, or the turn is over.
    ///
    /// What was read goes out from where it lies; the buffer is kept only for what is not taken. A read that leaves
    /// room has emptied the kernel's buffer, so that a message costs one read and one write. Without `endsToo` the sink
    /// is not told that the source has ended.
    private mutating func pass(
        from source: TunnelSide, to sink: TunnelSide, _ tunnel: Tunnel, endsToo: Bool = true
    ) -> Passed {
        var turnBytes = 0
        while true {
            if sink.isBlocked {
                switch flush(sink) {
                case .done: tunnel.lastActivity = now
                case .blocked: return .waiting
                case .failed: return .sinkBroke
                }
            }
            if source.transport.isEnded {
                if !endsToo { return .ended }
                if !source.transport.isBroken { tunnel.noteEnd(of: source) }
                sink.transport.shutdownWrite(&resources)
                return sink.isBlocked ? .waiting : .ended
            }
            if turnBytes >= Limits.relayWorkPerTurnMax / turnDivisor { return .turnOver }
            guard source.transport.mayReceive else { return .waiting }
            let buffer = resources.buffers.acquireBulk()
            let filled = source.transport.receive(into: buffer, &resources)
            guard filled == .got else {
                resources.buffers.release(buffer)
                switch filled {
                case .got, .ended: continue
                case .nothing: return .waiting
                case .failed: return .sourceBroke
                }
            }
            turnBytes += buffer.count
            note(buffer.count, from: source, tunnel)
            let sent = sink.transport.send(buffer, &resources)
            if buffer.isEmpty {
                resources.buffers.release(buffer)
            } else {
                sink.waiting = resources.buffers.settle(buffer)
            }
            switch sent {
            case .done: continue
            case .blocked: return .waiting
            case .failed: return .sinkBroke
            }
        }
    }

    private func note(_ count: Int, from source: TunnelSide, _ tunnel: Tunnel) {
        tunnel.lastActivity = now
        if source === tunnel.client {
            tunnel.record.receivedBytes += UInt64(count)
        } else {
            tunnel.record.sentBytes += UInt64(count)
        }
        counters.flowBytes.add(tunnel.record.kind, UInt64(count))
    }

    /// Writes what waits for a side.
    private mutating func flush(_ side: TunnelSide) -> Transport.WriteResult {
        guard let waiting = side.waiting else { return side.transport.flushSealed(&resources) }
        let result = side.transport.send(waiting, &resources)
        if waiting.isEmpty {
            side.waiting = nil
            resources.buffers.release(waiting)
        }
        return result
    }

    /// A side has reset its connection, or it broke: the other is told by a reset.
    mutating func sideBroke(_ side: TunnelSide, _ tunnel: Tunnel) {
        let party: FlowParty = side === tunnel.client ? .client : .target
        if let tls = side.transport.tls, let failure = tls.failure {
            tunnel.record.reason = TLSFailureReason(failure).label
            return end(tunnel, party == .client ? .clientTLS : .targetTLS, by: party)
        }
        end(tunnel, .reset, by: party)
    }

    /// Goes on with a tunnel whose turn it is.
    mutating func resume(_ tunnel: Tunnel) {
        switch tunnel.phase {
        case .open: relay(tunnel, from: tunnel.client)
        case .handshake: proceed(tunnel)
        case .proxyHeader, .clientHello, .connecting, .closed: break
        }
    }
}
