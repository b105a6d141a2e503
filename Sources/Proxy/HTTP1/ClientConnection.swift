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
        /// The TLS handshake is under way, since the instant; `apus.tls_handshake_timeout.seconds` bounds it.
        case handshaking(since: Instant)
        /// Between requests, or in the middle of a request head.
        case reading
        /// A request is being served: `exchange` is set.
        case exchanging
        /// The last response was sent and our direction ended; input is discarded until the client closes or the
        /// deadline (lingering close).
        case lingering(until: Instant, bytesLeft: Int)
        /// Closed. The object may outlive the socket by the rest of a call.
        case closed
    }

    init(transport: Transport, address: SocketAddress, listener: WorkerListener, now: Instant) {
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
        case .reading: consumedCount == 0 && headDeadline == .distantFuture && isInboundEmpty
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

    override var localAddress: SocketAddress? {
        listener.localAddress(of: transport.socket, known: &knownLocalAddress)
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
    override func writeInterim(_ response: Head, _ exchange: Exchange, _ resources: inout Resources) {
        guard exchange.request.minorVersion > 0 else { return }
        let outbound = outboundBuffer(&resources)
        guard outbound.count + responseHeadByteCount(response) <= Limits.interimBytesMax else { return }
        outbound.compact()
        writeResponseHead(response, framing: .none, connection: .none, into: outbound)
        _ = flushOutbound(&resources)  // a dead connection is noticed by the next read
    }

    override func writeHead(_ response: Head, _ exchange: Exchange, hasBody: Bool, _ resources: inout Resources) {
        let outbound = outboundBuffer(&resources)
        outbound.compact()  // only interim responses can be waiting there: `Limits.interimBytesMax`
        writeResponseHead(response, framing: sending, connection: connectionOption(exchange), into: outbound)
    }

    /// What the response says about the connection. HTTP/1.0 clients must be told that it stays open. RFC 9112 §9.3.
    private func connectionOption(_ exchange: Exchange) -> ConnectionOption {
        if exchange.clientPersistence != .persistent { return .close }
        return exchange.request.minorVersion == 0 ? .keepAlive : .none
    }

    // MARK: Between exchanges

    /// What looking for a request's head found.
    enum RequestStep {
        /// The head was read into the one given.
        case complete(ParsedHead)
        /// It is not HTTP, or refused for what it is.
        case refused(Violation)
        /// The client begins with HTTP/2, which the listener lets it.
        case http2
        /// It is not complete. If any of it has come, `headDeadline` is set.
        case waiting
        /// The client has ended or broken the connection before a whole head had come.
        case gone
    }

    /// Whether something of a request is there, or a read brings it: `.got`.
    func awaitRequest(_ resources: inout Resources) -> Transport.ReadResult {
        isInboundEmpty ? fillInbound(&resources) : .got
    }

    /// Reads until a request's head is complete, as far as that goes without waiting. Something of it is there.
    /// `scratch` is where one is written anew that mode `monitor` takes although it is not to the letter.
    func readRequestHead(into request: Head, scratch: Head, _ resources: inout Resources) -> RequestStep {
        while let inbound {
            switch http2Preface(inbound) {
            case .whole: return .http2
            case .begun: break
            case .none:
                let result =
                    listener.settings.desyncMode == .monitor
                    ? parseMonitoredRequestHead(
                        inbound.bytes, into: request, scratch: scratch, options: listener.options, scan: &scan)
                    : parseRequestHead(inbound.bytes, into: request, options: listener.options, scan: &scan)
                switch result {
                case .complete(let head):
                    inbound.consume(head.byteCount)
                    return .complete(head)
                case .refused(let violation): return .refused(violation)
                case .needMore: break
                }
            }
            guard case .got = fillInbound(&resources) else { return awaitRestOfHead(now: resources.now) }
        }
        preconditionFailure("client: a head without a buffer")
    }

    /// How much of HTTP/2's preface there is.
    private enum Preface { case none, begun, whole }

    /// Whether the client begins with HTTP/2 where it may. Source: RFC 9113 §3.3, §3.4.
    private func http2Preface(_ inbound: Buffer) -> Preface {
        guard listener.settings.speaksH2C, tls == nil, consumedCount == 0 else { return .none }
        let preface: StaticString = "pri * http/2.0\r\n\r\nsm\r\n\r\n"
        let count = min(preface.utf8CodeUnitCount, inbound.count)
        guard inbound.bytes.begins(with: preface, count: count) else { return .none }
        return count == preface.utf8CodeUnitCount ? .whole : .begun
    }

    /// A head has begun and is not complete: the absolute deadline runs from its first bytes.
    private func awaitRestOfHead(now: Instant) -> RequestStep {
        if isEnded { return .gone }
        if headDeadline == .distantFuture { headDeadline = now + listener.settings.headTimeout }
        return .waiting
    }

    /// A request's head was read, or could not be: the next one is looked for from the start.
    func endHead() {
        enter(.exchanging)
        scan.reset()
        headDeadline = .distantFuture
    }

    /// Throws away what has come and was not looked at, and counts it as part of the request.
    func discardInbound() {
        guard let inbound else { return }
        consumedCount += UInt64(inbound.count)
        inbound.removeAll()
    }

    /// When something has to be done about it if nothing happens. While its worker `isFinishing`, it waits a moment
    /// only for another request.
    func nextDeadline(isFinishing: Bool) -> Instant {
        switch phase {
        case .proxyHeader(let until): return until
        case .handshaking(let since): return since + listener.settings.handshakeTimeout
        case .reading:
            if headDeadline != .distantFuture { return headDeadline }
            let idle = listener.settings.idleTimeout(hasAsked: !isSilent).duration
            return lastActivity + (isFinishing ? min(idle, Limits.finishIdleTime) : idle)
        case .exchanging: return exchangeDeadline
        case .lingering(let until, _): return until
        case .closed: return .distantFuture
        }
    }

    // MARK: Its end

    /// Whether closing now could reset the last answer away, as the kernel does when something was not read.
    var hasUnread: Bool { transport.isReadable || !isInboundEmpty || !decoder.isComplete }

    /// Whether the client would take what was cut for the whole of it: a body that only the connection's end delimits
    /// looks complete after a FIN, though some of it still waits. Such a connection is reset.
    func looksComplete(isResponseDone: Bool) -> Bool {
        sending == .untilClose && !(isResponseDone && isFlushed)
    }

    /// What throwing away the input of a client that was answered came to.
    enum LingerStep {
        /// Nothing more has come by now.
        case waiting
        /// There is more to read, after others had their turn.
        case turnOver
        /// The client has closed, or has had its time or its bytes.
        case over
    }

    /// Reads and throws away what an answered client still sends, so that closing does not reset the answer away.
    func discardInput(_ resources: inout Resources) -> LingerStep {
        guard case .lingering(let until, var bytesLeft) = phase else {
            preconditionFailure("client connection: input thrown away before its end")
        }
        if transport.flushSealed(&resources) == .failed { return .over }
        var isMore = true
        for _ in 0..<Limits.readsPerTurnMax where isMore {
            if let inbound {
                bytesLeft -= inbound.count
                inbound.removeAll()
            }
            guard bytesLeft > 0, resources.now < until else { return .over }
            switch fillInbound(&resources) {
            case .got: break
            case .nothing: isMore = false
            case .ended, .failed: return .over
            }
        }
        enter(.lingering(until: until, bytesLeft: bytesLeft))
        return isMore ? .turnOver : .waiting
    }
}
