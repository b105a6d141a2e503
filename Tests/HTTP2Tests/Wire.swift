import Core
import HTTP1
import HTTP2

/// Frames written by hand, so that a test can break any rule. Source: RFC 9113 §4.1, §6; RFC 7541 §6.2.2.
struct Frames {
    var octets: [UInt8] = []

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// What a client begins with: the preface and empty SETTINGS.
    static var clientStart: Frames {
        var frames = Frames(octets: preface)
        frames.add(4, 0, 0, [])
        return frames
    }

    /// What a server begins with.
    static var serverStart: Frames {
        var frames = Frames()
        frames.add(4, 0, 0, [])
        return frames
    }

    mutating func add(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8], length: Int? = nil) {
        let length = length ?? payload.count
        octets += [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
        octets += number(stream) + payload
    }

    mutating func headers(_ stream: UInt32, _ fields: [(String, String)], isEnd: Bool = true, flags: UInt8 = 4) {
        add(1, flags | (isEnd ? 1 : 0), stream, Frames.block(fields))
    }

    mutating func data(_ stream: UInt32, _ payload: [UInt8], isEnd: Bool = false) {
        add(0, isEnd ? 1 : 0, stream, payload)
    }

    mutating func reset(_ stream: UInt32, _ code: UInt32 = 8) { add(3, 0, stream, number(code)) }

    mutating func window(_ stream: UInt32, _ increment: UInt32) { add(8, 0, stream, number(increment)) }

    func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * UInt32($0)) & 255) } }

    /// A field section without compression: literals that are not indexed.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    private static func text(_ text: String) -> [UInt8] {
        let octets = Array(text.utf8)
        guard octets.count >= 127 else { return [UInt8(octets.count)] + octets }
        var rest = octets.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return length + [UInt8(rest)] + octets
    }

    /// A request without a body, with other fields behind it.
    static func get(_ more: [(String, String)] = [], path: String = "/", method: String = "GET") -> [(String, String)] {
        [(":method", method), (":scheme", "https"), (":authority", "a.example"), (":path", path)] + more
    }
}

/// A session and what it was heard to say.
final class Peer {
    let heads = HeadPool()
    let session: HTTP2Session
    var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var told: [String] = []
    /// Everything that was sent and not taken.
    private(set) var sent: [UInt8] = []
    var isAlive: Bool { session.fault == nil }
    /// Slots of requests in the order they came.
    private(set) var slots: [Int] = []
    private var bodies: [Int: Int] = [:]

    init(_ role: HTTP2Session.Role, dropsInvalidNames: Bool = false) {
        session = HTTP2Session(role, HTTP2Settings(dropsInvalidNames: dropsInvalidNames), heads: heads, now: now)
    }

    /// Hands over octets in pieces of `step`, and notes what the session tells.
    func receive(_ octets: [UInt8], step: Int = .max) {
        var index = 0
        while index < octets.count, session.fault == nil {
            let end = index + min(step, octets.count - index)
            let piece = Array(octets[index..<end])
            _ = session.receive(piece.span, now: now)
            note(piece)
            index = end
        }
        flush()
    }

    func receive(_ frames: Frames, step: Int = .max) { receive(frames.octets, step: step) }

    private func note(_ input: [UInt8]) {
        for index in 0..<session.eventCount {
            switch session.event(index) {
            case .head(let slot, let head, let isEnd):
                slots.append(slot)
                told.append("head\(isEnd ? " end" : "") \(summary(head))")
                heads.put(head)
            case .refusedHead(let slot, let head, let violation, _):
                slots.append(slot)
                told.append("refused \(violation.status) \(violation.word)")
                heads.put(head)
            case .data(let slot, let range):
                bodies[slot, default: 0] += range.count
                precondition(range.end <= input.count, "data outside of what was handed over")
            case .end(let slot, let trailers):
                told.append("end \(bodies[slot] ?? 0)\(trailers.map { " " + fields($0) } ?? "")")
                if let trailers { heads.put(trailers) }
            case .closed(_, let code, let byOtherSide):
                told.append("closed \(code.number)\(byOtherSide ? " by other" : "")")
            case .goAway: told.append("goaway")
            case .pingAcknowledged: told.append("pong")
            case .none: break
            }
        }
        session.removeEvents()
    }

    private func summary(_ head: Head) -> String {
        if head.status > 0 { return "\(head.status) \(fields(head))" }
        return "\(text(head, head.method)) \(text(head, head.path))\(text(head, head.query)) \(fields(head))"
    }

    private func fields(_ head: Head) -> String {
        (0..<head.fieldCount).filter { !head.field($0).isRemoved }
            .map { "\(text(head, head.field($0).name)):\(text(head, head.field($0).value))" }.joined(separator: ",")
    }

    private func text(_ head: Head, _ range: ByteRange) -> String {
        let span = head.bytes(range)
        return String(decoding: (0..<span.count).map { span[$0] }, as: UTF8.self)
    }

    /// Takes what the session wants to send.
    func flush() {
        let output = Buffer(capacity: Core.Limits.largeBufferBytes)
        var isAll = false
        while !isAll {
            isAll = session.produce(into: output)
            let span = output.bytes
            for index in 0..<span.count { sent.append(span[index]) }
            output.removeAll()
        }
        note([])
    }

    func takeSent() -> [UInt8] {
        defer { sent = [] }
        return sent
    }

    /// The frames that were sent, by what is asked of them most: `GOAWAY 11`, `RST 1`, `HEADERS`, `DATA 10`.
    var frames: [String] {
        var list: [String] = []
        var index = sent.starts(with: Frames.preface) ? Frames.preface.count : 0
        while index + 9 <= sent.count {
            let length = Int(sent[index]) << 16 | Int(sent[index + 1]) << 8 | Int(sent[index + 2])
            let payload = Array(sent[index + 9..<min(sent.count, index + 9 + length)])
            switch sent[index + 3] {
            case 0: list.append("DATA \(length)")
            case 1: list.append("HEADERS")
            case 3: list.append("RST \(code(payload, 0))")
            case 7: list.append("GOAWAY \(code(payload, 4))")
            default: break
            }
            index += 9 + length
        }
        return list
    }

    private func code(_ payload: [UInt8], _ start: Int) -> UInt32 {
        payload[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
