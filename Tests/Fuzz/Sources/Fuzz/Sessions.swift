import Core
import HTTP1
import HTTP2

/// Plays a whole HTTP/2 connection. Whatever the other side sends, and in whatever order our own side answers, the
/// session must not trap, exceed its memory limit, or write more than it was asked to, and it must continue to serve.
enum Sessions {
    /// The input is a script (`SessionScript`) of what the client and we do, one step after the other.
    static func checkServer(_ input: Span<UInt8>) { SessionPlay(.server, copyBytes(input)).run() }

    /// The input is a script of what a target and we do.
    static func checkClient(_ input: Span<UInt8>) { SessionPlay(.client, copyBytes(input)).run() }
}

/// One run of a script against one session.
private final class SessionPlay {
    /// A stream as the owner of the session sees it.
    private struct Stream {
        var unreported = 0
        var hasEnded = false
        var isAnswered = false
        var isEnding = false
        var body: Buffer?
    }

    private let session: HTTP2Session
    private let heads = HeadPool()
    private let output = Buffer(capacity: Core.Limits.largeBufferBytes)
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var script: SessionScript
    /// By slot.
    private var streams: [Int: Stream] = [:]
    private var wire = FrameWatch()
    /// Bytes of frames that are still to be delivered, and how many arrive at a time.
    private var pending: [UInt8] = []
    private var pieceCount = Int.max
    private var isShutDown = false
    /// What our own side gave the session to write, as an upper bound.
    private var grantedCount = 1024
    private var deliveredCount = 0
    private var producedCount = 0
    private var written = FrameWatch()

    init(_ role: HTTP2Session.Role, _ script: [UInt8]) {
        session = HTTP2Session(role, HTTP2Settings(), heads: heads, now: now)
        self.script = SessionScript(script, isClient: role == .server)
    }

    func run() {
        if session.role == .server { pending = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) }
        pending += frame(4, 0, 0, [])
        deliver()
        if session.role == .client { for _ in 0..<3 { open() } }
        var stepCount = 0
        while let step = script.next(), session.fault == nil, stepCount < 400 {
            stepCount += 1
            act(step)
        }
        deliver()
        drain()
        guard session.fault == nil else { return }
        endAll()
        serveOnceMore()
    }

    private func act(_ step: SessionScript.Step) {
        switch step {
        case .frames(let bytes, let isHeld):
            pending += bytes
            if !isHeld || pending.count > 70_000 { deliver() }
        case .pieces(let count): pieceCount = count
        case .wait(let milliseconds): now = now + Nanoseconds(milliseconds) * 1_000_000
        case .produce: drain()
        case .produceOnce: produce()
        case .ping:
            session.ping()
            grantedCount += 17
        case .shutDown(let isFinal):
            isShutDown = true
            if isFinal { session.finishShutdown() } else { session.beginShutdown() }
            grantedCount += 17
        case .open: open()
        case .owner(let choice, let action):
            let slots = streams.keys.sorted()
            guard !slots.isEmpty else { return }
            own(slots[choice % slots.count], action)
        }
        let heldMax = HTTP2.Limits.sessionBytesMax + 4 * HTTP2.Limits.openHeadBytesMax
        demand(session.heldByteCount <= heldMax, "holds \(session.heldByteCount) bytes")
    }

    // MARK: The other side

    private func deliver() {
        var start = 0
        while start < pending.count {
            let end = pieceCount < pending.count - start ? start + pieceCount : pending.count
            let piece = Array(pending[start..<end])
            start = end
            wire.take(piece)
            deliveredCount += piece.count
            receive(piece)
        }
        pending = []
    }

    /// Passes bytes to the session turn by turn. Each turn must take some of them.
    private func receive(_ piece: [UInt8]) {
        var start = 0
        while start < piece.count, session.fault == nil {
            session.beginTurn()
            let rest = Array(piece[start...])
            let takenCount = session.receive(rest.span, now: now)
            takeEvents()
            demand(takenCount > 0 || session.fault != nil, "a turn takes nothing of \(rest.count) bytes")
            demand(takenCount <= rest.count, "took \(takenCount) of \(rest.count) bytes")
            start += takenCount
        }
    }

    // MARK: Our side

    private func takeEvents() {
        var closed: [Int] = []
        for index in 0..<session.eventCount {
            switch session.event(index) {
            case .head(let slot, let head, let isEnd), .refusedHead(let slot, let head, _, let isEnd):
                if session.role == .server {
                    demand(streams[slot] == nil, "slot \(slot) was given twice")
                    streams[slot] = Stream()
                }
                demand(streams[slot]?.hasEnded == false, "a head on slot \(slot), which is unknown or has ended")
                streams[slot]?.hasEnded = isEnd
                heads.put(head)
            case .data(let slot, let range):
                demand(streams[slot]?.hasEnded == false, "data on slot \(slot), which is unknown or has ended")
                streams[slot]?.unreported += range.count
                let held = streams[slot]?.unreported ?? 0
                demand(held <= HTTP2.Limits.streamWindowBytes, "\(held) bytes came in beyond the window")
            case .end(let slot, let trailers):
                demand(streams[slot]?.hasEnded == false, "an end on slot \(slot), which is unknown or has ended")
                streams[slot]?.hasEnded = true
                if let trailers { heads.put(trailers) }
            case .closed(let slot, _, _):
                demand(streams[slot] != nil, "slot \(slot) was closed but is unknown")
                closed.append(slot)
            case .faultyRequest, .goAway, .settings, .pingAcknowledged: break
            }
        }
        session.removeEvents()
        for slot in closed { streams[slot] = nil }
    }

    private func open() {
        guard session.role == .client else { return }
        let head = Self.request
        let isEnd = streams.count % 2 == 1
        guard let slot = session.request(head, scheme: "http", framing: isEnd ? .none : .chunked, isEnd: isEnd) else {
            return
        }
        demand(streams[slot] == nil, "slot \(slot) was given twice")
        streams[slot] = Stream()
        streams[slot]?.isAnswered = true
        streams[slot]?.isEnding = isEnd
        grantedCount += 300
        // Frames are produced at once, as a worker does: a request that still waits when SETTINGS of the target allow
        // no more streams would stay in nghttp2 forever.
        drain()
    }

    private func own(_ slot: Int, _ action: Int) {
        guard var stream = streams[slot] else { return }
        switch action {
        case 0:
            if stream.unreported > 0, !stream.hasEnded { session.consumed(slot, stream.unreported) }
            grantedCount += 13
            stream.unreported = 0
        case 1, 2:
            guard !stream.isAnswered else { break }
            stream.isAnswered = true
            stream.isEnding = action == 1
            session.respond(slot, Self.response, framing: .chunked, isEnd: action == 1)
            grantedCount += 300
        case 3:
            guard !stream.isAnswered else { break }
            session.respond(slot, Self.hints, framing: .none, isEnd: false)
            grantedCount += 300
        case 4, 5:
            guard stream.isAnswered, !stream.isEnding else { break }
            let body = stream.body ?? Buffer(capacity: 72 * 1024)
            body.compact()
            let count = min(body.freeCount, action == 4 ? 40_000 : 10)
            for _ in 0..<count { body.append(0x62) }
            // Factor two, because each byte may need a frame of its own if the window opens byte by byte.
            grantedCount += 11 * count
            stream.body = body
            session.attach(slot, body, isLast: false)
            produceNow()
            _ = session.detach(slot)
        case 6:
            guard stream.isAnswered, !stream.isEnding else { break }
            session.attach(slot, stream.body, isLast: true)
            grantedCount += 20
            produceNow()
            if session.detach(slot) { stream.isEnding = true }
        case 7:
            session.reset(slot, .noError)
            grantedCount += 13
        default:
            session.reset(slot, .cancel)
            grantedCount += 13
        }
        streams[slot] = stream
        takeEvents()
    }

    private func produce() {
        produceNow()
        takeEvents()
    }

    /// Produces frames; what happens by that is added to the events.
    @discardableResult private func produceNow() -> Bool {
        let output = output
        let isDone = session.produce(into: output)
        producedCount += output.count
        let frames = copyBytes(output.bytes)
        written.take(frames)
        output.removeAll()
        demand(written.isPlausible, "wrote a frame of type \(written.type) and \(written.length) bytes")
        // A PING of 17 bytes is answered by as many, an empty SETTINGS of 9 too, and one byte of a broken frame by a
        // reset of 13: more than twice as much is no answer.
        let bound = grantedCount + 2 * deliveredCount + 1024
        demand(
            producedCount <= bound, "wrote \(producedCount) bytes for \(deliveredCount), and \(grantedCount) of ours")
        return isDone
    }

    private func drain() {
        var turnCount = 0
        while !produceNow() {
            takeEvents()
            turnCount += 1
            demand(turnCount < 100, "does not stop writing")
        }
        takeEvents()
    }

    // MARK: The end

    /// After a reset by us a stream must be closed, whatever happened before.
    private func endAll() {
        for slot in streams.keys.sorted() { session.reset(slot, .cancel) }
        grantedCount += 13 * streams.count
        drain()
        // A stream that is to be reset at the end of its body does not get there, because its body is not continued.
        guard session.fault == nil, wire.isBetweenHeads else { return }
        demand(streams.isEmpty, "slots \(streams.keys.sorted()) were reset but are not closed")
        demand(session.openStreamCount == 0, "\(session.openStreamCount) streams are open that are unknown to the test")
    }

    /// A connection without a fault must still be usable: one more request is reported, and one more response is
    /// written.
    private func serveOnceMore() {
        now = now + 60_000_000_000
        guard session.fault == nil, !isShutDown, !session.hasReceivedGoAway, wire.isBetweenFrames, wire.isBetweenHeads
        else { return }
        pieceCount = Int.max
        if session.role == .server {
            let stream = (wire.lastHeadStream | 1) + 2
            guard stream < 1 << 31 else { return }
            pending = frame(1, 5, stream, SessionScript.block(SessionScript.get))
            deliver()
            guard session.fault == nil else { return }
            demand(streams.count == 1, "stream \(stream) was not reported")
            for slot in streams.keys { session.respond(slot, Self.response, framing: .none, isEnd: true) }
        } else {
            guard session.streamCapacity > 0 else { return }
            let slot = session.request(Self.request, scheme: "http", framing: .none, isEnd: true)
            demand(slot != nil, "there is room for a stream, but none was opened")
            if let slot { streams[slot] = Stream() }
            grantedCount += 300
            let before = written.lastHeadStream
            drain()
            guard session.fault == nil else { return }
            demand(written.lastHeadStream > before, "a request was not written")
            pending = frame(1, 5, written.lastHeadStream, SessionScript.block([(":status", "200")]))
            deliver()
        }
        grantedCount += 300
        drain()
        demand(session.fault != nil || streams.isEmpty, "a stream that both sides have ended is not closed")
    }

    private static var request: Head {
        parsed("POST /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", .request(RequestOptions()))
    }
    private static var response: Head { parsed("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", .response(isHEAD: false)) }
    private static var hints: Head { parsed("HTTP/1.1 103 Early\r\nLink: c\r\n\r\n", .response(isHEAD: false)) }

    private static func parsed(_ text: String, _ parser: HeadParser) -> Head {
        let head = Head()
        var scan = HeadScan()
        let bytes = Array(text.utf8)
        guard case .complete = parser.parse(bytes.span, into: head, scan: &scan) else {
            fatalError("no head: \(text)")
        }
        return head
    }
}

/// Reads the frame headers of one direction.
private struct FrameWatch {
    private var header: [UInt8] = []
    private var left = 0
    private var prefaceCount = -1
    private(set) var type: UInt8 = 0
    private(set) var length = 0
    /// The highest stream of a HEADERS frame.
    private(set) var lastHeadStream: UInt32 = 0
    /// Whether no header block is incomplete.
    private(set) var isBetweenHeads = true
    private(set) var isPlausible = true
    var isBetweenFrames: Bool { header.isEmpty && left == 0 }

    mutating func take(_ bytes: [UInt8]) {
        if prefaceCount < 0 { prefaceCount = bytes.first == 0x50 ? 24 : 0 }
        var index = min(prefaceCount, bytes.count)
        prefaceCount -= index
        while index < bytes.count {
            if left > 0 {
                let count = min(left, bytes.count - index)
                left -= count
                index += count
                continue
            }
            header.append(bytes[index])
            index += 1
            guard header.count == 9 else { continue }
            length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            left = length
            type = header[3]
            let stream = header[5...].reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
            if length > 16_384 || type > 9 { isPlausible = false }
            if type == 1 { lastHeadStream = max(lastHeadStream, stream) }
            if type == 1 || type == 9 { isBetweenHeads = header[4] & 4 != 0 }
            header = []
        }
    }
}

/// One frame. Source: RFC 9113 §4.1.
func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
        + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: stream >> $0) } + payload
}
