import Core
import HTTP1
import HTTP2
import Testing

/// A flood: what is sent first, what is sent repeatedly, and how the connection ends. Source: docs/threats.md,
/// "HTTP/2".
struct Flood: Sendable, CustomTestStringConvertible {
    let name: String
    let first: [UInt8]
    /// The bytes of the nth round.
    let round: @Sendable (UInt32) -> [UInt8]
    let fault: HTTP2Fault

    init(
        _ name: String, first: [Frame] = [], _ fault: HTTP2Fault = .controlFlood,
        _ round: @escaping @Sendable (UInt32) -> [Frame]
    ) {
        self.name = name
        self.first = first.bytes
        self.round = { round($0).bytes }
        self.fault = fault
    }

    var testDescription: String { name }
}

private let openPost: [Frame] = [.headers(1, post, end: false)]
/// A field of 4,000 bytes that goes into the header table; after that the byte `BE` stands for the whole field (HPACK
/// bomb).
private let largeField = [0x40] + string("a") + string(String(repeating: "b", count: 4000))
private let references = [UInt8](repeating: 0xBE, count: 15_000)

private let floods: [Flood] = [
    Flood("PING (CVE-2019-9512)") { _ in [.ping()] },
    Flood("PING acknowledged that nobody sent") { _ in [.ping(Frame.acknowledge)] },
    Flood("SETTINGS (CVE-2019-9515)") { _ in [.settings()] },
    Flood("SETTINGS that resize the header table") { _ in [.settings([(1, 0), (1, 4096)])] },
    Flood("empty DATA (CVE-2019-9518)", first: openPost) { _ in [.data(1)] },
    Flood("DATA of padding", first: openPost) { _ in [Frame(type: 0, flags: 8, stream: 1, payload: [2, 0, 0])] },
    Flood("PRIORITY (CVE-2019-9513)") { [.priority($0 * 2 + 1, on: $0 * 2 + 3)] },
    Flood("PRIORITY_UPDATE") { [Frame(type: 0x10, payload: [0, 0, 0, UInt8($0 & 127) | 1] + Array("u=1".utf8))] },
    Flood("WINDOW_UPDATE for nothing") { _ in [.windowUpdate(0, 1)] },
    Flood("WINDOW_UPDATE by single bytes (CVE-2019-9511)", first: openPost) { _ in [.windowUpdate(1, 1)] },
    Flood("unknown frames") { _ in [Frame(type: 0xFA)] },
    Flood("GOAWAY") { _ in [.goAway(0)] },
    Flood("HEADERS on a stream that is over", first: openPost + [.reset(1)]) { _ in [.headers(1, get)] },
    Flood("Rapid Reset (CVE-2023-44487)", .resetFlood) { [.headers($0 * 2 + 1, get), .reset($0 * 2 + 1)] },
    Flood("RST_STREAM on one stream", first: openPost, .resetFlood) { _ in [.reset(1)] },
    Flood("requests that nobody may send (CVE-2019-9514)", .resetFlood) { [.headers($0 * 2 + 1, get + [("A", "")])] },
    Flood("zero-length names (CVE-2019-9516)", .resetFlood) { [.headers($0 * 2 + 1, get + [("", "")])] },
    Flood("MadeYouReset by window overflow (CVE-2025-8671)", .resetFlood) {
        [.headers($0 * 2 + 1, get), .windowUpdate($0 * 2 + 1, 0x7FFF_FFFF)]
    },
    Flood("MadeYouReset by content-length", .resetFlood) {
        [.headers($0 * 2 + 1, post + [("content-length", "1")], end: false), .data($0 * 2 + 1, [1, 2])]
    },
    Flood("MadeYouReset by trailers", .resetFlood) {
        [.headers($0 * 2 + 1, post, end: false), .headers($0 * 2 + 1, [(":path", "/")])]
    },
    Flood("empty DATA on a stream that is over", first: openPost + [.reset(1)]) { _ in [.data(1, end: true)] },
    Flood("DATA on a stream that is over", first: openPost + [.reset(1)]) { _ in [.data(1, [1])] },
    Flood("HPACK references to a large field", first: [.headers(1, block: block(get) + largeField)], .headFlood) {
        [.headers($0 * 2 + 1, block: block(get) + references)]
    },
    Flood("HPACK references in trailers", first: openPost + [.headers(3, block: block(get) + largeField)], .headFlood) {
        [.headers($0 * 2 + 3, post, end: false), .headers($0 * 2 + 3, block: references)]
    },
    Flood("HPACK references to a crumb of a cookie", first: openPost, .headFlood) {
        [.headers($0 * 2 + 1, block: block(get) + [0x60] + string("b") + references)]
    },
    Flood("CONTINUATION (CVE-2024-28182)", first: [.headers(1, get, endHeaders: false)], .continuationFlood) { _ in
        [.continuation(1, block([("a", "b")]), endHeaders: false)]
    },
    Flood("empty CONTINUATION", first: [.headers(1, get, endHeaders: false)], .continuationFlood) { _ in
        [.continuation(1, [], endHeaders: false)]
    },
]

@Suite struct HTTP2SessionFloodTests {
    @Test(arguments: floods)
    func aFloodEndsInGoAway(_ flood: Flood) {
        // One by one, many in one read, and one by one without reading our responses.
        for (batch, isRead) in [(1, true), (97, true), (1, false)] {
            let server = Side(.server)
            server.receive(preface + flood.first)
            var round: UInt32 = 1
            var heldMax = 0
            var answer: [UInt8] = []
            var isAlive = true
            while isAlive, round < 3000 {
                let bytes = (0..<UInt32(batch)).flatMap { flood.round(round + $0) }
                round += UInt32(batch)
                isAlive = server.receive(bytes)
                if isRead { answer += server.send() }
                heldMax = max(heldMax, server.session.heldByteCount)
            }
            answer += server.send()
            let isEarly = !isRead && server.session.fault == .acknowledgementFlood
            #expect(server.session.fault == flood.fault || isEarly)
            #expect(Verdict(answer) == .connection(11), "after \(round) rounds in batches of \(batch)")
            #expect(heldMax < 600_000, "held \(heldMax)")
            #expect(server.session.isFinished)
            #expect(!server.receive(flood.round(1)))
        }
    }

    @Test func slowSenderIsNoFlood() {
        let atOnce: [HTTP2Fault] = [.continuationFlood, .headFlood]
        for flood in floods where !atOnce.contains(flood.fault) && flood.name != "GOAWAY" {
            let server = Side(.server)
            server.receive(preface + flood.first)
            for round in 1...600 as ClosedRange<UInt32> {
                server.receive(flood.round(round))
                _ = server.send()
                server.now = server.now + 40_000_000
            }
            #expect(server.session.fault == nil, "\(flood.name)")
        }
    }

    @Test func rapidlyResetRequestsAreNotReported() {
        let (_, server) = serve(
            (0..<50 as Range<UInt32>).flatMap {
                [Frame.headers($0 * 2 + 1, post, end: false), .data($0 * 2 + 1, [1]), .reset($0 * 2 + 1)].bytes
            })
        #expect(server.story == ["settings"] && server.bodies.isEmpty)
        #expect(server.session.droppedRequestCount == 50)
        #expect(server.session.openStreamCount == 0 && server.session.fault == nil)
        #expect(server.heads.count > 0, "the heads were returned to the pool")
        server.receive([Frame.headers(301, get)].bytes)
        #expect(server.slots.last.map { $0 < 100 } == true, "the slots are free")
    }

    @Test func requestsThatForceAResetAreNotReported() {
        let (verdict, server) = serve([Frame.headers(1, get), .windowUpdate(1, 0x7FFF_FFFF)].bytes)
        #expect(verdict == .stream(3))
        #expect(server.story == ["settings", "faulty FlowControl"] && server.session.droppedRequestCount == 0)
    }

    @Test func usefulTrafficIsNoFlood() {
        let client = Side(.client)
        let server = Side(.server)
        converse(client, server)
        let ask = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = responseHead("HTTP/1.1 200 OK\r\n\r\n")
        let body = Array(repeating: UInt8(0), count: 20_000)
        for _ in 0..<5000 {
            _ = client.session.request(ask, scheme: "https", framing: .none, isEnd: true)
            client.session.ping()
            converse(client, server)
            server.session.respond(0, answer, framing: .length(20_000), isEnd: false)
            server.session.attach(0, buffer(body), isLast: true)
            converse(server, client)
            client.story.removeAll()
            server.story.removeAll()
            client.bodies.removeAll()
        }
        #expect(client.session.fault == nil && server.session.fault == nil)
    }

    /// A server with a large body to send on stream 1, to a client whose window for it is `window`.
    private func sending(window: UInt32) -> (Side, Buffer) {
        let server = Side(.server)
        server.receive(preface + [Frame.settings([(4, window)]), .headers(1, get)].bytes)
        server.session.respond(0, responseHead("HTTP/1.1 200 OK\r\n\r\n"), framing: .chunked, isEnd: false)
        let body = buffer(Array(repeating: 0, count: 70_000))
        server.session.attach(0, body, isLast: false)
        _ = server.send()
        return (server, body)
    }

    @Test func aWindowOpenedBySingleBytesIsAFlood() {
        let (server, body) = sending(window: 0)
        var rounds = 0
        while rounds < 2000, server.receive(Frame.windowUpdate(1, 1).bytes) {
            #expect(Frame.parse(server.send()).map(\.payload.count) == [1])
            rounds += 1
        }
        #expect(server.session.fault == .controlFlood && rounds < 600 && !body.isEmpty)
    }

    @Test func aWindowOpenedInSmallStepsIsNot() {
        // By 4 KiB at a time, on the stream and the connection, with a PING for each frame, as gRPC clients do.
        let (server, body) = sending(window: 65_535)
        for _ in 0..<2000 {
            body.compact()
            body.append(Array(repeating: 0, count: 4096).span)
            server.session.attach(0, body, isLast: false)
            _ = server.send()
            server.receive([Frame.windowUpdate(1, 4096), .windowUpdate(0, 4096), .ping()].bytes)
            _ = server.send()
        }
        #expect(server.session.fault == nil)
    }

    @Test func dataOnClosedStreamsIsNotRefunded() {
        let (_, server) = serve([Frame.headers(1, post, end: false), .reset(1)].bytes)
        var rounds = 0
        while rounds < 2000, server.receive([Frame.ping(), .data(1, [0])].bytes) {
            _ = server.send()
            rounds += 1
        }
        #expect(server.session.fault == .controlFlood && rounds < 600)
    }

    @Test func faultIsFoundWhenTheClientReadsAgain() {
        // So many responses are queued that no more are drained from nghttp2; the resets among them are seen later.
        var settings = HTTP2Settings()
        settings.resetBurst = 50
        let requests = (0..<60 as Range<UInt32>).map { Frame.headers($0 * 2 + 1, get + [("A", "")]) }
        settings.controlBurst = 1000
        let late = Side(.server, settings)
        late.receive(preface)
        for _ in 0..<3 { late.receive([Frame](repeating: .ping(), count: 200).bytes) }
        #expect(late.receive(requests.bytes) && late.session.fault == nil)
        #expect(Verdict(late.send()) == .connection(11))
        #expect(late.session.fault == .resetFlood && late.session.isFinished)
    }

    @Test func resetsOfOurOwnAreNotCharged() {
        let server = Side(.server)
        server.receive(preface)
        for round in 0..<1000 as Range<UInt32> {
            server.receive(Frame.headers(round * 2 + 1, post, end: false).bytes)
            server.session.reset(server.slots.last ?? 0, .cancel)
            #expect(Verdict(server.send()) == .stream(8))
        }
        #expect(server.session.fault == nil && server.session.openStreamCount == 0)
    }

    @Test func targetsMayResetMore() {
        #expect(HTTP2Settings.target.resetBurst > HTTP2Settings().resetBurst)
        #expect(HTTP2Settings.target.resetsPerSecond > HTTP2Settings().resetsPerSecond)
    }

    @Test func moreStreamsThanAllowed() {
        // Before the client has acknowledged our settings it is told to retry; afterwards it is a protocol error.
        let requests = (0..<130 as Range<UInt32>).map { Frame.headers($0 * 2 + 1, post, end: false) }
        let (early, server) = serve(requests.bytes)
        #expect(early == .stream(7) && server.session.openStreamCount == 128)
        let (late, _) = serve([Frame.settingsAcknowledged].bytes + requests.bytes)
        #expect(late == .connection(1))
    }

    @Test func headsThatAreLargeTogetherAreRefused() {
        // One field of 4 KiB goes into the header table; after that one byte stands for it.
        let (first, server) = serve([Frame.headers(1, block: block(get) + largeField, end: false)].bytes)
        #expect(first == .fine)
        var answer: [UInt8] = []
        for stream in 1..<100 as Range<UInt32> {
            let bomb = block(get) + Array(repeating: UInt8(0xBE), count: 15)
            server.receive([Frame.headers(stream * 2 + 1, block: bomb, end: false)].bytes)
            answer += server.send()
        }
        #expect(Verdict(answer) == .stream(7))
        #expect(server.session.openStreamCount < 30)
        #expect(server.session.heldByteCount < 3_000_000)
        // When streams end there is space again.
        for slot in server.slots { server.session.reset(slot, .cancel) }
        _ = server.send()
        #expect(server.session.openStreamCount == 0 && server.session.heldByteCount < 100_000)
    }

    @Test func aHeadThatGrowsBeyondItsCapIsNotStored() {
        let bomb = block(get) + largeField + references.prefix(40)
        let (verdict, server) = serve([Frame.headers(1, block: bomb)].bytes)
        #expect(verdict == .fine)
        #expect(server.story.last == "0 refused headTooLarge end")
        #expect((server.lastHead?.byteCount ?? 0) < 70_000)
    }

    /// Heads that are too large are rejected one by one, until the budget is used up.
    @Test func rejectedHeadsAreNotRefunded() {
        let server = Side(.server)
        server.receive(preface + [Frame.headers(1, block: block(get) + largeField)].bytes)
        var stream: UInt32 = 3
        while server.receive([Frame.headers(stream, block: block(get) + references.prefix(40))].bytes), stream < 3000 {
            #expect(server.story.last?.hasSuffix("refused headTooLarge end") == true)
            server.session.respond(
                server.slots.last ?? 0, responseHead("HTTP/1.1 413 X\r\n\r\n"), framing: .none, isEnd: true)
            _ = server.send()
            stream += 2
        }
        #expect(server.session.fault == .controlFlood && stream < 1100)
    }

    /// DATA in flight on a stream that we close is not charged.
    @Test func lateDataIsNotCharged() {
        let server = Side(.server)
        server.receive(preface)
        for stream in stride(from: 1, to: 41, by: 2) as StrideTo<UInt32> {
            server.receive(Frame.headers(stream, post, end: false).bytes)
            server.session.reset(server.slots.last ?? 0, .cancel)
            _ = server.send()
            server.receive([Frame](repeating: .data(stream, [1, 2, 3]), count: 1000).bytes)
        }
        #expect(server.session.fault == nil)
        server.receive((0..<20).flatMap { _ in [Frame](repeating: .data(1, [1]), count: 1000).bytes })
        #expect(server.session.fault == .controlFlood)
    }

    @Test func memoryIsLimited() {
        var settings = HTTP2Settings()
        settings.sessionBytesMax = 200_000
        let (_, server) = serve([], settings)
        let answer = responseHead("HTTP/1.1 200 OK\r\nA: \(String(repeating: "b", count: 15_000))\r\n\r\n")
        // Responses that the client does not read.
        var isAlive = true
        var stream: UInt32 = 1
        while isAlive, stream < 100 {
            isAlive = server.receive([Frame.headers(stream, get)].bytes)
            server.session.respond(server.slots.last ?? 0, answer, framing: .none, isEnd: true)
            stream += 2
        }
        #expect(server.session.fault == .memory && stream < 50)
    }
}
