import HTTP1
import HTTP2
import Testing

/// A name, what the other side sends after its SETTINGS, and the expected verdict.
struct FrameCase: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let verdict: Verdict

    init(_ name: String, _ frames: [Frame], _ verdict: Verdict) {
        self.name = name
        bytes = frames.bytes
        self.verdict = verdict
    }

    var testDescription: String { name }
}

private let noError: UInt32 = 0
private let protocolError: UInt32 = 1
private let flowControl: UInt32 = 3
private let streamClosed: UInt32 = 5
private let frameSize: UInt32 = 6
private let compression: UInt32 = 9
private let calm: UInt32 = 11

/// Frames that a client must not send, RFC 9113 §5 and §6. nghttp2 is stricter in places: a connection error where a
/// stream error would suffice (marked), which the RFC allows (§5.4).
private let clientFrames: [FrameCase] = [
    FrameCase("DATA on stream 0", [.data(0)], .connection(protocolError)),
    FrameCase("DATA on an idle stream", [.data(1, [1])], .connection(protocolError)),
    FrameCase("DATA after the end (strict)", [.headers(1, get), .data(1, [1])], .connection(streamClosed)),
    FrameCase("HEADERS on stream 0", [.headers(0, get)], .connection(protocolError)),
    FrameCase("HEADERS on an even stream", [.headers(2, get)], .connection(protocolError)),
    FrameCase("HEADERS after the end (strict)", [.headers(1, get), .headers(1, get)], .connection(streamClosed)),
    FrameCase("HEADERS on a stream passed over", [.headers(3, get), .headers(1, get)], .connection(protocolError)),
    FrameCase(
        "HEADERS late on a stream that was reset",
        [.headers(1, post, end: false), .reset(1), .headers(1, [("a", "b")]), .headers(3, get)], .fine),
    FrameCase(
        "HEADERS that depend on themselves",
        [Frame(type: 1, flags: 37, stream: 1, payload: [0, 0, 0, 1, 0] + block(get))], .connection(protocolError)),
    FrameCase("RST_STREAM on stream 0", [.reset(0)], .connection(protocolError)),
    FrameCase("RST_STREAM on an idle stream", [.reset(1)], .connection(protocolError)),
    FrameCase("RST_STREAM of 3 bytes", [Frame(type: 3, stream: 1, payload: [0, 0, 8])], .connection(frameSize)),
    FrameCase("RST_STREAM twice", [.headers(1, get), .reset(1), .reset(1)], .fine),
    FrameCase("HEADERS, then frames on a reset stream", [.headers(1, post, end: false), .reset(1), .data(1)], .fine),
    FrameCase("SETTINGS on a stream", [Frame(type: 4, stream: 1)], .connection(protocolError)),
    FrameCase("SETTINGS of 5 bytes", [Frame(type: 4, payload: [0, 3, 0, 0, 0])], .connection(frameSize)),
    FrameCase(
        "SETTINGS acknowledged with content", [Frame(type: 4, flags: 1, payload: [0, 3, 0, 0, 0, 1])],
        .connection(frameSize)),
    FrameCase("ENABLE_PUSH of 2", [.settings([(2, 2)])], .connection(protocolError)),
    FrameCase("INITIAL_WINDOW_SIZE of 2^31", [.settings([(4, 1 << 31)])], .connection(flowControl)),
    FrameCase("MAX_FRAME_SIZE too small", [.settings([(5, 16_383)])], .connection(protocolError)),
    FrameCase("MAX_FRAME_SIZE too large", [.settings([(5, 1 << 24)])], .connection(protocolError)),
    FrameCase("an unknown setting", [.settings([(0x5A5A, 7)])], .fine),
    FrameCase(
        "SETTINGS acknowledged twice", [.settingsAcknowledged, .settingsAcknowledged],
        .connection(protocolError)),
    FrameCase("33 settings", [.settings((0..<33).map { (0x5A00 + $0, 0) })], .connection(calm)),
    FrameCase(
        "INITIAL_WINDOW_SIZE that overflows a stream",
        [.headers(1, post, end: false), .windowUpdate(1, 0x7FFF_0000), .settings([(4, 0x7FFF_FFFF)])],
        .stream(flowControl)),
    FrameCase("PING on a stream", [Frame(type: 6, stream: 1, payload: Array(0..<8))], .connection(protocolError)),
    FrameCase("PING of 7 bytes", [Frame(type: 6, payload: Array(0..<7))], .connection(frameSize)),
    FrameCase(
        "GOAWAY on a stream", [Frame(type: 7, stream: 1, payload: Array(repeating: 0, count: 8))],
        .connection(protocolError)),
    FrameCase("GOAWAY of 7 bytes", [Frame(type: 7, payload: Array(0..<7))], .connection(frameSize)),
    FrameCase("WINDOW_UPDATE of 0", [.windowUpdate(0, 0)], .connection(protocolError)),
    FrameCase(
        "WINDOW_UPDATE of 0 on a stream (strict)", [.headers(1, get), .windowUpdate(1, 0)],
        .connection(protocolError)),
    FrameCase("WINDOW_UPDATE that overflows", [.windowUpdate(0, 0x7FFF_FFFF)], .connection(flowControl)),
    FrameCase(
        "WINDOW_UPDATE that overflows a stream", [.headers(1, get), .windowUpdate(1, 0x7FFF_FFFF)],
        .stream(flowControl)),
    FrameCase("WINDOW_UPDATE on an idle stream", [.windowUpdate(1, 1)], .connection(protocolError)),
    FrameCase("WINDOW_UPDATE of 3 bytes", [Frame(type: 8, payload: [0, 0, 1])], .connection(frameSize)),
    FrameCase("CONTINUATION alone", [.continuation(1, block(get))], .connection(protocolError)),
    FrameCase(
        "CONTINUATION of another stream",
        [.headers(1, get, endHeaders: false), .continuation(3, [])], .connection(protocolError)),
    FrameCase(
        "a frame within a head", [.headers(1, get, endHeaders: false), .ping()], .connection(protocolError)),
    FrameCase(
        "an unknown frame within a head", [.headers(1, get, endHeaders: false), Frame(type: 0xFA, stream: 1)],
        .connection(protocolError)),
    FrameCase("CONTINUATION", [.headers(1, block: [], endHeaders: false), .continuation(1, block(get))], .fine),
    FrameCase(
        "DATA with as much padding as payload",
        [.headers(1, post, end: false), Frame(type: 0, flags: 8, stream: 1, payload: [3, 0, 0])],
        .connection(protocolError)),
    FrameCase(
        "DATA padded without a length", [.headers(1, post, end: false), Frame(type: 0, flags: 8, stream: 1)],
        .connection(protocolError)),
    FrameCase(
        "HEADERS with as much padding as payload",
        [Frame(type: 1, flags: 13, stream: 1, payload: [200] + block(get))], .connection(protocolError)),
    FrameCase(
        "HEADERS with padding", [Frame(type: 1, flags: 13, stream: 1, payload: [2] + block(get) + [0, 0])], .fine),
    FrameCase("PUSH_PROMISE", [.headers(1, get), .pushPromise(1, promising: 2)], .connection(protocolError)),
    FrameCase(
        "a frame of 16,385 bytes", [Frame(type: 0xFA, payload: Array(repeating: 0, count: 16_385))],
        .connection(frameSize)),
    FrameCase("an unknown frame", [Frame(type: 0xFA, flags: 255, stream: 77, payload: [1, 2, 3])], .fine),
    FrameCase("PRIORITY, which we said we ignore", [.priority(1, on: 0), .priority(1, on: 1)], .fine),
    FrameCase(
        "PRIORITY of 4 bytes (strict)", [Frame(type: 2, stream: 1, payload: [0, 0, 0, 0])], .connection(frameSize)),
    FrameCase(
        "invalid header block", [.headers(1, block: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF])], .connection(compression)),
    FrameCase("header table larger than allowed", [.headers(1, block: [0x3F, 0xE2, 0x1F])], .connection(compression)),
    FrameCase(
        "more DATA than the window",
        [.headers(1, post, end: false)]
            + Array(repeating: .data(1, Array(repeating: 0, count: 16_384)), count: 5), .stream(flowControl)),
]

/// Messages that a client must not send, RFC 9113 §8. All are stream errors.
private let clientMessages: [FrameCase] = [
    request("upper case in a name", [("Accept", "a")]),
    request("a space in a name", [("a b", "c")]),
    request("an empty name", [("", "a")]),
    request("a colon in a name", [("a:b", "c")]),
    request("CR in a value", [("a", "b\rc")]),
    request("LF in a value", [("a", "b\nc: d")]),
    request("NUL in a value", [("a", "b\u{0}c")]),
    request("a space before a value", [("a", " b")]),
    request("a tab behind a value", [("a", "b\t")]),
    request("connection", [("connection", "close")]),
    request("keep-alive", [("keep-alive", "1")]),
    request("proxy-connection", [("proxy-connection", "close")]),
    request("transfer-encoding", [("transfer-encoding", "chunked")]),
    request("upgrade", [("upgrade", "h2c")]),
    request("te other than trailers", [("te", "gzip")]),
    request("a pseudo-field behind a field", [("a", "b"), (":authority", "c")]),
    request(":path twice", [(":path", "/b")]),
    request(":method twice", [(":method", "GET")]),
    request(":scheme twice", [(":scheme", "https")]),
    request(":authority twice", [(":authority", "a.example")]),
    request("an unknown pseudo-field", [(":query", "a")]),
    request(":status", [(":status", "200")]),
    request("host twice", [("host", "a.example"), ("host", "a.example")]),
    request("content-length twice", [("content-length", "0"), ("content-length", "0")]),
    request("content-length of nonsense", [("content-length", "+1")]),
    request("content-length beyond 2^63", [("content-length", "9223372036854775808")]),
    request("content-length without content", [("content-length", "5")]),
    FrameCase("no :method", [.headers(1, Array(get.dropFirst()))], .stream(protocolError)),
    FrameCase("no :scheme", [.headers(1, get.filter { $0.0 != ":scheme" })], .stream(protocolError)),
    FrameCase("no :path", [.headers(1, get.filter { $0.0 != ":path" })], .stream(protocolError)),
    FrameCase("an empty :path", [.headers(1, get.replacing(":path", ""))], .stream(protocolError)),
    FrameCase("an asterisk for GET", [.headers(1, get.replacing(":path", "*"))], .stream(protocolError)),
    FrameCase("neither :authority nor host", [.headers(1, Array(get.dropLast()))], .stream(protocolError)),
    FrameCase("an empty :authority", [.headers(1, get.replacing(":authority", ""))], .stream(protocolError)),
    FrameCase("a space in host", [.headers(1, get.dropLast() + [("host", "a b")])], .stream(protocolError)),
    FrameCase("LF in :path", [.headers(1, get.replacing(":path", "/a\nb"))], .stream(protocolError)),
    FrameCase("a space in :method", [.headers(1, get.replacing(":method", "GE T"))], .stream(protocolError)),
    FrameCase("CONNECT with :path", [.headers(1, get.replacing(":method", "CONNECT"))], .stream(protocolError)),
    FrameCase(
        "less content than content-length",
        [
            .headers(1, post + [("content-length", "5")], end: false), .data(1, [1, 2, 3], end: true),
        ], .stream(protocolError)),
    FrameCase(
        "more content than content-length",
        [
            .headers(1, post + [("content-length", "2")], end: false), .data(1, [1, 2, 3]),
        ], .stream(protocolError)),
    FrameCase(
        "less content, and an empty last frame",
        [
            .headers(1, post + [("content-length", "5")], end: false), .data(1, [1, 2, 3]), .data(1, end: true),
        ], .stream(protocolError)),
    FrameCase(
        "no content but an empty last frame",
        [
            .headers(1, post + [("content-length", "5")], end: false), .data(1, end: true),
        ], .stream(protocolError)),
    FrameCase(
        "less content, and trailers",
        [
            .headers(1, post + [("content-length", "5")], end: false), .data(1, [1]), .headers(1, [("a", "b")]),
        ], .stream(protocolError)),
    FrameCase(
        "trailers that are not the end",
        [
            .headers(1, post, end: false), .headers(1, [("a", "b")], end: false),
        ], .stream(protocolError)),
    FrameCase(
        "trailers with a pseudo-field",
        [
            .headers(1, post, end: false), .headers(1, [(":path", "/")]),
        ], .stream(protocolError)),
    FrameCase(
        "trailers with upper case",
        [
            .headers(1, post, end: false), .headers(1, [("A", "b")]),
        ], .stream(protocolError)),
    FrameCase(
        "trailers with connection",
        [
            .headers(1, post, end: false), .headers(1, [("connection", "close")]),
        ], .stream(protocolError)),
    FrameCase(
        "trailers with LF",
        [
            .headers(1, post, end: false), .headers(1, [("a", "b\nc")]),
        ], .stream(protocolError)),
]

private func request(_ name: String, _ fields: Fields) -> FrameCase {
    FrameCase(name, [.headers(1, get + fields)], .stream(protocolError))
}

extension Fields {
    func replacing(_ name: String, _ value: String) -> Fields { map { $0.0 == name ? (name, value) : $0 } }
}

/// The verdict of a server on `bytes` after the preface, and the side with its events.
func serve(_ bytes: [UInt8], pieces size: Int = .max, _ settings: HTTP2Settings = HTTP2Settings()) -> (Verdict, Side) {
    let server = Side(.server, settings)
    var answer = server.send()
    let isAlive = server.receive(preface + bytes, pieces: size)
    if isAlive != (server.session.fault == nil) { Issue.record("receive and fault differ") }
    answer += server.send()
    return (Verdict(answer), server)
}

@Suite struct HTTP2SessionReceiveTests {
    @Test(arguments: clientFrames + clientMessages)
    func serverVerdict(_ frameCase: FrameCase) {
        let (verdict, server) = serve(frameCase.bytes)
        #expect(verdict == frameCase.verdict)
        if case .connection(let code) = frameCase.verdict {
            #expect(server.session.fault?.code.rawValue == code)
        } else {
            #expect(server.session.fault == nil)
        }
        // The verdict does not depend on how the bytes arrive.
        for size in [1, 2, 7, 10] {
            let (again, other) = serve(frameCase.bytes, pieces: size)
            #expect(again == verdict, "in pieces of \(size)")
            #expect(other.session.fault == server.session.fault)
        }
    }

    @Test(arguments: clientMessages)
    func invalidMessagesAreNotDelivered(_ frameCase: FrameCase) {
        let (_, server) = serve(frameCase.bytes)
        let heads = server.story.filter { $0.contains("head") }
        #expect(heads.isEmpty || frameCase.name.contains("content") || frameCase.name.contains("trailers"))
        #expect(server.story.allSatisfy { !$0.hasSuffix(" end") && !$0.hasSuffix("trailers") })
        #expect(server.session.openStreamCount == 0)
        // The connection stays usable.
        server.receive([Frame.headers(9, get)].bytes)
        #expect(server.story.last?.hasSuffix("head GET / end") == true)
    }

    /// The owner of a stream has space for its window only, so DATA beyond the window must not be reported, even if it
    /// arrives in one read with allowed DATA.
    @Test(arguments: [Int.max, 16_384, 5_000]) func dataBeyondTheWindowIsNotDelivered(size: Int) {
        let server = Side(.server)
        let frames = Array(repeating: Frame.data(1, Array(repeating: 1, count: 16_000)), count: 9)
        server.receive(preface + Frame.headers(1, post, end: false).bytes)
        _ = server.send()
        server.receive(Array(frames.bytes.prefix(40_000)))
        server.receive(Array(frames.bytes.dropFirst(40_000)), pieces: size)
        #expect((server.bodies[0]?.count ?? 0) <= HTTP2.Limits.streamWindowBytes)
        let ending = "0 closed FlowControlError fault(HTTP2.HTTP2StreamFault.flowControl)"
        #expect(server.story.contains(ending), "\(server.story)")
        #expect(server.session.fault == nil)
        server.receive(Frame.headers(3, get).bytes)
        #expect(server.story.last?.hasSuffix("head GET / end") == true)
    }

    /// A message of which DATA was dropped must not be taken for a complete one, however it ends.
    @Test(arguments: [true, false]) func dataBeyondTheWindowEndsNoMessage(hasTrailers: Bool) {
        let server = Side(.server)
        server.receive(preface + Frame.headers(1, post, end: false).bytes)
        // The last one begins inside the window and ends beyond it.
        let count = HTTP2.Limits.streamWindowBytes / 16_000 + 1
        let data = (1...count).map { index in
            Frame.data(1, Array(repeating: 1, count: 16_000), end: index == count && !hasTrailers)
        }
        server.receive((data + (hasTrailers ? [Frame.headers(1, [("a", "b")])] : [])).bytes)
        #expect(server.bodies[0]?.isEmpty == false)
        #expect(!server.story.contains { $0.hasPrefix("0 end") }, "\(server.story)")
        let ending = "0 closed FlowControlError fault(HTTP2.HTTP2StreamFault.flowControl)"
        #expect(server.story.contains(ending), "\(server.story)")
    }

    /// Consumed bytes open the window again.
    @Test func consumedBytesOpenTheWindow() {
        let server = Side(.server)
        server.receive(preface + Frame.headers(1, post, end: false).bytes)
        for _ in 0..<20 {
            server.receive(Frame.data(1, Array(repeating: 1, count: 16_000)).bytes)
            server.session.consumed(0, 16_000)
            _ = server.send()
        }
        #expect(server.bodies[0]?.count == 320_000)
    }

    /// A session with every kind of frame.
    private static let everything: [UInt8] =
        [
            Frame.settingsAcknowledged, .headers(1, get + [("cookie", "a"), ("cookie", "b")]),
            .headers(3, post + [("content-length", "6")], end: false), .data(3, [1, 2, 3]), .ping(),
            Frame(type: 0, flags: 8, stream: 3, payload: [2, 4, 5, 0, 0]), .headers(5, get, endHeaders: false),
            .continuation(5, block([("x", "y")])), .data(3, [6], end: true),
            .headers(9, post, end: false), .data(9, [7]), .headers(9, [("t", "u")]), .windowUpdate(0, 5),
            .headers(11, get + [("host", "b")]), Frame(type: 0xFA, payload: [1]), .headers(13, get),
            .headers(15, get + [("A", "b")]), .goAway(0),
        ].bytes

    @Test func resultDoesNotDependOnSplits() {
        // Events about unreported requests come after all others of a call.
        func told(_ side: Side) -> [String] {
            let faults = side.story.filter { $0.hasPrefix("faulty ") }
            let rest = side.story.filter { !$0.hasPrefix("faulty ") }
            return rest + faults + side.bodies.sorted { $0.key < $1.key }.map { "\($0)" }
        }
        let (_, whole) = serve(Self.everything)
        let expected = told(whole)
        #expect(expected.count > 10)
        for cut in 0...Self.everything.count {
            let server = Side(.server)
            _ = server.send()
            server.receive(preface + Self.everything[..<cut])
            server.receive(Array(Self.everything[cut...]))
            _ = server.send()
            #expect(told(server) == expected, "cut at \(cut)")
        }
        for size in 1..<9 { #expect(told(serve(Self.everything, pieces: size).1) == expected) }
    }

    @Test func thePriorityFieldAndItsUpdateAreHeeded() {
        // Two bodies wait; the one that became more urgent is sent first, completely.
        let (_, server) = serve(
            [
                Frame.headers(1, get + [("priority", "u=5")]), .headers(3, get + [("priority", "u=5")]),
                Frame(type: 0x10, payload: [0, 0, 0, 3] + Array("u=1".utf8)),
            ].bytes)
        for slot in server.slots {
            server.session.respond(slot, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
            server.session.attach(slot, buffer(Array(repeating: 0, count: 30_000)), isLast: true)
        }
        let streams = Frame.parse(server.send()).filter { $0.type == 0 }.map(\.stream)
        #expect(streams == [3, 3, 1, 1])
    }

    @Test func rejectsOtherProtocols() {
        let server = Side(.server)
        #expect(!server.receive(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)))
        #expect(server.session.fault == .badPreface)
        #expect(Verdict(server.send()) == .connection(protocolError))
    }

    @Test func settingsComeFirst() {
        let server = Side(.server)
        let magic = Array(preface.dropLast(9))
        #expect(!server.receive(magic + Frame.ping().bytes))
        #expect(server.session.fault == .protocolError)
        #expect(!server.receive(Frame.ping().bytes))
    }
}
