import Core
import HTTP1
import HTTP2

/// One request and its response on a client's HTTP/2 connection. Source: RFC 9113 §8.
final class ClientStream: ClientSide {
    var stream: StreamState
    let connection: HTTP2ClientConnection
    /// Answered, though the request has not ended: until when the client may say so itself.
    private(set) var lingerUntil = Instant.distantFuture
    /// It has waited for a share of the connections to targets, and may ask for one again
    /// (`HTTP2ClientConnection.takeTargetShare`).
    var isInvited = false
    /// It carries a WebSocket.
    private var isTunnel = false
    /// A target answers the request, or has: Apus itself does not.
    private var isServed = false
    /// Bytes of the whole connection that the client had taken at the last look.
    private var connectionTakenCount: UInt64 = 0
    /// Bytes that it has taken of the whole connection while this stream waited for the kernel.
    private var takenWhileHeldCount: UInt64 = 0

    init(_ connection: HTTP2ClientConnection, slot: Int, now: Instant) {
        self.connection = connection
        stream = StreamState(connection: connection, slot: slot)
        super.init(address: connection.address, listener: connection.listener, tls: connection.transport.tls, now: now)
        trace = connection.trace
    }

    override var localAddress: SocketAddress? { connection.localAddress }
    override var isClosed: Bool { stream.isReset || exchange == nil }
    override var isFlushed: Bool { stream.isFlushed(self) }
    override var isWritable: Bool { !stream.isBlocked }
    override var isEnded: Bool { stream.isEndReceived || stream.isReset }
    override var isBroken: Bool { stream.isReset }
    /// What is in frames counts as taken: the client's windows hold back the rest. While it is the kernel that has no
    /// room, what the client takes of the whole connection counts, too: the kernel does not tell to which stream those
    /// bytes belong.
    override func takenCount() -> UInt64 {
        let taken = connection.transport.takenCount
        if isHeldByKernel && taken > connectionTakenCount { takenWhileHeldCount += taken - connectionTakenCount }
        connectionTakenCount = taken
        return writtenCount + takenWhileHeldCount
    }
    override func hasTakenMore() -> Bool {
        isHeldByKernel && connection.transport.hasTakenMore(than: &takenAtLastLook)
    }
    /// Whether it waits only for the kernel to take more bytes.
    private var isHeldByKernel: Bool { !connection.isFlushed && stream.session.windowCount(stream.slot) > 0 }

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
        if detachBlocked(from: &stream, produced, &resources) { resources.deferToNextPass(self) }
    }

    /// Streams end by themselves: a body that ends with the target's connection needs no framing.
    override func framing(of body: Framing, for exchange: Exchange) -> Framing {
        switch body {
        case .none, .length: body
        case .chunked, .untilClose: .chunked
        }
    }

    override var mayRefuse: Bool { !stream.isReset }

    override func mayFollow(_ exchange: Exchange, now: Instant) -> Bool { true }

    override func writeInterim(_ response: Head, _ exchange: Exchange, _ resources: inout Resources) {
        guard !stream.isReset else { return }
        stream.session.respond(stream.slot, response, framing: .none, isEnd: false)
        resources.markDirty(connection)
    }

    /// The session frames the body: nothing of HTTP/1's framing goes into its bytes.
    override func writeHead(_ response: Head, _ exchange: Exchange, hasBody: Bool, _ resources: inout Resources) {
        let framing = sending
        sending = .untilClose
        guard !stream.isReset else { return }
        if response.isWebSocket {
            isTunnel = true
            agreeToTunnel(response)
        }
        isServed = exchange.record.targetStatus != 0
        stream.session.respond(stream.slot, response, framing: framing, isEnd: !hasBody)
        // Logs count heads as HTTP/1 has them, whatever HPACK makes of them.
        writtenCount += UInt64(responseHeadByteCount(response))
        if !hasBody {
            stream.isEnding = true
            stream.isEnded = true
        }
        resources.markDirty(connection)
    }

    /// A target's agreement to a WebSocket as HTTP/2 has it. Source: RFC 8441 §5.
    private func agreeToTunnel(_ response: Head) {
        response.status = 200
        for index in 0..<response.fieldCount
        where response.bytes(response.field(index).name).equalsIgnoringCase("sec-websocket-accept") {
            response.removeField(index)
        }
    }

    /// The rest of a request that was answered early is not wanted. A client that sees the answer stops by itself; one
    /// that does not is told so after a while, as some take a reset for the loss of the answer. Source: RFC 9113 §8.1.
    func finish(_ resources: inout Resources) {
        discardInbound(of: &stream, &resources)
        if isServed && !stream.isReset { stream.session.requestServed() }
        if !stream.isReset && !stream.isEndReceived { lingerUntil = resources.now + Limits.lingerTime }
        releaseStream(&stream, &resources)
    }

    /// The client has had its time to stop.
    func endLinger(_ resources: inout Resources) {
        lingerUntil = .distantFuture
        if !stream.isReset && !stream.isEndReceived { stream.session.reset(stream.slot, .noError) }
        resources.markDirty(connection)
    }

    /// The exchange is over though its response is not complete: the client must notice.
    func abort(_ resources: inout Resources) {
        discardInbound(of: &stream, &resources)
        // The end of a tunnel is no fault. Source: RFC 8441 §5.
        let code = resetCode ?? (isTunnel ? .cancel : .internalError)
        if !stream.isReset { stream.session.reset(stream.slot, code) }
        releaseStream(&stream, &resources)
    }
}
