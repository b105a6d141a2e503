import Core
import HTTP1
import HTTP2
import Telemetry

/// An HTTP/2 connection that a client opened: by ALPN, or by the preface where `apus.h2c.enabled` lets it.
///
/// It serves until it idles, is as old as it may become, or has served as many requests as it may; then two GOAWAYs
/// tell the client in turn, so that no request crosses the last one unseen. Source: RFC 9113 §6.8.
final class HTTP2ClientConnection: HTTP2Connection {
    let address: SocketAddress
    let listener: WorkerListener
    /// Names the connection in all logs.
    var trace: (high: UInt64, low: UInt64) = (0, 0)
    /// From when on it takes no further request. Source: docs/elbv2.md, "HTTP connections".
    let keepAliveUntil: Instant
    private(set) var phase = Phase.serving
    /// By the session's slots.
    var streams: [ClientStream?] = []
    /// How many of them are there.
    var streamCount = 0
    /// When the last stream ended: PINGs and other frames of the connection do not keep it.
    var idleSince: Instant
    /// Exchanges of its streams that may each have a connection to a target for themselves.
    var targetCount = 0
    /// Streams whose exchanges wait until there are fewer of them, oldest first.
    var waiting: [ClientStream] = []
    /// Requests begun, for the cap on them.
    var requestCount = 0
    private var knownLocalAddress: SocketAddress?

    /// What the connection is doing.
    enum Phase {
        /// Taking requests.
        case serving
        /// The first GOAWAY was sent; requests that crossed it are served. The second follows at the instant, or when
        /// the client has acknowledged the PING behind the first.
        case announcing(until: Instant)
        /// The second GOAWAY was sent: the streams there are end, and the connection with the last.
        case finishing
        /// Shut; what still comes in is thrown away until the client closes, or the instant has come.
        case lingering(until: Instant)
        /// Closed. The object may outlive the socket by the rest of a call.
        case closed
    }

    init(
        transport: Transport, session: HTTP2Session, address: SocketAddress, listener: WorkerListener,
        keepAliveUntil: Instant, now: Instant
    ) {
        self.address = address
        self.listener = listener
        self.keepAliveUntil = keepAliveUntil
        idleSince = now
        super.init(transport: transport, session: session, now: now)
    }

    /// Moves to another phase. Only from open to open phases, and from any to closed.
    func enter(_ next: Phase) {
        if case .closed = phase { preconditionFailure("HTTP/2 client connection: \(next) after closed") }
        phase = next
    }

    /// Names the last request that is served, unless that was said before.
    func announceEnd() {
        switch phase {
        case .serving, .announcing:
            enter(.finishing)
            session.finishShutdown()
        case .finishing, .lingering, .closed: break
        }
    }

    /// Whether no request has come yet: frames of the connection are no more than a handshake.
    var isSilent: Bool { requestCount == 0 && !isClosed }

    /// Whether no request is under way.
    var isIdle: Bool { streamCount == 0 && unread == nil && !isClosed }

    override var isLingering: Bool {
        if case .lingering = phase { return true }
        return false
    }

    override var isClosed: Bool {
        if case .closed = phase { return true }
        return false
    }

    /// The address the client connected to.
    var localAddress: SocketAddress? {
        listener.localAddress(of: transport.socket, known: &knownLocalAddress)
    }

    /// Bytes charged to the client: the connection's, its streams', and those of the targets that serve them.
    var chargedByteCount: Int {
        var count = heldByteCount
        for stream in streams {
            guard let stream else { continue }
            count += stream.heldByteCount
            if let exchange = stream.exchange {
                count += exchange.chargedByteCount + exchange.keptBody.heldByteCount
                count += exchange.target?.heldByteCount ?? 0
            }
        }
        return count
    }

    override var role: Role { .client(self) }

    // MARK: What the session says

    /// What an event of the session asks of the worker. What concerns one stream alone is done by then.
    enum EventStep {
        case nothing
        /// A request's head has come; `refusal` says what is wrong with it.
        case request(ClientStream, Head, isEnd: Bool, refusal: Violation?)
        /// A stream is over, and with it its exchange if it has one.
        case closed(ClientStream, HTTP2Ending)
        /// What came is no request: the session has reset the stream for this.
        case faultyRequest(HTTP2StreamFault)
        /// The client has seen the first GOAWAY: the second is due.
        case announced
    }

    /// Acts on an event of the session. `input` is what was handed to it.
    func handleEvent(_ event: HTTP2Event, _ input: Span<UInt8>, _ resources: inout Resources) -> EventStep {
        switch event {
        case .head(let slot, let head, let isEnd):
            return .request(openStream(slot, now: resources.now), head, isEnd: isEnd, refusal: nil)
        case .refusedHead(let slot, let head, let violation, let isEnd):
            return .request(openStream(slot, now: resources.now), head, isEnd: isEnd, refusal: violation)
        case .data(let slot, let range):
            let stream = stream(slot)
            let client = stream.exchange == nil ? nil : stream
            stream.takeData(input.extracting(range), of: &stream.stream, for: client, &resources)
        case .end(let slot, let trailers):
            let stream = stream(slot)
            let client = stream.exchange == nil ? nil : stream
            stream.takeEnd(trailers, of: &stream.stream, for: client, &resources)
        case .closed(let slot, _, let ending): return .closed(closeStream(slot, now: resources.now), ending)
        case .pingAcknowledged: if case .announcing = phase { return .announced }
        case .faultyRequest(let fault): return .faultyRequest(fault)
        case .goAway: resources.counters.http2GoAways.add(.client)
        case .settings: break
        }
        return .nothing
    }

    private func openStream(_ slot: Int, now: Instant) -> ClientStream {
        let stream = ClientStream(self, slot: slot, now: now)
        while streams.count <= slot { streams.append(nil) }
        precondition(streams[slot] == nil, "HTTP/2: a slot given twice")
        streams[slot] = stream
        streamCount += 1
        requestCount += 1
        return stream
    }

    private func stream(_ slot: Int) -> ClientStream {
        guard let stream = streams[slot] else { preconditionFailure("HTTP/2: an event on no stream") }
        return stream
    }

    /// A stream is over: its slot is free.
    func closeStream(_ slot: Int, now: Instant) -> ClientStream {
        let stream = stream(slot)
        streams[slot] = nil
        streamCount -= 1
        idleSince = now
        stream.stream.isReset = true
        return stream
    }

    // MARK: Connections to targets

    /// Whether the exchange of a stream may have a connection to a target for itself, of at most `countMax` for all
    /// streams. If not, the stream resumes it when it may.
    func takeTargetShare(
        for stream: ClientStream, _ exchange: Exchange, countMax: Int, _ resources: inout Resources
    ) -> Bool {
        if exchange.share == .held { return true }
        guard targetCount < countMax else {
            exchange.share.receive(.refused)
            resources.counters.shareWaits.add()
            waiting.append(stream)
            return false
        }
        exchange.share.receive(.granted)
        targetCount += 1
        return true
    }

    /// The exchange of a stream needs none any more: those that wait may ask again.
    func returnTargetShare(
        of stream: ClientStream, _ exchange: Exchange, countMax: Int, _ resources: inout Resources
    ) {
        let share = exchange.share
        exchange.share.receive(.released)
        switch share {
        case .none: break
        case .waiting:
            // One that was invited and leaves gives its place to another.
            guard stream.isInvited else { return waiting.removeAll { $0 === stream } }
            stream.isInvited = false
        case .held: targetCount -= 1
        }
        inviteWaiting(countMax: countMax, &resources)
    }

    /// Has streams ask for their share again, as many as there is room for: the share may have grown meanwhile.
    func inviteWaiting(countMax: Int, _ resources: inout Resources) {
        guard !waiting.isEmpty else { return }
        let count = min(waiting.count, max(0, countMax - targetCount))
        for next in waiting.prefix(count) {
            next.isInvited = true
            resources.deferToNextPass(next)
        }
        waiting.removeFirst(count)
    }

    // MARK: Its end

    /// What throwing away the input of a client that was told the end came to.
    enum LingerStep {
        /// Nothing more has come by now.
        case waiting
        /// The client has closed, or sends too much.
        case over
    }

    /// Reads and throws away what a client still sends, so that closing does not reset the last frames away.
    func discardInput(_ resources: inout Resources) -> LingerStep {
        if transport.flushSealed(&resources) == .failed { return .over }
        let input = resources.frames
        for _ in 0..<Limits.readsPerTurnMax {
            input.removeAll()
            switch transport.receive(into: input, &resources) {
            case .got: continue
            case .nothing: return .waiting
            case .ended, .failed: return .over
            }
        }
        return .over
    }
}
