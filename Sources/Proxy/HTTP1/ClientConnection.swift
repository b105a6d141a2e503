import Core
import HTTP1

/// An HTTP/1 connection that a client opened.
final class ClientConnection: ClientSide {
    var transport: Transport
    /// From when on a response is the last one; fixed at accept. Source: docs/elbv2.md, "HTTP connections".
    let keepAliveUntil: Instant
    private(set) var phase: Phase
    /// How far the end of an unfinished head was looked for.
    var scan = HeadScan()
    /// When an incomplete request head must be complete; far away while none has begun.
    var headDeadline = Instant.distantFuture
    private var knownLocalAddress: SocketAddress?

    /// What the connection is doing.
    enum Phase {
        /// The PROXY header is awaited, until the instant at most.
        case proxyHeader(until: Instant)
        /// The TLS handshake is under way, until the instant at most.
        case handshaking(since: Instant)
        /// Between requests, or in the middle of a request head.
        case reading
        /// A request is being served: `exchange` is set.
        case exchanging
        /// Answered and shut; what still comes in is thrown away until the client closes, or the instant has come.
        case lingering(until: Instant, bytesLeft: Int)
        /// Closed. The object may outlive the socket by the rest of a call.
        case closed
    }

    init(transport: Transport, address: SocketAddress, listener: Listener, now: Instant) {
        self.transport = transport
        keepAliveUntil = now + listener.settings.clientKeepAlive
        if !listener.settings.trustedProxies.isEmpty {
            phase = .proxyHeader(until: now + listener.settings.proxyHeaderTimeout)
        } else {
            phase = transport.tls == nil ? .reading : .handshaking(since: now)
        }
        super.init(address: address, listener: listener, tls: transport.tls, now: now)
    }

    /// Moves to another phase. Only from open to open phases, and from any to closed.
    func enter(_ next: Phase) {
        if case .closed = phase { preconditionFailure("client connection: \(next) after closed") }
        phase = next
    }

    /// Whether the client has said nothing since it connected, as far as it has been read: neither a byte of a request
    /// nor all of a TLS handshake.
    var isSilent: Bool {
        switch phase {
        case .proxyHeader, .handshaking: true
        case .reading: consumedCount == 0 && headDeadline == .distantFuture && (inbound?.isEmpty ?? true)
        case .exchanging, .lingering, .closed: false
        }
    }

    /// Whether no request is under way.
    var isIdle: Bool {
        switch phase {
        case .proxyHeader, .handshaking, .lingering: true
        // In the backlog there are requests that it has sent already.
        case .reading: !isBacklogged
        case .exchanging, .closed: false
        }
    }

    /// Bytes charged to the client: its own connection's, and those of the target that serves it.
    var chargedByteCount: Int {
        let own = heldByteCount + transport.heldByteCount
        guard let exchange else { return own }
        let kept = exchange.keptBody.heldByteCount
        return own + exchange.chargedByteCount + kept + (exchange.target?.heldByteCount ?? 0)
    }

    /// Asked of the kernel once, when something needs it.
    override var localAddress: SocketAddress? {
        if knownLocalAddress == nil { knownLocalAddress = transport.socket.localAddress }
        return knownLocalAddress
    }

    override var isClosed: Bool {
        if case .closed = phase { return true }
        return false
    }

    override var isFlushed: Bool { isOutboundEmpty && transport.isFlushed }
    override var isWritable: Bool { transport.isWritable }
    override var isEnded: Bool { transport.isEnded }
    override var isBroken: Bool { transport.isBroken }
    override func takenCount() -> UInt64 { transport.takenCount }
    override func hasTakenMore() -> Bool { transport.hasTakenMore(than: &takenAtLastLook) }

    override func fill(_ worker: inout Worker) -> Transport.ReadResult { worker.fill(self, &transport) }
    override func flush(_ worker: inout Worker) -> Transport.WriteResult { worker.flush(self, &transport) }
    override func write(body: Buffer, count: Int, _ worker: inout Worker) -> Int? {
        worker.write(self, &transport, body: body, count: count)
    }
    override func endBody(trailers: Head?, _ worker: inout Worker) -> Transport.WriteResult {
        worker.endHTTP1Body(self, trailers: trailers)
    }

    override func advance(_ worker: inout Worker) { worker.advance(self) }
    override func rearm(_ worker: inout Worker) { worker.rearm(self) }

    /// A body that ends with the target's connection is chunked for clients that know chunks, so that their
    /// connection can go on and a truncated body shows.
    override func framing(of body: Framing, for exchange: Exchange) -> Framing {
        switch body {
        case .none, .length: body
        case .chunked, .untilClose: exchange.request.minorVersion > 0 ? .chunked : .untilClose
        }
    }

    override func mayFollow(_ exchange: Exchange, now: Instant) -> Bool {
        exchange.facts.isPersistent && now < keepAliveUntil
    }

    /// A client that speaks HTTP/1.0 does not know interim responses. Source: RFC 9110 §15.2.
    override func writeInterim(_ response: Head, _ exchange: Exchange, _ worker: inout Worker) {
        guard exchange.request.minorVersion > 0 else { return }
        let outbound = worker.outbound(of: self)
        guard outbound.count + responseHeadByteCount(response) <= Limits.interimBytesMax else { return }
        outbound.compact()
        writeResponseHead(response, framing: .none, connection: .none, into: outbound)
        _ = flush(&worker)  // a dead connection is noticed by the next read
    }

    override func writeHead(_ response: Head, _ exchange: Exchange, hasBody: Bool, _ worker: inout Worker) {
        let outbound = worker.outbound(of: self)
        outbound.compact()  // only interim responses can be waiting there: `Limits.interimBytesMax`
        writeResponseHead(response, framing: sending, connection: connectionOption(exchange), into: outbound)
    }

    /// What the response says about the connection. HTTP/1.0 clients must be told that it goes on. RFC 9112 §9.3.
    private func connectionOption(_ exchange: Exchange) -> ConnectionOption {
        if exchange.clientPersistence != .persistent { return .close }
        return exchange.request.minorVersion == 0 ? .keepAlive : .none
    }

    override func finish(keeps: Bool, _ worker: inout Worker) {
        if keeps {
            enter(.reading)
        } else {
            worker.closeAfterAnswer(self)
        }
    }

    /// A body that only the connection's end delimits would look complete after a FIN, though some of it still waits.
    override func abort(isResponseDone: Bool, _ worker: inout Worker) {
        worker.close(self, reset: sending == .untilClose && !(isResponseDone && isFlushed))
    }
}
