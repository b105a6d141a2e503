import Core
import HTTP1
import HTTP2
import Testing

@Suite struct HTTP2SessionProduceTests {
    private let client = Side(.client)
    private let server = Side(.server)

    init() { converse(client, server) }

    private func ask(_ method: String = "GET", isEnd: Bool = true) {
        let head = requestHead("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = client.session.request(head, scheme: "https", framing: isEnd ? .none : .chunked, isEnd: isEnd)
        converse(client, server)
    }

    private func answer(_ slot: Int) {
        server.session.respond(slot, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
    }

    @Test func bodyIsSentInOrder() {
        ask()
        answer(0)
        var sent: [UInt8] = []
        for round in 0..<40 {
            let piece = (0..<9_001).map { UInt8(truncatingIfNeeded: $0 &* round) }
            sent += piece
            let body = buffer(piece)
            server.session.attach(0, body, isLast: false)
            converse(server, client)
            client.session.consumed(0, piece.count)
            converse(client, server)
            #expect(body.isEmpty)
            server.session.detach(0)
        }
        server.session.attach(0, nil, isLast: true)
        converse(server, client)
        #expect(client.bodies[0] == sent)
        #expect(client.story.suffix(2) == ["0 end", "0 closed NoError complete"])
    }

    @Test func onlyWholeFramesAreWritten() {
        ask()
        answer(0)
        let body = buffer(Array(repeating: 7, count: 60_000))
        server.session.attach(0, body, isLast: true)
        let output = Buffer(capacity: 40_000)
        var bytes: [UInt8] = []
        var rounds = 0
        while !server.session.produce(into: output) {
            let piece = output.bytes
            bytes += piece.array
            output.removeAll()
            rounds += 1
            #expect(Frame.parse(bytes).bytes == bytes)
        }
        let piece = output.bytes
        bytes += piece.array
        let frames = Frame.parse(bytes).filter { $0.type == 0 }
        #expect(rounds >= 1 && body.isEmpty)
        #expect(frames.map(\.payload.count) == [16_384, 16_384, 16_384, 10_848])
        #expect(frames.map(\.flags) == [0, 0, 0, 1])
    }

    /// nghttp2 writes DATA and the trailers after it in one call, so there must be space for both.
    @Test func trailersWaitForSpace() {
        let capacity = Core.Limits.largeBufferBytes
        let trailers = responseHead("HTTP/1.1 200 OK\r\nX-End: \(String(repeating: "!~", count: 100))\r\n\r\n")
        for count in stride(from: capacity - 200, through: capacity, by: 1) {
            let server = Side(.server)
            _ = server.send()
            let opening = [Frame.settings([(4, 1 << 20)]), .windowUpdate(0, 1 << 20), .headers(1, get)]
            server.receive(preface + opening.bytes)
            server.session.respond(0, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
            _ = server.send()
            server.session.attach(0, buffer(Array(repeating: 7, count: count)), isLast: true, trailers: trailers)
            let frames = Frame.parse(server.send())
            #expect(frames.filter { $0.type == 0 }.reduce(0) { $0 + $1.payload.count } == count)
            #expect(frames.last?.type == 1 && frames.last?.flags == 5, "trailers end the stream: \(count)")
        }
    }

    /// More than one frame holds, as for a gRPC status with details.
    @Test func sendsLargeTrailers() {
        ask()
        answer(0)
        let lines = (0..<2).map { "X-\($0): \(String(repeating: "d", count: 15_000))\r\n" }.joined()
        let trailers = responseHead("HTTP/1.1 200 OK\r\n\(lines)\r\n")
        server.session.attach(0, buffer([1, 2, 3]), isLast: true, trailers: trailers)
        converse(server, client)
        #expect(client.lastHead?.fieldCount == 2 && client.lastHead?.byteCount ?? 0 > 30_000)
        #expect(client.story.contains("0 end trailers"), "\(client.story)")
    }

    /// A body that was detached before all of it was sent has not ended, so the next `produce` must not end the stream.
    @Test func detachedBodyDoesNotEndTheStream() {
        ask()
        answer(0)
        let body = buffer(Array(repeating: 7, count: 60_000))
        server.session.attach(0, body, isLast: true)
        let output = Buffer(capacity: 20_000)
        #expect(!server.session.produce(into: output))
        #expect(!server.session.detach(0), "not all of it was written")
        let rest = Buffer(capacity: Core.Limits.largeBufferBytes)
        _ = server.session.produce(into: rest)
        let bytes = rest.bytes
        #expect(Frame.parse(bytes.array).isEmpty, "no frame is sent for it")
        server.session.attach(0, body, isLast: true)
        rest.removeAll()
        _ = server.session.produce(into: rest)
        let last = rest.bytes
        #expect(Frame.parse(last.array).last?.flags == 1 && server.session.detach(0))
    }

    @Test func bodiesTakeTurns() {
        for _ in 0..<3 { ask() }
        for slot in 0..<3 {
            answer(slot)
            server.session.attach(slot, buffer(Array(repeating: UInt8(slot), count: 40_000)), isLast: true)
        }
        let streams = Frame.parse(server.send()).filter { $0.type == 0 }.map(\.stream)
        #expect(Set(streams) == [1, 3, 5])
    }

    @Test func slowStreamDoesNotBlockOthers() {
        ask("POST", isEnd: false)
        ask("POST", isEnd: false)
        let window = HTTP2.Limits.streamWindowBytes
        // The first stream's bytes are never consumed, the second's at once.
        let stuck = buffer(Array(repeating: 1, count: 70_000))
        client.session.attach(0, stuck, isLast: true)
        var passed = 0
        for _ in 0..<200 {
            let body = buffer(Array(repeating: 2, count: 50_000))
            client.session.attach(1, body, isLast: false)
            while !body.isEmpty {
                converse(client, server)
                let came = server.bodies[1, default: []].count
                #expect(came > passed, "the second stream is stuck")
                server.session.consumed(1, came - passed)
                passed = came
            }
        }
        #expect(passed == 200 * 50_000)
        #expect(server.bodies[0]?.count == window - 1 || server.bodies[0]?.count == window)
        #expect(stuck.count > 0)
        server.session.consumed(0, server.bodies[0]?.count ?? 0)
        converse(server, client)
        #expect(stuck.isEmpty && server.bodies[0]?.count == 70_000)
    }

    @Test func resetStreamsReturnTheConnectionWindow() {
        // Streams that are reset with a full window must not shrink the connection's window.
        for round in 0..<200 {
            ask("POST", isEnd: false)
            let body = buffer(Array(repeating: 1, count: 60_000))
            client.session.attach(0, body, isLast: false)
            converse(client, server)
            #expect(body.isEmpty, "round \(round)")
            client.session.reset(0, .cancel)
            converse(client, server)
        }
        #expect(server.session.fault == nil && server.session.openStreamCount == 0)
    }

    @Test func waitsForAClosedWindow() {
        let raw = Side(.server)
        _ = raw.send()
        raw.receive(preface + [Frame.settings([(4, 0)]), .headers(1, get)].bytes)
        raw.session.respond(0, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
        let body = buffer([1, 2, 3])
        raw.session.attach(0, body, isLast: true)
        #expect(!Frame.parse(raw.send()).contains { $0.type == 0 })
        raw.receive(Frame.windowUpdate(1, 2).bytes)
        #expect(Frame.parse(raw.send()) == [.data(1, [1, 2])])
        raw.receive(Frame.windowUpdate(1, 1).bytes)
        #expect(Frame.parse(raw.send()) == [.data(1, [3], end: true)])
        #expect(raw.takeStory().last == "0 closed NoError complete")
    }

    @Test func responseToControlFramesGoesFirst() {
        ask()
        answer(0)
        server.session.attach(0, buffer(Array(repeating: 7, count: 40_000)), isLast: true)
        // The acknowledgement is drained from nghttp2 at once, the body is not.
        #expect(server.receive(Frame.ping().bytes))
        let frames = Frame.parse(server.send())
        #expect(frames.filter { $0.type == 6 } == [.ping(Frame.acknowledge)])
        #expect(frames.map(\.type) == [6, 1, 0, 0, 0] || frames.map(\.type) == [1, 6, 0, 0, 0])
        #expect(frames.filter { $0.type == 0 }.flatMap(\.payload) == Array(repeating: 7, count: 40_000))
    }

    @Test func detachedBodyIsNotSent() {
        ask()
        answer(0)
        server.session.attach(0, buffer([1, 2, 3]), isLast: false)
        server.session.detach(0)
        #expect(Frame.parse(server.send()).map(\.type) == [1])
        server.session.attach(0, buffer([4]), isLast: false)
        #expect(Frame.parse(server.send()) == [.data(1, [4])])
    }

    @Test func commandsForAClosedStreamDoNothing() {
        ask("POST", isEnd: false)
        let session = server.session
        let reset = Frame.reset(1).bytes
        #expect(session.receive(reset.span, now: server.now) == reset.count)
        #expect(session.eventCount == 1 && session.openStreamCount == 0)
        answer(0)
        session.attach(0, buffer([1]), isLast: true)
        session.consumed(0, 0)
        session.reset(0, .cancel)
        session.detach(0)
        #expect(server.send().isEmpty)
    }

    @Test func answeringEarlyAndResettingEndsAStream() {
        ask("POST", isEnd: false)
        server.session.respond(0, responseHead("HTTP/1.1 413 No\r\n\r\n"), framing: .length(0), isEnd: true)
        server.session.reset(0, .noError)
        converse(server, client)
        #expect(client.story.suffix(2) == ["0 head 413 end", "0 closed NoError resetByOtherSide"])
        #expect(server.story.last == "0 closed NoError resetByUs")
    }
}
