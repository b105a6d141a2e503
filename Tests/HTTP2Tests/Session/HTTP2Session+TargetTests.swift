import Core
import HTTP1
import HTTP2
import Testing

private let protocolError: UInt32 = 1
private let streamClosed: UInt32 = 5

private let ok: Fields = [(":status", "200")]

/// Frames that a target must not send in response to a GET on stream 1.
private let targetFrames: [FrameCase] = [
    FrameCase("HEADERS on a stream we did not open", [.headers(3, ok)], .connection(protocolError)),
    FrameCase("HEADERS on an even stream", [.headers(2, ok)], .connection(protocolError)),
    FrameCase("HEADERS on stream 0", [.headers(0, ok)], .connection(protocolError)),
    FrameCase("DATA before HEADERS (strict)", [.data(1, [1])], .connection(protocolError)),
    FrameCase("DATA on a stream we did not open", [.data(3, [1])], .connection(protocolError)),
    FrameCase("PUSH_PROMISE", [.pushPromise(1, promising: 2)], .connection(protocolError)),
    FrameCase("RST_STREAM on a stream we did not open", [.reset(3)], .connection(protocolError)),
    FrameCase("WINDOW_UPDATE on a stream we did not open", [.windowUpdate(3, 1)], .connection(protocolError)),
    FrameCase("ENABLE_PUSH of 1", [.settings([(2, 1)])], .connection(protocolError)),
    FrameCase("CONTINUATION alone", [.continuation(1, block(ok))], .connection(protocolError)),
    FrameCase("101", [.headers(1, [(":status", "101")], end: false)], .stream(protocolError)),
    FrameCase("an interim response that ends", [.headers(1, [(":status", "103")])], .stream(protocolError)),
    FrameCase("no :status", [.headers(1, [("a", "b")])], .stream(protocolError)),
    FrameCase(":status twice", [.headers(1, ok + ok)], .stream(protocolError)),
    FrameCase(":status of two digits", [.headers(1, [(":status", "20")])], .stream(protocolError)),
    FrameCase(":status of 600", [.headers(1, [(":status", "600")])], .stream(protocolError)),
    FrameCase("a pseudo-field of requests", [.headers(1, ok + [(":path", "/")])], .stream(protocolError)),
    FrameCase("a pseudo-field behind a field", [.headers(1, [("a", "b")] + ok)], .stream(protocolError)),
    FrameCase("upper case in a name", [.headers(1, ok + [("Server", "a")])], .stream(protocolError)),
    FrameCase("connection", [.headers(1, ok + [("connection", "close")])], .stream(protocolError)),
    FrameCase("transfer-encoding", [.headers(1, ok + [("transfer-encoding", "chunked")])], .stream(protocolError)),
    FrameCase("LF in a value", [.headers(1, ok + [("a", "b\nc")])], .stream(protocolError)),
    FrameCase("a framing field in disguise", [.headers(1, ok + [("content_length", "5")])], .stream(protocolError)),
    FrameCase("too many fields", [.headers(1, ok + (0..<257).map { _ in ("a", "") })], .stream(protocolError)),
    FrameCase(
        "a head that is too large",
        [
            .headers(1, ok + [("a", String(repeating: "b", count: 16_000))], endHeaders: false),
            .continuation(1, block([("a", String(repeating: "b", count: 16_000))]), endHeaders: false),
            .continuation(1, block([("a", String(repeating: "b", count: 1000))])),
        ], .stream(protocolError)),
    FrameCase("content that is missing", [.headers(1, ok + [("content-length", "5")])], .stream(protocolError)),
    FrameCase(
        "less content than content-length",
        [.headers(1, ok + [("content-length", "5")], end: false), .data(1, [1], end: true)], .stream(protocolError)),
    FrameCase(
        "more content than content-length",
        [.headers(1, ok + [("content-length", "1")], end: false), .data(1, [1, 2])], .stream(protocolError)),
    FrameCase(
        "trailers that are not the end", [.headers(1, ok, end: false), .headers(1, [("a", "b")], end: false)],
        .stream(protocolError)),
    FrameCase(
        "trailers with :status", [.headers(1, ok, end: false), .headers(1, ok)], .stream(protocolError)),
]

/// A client with a request on stream 1, whose target has sent its SETTINGS.
private func asking(_ method: String = "GET", isEnd: Bool = true) -> Side {
    let client = Side(.client)
    let head = requestHead("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.session.request(head, scheme: "http", framing: isEnd ? .none : .chunked, isEnd: isEnd) == 0)
    _ = client.send()
    client.receive([Frame.settings(), .settingsAcknowledged].bytes)
    _ = client.send()
    _ = client.takeStory()
    return client
}

@Suite struct HTTP2SessionTargetTests {
    @Test(arguments: targetFrames)
    func clientVerdict(_ frameCase: FrameCase) {
        for size in [Int.max, 1, 5] {
            let client = asking()
            let isAlive = client.receive(frameCase.bytes, pieces: size)
            #expect(isAlive == (client.session.fault == nil))
            #expect(Verdict(client.send()) == frameCase.verdict)
            switch frameCase.verdict {
            case .connection(let code): #expect(client.session.fault?.code.rawValue == code)
            case .stream:
                #expect(client.session.fault == nil)
                #expect(client.story.last?.hasPrefix("0 closed ProtocolError fault(") == true, "\(client.story)")
                let isLate = ["content than", "trailers"].contains { frameCase.name.contains($0) }
                #expect(client.story.contains { $0.hasPrefix("0 head") } == isLate)
            case .fine: Issue.record("the frame was accepted")
            }
        }
    }

    @Test func faultHasAReasonCode() {
        func fault(_ frames: [Frame]) -> String? {
            let client = asking()
            client.receive(frames.bytes)
            _ = client.send()
            return client.story.last
        }
        #expect(
            fault([.headers(1, ok + [("A", "b")])]) == "0 closed ProtocolError fault(HTTP2.HTTP2StreamFault.badField)")
        #expect(fault([.headers(1, [("a", "b")])]) == "0 closed ProtocolError fault(HTTP2.HTTP2StreamFault.badMessage)")
        let disguised = fault([.headers(1, ok + [("content_length", "5")])])
        #expect(disguised?.hasSuffix("violation(HTTP1.Violation.suspiciousHeader))") == true)
        #expect(fault([.headers(1, ok), .windowUpdate(1, 1)]) == "0 closed NoError complete")
    }

    /// A gRPC response without a message has its status and its details in the head.
    @Test func oneFieldMayFillTheHead() {
        let client = asking()
        client.receive(
            [Frame].heads(1, ok + [("grpc-status-details-bin", String(repeating: "d", count: 27_000))]).bytes)
        #expect(client.story.first == "0 head 200 end", "\(client.story)")
        let larger = asking()
        larger.receive(
            [Frame].heads(1, ok + [("grpc-status-details-bin", String(repeating: "d", count: 33_000))]).bytes)
        _ = larger.send()
        #expect(larger.story.last?.hasSuffix("violation(HTTP1.Violation.headTooLarge))") == true, "\(larger.story)")
    }

    @Test func aResponseToHEADHasNoBody() {
        let client = asking("HEAD")
        client.receive([Frame.headers(1, ok + [("content-length", "70")])].bytes)
        #expect(client.takeStory() == ["0 head 200 end", "0 closed NoError complete"])
        #expect(client.lastHead?.lines == ["content-length: 70"] && client.lastHead?.body == BodyLength.none)
    }

    @Test func unprocessedRequestsMayBeRetried() {
        let refused = asking()
        refused.receive(Frame.reset(1, 7).bytes)
        #expect(refused.takeStory() == ["0 closed RefusedStream notProcessed"])
        let left = asking()
        left.receive(Frame.goAway(0).bytes)
        #expect(left.takeStory() == ["goAway NoError", "0 closed RefusedStream notProcessed"])
        #expect(left.session.hasReceivedGoAway && left.session.streamCapacity == 0)
        let served = asking()
        served.receive(Frame.goAway(1).bytes)
        #expect(served.takeStory() == ["goAway NoError"])
        served.receive(Frame.headers(1, ok).bytes)
        #expect(served.takeStory() == ["0 head 200 end", "0 closed NoError complete"])
        #expect(served.session.isFinished)
    }

    @Test func aTargetMayAnswerBeforeTheRequestEnds() {
        let client = asking("POST", isEnd: false)
        client.receive([Frame.headers(1, ok), .reset(1, 0)].bytes)
        #expect(client.takeStory() == ["0 head 200 end", "0 closed NoError resetByOtherSide"])
    }

    @Test func answeringEarlyIsNoFlood() {
        let client = Side(.client)
        client.receive(Frame.settings().bytes)
        let head = requestHead("POST / HTTP/1.1\r\nHost: a\r\n\r\n")
        for round in 0..<1000 as Range<UInt32> {
            #expect(client.session.request(head, scheme: "http", framing: .chunked, isEnd: false) == 0)
            _ = client.send()
            client.receive([Frame.headers(round * 2 + 1, ok), .reset(round * 2 + 1, 0)].bytes)
        }
        #expect(client.session.fault == nil)
    }

    @Test func targetLimitsTheNumberOfStreams() {
        let client = Side(.client)
        let head = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.session.streamCapacity == 1 && !client.session.hasReceivedSettings, "no guess is made")
        client.receive(Frame.settings([(3, 2)]).bytes)
        #expect(client.session.streamCapacity == 2 && client.session.hasReceivedSettings)
        #expect(client.session.remoteStreamCountMax == 2)
        let first = client.session.request(head, scheme: "http", framing: .none, isEnd: true)
        let second = client.session.request(head, scheme: "http", framing: .none, isEnd: true)
        #expect(first == 0 && second == 1 && client.session.streamCapacity == 0)
        #expect(client.session.request(head, scheme: "http", framing: .none, isEnd: true) == nil)
        _ = client.send()
        client.receive(Frame.headers(1, ok).bytes)
        #expect(client.session.openStreamCount == 1 && client.session.streamCapacity == 1)
        #expect(
            client.session.request(head, scheme: "http", framing: .none, isEnd: true) == 0, "the slot is free again")
    }

    @Test func unsentRequestIsWithdrawn() {
        let client = Side(.client)
        let head = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.session.request(head, scheme: "http", framing: .none, isEnd: true) == 0)
        client.session.reset(0, .cancel)
        #expect(!Frame.parse(Array(client.send().dropFirst(24))).contains { $0.type == 1 })
        #expect(client.takeStory() == ["0 closed Cancel resetByUs"])
    }
}
