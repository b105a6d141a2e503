import Core
import HTTP1
import Model

/// One client of the admin socket: reads requests, has them answered one after the other, writes the answers.
///
/// Shape:  held by its server and the loop until it closes. Nothing is read while an answer is made or written, so
///         pipelined requests wait in the socket, and a client that does not read stops being read.
/// Limits: a head as `HTTP1.Limits` says, a body of `AdminEndpoint.bodyBytesMax`, silence of `Limits.adminIdleTimeout`;
///         on TCP, a request and its response have to be complete within `Limits.metricsTimeout`, however many bytes
///         arrive.
/// Source: RFC 9112.
final class AdminConnection: PollHandler {
    /// What the connection waits for.
    private enum Phase {
        /// The head of a request.
        case head
        /// The rest of a request's body.
        case body
        /// The answer, from control.
        case answer
        /// The client has to read the answer; then it may send another request, or the connection ends.
        case taking(thenClose: Bool)
        /// A subscriber of events reads until it disconnects.
        case streaming
        /// Our direction is ended, and the client has to end its own. What it still sends is dropped, since closing
        /// with something unread would reset the connection and with it the answer.
        case draining
        /// The connection is closed.
        case closed
    }

    private let socket: Socket
    private unowned let server: AdminServer
    private var token = Token.none
    /// Who has connected; nil where the system does not tell.
    let client: UnixCredentials?
    private var phase = Phase.head
    /// Since when the client has been waited for: to ask, or to take its answer.
    private(set) var waitsSince = Instant(nanoseconds: 0)
    private let inbound = Buffer(capacity: Core.Limits.largeBufferBytes)
    private var outbound: [UInt8] = []
    private var outboundStart = 0
    private let head = Head()
    private var reader = MessageReader(.requests)
    private var body: [UInt8] = []
    private var isPersistent = true
    private var isHEAD = false
    /// The client has half-closed.
    private var inboundEnded = false
    private var isAdvancing = false
    /// A request was answered in this pass.
    private var hasAnswered = false
    private var stream: EventStream?
    /// The client as the requester of the current request.
    private var requester = Requester()

    /// A client that has just connected.
    init(socket: Socket, server: AdminServer) {
        self.socket = socket
        self.server = server
        client = server.endpoint.isPublic ? nil : socket.unixCredentials
    }

    /// Starts to listen to the client.
    func begin() {
        token = server.loop.add(self, descriptor: socket.descriptor, interest: .edges)
        awaitClient()
        // Most have sent their request by now.
        advance()
    }

    /// What clients may do may be something else now: a subscriber of events that may not read any more is closed. What
    /// is asked for from now on is judged anew in any case.
    func accessChanged() {
        if case .streaming = phase, server.role(of: client) == nil { close() }
    }

    /// Closes the connection at once. May be called again.
    func close() {
        if case .closed = phase { return }
        phase = .closed
        stream?.end()
        stream = nil
        requester.disconnect()
        server.loop.remove(token)
        socket.close()
        server.forget(self)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        if ready.isWritable { flush() }
        if ready.isReadable { advance() }
        // A client that has ended both directions cannot take an answer; its request was read above.
        if ready.isDead { close() }
    }

    func timerFired(now: Instant) {
        guard case .streaming = phase else { return server.closeLate(self) }
        stream?.beat()
        server.loop.schedule(token, at: now + Limits.eventHeartbeat)
    }

    private func awaitClient() {
        waitsSince = server.loop.now
        let timeout = server.endpoint.isPublic ? Limits.metricsTimeout : Limits.adminIdleTimeout
        server.loop.schedule(token, at: waitsSince + timeout)
    }

    // MARK: Reading

    /// Takes steps until more bytes are needed.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        for _ in 0..<Limits.adminStepsPerTurnMax { guard step() else { return } }
        continueLater()
    }

    /// Takes further steps in the next pass.
    private func continueLater() {
        server.loop.afterBatch { [weak self] in
            self?.hasAnswered = false
            self?.advance()
        }
    }

    /// One step. Returns whether another may be possible.
    private func step() -> Bool {
        switch phase {
        case .head: return !hasAnswered && (stepMessage() || read())
        case .body: return stepMessage() || read()
        case .draining:
            inbound.removeAll()
            return read()
        case .answer, .taking, .streaming, .closed: return false
        }
    }

    /// Reads once. Returns whether there is something new to look at.
    private func read() -> Bool {
        if case .closed = phase { return false }
        if inboundEnded {
            close()
            return false
        }
        inbound.compact()
        switch socket.read(into: inbound) {
        case .bytes:
            // On TCP single bytes do not extend the deadline, or a client could hold its place for ever.
            if case .draining = phase {} else if !server.endpoint.isPublic { awaitClient() }
            return true
        case .wouldBlock: return false
        case .endOfStream:
            inboundEnded = true
            return true
        case .failed:
            close()
            return false
        }
    }

    /// Takes one step through what was read. Returns false when only more bytes lead on.
    private func stepMessage() -> Bool {
        let isInBody = reader.isInMessage
        switch reader.next(inbound, head) {
        case .needMore: return false
        case .head(let parsed): beginBody(parsed)
        case .data(let count):
            if body.count + count > server.endpoint.bodyBytesMax {
                refuseBody()
            } else {
                body += inbound.takeBytes(count)
            }
        case .end: ask()
        case .refused(let violation):
            if !isInBody { isHEAD = false }
            refuse(
                code: "\(violation.reasonCode)", status: violation.status,
                message: isInBody
                    ? "The body is not framed as HTTP/1.1 has it." : "This is not an HTTP/1.1 request.",
                remedy: server.endpoint.remedy)
        }
        return true
    }

    private func beginBody(_ parsed: ParsedHead) {
        isPersistent = parsed.isPersistent && parsed.compliance.tier < .ambiguous
        isHEAD = head.isHEAD
        phase = .body
        // Who has no role at all need not send a body first, nor stay.
        let request = AdminRequest(head: head, body: [], client: client)
        if let refusal = server.refusal(of: "\(request.method) \(request.path)", needing: .read, client) {
            AdminAudit(request, role: nil).log(.refused(refusal), server.logger)
            return respond(with: .refused(refusal), thenClose: true)
        }
        if case .length(let count) = parsed.framing, count > UInt64(server.endpoint.bodyBytesMax) {
            return refuseBody()
        }
        if parsed.expectsContinue && !reader.isBodyComplete { send(AdminResponse.continue100) }
    }

    private func refuseBody() {
        guard !server.endpoint.isPublic else {
            return refuse(
                code: "ContentTooLarge", status: 413, message: "A request for the metrics has no body.",
                remedy: "Ask with GET.")
        }
        let most = Limits.adminBodyBytesMax / 1024 / 1024
        refuse(
            code: "ContentTooLarge", status: 413, message: "The body is longer than \(most) MiB.",
            remedy: "Make the change in parts, or in the file followed by a reload.")
    }

    // MARK: Answering

    /// Has the request answered that was read.
    private func ask() {
        let request = AdminRequest(head: head, body: body, client: client)
        body = []
        phase = .answer
        server.loop.cancel(token)
        requester = Requester()
        let record = AdminAudit(request, role: server.role(of: client))
        server.routes.answer(request, for: requester) { [server, client] role in
            server.refusal(of: "\(request.method) \(request.path)", needing: role, client)
        } completion: { [weak self, logger = server.logger, isPublic = server.endpoint.isPublic] answer in
            // The metrics' address allows no changes, and its clients must not be able to fill our log.
            if !isPublic { record.log(answer, logger) }
            self?.take(answer)
        }
    }

    private func take(_ answer: AdminAnswer) {
        guard case .answer = phase else { return }
        if case .events(let recent) = answer {
            startStream(recent: recent)
        } else {
            respond(with: answer, thenClose: !isPersistent || !server.isListening)
        }
        advance()
    }

    /// Answers with a refusal and closes: after a framing error no later byte can be trusted.
    private func refuse(code: String, status: UInt16, message: String, remedy: String) {
        body = []
        let error = AdminError(code: code, status: status, message: message, remedy: remedy)
        respond(with: .refused(error), thenClose: true)
    }

    private func respond(with answer: AdminAnswer, thenClose: Bool) {
        // One answer in a pass, so that a client that pipelines without end does not starve the others.
        hasAnswered = true
        continueLater()
        phase = .taking(thenClose: thenClose)
        awaitClient()
        let connection: ConnectionOption = thenClose ? .close : head.minorVersion == 0 ? .keepAlive : .none
        send(server.response.bytes(for: answer, connection: connection, isHEAD: isHEAD))
    }

    private func startStream(recent: Int) {
        let isChunked = head.minorVersion > 0
        if isHEAD {
            phase = .taking(thenClose: true)
            awaitClient()
            return send(server.response.streamHead(isChunked: isChunked))
        }
        phase = .streaming
        server.loop.schedule(token, at: server.loop.now + Limits.eventHeartbeat)
        send(server.response.streamHead(isChunked: isChunked))
        stream = EventStream(events: server.routes.events, recent: recent) { [weak self] value in
            guard let self, outbound.count - outboundStart < Limits.eventBytesMax else { return false }
            send(server.response.line(value, isChunked: isChunked))
            return true
        }
    }

    // MARK: Writing

    private func send(_ bytes: [UInt8]) {
        outbound += bytes
        flush()
    }

    /// Writes what waits, as far as the client takes it.
    private func flush() {
        while outboundStart < outbound.count {
            let staging = server.staging
            let waiting = outbound
            let end = min(outboundStart + staging.capacity, waiting.count)
            staging.append(waiting.span.extracting(outboundStart..<end))
            let result = socket.write(staging)
            staging.removeAll()
            switch result {
            case .bytes(let count): outboundStart += count
            case .wouldBlock: return compact()
            case .failed: return close()
            }
        }
        outbound = []
        outboundStart = 0
        drained()
    }

    /// Drops what was written once it is the larger part, so that the memory of a stream stays bounded.
    private func compact() {
        guard outboundStart > outbound.count / 2 else { return }
        outbound.removeFirst(outboundStart)
        outboundStart = 0
    }

    /// The client has taken everything.
    private func drained() {
        switch phase {
        case .taking(thenClose: true):
            // Closing with something unread would make the kernel tell the client of a reset instead of our answer.
            phase = .draining
            socket.shutdownWrite()
            server.loop.schedule(token, at: server.loop.now + Limits.adminDrainTime)
            advance()
        case .taking(thenClose: false):
            phase = .head
            awaitClient()
            advance()
        case .streaming: stream?.resume()
        case .head, .body, .answer, .draining, .closed: return
        }
    }
}
