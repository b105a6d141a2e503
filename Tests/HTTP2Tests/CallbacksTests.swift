import Core
import HTTP2
import Testing

/// What RFC 9113 forbids, frame by frame, and how it ends: the stream with RST_STREAM, or the connection with GOAWAY.
@Suite struct CallbacksTests {
    /// One thing that must not be, and the verdict on it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let verdict: String
        let frames: @Sendable (inout Frames) -> Void

        init(_ description: String, _ verdict: String, _ frames: @escaping @Sendable (inout Frames) -> Void) {
            testDescription = description
            self.verdict = verdict
            self.frames = frames
        }
    }

    static let clientCases: [Case] = [
        Case("DATA on stream 0 (§6.1)", "GOAWAY 1") { $0.data(0, [1]) },
        Case("DATA on an idle stream (§5.1)", "GOAWAY 1") { $0.data(1, [1]) },
        Case("padding as long as the frame (§6.1)", "GOAWAY 1") {
            $0.headers(1, Frames.get(), isEnd: false)
            $0.add(0, 8, 1, [5, 1, 2])
        },
        Case("HEADERS on stream 0 (§6.2)", "GOAWAY 1") { $0.headers(0, Frames.get()) },
        Case("HEADERS on an even stream (§5.1.1)", "GOAWAY 1") { $0.headers(2, Frames.get()) },
        Case("HEADERS padded beyond its end (§6.2)", "GOAWAY 1") { $0.add(1, 4 | 8, 1, [200, 0]) },
        Case("a field section that is not HPACK (§4.3)", "GOAWAY 9") {
            $0.add(1, 5, 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
        },
        Case("another frame between HEADERS and CONTINUATION (§6.10)", "GOAWAY 1") {
            $0.headers(1, Frames.get(), flags: 0)
            $0.add(6, 0, 0, [UInt8](repeating: 0, count: 8))
        },
        Case("CONTINUATION of nothing (§6.10)", "GOAWAY 1") { $0.add(9, 4, 1, []) },
        Case("CONTINUATION of another stream (§6.10)", "GOAWAY 1") {
            $0.headers(1, Frames.get(), flags: 0)
            $0.add(9, 4, 3, [])
        },
        Case("PRIORITY of the wrong size (§6.3)", "6") { $0.add(2, 0, 1, [0, 0, 0]) },
        Case("RST_STREAM on stream 0 (§6.4)", "GOAWAY 1") { $0.reset(0) },
        Case("RST_STREAM on an idle stream (§6.4)", "GOAWAY 1") { $0.reset(1) },
        Case("RST_STREAM of the wrong size (§6.4)", "GOAWAY 6") {
            $0.headers(1, Frames.get(), isEnd: false)
            $0.add(3, 0, 1, [0, 0])
        },
        Case("SETTINGS on a stream (§6.5)", "GOAWAY 1") { $0.add(4, 0, 1, []) },
        Case("SETTINGS of the wrong size (§6.5)", "GOAWAY 6") { $0.add(4, 0, 0, [1, 2, 3]) },
        Case("an acknowledgement with content (§6.5)", "GOAWAY 6") { $0.add(4, 1, 0, [0, 1, 0, 0, 0, 0]) },
        Case("ENABLE_PUSH of 2 (§6.5.2)", "GOAWAY 1") { $0.add(4, 0, 0, [0, 2, 0, 0, 0, 2]) },
        Case("a window above 2^31-1 (§6.5.2)", "GOAWAY 3") { $0.add(4, 0, 0, [0, 4, 0xFF, 0xFF, 0xFF, 0xFF]) },
        Case("MAX_FRAME_SIZE of 1 (§6.5.2)", "GOAWAY 1") { $0.add(4, 0, 0, [0, 5, 0, 0, 0, 1]) },
        Case("PUSH_PROMISE from a client (§8.4)", "GOAWAY 1") { $0.add(5, 4, 1, [0, 0, 0, 2]) },
        Case("PING on a stream (§6.7)", "GOAWAY 1") { $0.add(6, 0, 1, [UInt8](repeating: 0, count: 8)) },
        Case("PING of the wrong size (§6.7)", "GOAWAY 6") { $0.add(6, 0, 0, [1, 2, 3]) },
        Case("GOAWAY on a stream (§6.8)", "GOAWAY 1") { $0.add(7, 0, 1, [UInt8](repeating: 0, count: 8)) },
        Case("WINDOW_UPDATE of 0 on the connection (§6.9)", "GOAWAY 1") { $0.window(0, 0) },
        Case("WINDOW_UPDATE of 0 on a stream (§6.9)", "1") {
            $0.headers(1, Frames.get(method: "POST"), isEnd: false)
            $0.window(1, 0)
        },
        Case("WINDOW_UPDATE of the wrong size (§6.9)", "GOAWAY 6") { $0.add(8, 0, 0, [1, 2]) },
        Case("a window above 2^31-1 by updates (§6.9.1)", "GOAWAY 3") {
            $0.window(0, 0x7FFF_FFFF)
            $0.window(0, 0x7FFF_FFFF)
        },
        Case("a stream's window above 2^31-1 (§6.9.1)", "RST 3") {
            $0.headers(1, Frames.get(method: "POST"), isEnd: false)
            $0.window(1, 0x7FFF_FFFF)
        },
        Case("DATA after END_STREAM (§5.1)", "5") {
            $0.headers(1, Frames.get())
            $0.data(1, [1])
        },
        Case("HEADERS after END_STREAM (§5.1)", "5") {
            $0.headers(1, Frames.get())
            $0.headers(1, [("x", "y")])
        },
        Case("trailers without END_STREAM (§8.1)", "1") {
            $0.headers(1, Frames.get(method: "POST"), isEnd: false)
            $0.headers(1, [("x", "y")], isEnd: false)
        },
        Case("a pseudo-field in trailers (§8.1)", "RST 1") {
            $0.headers(1, Frames.get(method: "POST"), isEnd: false)
            $0.headers(1, [(":path", "/")])
        },
        Case("a frame larger than 16384 (§4.2)", "GOAWAY 6") {
            $0.headers(1, Frames.get(method: "POST"), isEnd: false)
            $0.data(1, [UInt8](repeating: 0, count: 16_385))
        },
    ]

    @Test(arguments: clientCases) func whatAClientMustNot(test: Case) {
        var frames = Frames.clientStart
        test.frames(&frames)
        let peer = Peer(.server)
        peer.receive(frames)
        #expect(peer.frames.contains { $0.hasSuffix(test.verdict) || $0.hasPrefix(test.verdict) }, "\(peer.frames)")
        if test.verdict.hasPrefix("GOAWAY") { #expect(!peer.isAlive && peer.session.fault != nil) }
    }

    /// A stream id that goes back may be that of trailers which crossed our reset: nothing is done, and nothing is
    /// told.
    @Test func aStreamThatGoesBackIsNotServed() {
        var frames = Frames.clientStart
        frames.headers(5, Frames.get())
        frames.headers(3, Frames.get(path: "/3"))
        let peer = Peer(.server)
        peer.receive(frames)
        #expect(peer.told == ["head end GET / Host:a.example"])
    }

    static let targetCases: [Case] = [
        Case("PUSH_PROMISE though push is off (§8.4)", "GOAWAY 1") {
            $0.add(4, 1, 0, [])  // it has seen our settings
            $0.add(5, 4, 1, [0, 0, 0, 2] + Frames.block(Frames.get()))
        },
        Case("a response without a status (§8.3.2)", "RST 1") { $0.headers(1, [("x", "y")]) },
        Case("a response with a request's field (§8.3.2)", "RST 1") {
            $0.headers(1, [(":status", "200"), (":path", "/")])
        },
        Case("a response with 101 (§8.6)", "RST 1") { $0.headers(1, [(":status", "101")], isEnd: false) },
        Case("a connection-specific field (§8.2.2)", "RST 1") {
            $0.headers(1, [(":status", "200"), ("connection", "close")])
        },
        Case("more data than content-length (§8.1.1)", "RST 1") {
            $0.headers(1, [(":status", "200"), ("content-length", "1")], isEnd: false)
            $0.data(1, [1, 2], isEnd: true)
        },
        Case("DATA before HEADERS (§8.1)", "GOAWAY 1") { $0.data(1, [1]) },
        Case("a response on a stream nobody opened (§5.1)", "GOAWAY 1") { $0.headers(7, [(":status", "200")]) },
    ]

    @Test(arguments: targetCases) func whatATargetMustNot(test: Case) {
        let peer = Peer(.client)
        let request = Head()
        request.method = request.append("GET")
        request.path = request.append("/")
        #expect(peer.session.request(request, scheme: "http", framing: .none, isEnd: true) != nil)
        peer.flush()
        var frames = Frames.serverStart
        test.frames(&frames)
        peer.receive(frames)
        #expect(peer.frames.contains(test.verdict), "\(peer.frames)")
    }
}
