import Core
import HTTP1
import HTTP2

/// One request and its response on an HTTP/2 connection to a target.
final class TargetStream: TargetSide {
    var stream: StreamState
    let connection: HTTP2TargetConnection
    /// A response head that came and was not looked at yet.
    var pendingHead: Head?
    /// The target has refused it, or said that it never saw it: the request may be sent again, whatever it is.
    /// Source: RFC 9113 §8.7, §6.8.
    var wasRefused = false
    /// The code with which the target has reset it, where clients are to get the same one.
    var forwardedCode: HTTP2ErrorCode?
    /// What came is no response: the session has reset the stream for this.
    var fault: HTTP2StreamFault?
    /// How many bytes of the connection were sent, or waited to be, before its own.
    private var sentBefore = UInt64.max

    init(_ connection: HTTP2TargetConnection, now: Instant) {
        self.connection = connection
        stream = StreamState(connection: connection, slot: -1)
        super.init(pool: connection.pool, now: now)
    }

    override var isFlushed: Bool { stream.isFlushed(self) }
    override var isWritable: Bool { !stream.isBlocked }
    override var isEnded: Bool { stream.isEndReceived || stream.isReset }
    override var isBroken: Bool { stream.isReset }
    override func takenCount() -> UInt64 { writtenCount }
    override func hasTakenMore() -> Bool { connection.transport.hasTakenMore(than: &takenAtLastLook) }

    override var kind: Kind { .stream(self) }

    override func fillInbound(_ resources: inout Resources) -> Transport.ReadResult { stream.resultWithoutRead }
    override func flushOutbound(_ resources: inout Resources) -> Transport.WriteResult {
        flushOutbound(to: &stream, &resources)
    }
    override func writeBody(_ body: Buffer, count: Int, _ resources: inout Resources) -> Int? {
        writeBody(body, count: count, to: &stream, &resources)
    }
    override func endBody(trailers: Head?, _ resources: inout Resources) -> Transport.WriteResult {
        endBody(trailers: trailers, to: &stream, &resources)
    }
    override func shrinkBuffers(_ resources: inout Resources) { shrinkBuffers(of: &stream, &resources) }
    override func attachBlocked() { attachBlocked(to: &stream) }
    override func detachBlocked(_ produced: Transport.WriteResult, _ resources: inout Resources) {
        if detachBlocked(from: &stream, produced, &resources) { deferExchange(&resources) }
    }

    /// Resumes its exchange in the next pass: bytes have arrived, or there is room to write.
    func deferExchange(_ resources: inout Resources) {
        if let exchange { resources.deferToNextPass(exchange.client) }
    }

    override func isUnprocessed(isUnresponsive: Bool) -> Bool {
        if wasRefused { return true }
        guard isUnresponsive, let beganAt = exchange?.attemptBeganAt, pool.wasGone(at: beganAt) else { return false }
        return connection.transport.takenCount <= sentBefore
    }

    override var isRefused: Bool { wasRefused }

    override var resetCode: HTTP2ErrorCode? { forwardedCode }

    override var wasRetired: Bool { wasRefused && connection.session.hasServedBeforeGoAway }

    /// The connection has ended by a FIN, when the target's kernel had acknowledged so many of its bytes.
    func connectionEnded(takenCount: UInt64) {
        stream.isReset = true
        if takenCount <= sentBefore { wasRefused = true }
    }

    /// The session frames the body. A stream that cannot be opened any more counts as refused.
    override func writeHead(_ exchange: Exchange, framing: Framing, _ resources: inout Resources) {
        sending = .untilClose
        let hasBody = framing != .none
        sentBefore = connection.transport.sentCount + UInt64(connection.outbound?.count ?? 0)
        let slot = stream.session.request(
            exchange.request, scheme: connection.scheme, framing: framing, isEnd: !hasBody)
        guard let slot else {
            wasRefused = true
            stream.isReset = true
            return
        }
        stream.slot = slot
        connection.open(self, slot)
        if !hasBody {
            stream.isEnding = true
            stream.isEnded = true
        }
        // A request that waited in the session could be overtaken by settings that allow fewer streams, and wait for
        // ever.
        connection.frameRequest(&resources)
    }

    override func readHead(_ exchange: Exchange, _ resources: inout Resources) -> HeadStep {
        guard let head = pendingHead.take() else { return endWithoutHead() }
        exchange.responseProgress.receive(.bytes)
        // An answer that was cut in the very read that brought its head: none of it was passed on.
        if stream.isReset, !stream.isEndReceived, head.status >= 200 {
            resources.heads.put(head)
            return endWithoutHead()
        }
        resources.heads.put(resources.response)
        resources.response = head
        let framing: Framing =
            switch head.body {
            case .none: .none
            case .exactly(let count): .length(count)
            case .unknown: .chunked
            }
        if head.status >= 200 { decoder = BodyDecoder(framing == .none ? .none : .untilClose) }
        return .complete(
            ParsedHead(
                byteCount: 0, framing: framing, isPersistent: true, expectsContinue: false))
    }

    private func endWithoutHead() -> HeadStep {
        responseFault.map { .malformed($0) } ?? (stream.isReset ? .gone : .nothing)
    }

    override var responseFault: ResponseFault? { fault.map { .stream($0) } }

    override func readAgain() {}

    /// The rest of the stream is discarded; the connection continues.
    func release(_ resources: inout Resources) {
        discardInbound(of: &stream, &resources)
        if !stream.isReset && !(stream.isEndReceived && stream.isEnded) { stream.session.reset(stream.slot, .cancel) }
        if let head = pendingHead.take() { resources.heads.put(head) }
        releaseStream(&stream, &resources)
    }
}
