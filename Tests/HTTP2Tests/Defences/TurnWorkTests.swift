import Core
import Testing

@testable import HTTP2

/// Whatever arrives, a turn ends after about the same work, and the rest is passed again in the next turn.
@Suite struct TurnWorkTests {
    @Test func framesAndFieldsCountApart() {
        var work = TurnWork(Limits.turnWorkMax)
        work.take(FrameHeader(length: 16_384, type: FrameType.headers))
        #expect(!work.isDone)
        for _ in 0..<100 { work.takeField(byteCount: 5000) }
        #expect(!work.isDone)
        for _ in 0..<3 { work.takeField(byteCount: 5000) }
        #expect(work.isDone)
    }

    @Test func aTurnTakesAMegabyteOfDataOrTwoThousandFrames() {
        var bulk = TurnWork(Limits.turnWorkMax)
        for _ in 0..<60 { bulk.take(FrameHeader(length: 16_384, type: FrameType.data)) }
        #expect(!bulk.isDone)
        var small = TurnWork(Limits.turnWorkMax)
        for _ in 0..<2048 {
            #expect(!small.isDone)
            small.take(FrameHeader(length: 0, type: FrameType.data))
        }
        #expect(small.isDone)
    }

    /// A few bytes that expand to many: the work is spread over turns, and the events are the same as in one turn.
    @Test func aReadIsTakenInTurns() {
        let large = [0x40] + string("a") + string(String(repeating: "b", count: 4000))
        let first = Frame.headers(1, block: block(get) + large, end: true)
        let rest = (1..<100 as Range<UInt32>).map {
            Frame.headers($0 * 2 + 1, block: block(get) + [UInt8](repeating: 0xBE, count: 12))
        }
        var settings = HTTP2Settings()
        settings.openHeadBytesMax = 1 << 24
        let server = Side(.server, settings)
        server.receive(preface)
        server.turnCount = 0
        server.receive(([first] + rest).bytes)
        #expect((9...30).contains(server.turnCount), "five megabytes of heads in \(server.turnCount) turns")
        #expect(server.story.count { $0.hasSuffix("head GET / end") } == 100)
    }

    /// A turn that ends with the last field of a head leaves no bytes for the next one; the head must be reported all
    /// the same.
    @Test(arguments: 1...40) func headIsReportedWhereverTheTurnEnds(fieldCount: Int) {
        let fields = (0..<fieldCount).map { _ in ("a", String(repeating: "b", count: 100)) }
        for end in [true, false] {
            let server = Side(.server)
            server.receive(preface)
            let bytes = Frame.headers(1, (end ? get : post) + fields, end: end).bytes
            var index = 0
            while index < bytes.count {
                server.session.beginTurn(5000)
                let rest = Array(bytes[index...])
                index += server.session.receive(rest.span, now: server.now)
            }
            let hasHead = (0..<server.session.eventCount).contains {
                if case .head = server.session.event($0) { true } else { false }
            }
            #expect(hasHead)
        }
    }

    /// A fault of a frame is reported after the frames before it.
    @Test func aFaultWaitsForItsTurn() {
        let large = [0x40] + string("a") + string(String(repeating: "b", count: 4000))
        let server = Side(.server)
        server.receive(preface + Frame.headers(1, block: block(get) + large).bytes)
        let requests = (1..<12 as Range<UInt32>).map {
            Frame.headers($0 * 2 + 1, block: block(get) + [UInt8](repeating: 0xBE, count: 14))
        }
        server.receive((requests + [.priority(0, on: 1)]).bytes)
        #expect(server.story.count { $0.hasSuffix("head GET / end") } == 12)
        #expect(server.session.fault == .protocolError)
    }
}
