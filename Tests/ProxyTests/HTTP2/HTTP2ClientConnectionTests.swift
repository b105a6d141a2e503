import Core
import HTTP1
import HTTP2
import Testing

@testable import Proxy

/// A client's HTTP/2 connection and its streams over loopback, without a worker.
@Suite struct HTTP2ClientConnectionTests {
    @Test func aRequestOpensAStream() throws {
        let served = try ServedConnection()
        let (stream, _) = served.request()
        #expect(served.connection.streamCount == 1 && served.connection.requestCount == 1)
        #expect(stream.isEnded && !stream.isBroken && !served.connection.isIdle)
    }

    @Test func aBodyWaitsForItsExchange() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request(hasBody: true)
        served.peer.session.attach(slot, SideBench.buffer("hello"), isLast: true)
        served.peer.send()
        served.peer.session.detach(slot)
        while !stream.isEnded { served.read() }
        #expect(stream.inbound?.text == "hello")
        #expect(served.bench.takeDeferred().contains { $0 === stream }, "its exchange goes on in the next pass")
        #expect(stream.fillInbound(&served.bench.resources) == .ended, "data comes by events, and never by asking")
    }

    /// A client's window is closed, and opened again: the rest of the body follows.
    @Test func aClosedWindowIsWaitedFor() throws {
        let served = try ServedConnection(windowBytes: 1000)
        let (stream, slot) = served.request()
        served.peer.consumes = false
        served.answer(stream)
        let body = SideBench.buffer(count: 5000)
        #expect(stream.writeBody(body, count: 5000, &served.bench.resources) == 1000)
        #expect(!stream.isWritable && served.connection.blocked.count == 1)
        #expect(stream.writeBody(body, count: 4000, &served.bench.resources) == 0)
        while served.peer.receivedCounts[slot, default: 0] < 1000 { served.turn() }
        _ = stream.writeBody(body, count: 4000, &served.bench.resources)
        #expect(served.peer.receivedCounts[slot] == 1000 && body.count == 4000 && !stream.isWritable)
        _ = served.bench.takeDeferred()
        served.peer.session.consumed(slot, 1000)
        served.peer.send()
        while !stream.isWritable { served.read() }
        #expect(served.bench.takeDeferred().contains { $0 === stream }, "it is told that it may write")
        served.peer.consumes = true
        while !body.isEmpty {
            _ = stream.writeBody(body, count: body.count, &served.bench.resources)
            served.turn()
        }
        while stream.endBody(trailers: nil, &served.bench.resources) != .done { served.turn() }
        while !served.peer.endedSlots.contains(slot) { served.turn() }
        #expect(served.peer.receivedCounts[slot] == 5000 && served.peer.statuses == [200])
    }

    /// What an ended stream has in `outbound` when its window is closed goes out later, and the end behind it.
    @Test func anEndWaitsBehindItsBody() throws {
        let served = try ServedConnection(windowBytes: 100)
        let (stream, slot) = served.request()
        served.answer(stream)
        let outbound = stream.outboundBuffer(&served.bench.resources)
        outbound.append(SideBench.buffer(count: 250).bytes)
        #expect(stream.endBody(trailers: nil, &served.bench.resources) == .blocked && !stream.isFlushed)
        while !stream.isFlushed { served.turn() }
        while !served.peer.endedSlots.contains(slot) { served.turn() }
        #expect(served.peer.receivedCounts[slot] == 250 && stream.writtenCount >= 250)
    }

    @Test func aResetStreamTakesNothing() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request(hasBody: true)
        served.peer.session.reset(slot, .cancel)
        served.peer.send()
        while served.closed.isEmpty { served.read() }
        #expect(served.closed == [.resetByOtherSide])
        #expect(stream.isBroken && served.connection.streamCount == 0)
        #expect(stream.writeBody(SideBench.buffer("x"), count: 1, &served.bench.resources) == nil)
    }

    @Test func aStreamThatIsAbortedIsReset() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request()
        stream.abort(&served.bench.resources)
        while served.peer.closings[slot] == nil { served.turn() }
        #expect(served.peer.closings[slot] == .resetByOtherSide)
    }

    @Test func anAnswerBeforeTheEndOfTheRequestLingers() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request(hasBody: true)
        served.answer(stream)
        _ = stream.endBody(trailers: nil, &served.bench.resources)
        stream.finish(&served.bench.resources)
        stream.exchange = nil
        #expect(stream.lingerUntil == served.bench.resources.now + Limits.lingerTime)
        stream.endLinger(&served.bench.resources)
        while served.peer.closings[slot] == nil { served.turn() }
        #expect(served.peer.endedSlots.contains(slot), "the answer came before the stream was reset")
    }

    @Test func shutdownTellsTheLastRequest() throws {
        let served = try ServedConnection()
        _ = served.request()
        served.connection.announceEnd()
        for _ in 0..<50 where !served.peer.hasGoAway { served.turn() }
        #expect(served.peer.hasGoAway)
    }

    /// Of the streams of one connection no more than its share have connections to targets; who waits is told.
    @Test func sharesOfConnectionsToTargets() throws {
        let served = try ServedConnection()
        let first = served.request().stream
        let second = served.request().stream
        guard let firstExchange = first.exchange, let secondExchange = second.exchange else { return }
        let connection = served.connection
        #expect(connection.takeTargetShare(for: first, firstExchange, countMax: 1, &served.bench.resources))
        #expect(connection.takeTargetShare(for: first, firstExchange, countMax: 1, &served.bench.resources), "again")
        #expect(!connection.takeTargetShare(for: second, secondExchange, countMax: 1, &served.bench.resources))
        #expect(connection.targetCount == 1 && connection.waiting.count == 1)
        _ = served.bench.takeDeferred()
        connection.returnTargetShare(of: first, firstExchange, countMax: 1, &served.bench.resources)
        #expect(connection.targetCount == 0 && connection.waiting.isEmpty && second.isInvited)
        #expect(served.bench.takeDeferred().contains { $0 === second })
    }

    @Test func nothingIsHeldAfterClosing() throws {
        let served = try ServedConnection(windowBytes: 100)
        let (stream, _) = served.request(hasBody: true)
        served.answer(stream)
        let outbound = stream.outboundBuffer(&served.bench.resources)
        outbound.append(SideBench.buffer(count: 250).bytes)
        _ = stream.flushOutbound(&served.bench.resources)
        _ = served.connection.writeFrames(&served.bench.resources)
        #expect(served.bench.resources.buffers.bytesHeld > 0)
        stream.abort(&served.bench.resources)
        served.connection.close(reset: false, &served.bench.resources)
        #expect(served.bench.resources.buffers.bytesHeld == 0)
    }
}
