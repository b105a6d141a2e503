import CNghttp2
import Core
import HTTP1
import HTTP2

/// One side of an in-memory connection: a session, driven as a worker drives it.
final class Side {
    let session: HTTP2Session
    let heads: HeadPool
    let output = Buffer(capacity: Core.Limits.largeBufferBytes)
    var now = Instant(nanoseconds: 1_000_000_000)
    /// The number of turns that the received bytes took.
    var turnCount = 0
    /// The events as text; `data` with its bytes.
    var story: [String] = []
    /// The last head of each slot.
    var lastHead: Head?
    var lastSlot: Int?
    var slots: [Int] = []
    var bodies: [Int: [UInt8]] = [:]

    init(_ role: HTTP2Session.Role, _ settings: HTTP2Settings = HTTP2Settings()) {
        heads = HeadPool()
        session = HTTP2Session(role, settings, heads: heads, now: now)
    }

    /// Receives bytes, in pieces of at most `size`, and records the events.
    @discardableResult func receive(_ bytes: [UInt8], pieces size: Int = Int.max) -> Bool {
        var index = 0
        while index < bytes.count, session.fault == nil {
            let piece = Array(bytes[index..<min(bytes.count, index + min(size, bytes.count))])
            session.beginTurn()
            turnCount += 1
            index += session.receive(piece.span, now: now)
            tell(piece)
        }
        return session.fault == nil
    }

    /// Everything the session has to send.
    func send() -> [UInt8] {
        var bytes: [UInt8] = []
        let output = output
        while true {
            let isDone = session.produce(into: output)
            let piece = output.bytes
            bytes += piece.array
            output.removeAll()
            tell([])
            if isDone { return bytes }
        }
    }

    private func tell(_ bytes: [UInt8]) {
        for index in 0..<session.eventCount {
            switch session.event(index) {
            case .head(let slot, let head, let isEnd):
                keep(slot, head)
                let isRequest = head.status == 0
                let line = isRequest ? "\(head.text(head.method)) \(head.text(head.path))" : "\(head.status)"
                story.append("\(slot) head \(line)\(isEnd ? " end" : "")")
            case .refusedHead(let slot, let head, let violation, let isEnd):
                keep(slot, head)
                story.append("\(slot) refused \(violation)\(isEnd ? " end" : "")")
            case .data(let slot, let range):
                bodies[slot, default: []] += bytes[range.start..<range.end]
            case .end(let slot, let trailers):
                if let trailers { lastHead = trailers }
                story.append("\(slot) end\(trailers == nil ? "" : " trailers")")
            case .closed(let slot, let code, let ending): story.append("\(slot) closed \(code.name) \(ending)")
            case .goAway(let code): story.append("goAway \(code.name)")
            case .faultyRequest(let fault): story.append("faulty \(fault.reasonCode)")
            case .settings: story.append("settings")
            case .pingAcknowledged: story.append("pong")
            }
        }
        session.removeEvents()
    }

    private func keep(_ slot: Int, _ head: Head) {
        lastHead = head
        lastSlot = slot
        slots.append(slot)
    }

    /// Returns the recorded events and removes them.
    func takeStory() -> [String] {
        defer { story = [] }
        return story
    }
}

/// Exchanges bytes between both sides until neither has output.
func converse(_ left: Side, _ right: Side) {
    while true {
        let there = left.send()
        right.receive(there)
        let back = right.send()
        left.receive(back)
        if there.isEmpty && back.isEmpty { return }
    }
}

extension Span where Element == UInt8 {
    var array: [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<count { bytes.append(self[index]) }
        return bytes
    }
}

extension Head {
    func text(_ range: ByteRange) -> String { bytes(range).text }

    /// The fields that were not removed, as `name: value`.
    var lines: [String] {
        (0..<fieldCount).map(field).filter { !$0.isRemoved }.map { "\(text($0.name)): \(text($0.value))" }
    }
}

/// A request head as the proxy has it, built by the HTTP/1 parser.
func requestHead(_ text: String) -> Head {
    let head = Head()
    var scan = HeadScan()
    let bytes = Array(text.utf8)
    guard case .complete = parseRequestHead(bytes.span, into: head, options: RequestOptions(), scan: &scan) else {
        preconditionFailure("not a request: \(text)")
    }
    return head
}

/// A response head, built by the HTTP/1 parser.
func responseHead(_ text: String, requestIsHEAD: Bool = false) -> Head {
    let head = Head()
    var scan = HeadScan()
    let bytes = Array(text.utf8)
    guard case .complete = parseResponseHead(bytes.span, into: head, requestIsHEAD: requestIsHEAD, scan: &scan) else {
        preconditionFailure("not a response: \(text)")
    }
    return head
}

/// A buffer with these bytes.
func buffer(_ bytes: [UInt8], capacity: Int = 72 * 1024) -> Buffer {
    let buffer = Buffer(capacity: capacity)
    buffer.append(bytes.span)
    return buffer
}
