import Core
import HTTP1

extension Worker {
    /// How relaying a body went.
    enum Relay: Equatable {
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

    /// Passes a body on, in either direction: from what `source` decodes to what `sink.sending` says.
    ///
    /// Memory per direction is bounded by the source's `inbound` and the sink's `outbound`: when the sink takes
    /// nothing, both fill and reading stops. Pieces up to `Limits.copiedBytesMax` go behind the head, so that one write
    /// sends both; larger ones are written from where they lie. What is a request's body is kept for `exchange`, so
    /// that it can be sent again.
    mutating func relay(from source: Side, to sink: Side, keeping exchange: Exchange? = nil) -> Relay {
        var turnWork = 0
        let turnWorkMax = Limits.relayWorkPerTurnMax / turnDivisor
        while true {
            let inbound = source.inbound
            switch nextStep(source, inbound) {
            case .data(let skip, let count):
                consume(source, inbound, framing: skip)
                guard let inbound else { return .sinkGone }
                let before = inbound.count
                let result = forward(inbound, count, to: sink, keeping: exchange)
                let moved = before - inbound.count
                source.decoder.consume(moved)
                source.consumedCount += UInt64(moved)
                if result == nil { return .sinkGone }
                turnWork += moved + Limits.relayWorkPerPiece
                if moved < count && (moved == 0 || !sink.isWritable) { return .waiting }
                if turnWork >= turnWorkMax { return .turnOver }
            case .needMore(let skip):
                consume(source, inbound, framing: skip)
                if sink.flush(&self) == .failed { return .sinkGone }
                if turnWork >= turnWorkMax { return .turnOver }
                switch source.fill(&self) {
                case .got: continue
                case .nothing: return .waiting
                case .failed: return .sourceGone
                case .ended:
                    guard source.decoder.endOfStream() == .complete else { return .sourceGone }
                    guard let received = source.receivedTrailers.take() else { return endBody(to: sink, trailers: nil) }
                    resources.heads.put(trailers)
                    resources.trailers = received
                    loseTrailers(exchange)
                    return endBody(to: sink, trailers: trailers)
                }
            case .end(let skip):
                consume(source, inbound, framing: skip)
                loseTrailers(exchange)
                return endBody(to: sink, trailers: trailers)
            case .refused(let violation):
                return .sourceMalformed(violation)
            }
        }
    }

    /// Trailers are not kept: a request that has any is not sent again once they have gone out.
    private mutating func loseTrailers(_ exchange: Exchange?) {
        if let exchange, trailers.fieldCount > 0 { exchange.keptBody.lose(&resources.buffers) }
    }

    private func nextStep(_ source: Side, _ inbound: Buffer?) -> BodyStep {
        if let inbound { return source.decoder.next(inbound.bytes, trailers: trailers) }
        let nothing = InlineArray<0, UInt8>(repeating: 0)
        return source.decoder.next(nothing.span, trailers: trailers)
    }

    private func consume(_ source: Side, _ inbound: Buffer?, framing count: Int) {
        guard count > 0 else { return }
        inbound?.consume(count)
        source.consumedCount += UInt64(count)
    }

    /// Hands up to `count` bytes at the front of `inbound` to `sink`, framed as it wants. Returns how many were taken,
    /// which are consumed; nil if the sink is dead.
    mutating func forward(_ inbound: Buffer, _ count: Int, to sink: Side, keeping exchange: Exchange?) -> Int? {
        guard let exchange, exchange.state.phase != .tunnelling else { return forward(inbound, count, to: sink) }
        exchange.keptBody.keep(inbound, count: count, most: exchange.keptBytesMax, &resources.buffers)
        let before = inbound.count
        let moved = forward(inbound, count, to: sink)
        // A sink that dies on the way may have consumed some of it: that is kept, and the source has to know.
        exchange.keptBody.unkeep(count - (before - inbound.count))
        return moved
    }

    private mutating func forward(_ inbound: Buffer, _ count: Int, to sink: Side) -> Int? {
        if sink.sending == .chunked { return forwardChunk(inbound, count, to: sink) }
        let outbound = outbound(of: sink)
        if count <= Limits.copiedBytesMax && count <= outbound.freeCount {
            outbound.append(inbound.bytes.extracting(0..<count))
            inbound.consume(count)
            return count
        }
        return sink.write(body: inbound, count: count, &self)
    }

    private mutating func forwardChunk(_ inbound: Buffer, _ count: Int, to sink: Side) -> Int? {
        let outbound = outbound(of: sink)
        if outbound.freeCount <= chunkOverheadMax {
            if sink.flush(&self) == .failed { return nil }
            outbound.compact()
        }
        let size = min(count, outbound.freeCount - chunkOverheadMax)
        guard size > 0 else { return 0 }
        writeChunk(inbound.bytes.extracting(0..<size), into: outbound)
        inbound.consume(size)
        if outbound.count > Limits.copiedBytesMax {
            if sink.flush(&self) == .failed { return nil }
            outbound.compact()
        }
        return size
    }

    mutating func endBody(to sink: Side, trailers: Head?) -> Relay {
        sink.endBody(trailers: trailers, &self) == .failed ? .sinkGone : .ended
    }

    /// Writes what ends a body on an HTTP/1 connection.
    mutating func endHTTP1Body(_ sink: Side, trailers: Head?) -> Transport.WriteResult {
        guard sink.sending == .chunked else { return sink.flush(&self) }
        let outbound = outbound(of: sink)
        var trailers = trailers
        if outbound.freeCount < lastChunkByteCount(trailers: trailers) {
            if sink.flush(&self) == .failed { return .failed }
            outbound.compact()
            // A blocked sink keeps at most a buffer full; trailers that do not fit behind it are left out, as
            // RFC 9110 §6.5.1 allows, rather than held without bound.
            if outbound.freeCount < lastChunkByteCount(trailers: trailers) { trailers = nil }
        }
        writeLastChunk(trailers: trailers, into: outbound)
        return sink.flush(&self)
    }
}
