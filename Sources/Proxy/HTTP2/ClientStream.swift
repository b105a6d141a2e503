import Core
import HTTP1
import HTTP2

/// One request and its response on a client's HTTP/2 connection. Source: RFC 9113 §8.
final class ClientStream: ClientSide {
    var stream: StreamState
    let connection: HTTP2ClientConnection
    /// Answered, though the request has not ended: until when the client may say so itself.
    private(set) var lingerUntil = Instant.distantFuture
    /// It has waited, and may ask for a connection to a target again.
    private var isInvited = false
    /// It carries a WebSocket.
    private var isTunnel = false
    /// It is a target that answers.
    private var isServed = false
    /// What the client had taken of the connection at the last look, and how much of that counted for this stream.
    private var takenOfConnection: UInt64 = 0
    private var takenBesides: UInt64 = 0

    init(_ connection: HTTP2ClientConnection, slot: Int, now: Instant) {
        self.connection = connection
        stream = StreamState(connection: connection, slot: slot)
        super.init(address: connection.address, listener: connection.listener, tls: connection.transport.tls, now: now)
        trace = connection.trace
    }

    override var localAddress: SocketAddress? { connection.localAddress }
    override var isClosed: Bool { stream.isReset || exchange == nil }
    override var isFlushed: Bool { isOutboundEmpty && (!stream.isEnding || stream.isEnded) }
    override var isWritable: Bool { !stream.isBlocked }
    override var isEnded: Bool { stream.isEndReceived || stream.isReset }
    override var isBroken: Bool { stream.isReset }
    /// What is in frames counts as taken: the client's windows hold back the rest. While it is the kernel that has no
    /// room, what the client takes of the whole connection counts, too: whose bytes these are nobody knows.
    override func takenCount() -> UInt64 {
        let taken = connection.transport.takenCount
        if isHeldByKernel && taken > takenOfConnection { takenBesides += taken - takenOfConnection }
        takenOfConnection = taken
        return writtenCount + takenBesides
    }
    override func hasTakenMore() -> Bool {
        isHeldByKernel && connection.transport.hasTakenMore(than: &takenAtLastLook)
    }
    /// Whether it would go on if the kernel took more.
    private var isHeldByKernel: Bool { !connection.isFlushed && stream.session.windowCount(stream.slot) > 0 }

    override func fill(_ worker: inout Worker) -> Transport.ReadResult {
        stream.isEndReceived ? .ended : stream.isReset ? .failed : .nothing
    }
    override func flush(_ worker: inout Worker) -> Transport.WriteResult { worker.flush(self, &stream) }
    override func write(body: Buffer, count: Int, _ worker: inout Worker) -> Int? {
        worker.write(self, &stream, body: body, count: count)
    }
    override func endBody(trailers: Head?, _ worker: inout Worker) -> Transport.WriteResult {
        worker.endBody(self, &stream, trailers: trailers)
    }
    override func settle(_ worker: inout Worker) { worker.settle(self, &stream) }
    override func lendAgain(_ worker: inout Worker) { worker.lendAgain(self, &stream) }
    override func takeBack(_ result: Transport.WriteResult, _ worker: inout Worker) {
        if worker.takeBackAgain(self, &stream, result) { worker.deferToNextPass(self) }
    }

    override func mayTakeTarget(_ exchange: Exchange, _ worker: inout Worker) -> Bool {
        if exchange.share == .held { return true }
        guard connection.targetCount < worker.targetShare else {
            exchange.share.receive(.refused)
            worker.counters.shareWaits.add()
            connection.waiting.append(self)
            return false
        }
        exchange.share.receive(.granted)
        connection.targetCount += 1
        return true
    }

    override func giveTargetBack(_ exchange: Exchange, _ worker: inout Worker) {
        let share = exchange.share
        exchange.share.receive(.released)
        switch share {
        case .none: break
        case .waiting:
            // One that was invited and leaves gives its place to another.
            guard isInvited else { return connection.waiting.removeAll { $0 === self } }
            isInvited = false
        case .held: connection.targetCount -= 1
        }
        guard !connection.waiting.isEmpty else { return }
        // The share may have grown meanwhile.
        let count = min(connection.waiting.count, max(0, worker.targetShare - connection.targetCount))
        for next in connection.waiting.prefix(count) {
            next.isInvited = true
            worker.deferToNextPass(next)
        }
        connection.waiting.removeFirst(count)
    }

    override func advance(_ worker: inout Worker) {
        guard let exchange, !isBacklogged else { return }
        if isInvited {
            isInvited = false
            exchange.share.receive(.invited)
            worker.forward(exchange)
        }
        worker.pump(exchange)
        guard self.exchange === exchange else { return }
        settle(&worker)
        rearm(&worker)
    }

    /// The connection's timer serves all its streams.
    override func rearm(_ worker: inout Worker) { worker.rearm(connection, at: worker.exchangeDeadline(of: self)) }

    /// Streams end by themselves: a body that ends with the target's connection needs no framing.
    override func framing(of body: Framing, for exchange: Exchange) -> Framing {
        switch body {
        case .none, .length: body
        case .chunked, .untilClose: .chunked
        }
    }

    override var mayRefuse: Bool { !stream.isReset }

    override func mayFollow(_ exchange: Exchange, now: Instant) -> Bool { true }

    override func writeInterim(_ response: Head, _ exchange: Exchange, _ worker: inout Worker) {
        guard !stream.isReset else { return }
        stream.session.respond(stream.slot, response, framing: .none, isEnd: false)
        worker.markDirty(connection)
    }

    /// The session frames the body: nothing of HTTP/1's framing goes into its bytes.
    override func writeHead(_ response: Head, _ exchange: Exchange, hasBody: Bool, _ worker: inout Worker) {
        let framing = sending
        sending = .untilClose
        guard !stream.isReset else { return }
        if response.isWebSocket {
            isTunnel = true
            agree(response)
        }
        isServed = exchange.record.targetStatus != 0
        stream.session.respond(stream.slot, response, framing: framing, isEnd: !hasBody)
        // Logs count heads as HTTP/1 has them, whatever HPACK makes of them.
        writtenCount += UInt64(responseHeadByteCount(response))
        if !hasBody {
            stream.isEnding = true
            stream.isEnded = true
        }
        worker.markDirty(connection)
    }

    /// A target's agreement to a WebSocket as HTTP/2 has it. Source: RFC 8441 §5.
    private func agree(_ response: Head) {
        response.status = 200
        for index in 0..<response.fieldCount
        where response.bytes(response.field(index).name).equalsIgnoringCase("sec-websocket-accept") {
            response.removeField(index)
        }
    }

    /// The rest of a request that was answered early is not wanted. A client that sees the answer stops by itself; one
    /// that does not is told so after a while, as some take a reset for the loss of the answer. Source: RFC 9113 §8.1.
    override func finish(keeps: Bool, _ worker: inout Worker) {
        worker.discardInbound(self, &stream)
        if isServed && !stream.isReset { stream.session.noteServed() }
        if !stream.isReset && !stream.isEndReceived {
            lingerUntil = worker.now + Limits.lingerTime
            worker.rearm(connection, at: lingerUntil)
        }
        leave(&worker)
    }

    /// The client has had its time to stop.
    func endLinger(_ worker: inout Worker) {
        lingerUntil = .distantFuture
        if !stream.isReset && !stream.isEndReceived { stream.session.reset(stream.slot, .noError) }
        worker.markDirty(connection)
    }

    override func abort(isResponseDone: Bool, _ worker: inout Worker) {
        worker.discardInbound(self, &stream)
        // The end of a tunnel is no fault. Source: RFC 8441 §5.
        let code: HTTP2ErrorCode = refuses ? .refusedStream : isTunnel ? .cancel : .internalError
        if !stream.isReset { stream.session.reset(stream.slot, code) }
        leave(&worker)
    }

    private func leave(_ worker: inout Worker) {
        worker.discardBuffers(self)
        if let trailers = stream.trailers.take() { worker.resources.heads.put(trailers) }
        worker.markDirty(connection)
    }
}
