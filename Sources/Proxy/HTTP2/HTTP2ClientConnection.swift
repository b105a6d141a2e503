import Core
import HTTP2

/// An HTTP/2 connection that a client opened: by ALPN, or by the preface where `apus.h2c.enabled` lets it.
///
/// It serves until it idles, is as old as it may become, or has served as many requests as it may; then two GOAWAYs
/// tell the client in turn, so that no request crosses the last one unseen. Source: RFC 9113 §6.8.
final class HTTP2ClientConnection: HTTP2Connection {
    let address: SocketAddress
    let listener: Listener
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
        transport: Transport, session: HTTP2Session, address: SocketAddress, listener: Listener,
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

    /// The address the client connected to; asked of the kernel once, when something needs it.
    var localAddress: SocketAddress? {
        if knownLocalAddress == nil { knownLocalAddress = transport.socket.localAddress }
        return knownLocalAddress
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

    override func handleEvents(_ input: Span<UInt8>, _ worker: inout Worker) { worker.handleEvents(of: self, input) }
    override func rest(_ worker: inout Worker) { worker.rest(self) }
    override func end(_ worker: inout Worker) { worker.end(self) }
}
