import Core
import HTTP1

/// An HTTP/1 connection to a target.
final class TargetConnection: TargetSide {
    var transport: Transport
    let group: Group
    /// The name that TLS has asked for; empty without TLS.
    let serverName: [UInt8]
    private(set) var phase = Phase.connecting
    /// Its place in `IdleConnections`, while it is idle.
    var idlePlace = 0
    /// How far the end of an unfinished head was looked for.
    var scan = HeadScan()
    /// When connecting has taken too long, or idling; while busy, when it is looked whether the target is heard.
    var deadline = Instant.distantFuture
    /// An exchange was completed on it.
    var hasServed = false
    /// `transport.sentCount` when its exchange took it: what is beyond was sent for this exchange.
    private var sentAtStart: UInt64 = 0

    /// What the connection is doing.
    enum Phase {
        /// connect(2) is under way, or the TLS handshake behind it. Without an exchange, which another target has
        /// taken, it goes into its pool.
        case connecting
        /// In its pool.
        case idle
        /// Serving `exchange`.
        case busy
        /// Closed. The object may outlive the socket by the rest of a call.
        case closed
    }

    /// Moves to another phase: into use and out of it, and from any open one to closed. Any other step traps.
    func enter(_ next: Phase) {
        switch (phase, next) {
        case (.connecting, .idle), (.connecting, .busy), (.idle, .busy), (.busy, .idle), (.connecting, .closed),
            (.idle, .closed), (.busy, .closed):
            phase = next
        case (_, .connecting), (.idle, .idle), (.busy, .busy), (.closed, _):
            preconditionFailure("target connection: \(next) after \(phase)")
        }
    }

    /// Its group's plan, as it is now.
    var plan: GroupPlan { group.plan }

    init(transport: Transport, pool: TargetPool, group: Group, serverName: [UInt8] = [], now: Instant) {
        self.group = group
        self.serverName = serverName
        self.transport = transport
        super.init(pool: pool, now: now)
    }

    override var isFlushed: Bool { isOutboundEmpty && transport.isFlushed }
    override var isWritable: Bool { transport.isWritable }
    override var isEnded: Bool { transport.isEnded }
    override var isBroken: Bool { transport.isBroken }
    override func takenCount() -> UInt64 { transport.takenCount }
    override func hasTakenMore() -> Bool { transport.hasTakenMore(than: &takenAtLastLook) }

    override var kind: Kind { .connection(self) }

    override func fillInbound(_ resources: inout Resources) -> Transport.ReadResult {
        fillInbound(from: &transport, &resources)
    }
    override func flushOutbound(_ resources: inout Resources) -> Transport.WriteResult {
        flushOutbound(to: &transport, &resources)
    }
    override func writeBody(_ body: Buffer, count: Int, _ resources: inout Resources) -> Int? {
        writeBody(body, count: count, to: &transport, &resources)
    }
    override func endBody(trailers: Head?, _ resources: inout Resources) -> Transport.WriteResult {
        endBody(trailers: trailers, to: &transport, &resources)
    }

    /// A reset may overtake the acknowledgement of a request that was read, and acted on; an end carries it. So a reset
    /// says nothing, unless our kernel had not taken anything either.
    override func isUnprocessed(isUnresponsive: Bool) -> Bool {
        if transport.sentCount == sentAtStart { return true }
        guard transport.hasFIN || isUnresponsive && wasGone else { return false }
        return transport.takenCount <= sentAtStart
    }

    /// What arrives after a FIN is acknowledged while the target's program may still read it, and answered with a reset
    /// once the program has closed the connection. Until either comes, nobody knows. Source: RFC 9293 §3.6; RFC 2525
    /// §2.17.
    override var mayStillRead: Bool {
        transport.hasFIN && !transport.isDead && transport.sentCount > sentAtStart
            && transport.takenCount <= sentAtStart
    }

    /// When `mayStillRead` was looked at first, for its exchange.
    var mayStillReadSince: Instant?

    private var wasGone: Bool { exchange?.attemptBeganAt.map { pool.wasGone(at: $0) } ?? false }

    /// It ended while the request was on its way, as targets end idle connections whenever they like.
    override var wasRetired: Bool { hasServed && transport.hasFIN && isUnprocessed(isUnresponsive: false) }

    /// Serves an exchange from now on.
    func join(_ exchange: Exchange) {
        enter(.busy)
        self.exchange = exchange
        transport.restartWatch()
        sentAtStart = transport.sentCount
        mayStillReadSince = nil
    }

    override func writeHead(_ exchange: Exchange, framing: Framing, _ resources: inout Resources) {
        scan.reset()
        writeRequestHead(exchange.request, framing: framing, into: outboundBuffer(&resources))
    }

    override func readHead(_ exchange: Exchange, _ resources: inout Resources) -> HeadStep {
        while true {
            if let inbound, !inbound.isEmpty {
                exchange.responseProgress.receive(.bytes)
                let result = parseResponseHead(
                    inbound.bytes, into: resources.response, requestIsHEAD: exchange.facts.isHEAD, scan: &scan)
                switch result {
                case .complete(let head):
                    inbound.consume(head.byteCount)
                    scan.reset()
                    if resources.response.status >= 200 { decoder = BodyDecoder(head.framing, isLenient: true) }
                    return .complete(head)
                case .refused(let violation): return .malformed(.violation(violation))
                case .needMore: break
                }
            }
            switch fillInbound(&resources) {
            case .got: continue
            case .nothing: return .nothing
            case .ended, .failed: return .gone
            }
        }
    }

    /// Continues to read only if the poller has reported the connection's end: then there is nothing to wait for.
    override func checkBody(_ resources: inout Resources) -> BodyCheck {
        var decoder = decoder
        var index = 0
        while let inbound {
            switch decoder.next(inbound.bytes.extracting(index..<inbound.count), trailers: resources.trailers) {
            case .data(let skip, let count):
                index += skip + count
                decoder.consume(count)
            case .needMore(let skip):
                index += skip
                guard transport.isEndAnnounced else { return .sound }
                switch fillInbound(&resources) {
                case .got: continue
                case .nothing: return .sound
                case .ended: return decoder.endOfStream() == .complete ? .sound : .gone
                case .failed: return .gone
                }
            case .end: return .sound
            case .refused(let violation): return .malformed(.violation(violation))
            }
        }
        return .sound
    }

    override func shutdownWrite(_ resources: inout Resources) { transport.shutdownWrite(&resources) }
    override func readAgain() { transport.isReadable = true }

    /// Whether nothing is left of the last exchange: a byte more than the response, even one that may still be in
    /// the kernel or in TLS, or an end that was seen, would be taken for the next one's.
    var isClean: Bool {
        isInboundEmpty && !transport.mayReceive && isFlushed && !transport.isEndAnnounced && !isEnded
            && !isWriteDead && pool.draining == nil
    }
}
