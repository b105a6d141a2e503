import Core
import Foundation
import HTTP1
import Model
import Routing

/// One health check of one target: connect and, over HTTP, ask and read the whole answer.
///
/// Shape:  a connection of its own, closed with the verdict. Buffers are held from the request to the verdict only.
/// Limits: an answer over `Limits.checkAnswerBytesMax`, or one that HTTP/1.1 does not allow, fails the check.
/// Source: elbv2.md §1.9: GET, User-Agent `ELB-HealthChecker/2.0`, Host as `ip:port` without port 80.
final class Probe: PollHandler {
    private enum Phase {
        /// Leaves when the poller says that it is decided.
        case connecting
        /// The request waits in `buffer`; leaves when the kernel has taken it.
        case sending
        /// The head of the answer is awaited.
        case receivingHead
        /// The body of an answer with this status is awaited.
        case receivingBody(status: UInt16)
        /// The verdict was given.
        case over
    }

    private let registration: Registration
    private let healthCheck: HealthCheck
    private let loop: ControlLoop
    private let workbench: ProbeWorkbench
    private let report: (HealthProber.Verdict, Instant) -> Void
    private var phase = Phase.connecting
    private var socket: Socket?
    private var token = Token.none
    private var beganAt = Instant(nanoseconds: 0)
    private var buffer: Buffer?
    private var scan = HeadScan()
    private var decoder = BodyDecoder(.none)
    private var receivedCount = 0

    /// A check that `begin` begins. `report` is called once, unless the check is abandoned.
    init(
        _ registration: Registration, loop: ControlLoop, workbench: ProbeWorkbench,
        report: @escaping (HealthProber.Verdict, Instant) -> Void
    ) {
        self.registration = registration
        healthCheck = registration.group.configuration.healthCheck
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
            self.socket = socket
            token = loop.add(self, descriptor: socket.descriptor)
            loop.schedule(token, at: now + Nanoseconds(seconds: healthCheck.timeoutSeconds))
        } catch {
            end(isOwnFault(error.code) ? .void(error.description) : .failed(.failed), now: now)
        }
    }

    /// Breaks off without a verdict.
    func abandon() {
        phase = .over
        close()
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        if case .connecting = phase {
            guard ready.isWritable, let code = socket?.takeError() else { return }
            guard code == 0 else {
                let failure = HealthState.CheckFailure(connectError: code)
                return end(isOwnFault(code) ? .void(systemErrorText(code)) : .failed(failure), now: now)
            }
            if healthCheck.protocol == .tcp { return end(.passed, now: now) }
            composeRequest()
        }
        advance(now: now)
    }

    /// Time is over. What the target sent meanwhile still counts, since it was we who were late to read it.
    func timerFired(now: Instant) {
        advance(now: now)
        if case .over = phase { return }
        if let stalledAt = loop.stalledAt, stalledAt >= beganAt {
            return end(.void("the control thread was away too long"), now: now)
        }
        end(.failed(.timeout), now: now)
    }

    private func composeRequest() {
        guard let address = registration.address else { return }
        let buffer = workbench.buffers.acquireSmall()
        let port = registration.group.healthCheckPort(ofTargetAt: registration.key.port)
        workbench.composeRequest(path: healthCheck.path, host: address.with(port: UInt16(port)), into: buffer)
        self.buffer = buffer
        phase = .sending
    }

    /// Goes as far as the socket lets it.
    private func advance(now: Instant) {
        guard let socket else { return }
        while true {
            switch phase {
            case .connecting, .over:
                return
            case .sending:
                guard let buffer else { return }
                switch socket.write(buffer) {
                case .bytes: if buffer.isEmpty { phase = .receivingHead }
                case .wouldBlock: return
                case .failed: return end(.failed(.failed), now: now)
                }
            case .receivingHead, .receivingBody:
                guard receive(from: socket, now: now) else { return }
            }
        }
    }

    /// Reads once and looks at what there is. Returns whether to go on.
    private func receive(from socket: Socket, now: Instant) -> Bool {
        guard let buffer = bufferWithRoom() else {
            end(.failed(.failed), now: now)
            return false
        }
        switch socket.read(into: buffer) {
        case .bytes(let count):
            receivedCount += count
            let verdict = receivedCount > Limits.checkAnswerBytesMax ? .failed(.failed) : examine(buffer)
            if let verdict { end(verdict, now: now) }
            return verdict == nil
        case .wouldBlock:
            return false
        case .endOfStream:
            end(verdictAtEnd(), now: now)
            return false
        case .failed:
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
        let large = workbench.buffers.enlarge(buffer)
        self.buffer = large
        return large
    }

    /// What the octets so far decide; nil when more are needed.
    private func examine(_ buffer: Buffer) -> HealthProber.Verdict? {
        while case .receivingHead = phase {
            let result = parseResponseHead(buffer.bytes, into: workbench.head, requestIsHEAD: false, scan: &scan)
            switch result {
            case .needMore: return nil
            case .refused: return .failed(.failed)
            case .complete(let parsed):
                buffer.consume(parsed.byteCount)
                scan.reset()
                let status = workbench.head.status
                // An interim answer: the final one follows (RFC 9110 §15.2).
                if status < 200 && status != 101 { continue }
                decoder = BodyDecoder(parsed.framing)
                phase = .receivingBody(status: status)
            }
        }
        guard case .receivingBody(let status) = phase else { return nil }
        while true {
            switch decoder.next(buffer.bytes, trailers: nil) {
            case .data(let skip, let count):
                buffer.consume(skip + count)
                decoder.consume(count)
            case .needMore(let skip):
                buffer.consume(skip)
                return nil
            case .end(let skip):
                buffer.consume(skip)
                return verdict(onStatus: status)
            case .refused:
                return .failed(.failed)
            }
        }
    }

    private func verdictAtEnd() -> HealthProber.Verdict {
        guard case .receivingBody(let status) = phase, decoder.endOfStream() == .complete else {
            return .failed(.failed)
        }
        return verdict(onStatus: status)
    }

    private func verdict(onStatus status: UInt16) -> HealthProber.Verdict {
        healthCheck.matcher.httpCode.contains(Int(status)) ? .passed : .failed(.responseCode(status))
    }

    private func end(_ verdict: HealthProber.Verdict, now: Instant) {
        phase = .over
        close()
        report(verdict, now)
    }

    private func close() {
        if let buffer { workbench.buffers.release(buffer) }
        buffer = nil
        guard let socket else { return }
        loop.remove(token)
        socket.close()
        self.socket = nil
    }
}

extension HealthState.CheckFailure {
    /// What the errno of a connection attempt says about the target.
    fileprivate init(connectError code: Int32) { self = code == ETIMEDOUT ? .timeout : .failed }
}

/// Whether a connection could not be made for a lack on our side, which says nothing about the target.
private func isOwnFault(_ code: Int32) -> Bool {
    [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EAGAIN].contains(code)
}

/// What all probes share, since only one of them works at a time.
final class ProbeWorkbench {
    /// Buffers of the checks that run.
    var buffers = BufferPool(bytesMax: .max)
    /// The head that is being written or read.
    let head = Head()

    /// Writes the request of a check.
    func composeRequest(path: String, host: SocketAddress, into buffer: Buffer) {
        head.reset()
        head.method = head.append("GET")
        let octets = Array(path.utf8)
        let question = octets.firstIndex(of: .questionMark) ?? octets.count
        head.path = head.append(octets.span.extracting(0..<question))
        head.query = head.append(octets.span.extracting(question..<octets.count))
        head.target = ByteRange(start: head.path.start, count: octets.count)
        let hostStart = head.byteCount
        head.append(hostOf: host, bracketed: true)
        if host.port != 80 {
            head.append(UInt8.colon)
            head.append(decimal: UInt64(host.port))
        }
        head.authority = head.range(from: hostStart)
        head.addField(name: head.append("Host"), value: head.authority, id: .host)
        head.addField(
            name: head.append("User-Agent"), value: head.append("ELB-HealthChecker/2.0"), id: .userAgent)
        head.addField(name: head.append("Connection"), value: head.append("close"), id: .connection)
        precondition(requestHeadByteCount(head) <= buffer.freeCount, "probe: the path is longer than a document allows")
        writeRequestHead(head, framing: .none, into: buffer)
    }
}
