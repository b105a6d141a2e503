import Core
import HTTP2
import Telemetry

/// An HTTP/2 connection to a target, on which many exchanges have their streams.
final class HTTP2TargetConnection: HTTP2Connection {
    let pool: TargetPool
    let group: Group
    /// The name that TLS has asked for; empty without TLS.
    let serverName: [UInt8]
    private(set) var phase = Phase.connecting
    /// By the session's slots.
    var streams: [TargetStream?] = []
    /// How many of them are there.
    var streamCount = 0
    /// When connecting has taken too long, or idling, or an answer to a PING is due.
    var deadline = Instant.distantFuture
    /// A PING was sent because the target was silent, and is not acknowledged yet.
    var isPinged = false
    /// When that was done last.
    var pingedAt: Instant?
    /// When its timer last looked whether the target is heard.
    var lookedAt: Instant
    /// The kernel must discard what it has not sent yet: the requests were sent to another target.
    var isWithdrawn = false

    /// What the connection is doing.
    enum Phase {
        /// connect(2) is under way, or the TLS handshake behind it.
        case connecting
        /// Streams may be opened.
        case open
        /// No new stream: the target or we have said so. Ends with the last one.
        case finishing
        /// Closed. The object may outlive the socket by the rest of a call.
        case closed
    }

    init(
        transport: Transport, session: HTTP2Session, pool: TargetPool, group: Group, serverName: [UInt8],
        now: Instant
    ) {
        self.serverName = serverName
        self.pool = pool
        self.group = group
        lookedAt = now
        super.init(transport: transport, session: session, now: now)
    }

    /// Its group's plan, as it is now.
    var plan: GroupPlan { group.plan }
    /// Whether it is being opened.
    var isConnecting: Bool {
        guard case .connecting = phase else { return false }
        return true
    }
    /// Whether it takes no new streams any more.
    var isEnding: Bool {
        switch phase {
        case .connecting, .open: false
        case .finishing, .closed: true
        }
    }

    /// `:scheme` of its requests: how this hop's connection is made. Source: RFC 9113 §8.3.1.
    var scheme: StaticString { transport.tls == nil ? "http" : "https" }

    /// Whether another exchange may have a stream on it.
    var hasRoom: Bool {
        guard case .open = phase else { return false }
        return !isPinged && !isFull && session.streamCapacity > 0
    }

    /// Whether it may have room as soon as it is open, or its settings are known.
    var isOpening: Bool {
        switch phase {
        case .connecting: true
        case .open: !session.hasReceivedSettings
        case .finishing, .closed: false
        }
    }

    /// Whether it is open and has no streams.
    var isIdle: Bool {
        guard case .open = phase else { return false }
        return streamCount == 0
    }

    /// The exchanges that have streams on it.
    var exchanges: [Exchange] { streams.compactMap { $0?.exchange } }

    /// Moves to another phase.
    func enter(_ next: Phase) {
        if case .closed = phase { preconditionFailure("HTTP/2 target connection: \(next) after closed") }
        phase = next
    }

    /// Takes in a stream that the session has opened.
    func open(_ side: TargetStream, _ slot: Int) {
        while streams.count <= slot { streams.append(nil) }
        precondition(streams[slot] == nil, "HTTP/2: a slot given twice")
        streams[slot] = side
        streamCount += 1
    }

    override var isClosed: Bool {
        if case .closed = phase { return true }
        return false
    }

    override var role: Role { .target(self) }

    /// Makes frames of a request's head at once; they are written at the end of the pass.
    func frameRequest(_ resources: inout Resources) {
        _ = produceFrames(&resources)
        resources.markDirty(self)
    }

    // MARK: What the session says

    /// Acts on an event of the session. `input` is what was handed to it.
    func handleEvent(_ event: HTTP2Event, _ input: Span<UInt8>, _ resources: inout Resources) {
        switch event {
        case .head(let slot, let head, let isEnd): takeHead(stream(slot), head, isEnd: isEnd, &resources)
        case .refusedHead, .faultyRequest: preconditionFailure("HTTP/2 target: a request")
        case .data(let slot, let range):
            let stream = stream(slot)
            stream.takeData(
                input.extracting(range), of: &stream.stream, for: stream.exchange?.client, &resources)
        case .end(let slot, let trailers):
            let stream = stream(slot)
            if let trailers, stream.exchange?.record.kind == .grpc, trailers.saysGRPCFailed {
                stream.exchange?.isSpoiled = true
            }
            stream.takeEnd(trailers, of: &stream.stream, for: stream.exchange?.client, &resources)
        case .closed(let slot, let code, let ending): closeStream(slot, code, ending, &resources)
        case .pingAcknowledged: isPinged = false
        case .goAway:
            resources.counters.http2GoAways.add(.target)
            if case .open = phase { enter(.finishing) }
        case .settings: pool.streamCountMax = session.remoteStreamCountMax
        }
    }

    /// The stream whose last head waits to be read, if the event is another one on it: an interim response that came in
    /// the same read.
    func unreadInterim(before event: HTTP2Event) -> Exchange? {
        guard case .head(let slot, _, _) = event else { return nil }
        let stream = stream(slot)
        return stream.pendingHead == nil ? nil : stream.exchange
    }

    private func stream(_ slot: Int) -> TargetStream {
        guard let stream = streams[slot] else { preconditionFailure("HTTP/2: an event on no stream") }
        return stream
    }

    private func takeHead(_ stream: TargetStream, _ head: Head, isEnd: Bool, _ resources: inout Resources) {
        stream.stream.isEndReceived = isEnd
        stream.lastActivity = resources.now
        guard let exchange = stream.exchange, exchange.state.phase == .waiting else { return resources.heads.put(head) }
        // What else this read has brought is looked at first: it may cut the answer, which nobody has seen yet.
        stream.pendingHead = head
        resources.deferToNextPass(exchange.client)
    }

    private func closeStream(
        _ slot: Int, _ code: HTTP2ErrorCode, _ ending: HTTP2Ending, _ resources: inout Resources
    ) {
        let stream = stream(slot)
        streams[slot] = nil
        streamCount -= 1
        stream.stream.isReset = true
        switch ending {
        case .resetByOtherSide:
            resources.counters.http2StreamsReset.add(.target)
            if plan.settings.forwardsStreamErrors { stream.forwardedCode = code }
        case .notProcessed:
            resources.counters.http2StreamsReset.add(.target)
            stream.wasRefused = true
        case .fault(let fault):
            resources.counters.http2StreamFaults.add(.target)
            stream.fault = fault
        case .complete, .resetByUs: break
        }
        stream.deferExchange(&resources)
    }

    /// The connection has ended or broken: takes out all its streams. An end carries the target's last acknowledgement;
    /// a reset may have overtaken it, and says nothing.
    func endStreams() -> [TargetStream] {
        let ended = streams.compactMap { $0 }
        streams = []
        streamCount = 0
        let takenCount = transport.hasFIN ? transport.takenCount : .max
        for stream in ended { stream.connectionEnded(takenCount: takenCount) }
        return ended
    }

    // MARK: Deadlines

    /// When something has to be done about it if nothing happens: without streams it is kept for a while; with streams
    /// acknowledgements are awaited after something was written.
    var nextDeadline: Instant {
        if streamCount == 0 { return lastActivity + plan.poolIdleTimeout }
        let limit = plan.attempts.unacknowledgedMax
        let due = transport.unacknowledgedSince + limit, next = lookedAt + limit
        // What was sent since the last look is looked at when its own time is over; what was looked at, once a limit.
        return min(due > lookedAt ? min(due, next) : next, pingDeadline)
    }

    /// When the answer to a PING is due, or when the next PING must be sent.
    var pingDeadline: Instant {
        if isPinged, let pingedAt { return pingedAt + Limits.pingTimeout }
        guard unansweredSince != .distantFuture else { return .distantFuture }
        let silent = unansweredSince + Limits.targetSilenceMax
        return max(silent, pingedAt.map { $0 + Limits.pingInterval } ?? silent)
    }
}
