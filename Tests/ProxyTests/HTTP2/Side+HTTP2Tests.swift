import Core
import HTTP1
import HTTP2
import Testing

@testable import Proxy

/// What an HTTP/2 stream does the same for a client as for a target, seen on a client's stream.
@Suite struct SideHTTP2Tests {
    /// As many bytes as the client lets the stream send go out; nothing overtakes the rest, and an end waits for it.
    @Test func whatTheWindowDoesNotTakeWaits() throws {
        let served = try ServedConnection(windowBytes: 10_000)
        served.peer.consumes = false
        let (stream, slot) = served.request()
        served.turn()
        served.answer(stream)
        let body = SideBench.buffer(count: 15_000)
        #expect(stream.writeBody(body, count: 15_000, &served.bench.resources) == 10_000)
        #expect(body.count == 5_000 && !stream.isWritable && stream.stream.isBlocked)
        #expect(stream.writeBody(body, count: 5_000, &served.bench.resources) == 0)
        stream.outboundBuffer(&served.bench.resources).append("waits")
        #expect(stream.endBody(trailers: nil, &served.bench.resources) == .blocked)
        for _ in 0..<5 { served.turn() }
        #expect(served.peer.receivedCounts[slot] == 10_000 && !served.peer.endedSlots.contains(slot))
        #expect(!stream.isFlushed)
    }

    /// The window opens as the client consumes: a body of many windows comes whole and in order.
    @Test func aBodyOfManyWindowsComesWhole() throws {
        let served = try ServedConnection(windowBytes: 10_000)
        let (stream, slot) = served.request()
        served.turn()
        served.answer(stream)
        let body = SideBench.buffer(count: 60_000)
        var hasWaited = false
        while !body.isEmpty {
            _ = try #require(stream.writeBody(body, count: body.count, &served.bench.resources))
            if !body.isEmpty { hasWaited = true }
            served.turn()
        }
        #expect(hasWaited, "the window was full at times")
        _ = stream.endBody(trailers: nil, &served.bench.resources)
        while !served.peer.endedSlots.contains(slot) { served.turn() }
        #expect(served.peer.receivedCounts[slot] == 60_000 && stream.isFlushed)
        stream.shrinkBuffers(&served.bench.resources)
        #expect(stream.outbound == nil && stream.writtenCount >= 60_000)
    }

    /// A stream that its client has reset takes nothing, and says so.
    @Test func aResetStreamTakesNothing() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request()
        served.answer(stream)
        served.peer.session.reset(slot, .cancel)
        served.peer.send()
        while served.closed.isEmpty { served.read() }
        stream.stream.isReset = true
        #expect(stream.isBroken && stream.isEnded)
        #expect(stream.writeBody(SideBench.buffer("x"), count: 1, &served.bench.resources) == nil)
        stream.outboundBuffer(&served.bench.resources).append("x")
        #expect(stream.flushOutbound(&served.bench.resources) == .failed)
    }

    /// What has come and is not taken is given back, and the stream's window opens by what was consumed.
    @Test func whatIsNotTakenIsGivenBack() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request(hasBody: true)
        served.peer.session.attach(slot, SideBench.buffer(count: 5_000), isLast: false)
        while (stream.inbound?.count ?? 0) < 5_000 { served.turn() }
        served.peer.session.detach(slot)
        #expect(stream.consumedCount == 0 && stream.stream.reportedCount == 0)
        stream.discardInbound(of: &stream.stream, &served.bench.resources)
        #expect(stream.inbound?.isEmpty ?? true)
        #expect(stream.consumedCount == 5_000 && stream.stream.reportedCount == 5_000)
        stream.shrinkBuffers(&served.bench.resources)
        #expect(stream.inbound == nil)
    }
}
