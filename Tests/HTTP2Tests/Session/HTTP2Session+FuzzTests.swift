import Core
import HTTP1
import HTTP2
import Testing

/// Random frames, half of them nearly valid, by seed.
private struct FrameSource {
    private var random: FastRandom

    init(seed: UInt64) { random = FastRandom(seed: seed) }

    mutating func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: random.next() >> 33) % limit }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(below(256)) } }

    private static let parts: [(String, String)] = [
        (":method", "GET"), (":method", "CONNECT"), (":path", "/a/../b"), (":path", "/%2e"), (":scheme", "https"),
        (":authority", "a"), (":status", "200"), (":status", "103"), (":protocol", "websocket"), ("host", "a"),
        ("cookie", "a=b"), ("content-length", "3"), ("te", "trailers"), ("A", "b"), ("", ""), ("a_b", "c\n"),
        ("transfer-encoding", "chunked"), ("content_length", "1"), ("expect", "100-continue"), ("priority", "u=0"),
    ]

    mutating func fields(_ isRequest: Bool) -> Fields {
        var fields: Fields = isRequest ? get : [(":status", "200")]
        for _ in 0..<below(6) where below(3) > 0 { fields.append(Self.parts[below(Self.parts.count)]) }
        if below(9) == 0 { fields.shuffle(using: &random) }
        return fields
    }

    mutating func frame(_ stream: UInt32, _ isRequest: Bool) -> Frame {
        switch below(20) {
        case 0...5: return .headers(stream, fields(isRequest), end: below(2) == 0, endHeaders: below(20) > 0)
        case 6...8: return .data(stream, bytes(below(3000)), end: below(3) == 0)
        case 9: return .windowUpdate(below(2) == 0 ? 0 : stream, UInt32(below(1 << 20)))
        case 10: return .reset(stream, UInt32(below(15)))
        case 11: return .settings([(UInt16(below(10)), UInt32(below(1 << 17)))])
        case 12: return .ping(UInt8(below(2)))
        case 13: return .headers(stream, [("t", "u")])
        case 14: return .continuation(stream, bytes(below(20)))
        case 15: return .goAway(stream, UInt32(below(15)))
        case 16:
            return Frame(type: UInt8(below(20)), flags: UInt8(below(256)), stream: stream, payload: bytes(below(40)))
        case 17: return .headers(stream, block: bytes(below(60)))
        case 18: return .priority(stream, on: UInt32(below(9)))
        default: return Frame(type: 0, flags: 8, stream: stream, payload: bytes(1 + below(60)))
        }
    }
}

@Suite struct HTTP2SessionFuzzTests {
    /// Feeds random frames to `side`, whose owner responds at random as well. Returns the most memory that was held.
    private func play(_ side: Side, _ source: inout FrameSource) -> Int {
        let isServer = side.session.role == .server
        var heldMax = 0
        var body = Buffer(capacity: 72 * 1024)
        var frameCount = 0
        var isAlive = true
        while isAlive, frameCount < 120 {
            var bytes: [UInt8] = []
            for _ in 0...source.below(4) {
                let stream = UInt32(max(0, frameCount / 3 - source.below(3))) * 2 + 1
                bytes += source.frame(source.below(30) == 0 ? 0 : stream, isServer).bytes
                frameCount += 1
            }
            isAlive = side.receive(bytes, pieces: 1 + source.below(bytes.count + 20))
            side.now = side.now + UInt64(source.below(100_000_000))
            if let slot = side.slots.popLast(), isServer, isAlive,
                !side.story.contains(where: { $0.hasPrefix("\(slot) closed") })
            {
                act(side.session, slot, &source, &body)
            }
            if source.below(3) > 0 { _ = side.send() }
            side.story.removeAll()
            heldMax = max(heldMax, side.session.heldByteCount)
        }
        _ = side.send()
        return heldMax
    }

    private func act(_ session: HTTP2Session, _ slot: Int, _ source: inout FrameSource, _ body: inout Buffer) {
        switch source.below(5) {
        case 0: session.reset(slot, .cancel)
        case 1: session.respond(slot, responseHead("HTTP/1.1 204 No\r\n\r\n"), framing: .none, isEnd: true)
        case 2:
            session.respond(slot, responseHead("HTTP/1.1 103 Early\r\n\r\n"), framing: .none, isEnd: false)
            session.respond(slot, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .length(1), isEnd: true)
            session.reset(slot, .noError)
        case 3:
            session.respond(slot, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
            body = buffer(source.bytes(source.below(70_000)))
            session.attach(slot, body, isLast: source.below(2) == 0)
            if source.below(4) == 0 { session.detach(slot) }
        default: session.consumed(slot, 0)
        }
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func serverSurvivesRandomFrames(seed: UInt64) {
        var source = FrameSource(seed: seed)
        for _ in 0..<25 {
            let server = Side(.server)
            server.receive(preface)
            let held = play(server, &source)
            #expect(held < 1_000_000, "held \(held)")
        }
    }

    @Test(arguments: 100..<108 as Range<UInt64>)
    func clientSurvivesRandomFrames(seed: UInt64) {
        var source = FrameSource(seed: seed)
        for _ in 0..<25 {
            let client = Side(.client)
            let head = requestHead("POST / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.receive(Frame.settings().bytes)
            for _ in 0..<40 { _ = client.session.request(head, scheme: "http", framing: .chunked, isEnd: false) }
            _ = client.send()
            let held = play(client, &source)
            #expect(held < 1_000_000, "held \(held)")
        }
    }
}
