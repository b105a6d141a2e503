import Core
import Telemetry

extension Tunnel {
    /// How passing bytes on in one direction went.
    enum RelayResult: Equatable {
        /// The source has nothing more now, or the sink takes nothing more now.
        case waiting
        /// There is more to do, after others had their turn.
        case turnOver
        /// The source has ended, and the sink was told.
        case ended
        /// The source's connection has broken.
        case sourceBroke
        /// The sink's connection has broken.
        case sinkBroke
    }

    /// Passes on what `source` sends, until it has no more, `sink` takes no more, or `byteCountMax` bytes have gone.
    ///
    /// What was read goes out from where it lies; the buffer is kept only for what is not taken. A read that leaves
    /// room has emptied the kernel's buffer, so that a message costs one read and one write. Without `endsToo` the sink
    /// is not told that the source has ended.
    func relay(
        from source: TunnelSide, to sink: TunnelSide, endsToo: Bool = true, byteCountMax: Int,
        _ resources: inout Resources
    ) -> RelayResult {
        var relayedCount = 0
        while true {
            if sink.isBlocked {
                switch sink.flushWaiting(&resources) {
                case .done: lastActivity = resources.now
                case .blocked: return .waiting
                case .failed: return .sinkBroke
                }
            }
            if source.transport.isEnded {
                if !endsToo { return .ended }
                if !source.transport.isBroken { noteEnd(of: source) }
                sink.transport.shutdownWrite(&resources)
                return sink.isBlocked ? .waiting : .ended
            }
            if relayedCount >= byteCountMax { return .turnOver }
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
            relayedCount += buffer.count
            noteRelayed(buffer.count, from: source, resources)
            let sent = sink.transport.send(buffer, &resources)
            if buffer.isEmpty {
                resources.buffers.release(buffer)
            } else {
                sink.waiting = resources.buffers.shrink(buffer)
            }
            switch sent {
            case .done: continue
            case .blocked: return .waiting
            case .failed: return .sinkBroke
            }
        }
    }

    private func noteRelayed(_ count: Int, from source: TunnelSide, _ resources: borrowing Resources) {
        lastActivity = resources.now
        if source === client {
            record.receivedBytes += UInt64(count)
        } else {
            record.sentBytes += UInt64(count)
        }
        resources.counters.flowBytes.add(record.kind, UInt64(count))
    }
}

extension TunnelSide {
    /// Writes what waits for this side to take it.
    func flushWaiting(_ resources: inout Resources) -> Transport.WriteResult {
        guard let waiting else { return transport.flushSealed(&resources) }
        let result = transport.send(waiting, &resources)
        if waiting.isEmpty {
            self.waiting = nil
            resources.buffers.release(waiting)
        }
        return result
    }
}
