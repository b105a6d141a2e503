import Core
import HTTP1
import HTTP2
import Model
import Proxy
import Routing
import TLS
import Telemetry

/// One health check of one target: connect, shake hands where it is over TLS, and over HTTP ask and read the answer.
///
/// Shape:  a connection of its own, ended with the verdict. Buffers are held from the request to the verdict only.
/// Limits: an answer over `Limits.checkAnswerBytesMax`, or one that HTTP/1.1 does not allow, fails the check.
/// Source: docs/elbv2.md, "Health checks": GET, User-Agent `ELB-HealthChecker/2.0`, Host as `ip:port` without port 80.
final class Probe: PollHandler {
    private enum Phase {
        /// Leaves when the poller says that it is decided.
        case connecting
        /// The TLS handshake is under way.
        case handshaking
        /// The request waits in `buffer`; leaves when the kernel has taken it.
        case sending
        /// The answer on the stream is awaited.
        case receivingStream
        /// The head of the answer is awaited.
        case receivingHead
        /// The body of an answer with this status is awaited, or its end.
        case receivingBody(status: UInt16)
        /// The verdict was given; the target's end of the connection is awaited.
        case leaving
        /// The connection is closed.
        case over
    }

    /// The target.
    let registration: Registration
    /// Whether the check is written to a log.
    var isLogged = false
    private let healthCheck: HealthCheck
    private let path: String
    private let version: TargetGroup.ProtocolVersion
    private let loop: ControlLoop
    private let workbench: ProbeWorkbench
    private let report: (HealthProber.Verdict, Instant) -> Void
    private var phase = Phase.connecting
    private var transport: Transport?
    private var stream: ProbeStream?
    private var token = Token.none
    private var beganAt = Instant(nanoseconds: 0)
    private var buffer: Buffer?
    private var reader = MessageReader(.responses)
    /// The answer was read to its end.
    private var isAnswered = false
    private var receivedCount = 0
    /// The status that the target answered, of gRPC's where that is spoken.
    private var answeredStatus: Int?
    /// It answered a call of gRPC without a status.
    private var lacksGRPCStatus = false
    /// The address on our side.
    private var local: SocketAddress?

    /// A check that `begin` begins. `report` is called once, unless the check is abandoned.
    init(
        _ registration: Registration, loop: ControlLoop, workbench: ProbeWorkbench,
        report: @escaping (HealthProber.Verdict, Instant) -> Void
    ) {
        self.registration = registration
        let group = registration.group.configuration
        healthCheck = group.healthCheck
        path = group.healthCheckPath
        version = group.protocolVersion
        self.loop = loop
        self.workbench = workbench
        self.report = report
    }

    /// Connects. The verdict may come before this returns, as when there is no route.
    func begin(now: Instant) {
        beganAt = now
        let port = registration.group.healthCheckPort(ofTargetAt: registration.key.port)
        guard let address = registration.address?.with(port: UInt16(port)) else {
            preconditionFailure("probe: \(registration) has no address")
        }
        do {
            let socket = try Socket.connect(to: address)
            token = loop.add(self, descriptor: socket.descriptor)
            var transport = Transport(token: token, socket: socket, to: .target)
            transport.tls = makeTLS()
            // A response marks its own end, and many programs close without close_notify.
            transport.endsWithoutNotice = true
            self.transport = transport
            loop.schedule(token, at: now + Nanoseconds(seconds: healthCheck.timeoutSeconds))
        } catch {
            end(isOwnFault(error.code) ? .void(error.description) : .failed(.failed), now: now)
        }
    }

    /// Closes the connection, without a verdict if there was none.
    func abandon() {
        phase = .over
        close()
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        workbench.resources.now = now
        transport?.noteReady(ready)
        if case .connecting = phase {
            guard ready.isWritable, let code = transport?.socket.takeError() else { return }
            guard code == 0 else {
                let failure = HealthState.CheckFailure(connectError: code)
                return end(isOwnFault(code) ? .void(systemErrorText(code)) : .failed(failure), now: now)
            }
            if isLogged { local = transport?.socket.localAddress }
            guard sendProxyHeader() else { return end(.failed(.failed), now: now) }
            if healthCheck.protocol == .tcp { return end(.passed, now: now) }
            phase = .handshaking
        }
        advance(now: now)
    }

    /// Sends the PROXY header that all connections to the group's targets begin with: command LOCAL, since this
    /// connection is made for no client.
    private func sendProxyHeader() -> Bool {
        guard registration.group.configuration.attributes.proxyProtocol, let socket = transport?.socket else {
            return true
        }
        let header = Buffer(capacity: ProxyHeader.writtenBytesMax)
        ProxyHeader.writeLocal(into: header)
        guard case .bytes = socket.write(header) else { return false }
        return header.isEmpty
    }

    private func makeTLS() -> TLSSession? {
        guard healthCheck.protocol == .https else { return nil }
        let security = registration.group.checkSecurity
        return TLSSession(security.context, serverName: security.serverName.span, wire: workbench.resources.wire)
    }

    /// Time is over. What the target sent meanwhile still counts, since it was we who were late to read it.
    func timerFired(now: Instant) {
        if case .leaving = phase { return abandon() }
        workbench.resources.now = now
        advance(now: now)
        switch phase {
        case .leaving, .over: return
        default: break
        }
        if let stalledAt = loop.stalledAt, stalledAt >= beganAt {
            return timedOut(.void("the control thread was away too long"), now: now)
        }
        timedOut(.failed(.timeout), now: now)
    }

    /// On HTTP/2 the stream is reset, so that a slow target knows that the check has ended.
    private func timedOut(_ verdict: HealthProber.Verdict, now: Instant) {
        if case .receivingStream = phase { leave(verdict, now: now) } else { end(verdict, now: now) }
    }

    private func composeRequest() {
        guard let address = registration.address else { return }
        let buffer =
            version == .http1 ? workbench.resources.buffers.acquireSmall() : workbench.resources.buffers.acquireLarge()
        let port = registration.group.healthCheckPort(ofTargetAt: registration.key.port)
        workbench.compose(
            path: path, host: address.with(port: UInt16(port)), isGRPC: version == .grpc,
            isSecure: healthCheck.protocol == .https)
        if version == .http1 {
            workbench.writeRequest(into: buffer)
        } else {
            let stream = ProbeStream(isGRPC: version == .grpc, heads: workbench.heads, now: loop.now)
            stream.ask(workbench.head, isSecure: healthCheck.protocol == .https, into: buffer)
            self.stream = stream
        }
        self.buffer = buffer
        phase = .sending
    }

    /// Goes as far as the connection lets it.
    private func advance(now: Instant) {
        while transport != nil {
            switch phase {
            case .connecting, .over: return
            case .leaving: return drain()
            case .handshaking: guard handshake(now: now) else { return }
            case .sending:
                guard let buffer, let result = transport?.send(buffer, &workbench.resources) else { return }
                switch result {
                case .done: phase = stream == nil ? .receivingHead : .receivingStream
                case .blocked: return
                case .failed: return end(.failed(.failed), now: now)
                }
            case .receivingStream: guard receiveStream(now: now) else { return }
            case .receivingHead, .receivingBody: guard receive(now: now) else { return }
            }
        }
    }

    /// Continues the handshake, if TLS is used. Returns whether the check continues.
    private func handshake(now: Instant) -> Bool {
        guard let tls = transport?.tls else {
            composeRequest()
            return true
        }
        switch transport?.handshake(tls, &workbench.resources) {
        case .waiting?: return false
        case .done? where version == .http1 || tls.applicationProtocol == .http2:
            composeRequest()
            return true
        // Without HTTP/2 by ALPN the target could serve neither this check nor the group's requests.
        case .done?, .failed?, .closed?, nil:
            end(.failed(.failed), now: now)
            return false
        }
    }

    /// Reads once and passes on the bytes. Returns whether the check continues.
    private func receiveStream(now: Instant) -> Bool {
        guard let buffer, let stream else { return false }
        // A target may wait for what it has not got yet.
        guard transport?.send(buffer, &workbench.resources) != .failed else {
            end(.failed(.failed), now: now)
            return false
        }
        let input = workbench.input
        input.removeAll()
        switch transport?.receive(into: input, &workbench.resources) {
        case .got?:
            receivedCount += input.count
            stream.receive(input.bytes, into: buffer, heads: workbench.heads, now: now)
            if let answer = stream.answer {
                let verdict = verdict(on: answer)
                if answer == .broken { end(verdict, now: now) } else { leave(verdict, now: now) }
                return false
            }
            guard receivedCount <= Limits.checkAnswerBytesMax else {
                end(.failed(.failed), now: now)
                return false
            }
            return true
        case .nothing?: return false
        case .ended?, .failed?, nil:
            end(.failed(.failed), now: now)
            return false
        }
    }

    private func verdict(on answer: ProbeStream.Answer) -> HealthProber.Verdict {
        switch answer {
        case .broken: return .failed(.failed)
        case .status(let status): return verdict(onStatus: status)
        case .grpc(nil, _):
            lacksGRPCStatus = true
            return .failed(.failed)
        case .grpc(let status?, let isServing):
            answeredStatus = status
            let isStandard = path == ProbeStream.standardPath
            let codes =
                isStandard && healthCheck.matcher.grpcCode == nil
                ? GRPCCodes(ranges: [0...0]) : healthCheck.matcher.grpcCodes
            guard codes.contains(status) else { return .failed(.responseCode(UInt16(status))) }
            return isStandard && status == 0 && !isServing ? .failed(.notServing) : .passed
        }
    }

    /// Reads once and looks at the bytes. Returns whether the check continues.
    private func receive(now: Instant) -> Bool {
        guard let buffer = bufferWithRoom() else {
            end(.failed(.failed), now: now)
            return false
        }
        let before = buffer.count
        switch transport?.receive(into: buffer, &workbench.resources) {
        case .got?:
            receivedCount += buffer.count - before
            guard receivedCount <= Limits.checkAnswerBytesMax else {
                end(.failed(.failed), now: now)
                return false
            }
            guard let verdict = examine(buffer) else { return true }
            if transport?.tls != nil && isAnswered { leave(verdict, now: now) } else { end(verdict, now: now) }
            return false
        case .nothing?:
            return false
        case .ended?:
            end(verdictAtEnd(), now: now)
            return false
        case .failed?, nil:
            end(.failed(.failed), now: now)
            return false
        }
    }

    /// The buffer with room to read into; nil when even the large one is full of one undecided thing.
    private func bufferWithRoom() -> Buffer? {
        guard let buffer else { return nil }
        buffer.compact()
        if buffer.freeCount > 0 { return buffer }
        guard buffer.capacity < Core.Limits.largeBufferBytes else { return nil }
        let large = workbench.resources.buffers.enlarge(buffer)
        self.buffer = large
        return large
    }

    /// What the bytes so far decide; nil when more are needed.
    private func examine(_ buffer: Buffer) -> HealthProber.Verdict? {
        while true {
            switch reader.next(buffer, workbench.head) {
            case .needMore: return nil
            case .head: phase = .receivingBody(status: workbench.head.status)
            case .data(let count): buffer.consume(count)
            case .end:
                isAnswered = true
                return verdictAtEnd()
            case .refused: return .failed(.failed)
            }
        }
    }

    /// The verdict on an answer that has ended, or that ends here with the connection.
    private func verdictAtEnd() -> HealthProber.Verdict {
        guard case .receivingBody(let status) = phase, isAnswered || reader.endOfStream() == .complete else {
            return .failed(.failed)
        }
        return verdict(onStatus: status)
    }

    private func verdict(onStatus status: UInt16) -> HealthProber.Verdict {
        answeredStatus = Int(status)
        return healthCheck.matcher.httpCode.contains(Int(status)) ? .passed : .failed(.responseCode(status))
    }

    /// Ends the check with an answer that is whole, or is not awaited any more. Over HTTP/2 and TLS the target may
    /// still have something to say: closing upon that would reset the connection, and its program would tell of an
    /// error with each check.
    private func leave(_ verdict: HealthProber.Verdict, now: Instant) {
        phase = .leaving
        if let buffer {
            buffer.compact()
            stream?.end(into: buffer)
            _ = transport?.send(buffer, &workbench.resources)
            workbench.resources.buffers.release(buffer)
        }
        buffer = nil
        transport?.shutdownWrite(&workbench.resources)
        loop.schedule(token, at: now + min(Limits.checkDrainTime, Nanoseconds(seconds: healthCheck.intervalSeconds)))
        drain()
        report(verdict, now)
    }

    /// Throws away what comes until the target has ended its direction too.
    private func drain() {
        _ = transport?.flushSealed(&workbench.resources)
        while transport != nil {
            let input = workbench.input
            input.removeAll()
            switch transport?.receive(into: input, &workbench.resources) {
            case .got?:
                receivedCount += input.count
                if receivedCount > Limits.checkAnswerBytesMax { return abandon() }
            case .nothing?: return
            case .ended?, .failed?, nil: return abandon()
            }
        }
    }

    private func end(_ verdict: HealthProber.Verdict, now: Instant) {
        phase = .over
        close()
        report(verdict, now)
    }

    private func close() {
        if let buffer { workbench.resources.buffers.release(buffer) }
        buffer = nil
        stream = nil
        guard transport != nil else { return }
        loop.remove(token)
        transport?.close(&workbench.resources)
        transport = nil
    }
}

extension Probe {
    /// What the log says of the check, which has ended.
    func record(of verdict: HealthProber.Verdict, since beganAt: Instant, now: Instant) -> HealthCheckRecord? {
        let port = registration.group.healthCheckPort(ofTargetAt: registration.key.port)
        guard let address = registration.address?.with(port: UInt16(port)) else { return nil }
        let duration = now.since(beganAt)
        return HealthCheckRecord(
            type: type, beganAt: WallClock.now() &- duration, duration: duration, target: address,
            status: answeredStatus, reason: reason(of: verdict), local: local)
    }

    private var type: StaticString {
        switch (healthCheck.protocol, version) {
        case (.tcp, _): "tcp"
        case (_, .http2): "h2"
        case (_, .grpc): "grpc"
        case (.http, .http1): "http"
        case (.https, .http1): "https"
        }
    }

    private func reason(of verdict: HealthProber.Verdict) -> HealthCheckRecord.Reason? {
        switch verdict {
        case .passed: nil
        case .void: .internalError
        case .failed(.timeout): .timedOut
        case .failed(.notServing): .responseStringMismatch
        case .failed(.responseCode) where version == .grpc: .grpcUnexpectedStatus
        case .failed(.responseCode(500...)): .targetError
        case .failed(.responseCode): .responseCodeMismatch
        case .failed(.failed): lacksGRPCStatus ? .grpcStatusHeaderEmpty : .connectionReset
        }
    }
}

extension HealthState.CheckFailure {
    /// The check's result for the errno of a connection attempt.
    fileprivate init(connectError code: Int32) { self = code == SystemError.timedOut ? .timeout : .failed }
}

/// Whether a connection could not be made for a lack on our side, which says nothing about the target.
private func isOwnFault(_ code: Int32) -> Bool {
    switch code {
    case SystemError.tooManyDescriptors, SystemError.tooManyDescriptorsOfAll, SystemError.noBufferSpace,
        SystemError.noMemory, SystemError.addressNotAvailable, SystemError.wouldBlock:
        true
    default: false
    }
}

/// What all probes share, since only one of them works at a time.
final class ProbeWorkbench {
    /// Buffers of the checks that run, and what their connections use. What it counts is shown nowhere.
    var resources = Resources(counters: WorkerCounters(), bufferBytesMax: .max, now: .now())
    /// The head that is being written or read.
    let head = Head()
    /// What was just read of a check over HTTP/2.
    let input = Buffer(capacity: Core.Limits.largeBufferBytes)
    /// Heads of answers over HTTP/2.
    let heads = HeadPool()

    /// Composes the request of a check in `head`.
    func compose(path: String, host: SocketAddress, isGRPC: Bool, isSecure: Bool) {
        head.reset()
        head.appendMethod(isGRPC ? "POST" : "GET")
        let bytes = Array(path.utf8)
        let question = bytes.firstIndex(of: .questionMark) ?? bytes.count
        head.path = head.append(bytes.span.extracting(0..<question))
        head.query = head.append(bytes.span.extracting(question..<bytes.count))
        head.target = ByteRange(start: head.path.start, count: bytes.count)
        let hostStart = head.byteCount
        head.append(hostOf: host, bracketed: true)
        if host.port != (isSecure ? 443 : 80) {
            head.append(UInt8.colon)
            head.append(decimal: UInt64(host.port))
        }
        head.authority = head.range(from: hostStart)
        head.addField(name: head.append("Host"), value: head.authority, id: .host)
        head.addField(
            name: head.append("User-Agent"), value: head.append("ELB-HealthChecker/2.0"), id: .userAgent)
        if isGRPC {
            head.addField(name: head.append("Content-Type"), value: head.append("application/grpc"), id: .contentType)
            head.acceptsTrailers = true
        }
        head.addField(name: head.append("Connection"), value: head.append("close"), id: .connection)
    }

    /// Writes the composed request as HTTP/1.1.
    func writeRequest(into buffer: Buffer) {
        precondition(requestHeadByteCount(head) <= buffer.freeCount, "probe: the path is longer than a document allows")
        writeRequestHead(head, framing: .none, into: buffer)
    }
}
