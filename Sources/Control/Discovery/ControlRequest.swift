import Core
import HTTP1

/// One GET over HTTP/1.1 from the control thread, on a connection of its own: to a daemon on a Unix socket, or to an
/// address. The answer is handed over as a whole, or piece by piece as it comes.
///
/// Shape:  one object of the control thread, which lives until it has ended or is cancelled.
/// Limits: an answer that is handed over as a whole has `bytesMax` bytes and must come within `timeout`; of one that is
///         handed over in pieces the head must. One turn reads `Limits.requestReadsMax` times at most.
/// Source: RFC 9112.
final class ControlRequest: PollHandler {
    /// Whom to ask.
    enum Server: Equatable {
        /// What listens at a path of the file system.
        case unix(path: String)
        /// What listens at an address.
        case tcp(SocketAddress)
    }

    /// What to ask for.
    struct Question {
        /// The path and the query, percent-encoded.
        var target: String
        /// The value of Host.
        var host: String
        /// An entity tag that is known already (If-None-Match); nil for none.
        var entityTag: String?
        /// Header fields beside the usual ones.
        var fields: [Field] = []
    }

    /// A header field. Nothing shows its value, which may be a secret.
    struct Field {
        /// Its name.
        let name: String
        /// Its value.
        let value: [UInt8]
    }

    /// What comes of it.
    enum Event: Equatable {
        /// The head of an answer that comes in pieces.
        case head(status: UInt16)
        /// The next piece of its body.
        case piece([UInt8])
        /// An answer, all of it.
        case answer(status: UInt16, entityTag: String?, body: [UInt8])
        /// There is no answer, or no more of it: why, in words that follow a subject. It is the last event.
        case failed(String)
    }

    private let server: Server
    private let question: Question
    private let loop: ControlLoop
    /// Of an answer that is handed over as a whole; nil for pieces.
    private let bytesMax: Int?
    private let report: (Event) -> Void
    private let deadline: Instant
    private var socket: Socket?
    private var token = Token.none
    private let output: Buffer
    private let input = Buffer(capacity: Core.Limits.mediumBufferBytes)
    private let head = Head()
    private var reader = MessageReader(.responses)
    private var isConnected = false
    private var status: UInt16 = 0
    private var entityTag: String?
    private var body: [UInt8] = []

    /// Asks `server`. `report` is called from the end of this pass on, until it was told the last event. Without
    /// `bytesMax` the answer comes in pieces.
    init(
        _ question: Question, of server: Server, within timeout: Nanoseconds, bytesMax: Int?, loop: ControlLoop,
        report: @escaping (Event) -> Void
    ) {
        self.server = server
        self.question = question
        self.loop = loop
        self.bytesMax = bytesMax
        self.report = report
        deadline = loop.now + timeout
        output = Self.compose(question, head)
        connect()
    }

    /// Ends it without another event.
    func cancel() {
        loop.remove(token)
        socket?.close()
        socket = nil
    }

    private func connect() {
        do throws(SystemError) {
            let socket =
                switch server {
                case .unix(let path): try Socket.connect(toUnixPath: path, blocks: false)
                case .tcp(let address): try Socket.connect(to: address)
                }
            self.socket = socket
            token = loop.add(self, descriptor: socket.descriptor)
            loop.schedule(token, at: deadline)
        } catch {
            if case .unix = server, error.code == SystemError.wouldBlock, loop.now < deadline { return connectLater() }
            let reason = "cannot be connected to: \(error.reason)"
            loop.afterBatch { [report] in report(.failed(reason)) }
        }
    }

    /// The server is there, and has more to accept than it can hold.
    private func connectLater() {
        token = loop.add(self, descriptor: nil)
        loop.schedule(token, at: min(deadline, loop.now + Limits.connectRetryTime))
    }

    private static func compose(_ question: Question, _ head: Head) -> Buffer {
        head.reset()
        head.appendMethod("GET")
        let parts = question.target.split(separator: "?", maxSplits: 1)
        head.path = head.append(Array((parts.first ?? "/").utf8).span)
        if parts.count > 1 { head.query = head.append(Array("?\(parts[1])".utf8).span) }
        head.authority = head.append(Array(question.host.utf8).span)
        head.addField(name: head.append("Host"), value: head.authority, id: .host)
        let agent = Array("apus/\(Control.version)".utf8)
        head.addField(name: head.append("User-Agent"), value: head.append(agent.span), id: .userAgent)
        head.addField(name: head.append("Accept"), value: head.append("application/json"), id: .other)
        if let tag = question.entityTag {
            head.addField(name: head.append("If-None-Match"), value: head.append(Array(tag.utf8).span), id: .other)
        }
        for field in question.fields {
            let name = head.append(Array(field.name.utf8).span)
            head.addField(name: name, value: head.append(field.value.span), id: .other)
        }
        head.addField(name: head.append("Connection"), value: head.append("close"), id: .connection)
        let buffer = Buffer(capacity: requestHeadByteCount(head))
        writeRequestHead(head, framing: .none, into: buffer)
        return buffer
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        if !isConnected {
            guard ready.isWritable, let code = socket?.takeError() else { return }
            guard code == 0 else { return end("cannot be connected to: \(systemErrorText(code))") }
            isConnected = true
        }
        if ready.isWritable, !output.isEmpty { send() }
        // What the server says before it has read all of the question counts as well.
        if socket != nil { receive() }
    }

    func timerFired(now: Instant) {
        guard socket == nil, now < deadline else { return end("does not answer in time") }
        loop.remove(token)
        connect()
    }

    private func send() {
        while let socket, !output.isEmpty {
            switch socket.write(output) {
            case .bytes: continue
            case .wouldBlock: return
            case .failed(let code): return end("has ended the connection: \(systemErrorText(code))")
            }
        }
    }

    private func receive() {
        for _ in 0..<Limits.requestReadsMax {
            guard let socket else { return }
            input.compact()
            guard input.freeCount > 0 else { return end("sends a head that is too long") }
            switch socket.read(into: input) {
            case .bytes: examine()
            case .wouldBlock: return
            case .endOfStream: return endOfStream()
            case .failed(let code): return end("has ended the connection: \(systemErrorText(code))")
            }
        }
        // Others have their turn before the rest is read, which the poller would not report again.
        loop.afterBatch { [weak self] in self?.receive() }
    }

    private func examine() {
        while socket != nil {
            switch reader.next(input, head) {
            case .needMore: return
            case .head: begin()
            case .data(let count): take(input.takeBytes(count))
            case .end: return finish()
            case .refused(let violation): return end("does not answer in HTTP (\(violation.reasonCode))")
            }
        }
    }

    private func begin() {
        let head = head
        status = head.status
        for index in 0..<head.fieldCount {
            let field = head.field(index)
            guard head.bytes(field.name).equalsIgnoringCase("etag") else { continue }
            // What is no UTF-8 could not be sent back as it came.
            let text = head.bytes(field.value).text
            entityTag = text.unicodeScalars.contains("\u{FFFD}") ? nil : text
        }
        guard bytesMax == nil else { return }
        loop.cancel(token)
        report(.head(status: status))
    }

    private func take(_ piece: [UInt8]) {
        guard let bytesMax else { return report(.piece(piece)) }
        guard body.count + piece.count <= bytesMax else { return end("answers with more than \(bytesMax) bytes") }
        body += piece
    }

    private func finish() {
        guard bytesMax != nil else { return end("has ended its answer") }
        cancel()
        report(.answer(status: status, entityTag: entityTag, body: body))
    }

    private func endOfStream() {
        if bytesMax != nil, reader.endOfStream() == .complete { finish() } else { end("has ended the connection") }
    }

    private func end(_ reason: String) {
        cancel()
        report(.failed(reason))
    }
}

/// Text as it may stand in a query. Source: RFC 3986 §2.1, §3.4.
func percentEncoded(_ text: String) -> String {
    var encoded: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: encoded.append(byte)
        default: encoded += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
