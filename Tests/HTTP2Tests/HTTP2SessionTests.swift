import Core
import HTTP1
import HTTP2
import Testing

/// One session against another, and against a client that keeps the rules.
@Suite struct HTTP2SessionTests {
    private func server(_ frames: Frames, step: Int = .max) -> Peer {
        let peer = Peer(.server)
        peer.receive(frames, step: step)
        return peer
    }

    @Test func aRequestIsToldAsHTTP1WouldTellIt() {
        var frames = Frames.clientStart
        frames.headers(1, Frames.get([("accept", "*/*"), ("te", "trailers")], path: "/a/../b%41?q=1"))
        let peer = server(frames)
        #expect(peer.told == ["head end GET /bA?q=1 Host:a.example,accept:*/*"])
    }

    @Test(arguments: [1, 2, 3, 5, 9, 10, 64, 1000]) func splittingChangesNothing(step: Int) {
        var frames = Frames.clientStart
        frames.headers(1, Frames.get([("content-length", "5")], method: "POST"), isEnd: false)
        frames.data(1, Array("hel".utf8))
        frames.data(1, Array("lo".utf8))
        frames.headers(1, [("x-sum", "1")])
        frames.headers(3, Frames.get(path: "/2"))
        let peer = server(frames, step: step)
        #expect(peer.told == ["head POST / Host:a.example", "end 5 x-sum:1", "head end GET /2 Host:a.example"])
    }

    @Test func crumbsOfACookieAreJoined() {
        var frames = Frames.clientStart
        frames.headers(1, Frames.get([("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")]))
        #expect(server(frames).told == ["head end GET / Host:a.example,x:y,cookie:a=1; b=2; c=3"])
    }

    @Test func aWebSocketIsAskedForByExtendedCONNECT() {
        var frames = Frames.clientStart
        frames.headers(
            1,
            [
                (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat"),
                (":authority", "a.example"), ("sec-websocket-version", "13"),
            ], isEnd: false)
        #expect(server(frames).told == ["head GET /chat Host:a.example,sec-websocket-version:13"])
    }

    /// What HTTP/1 answers with a status is told with it; what breaks HTTP/2 itself ends the stream.
    @Test(
        arguments: [
            ([("host", "b.example")], "refused 400 AuthorityMismatch"),
            ([("host", "A.EXAMPLE")], "head end GET / Host:a.example"),
            ([("content_length", "1")], "refused 400 SuspiciousHeader"),
            ([("transfer-encoding", "chunked")], "closed"), ([("connection", "close")], "closed"),
            ([("upgrade", "h2c")], "closed"), ([("te", "gzip")], "closed"), ([("Upper", "x")], "closed"),
            ([("bad name", "x")], "closed"), ([("x", "a\r\nb")], "closed"), ([("x", "a\0b")], "closed"),
            ([(":path", "/late")], "closed"), ([("content-length", "5")], "closed"),
            ([("content-length", "x")], "closed"), ([("x-valid", "1")], "head end GET / Host:a.example,x-valid:1"),
        ] as [([(String, String)], String)])
    func fieldsKeepTheRules(more: [(String, String)], expected: String) {
        var frames = Frames.clientStart
        frames.headers(1, Frames.get(more))
        frames.headers(3, Frames.get(path: "/next"))
        let peer = server(frames)
        if expected == "closed" {
            #expect(peer.frames.contains("RST 1"), "\(peer.frames)")
            #expect(peer.told == ["head end GET /next Host:a.example"], "only the one stream is at fault")
        } else {
            #expect(peer.told.first == expected)
        }
    }

    @Test(
        arguments: [
            ([(":method", "GET"), (":scheme", "ftp"), (":authority", "a"), (":path", "/")], "refused 400 BadScheme"),
            (
                [(":method", "TRACE"), (":scheme", "https"), (":authority", "a"), (":path", "/")],
                "refused 405 MethodNotAllowed"
            ),
            ([(":method", "CONNECT"), (":authority", "a:443")], "refused 405 MethodNotAllowed"),
            ([(":method", "GET"), (":scheme", "https"), (":authority", "a b"), (":path", "/")], "closed"),
            ([(":method", "GET"), (":scheme", "https"), (":authority", "a@b"), (":path", "/")], "refused 400 BadHost"),
            (
                [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/../x")],
                "refused 400 PathAboveRoot"
            ),
            ([(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "*")], "closed"),
            (
                [(":method", "OPTIONS"), (":scheme", "https"), (":authority", "a"), (":path", "*")],
                "head end OPTIONS * Host:a"
            ),
            ([(":method", "GET"), (":scheme", "https"), (":path", "/")], "closed"),
            ([(":scheme", "https"), (":authority", "a"), (":path", "/")], "closed"),
            (
                [(":method", "GET"), (":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")],
                "closed"
            ),
            ([(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), (":foo", "1")], "closed"),
        ] as [([(String, String)], String)])
    func pseudoFieldsKeepTheRules(fields: [(String, String)], expected: String) {
        var frames = Frames.clientStart
        frames.headers(1, fields)
        let peer = server(frames)
        if expected == "closed" {
            #expect(peer.frames.contains("RST 1") && peer.told.isEmpty, "\(peer.frames) \(peer.told)")
        } else {
            #expect(peer.told == [expected])
        }
    }

    /// Content-Length is the sum of the data, also when the last frame is empty. RFC 9113 §8.1.1.
    @Test(arguments: [(3, false), (5, true), (6, false)]) func theLengthIsTheSum(count: Int, isRight: Bool) {
        var frames = Frames.clientStart
        frames.headers(1, Frames.get([("content-length", "5")], method: "POST"), isEnd: false)
        frames.data(1, [UInt8](repeating: 65, count: count))
        frames.data(1, [], isEnd: true)
        let peer = server(frames)
        #expect(peer.told.contains("end 5") == isRight)
        #expect(peer.frames.contains("RST 1") == !isRight)
    }

    @Test func aResponseGoesBackWithBodyAndTrailers() {
        let client = Peer(.client)
        let server = Peer(.server)
        let request = Head()
        request.method = request.append("GET")
        request.path = request.append("/x")
        let host = request.beginField("Host")
        request.append("a.example")
        request.endField(host, id: .host)
        let slot = client.session.request(request, scheme: "https", framing: .none, isEnd: true)
        #expect(slot != nil)
        exchange(client, server)
        #expect(server.told == ["head end GET /x Host:a.example"])
        let response = Head()
        response.status = 200
        let server0 = server.slots[0]
        server.session.respond(server0, response, framing: .chunked, isEnd: false)
        let body = Buffer(capacity: 64)
        body.append("hello")
        let trailers = Head()
        let name = trailers.beginField("X-Sum")
        trailers.append("9")
        trailers.endField(name, id: .other)
        server.session.attach(server0, body, count: 5, isLast: true, trailers: trailers)
        server.flush()
        let isDone = server.session.detach(server0)
        #expect(isDone && body.isEmpty)
        exchange(client, server)
        #expect(client.told == ["head 200 ", "end 5 x-sum:9", "closed 0"])
        #expect(server.told.last == "closed 0")
    }

    private func exchange(_ client: Peer, _ server: Peer) {
        for _ in 0..<4 {
            client.flush()
            server.receive(client.takeSent())
            client.receive(server.takeSent())
        }
    }

    /// A stream whose data nobody takes is stopped by its window; the others are not.
    @Test func aSlowStreamHoldsUpNoOther() {
        var frames = Frames.clientStart
        frames.headers(1, Frames.get(method: "POST"), isEnd: false)
        frames.headers(3, Frames.get(method: "POST"), isEnd: false)
        let piece = [UInt8](repeating: 65, count: 16_383)
        for _ in 0..<4 { frames.data(1, piece) }
        let peer = server(frames)
        #expect(peer.isAlive)
        var more = Frames()
        for _ in 0..<4 { more.data(3, piece) }
        more.data(3, [], isEnd: true)
        peer.receive(more)
        #expect(peer.isAlive && peer.told.contains("end 65532"))
        var tooMuch = Frames()
        tooMuch.data(1, piece)
        peer.receive(tooMuch)
        #expect(peer.frames.contains("RST 3") || peer.frames.contains("GOAWAY 3"), "beyond the window: \(peer.frames)")
    }

    @Test func shutdownIsAnnouncedAndThenDone() {
        let peer = server(Frames.clientStart)
        peer.session.beginShutdown()
        peer.flush()
        #expect(peer.frames == ["GOAWAY 0"])
        var frames = Frames()
        frames.headers(1, Frames.get())
        peer.receive(frames)
        #expect(peer.told.count == 1, "what crossed the first GOAWAY is served")
        peer.session.finishShutdown()
        peer.flush()
        #expect(peer.frames.filter { $0 == "GOAWAY 0" }.count == 2)
    }

    @Test func requestsOverACapAreRefused() {
        var frames = Frames.clientStart
        for index in 0..<130 { frames.headers(UInt32(2 * index + 1), Frames.get(method: "POST"), isEnd: false) }
        let peer = server(frames)
        #expect(peer.told.count == 128 && peer.frames.filter { $0 == "RST 7" }.count == 2, "\(peer.frames)")
    }

    @Test func aRequestThatIsResetAtOnceIsNotTold() {
        var frames = Frames.clientStart
        frames.headers(1, Frames.get())
        frames.reset(1)
        frames.headers(3, Frames.get(path: "/3"))
        let peer = server(frames)
        #expect(peer.told == ["head end GET /3 Host:a.example"])
    }
}
