import Core
import HTTP1

extension Side {
    /// How relaying a body went.
    enum RelayResult: Equatable {
        /// The source has nothing more now, or the sink takes nothing more now.
        case waiting
        /// There is more to do, after others had their turn.
        case turnOver
        /// The body was read to its end and handed to the sink's connection; what the kernel did not take yet waits
        /// in the sink's `outbound`.
        case ended
        /// The source's connection ended before the body did.
        case sourceGone
        /// What the source sent is not HTTP.
        case sourceMalformed(Violation)
        /// The sink's connection is dead.
        case sinkGone
    }

    /// Passes a body on, in either direction: from what this side decodes to what `sink.sending` says, until that is
    /// more work than `workMax`.
    ///
    /// Memory per direction is bounded by the source's `inbound` and the sink's `outbound`: when the sink takes
    /// nothing, both fill and reading stops. Pieces up to `Limits.copiedBytesMax` go behind the head, so that one write
    /// sends both; larger ones are written from where they lie. What is a request's body is kept for `exchange`, so
    /// that it can be sent again.
    final func relayBody(
        to sink: Side, keeping exchange: Exchange? = nil, workMax: Int, _ resources: inout Resources
    ) -> RelayResult {
        var work = 0
        while true {
            let inbound = inbound
            switch nextStep(inbound, resources.trailers) {
            case .data(let skip, let count):
                consumeFraming(skip, of: inbound)
                guard let inbound else { return .sinkGone }
                let before = inbound.count
                let result = sink.takeBody(inbound, count, keeping: exchange, &resources)
                let moved = before - inbound.count
                decoder.consume(moved)
                consumedCount += UInt64(moved)
                if result == nil { return .sinkGone }
                work += moved + Limits.relayWorkPerPiece
                if moved < count && (moved == 0 || !sink.isWritable) { return .waiting }
                if work >= workMax { return .turnOver }
            case .needMore(let skip):
                consumeFraming(skip, of: inbound)
                if sink.flushOutbound(&resources) == .failed { return .sinkGone }
                if work >= workMax { return .turnOver }
                switch fillInbound(&resources) {
                case .got: continue
                case .nothing: return .waiting
                case .failed: return .sourceGone
                case .ended: return relayEnd(to: sink, keeping: exchange, &resources)
                }
            case .end(let skip):
                consumeFraming(skip, of: inbound)
                loseTrailers(exchange, &resources)
                return sink.takeEnd(trailers: resources.trailers, &resources)
            case .refused(let violation):
                return .sourceMalformed(violation)
            }
        }
    }

    /// The source has ended: so does its body, if that knows no other end or has come to it.
    private final func relayEnd(
        to sink: Side, keeping exchange: Exchange?, _ resources: inout Resources
    ) -> RelayResult {
        guard decoder.endOfStream() == .complete else { return .sourceGone }
        guard let received = receivedTrailers.take() else { return sink.takeEnd(trailers: nil, &resources) }
        resources.heads.put(resources.trailers)
        resources.trailers = received
        loseTrailers(exchange, &resources)
        return sink.takeEnd(trailers: received, &resources)
    }

    /// Trailers are not kept: a request that has any is not sent again once they have gone out.
    private final func loseTrailers(_ exchange: Exchange?, _ resources: inout Resources) {
        if let exchange, resources.trailers.fieldCount > 0 { exchange.keptBody.lose(&resources.buffers) }
    }

    private final func nextStep(_ inbound: Buffer?, _ trailers: Head) -> BodyStep {
        if let inbound { return decoder.next(inbound.bytes, trailers: trailers) }
        let nothing = InlineArray<0, UInt8>(repeating: 0)
        return decoder.next(nothing.span, trailers: trailers)
    }

    private final func consumeFraming(_ count: Int, of inbound: Buffer?) {
        guard count > 0 else { return }
        inbound?.consume(count)
        consumedCount += UInt64(count)
    }

    // MARK: The sink

    /// Takes up to `count` bytes at the front of `source` to be sent, framed as `sending` says, and keeps them for
    /// `exchange`. Returns how many were taken, which are consumed; nil if this side is dead.
    final func takeBody(
        _ source: Buffer, _ count: Int, keeping exchange: Exchange?, _ resources: inout Resources
    ) -> Int? {
        guard let exchange, exchange.state.phase != .tunnelling else { return takeBody(source, count, &resources) }
        exchange.keptBody.keep(source, count: count, most: exchange.keptBytesMax, &resources.buffers)
        let before = source.count
        let moved = takeBody(source, count, &resources)
        // A sink that dies on the way may have consumed some of it: that is kept, and the source has to know.
        exchange.keptBody.unkeep(count - (before - source.count))
        return moved
    }

    private final func takeBody(_ source: Buffer, _ count: Int, _ resources: inout Resources) -> Int? {
        if sending == .chunked { return takeChunk(source, count, &resources) }
        let outbound = outboundBuffer(&resources)
        if count <= Limits.copiedBytesMax && count <= outbound.freeCount {
            outbound.append(source.bytes.extracting(0..<count))
            source.consume(count)
            return count
        }
        return writeBody(source, count: count, &resources)
    }

    private final func takeChunk(_ source: Buffer, _ count: Int, _ resources: inout Resources) -> Int? {
        let outbound = outboundBuffer(&resources)
        if outbound.freeCount <= chunkOverheadMax {
            if flushOutbound(&resources) == .failed { return nil }
            outbound.compact()
        }
        let size = min(count, outbound.freeCount - chunkOverheadMax)
        guard size > 0 else { return 0 }
        writeChunk(source.bytes.extracting(0..<size), into: outbound)
        source.consume(size)
        if outbound.count > Limits.copiedBytesMax {
            if flushOutbound(&resources) == .failed { return nil }
            outbound.compact()
        }
        return size
    }

    /// Ends the body that goes out.
    final func takeEnd(trailers: Head?, _ resources: inout Resources) -> RelayResult {
        endBody(trailers: trailers, &resources) == .failed ? .sinkGone : .ended
    }
}
