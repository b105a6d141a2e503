import Core
import HTTP1
import HTTP2
import Testing

@testable import Proxy

/// An HTTP/2 connection to a target and its streams over loopback, without a worker.
@Suite struct HTTP2TargetConnectionTests {
    /// A connection on which one request was sent.
    private final class Asked {
        let bench = SideBench()
        let connection: HTTP2TargetConnection
        let peer: FramePeer
        let client: ClientConnection
        let exchange: Exchange
        let stream: TargetStream

        init() throws {
            (connection, peer) = try bench.http2Target()
            client = try bench.client().side
            exchange = bench.exchange(client)
            stream = TargetStream(connection, now: bench.resources.now)
            stream.exchange = exchange
            exchange.target = stream
            stream.writeHead(exchange, framing: .none, &bench.resources)
            _ = exchange.state.receive(.forwarded)
            _ = exchange.state.receive(.connected)
            while peer.headSlots.isEmpty { turn() }
        }

        /// Writes what is due, lets the target read it, and reads what it says to that.
        func turn() {
            connection.transport.isWritable = true
            _ = connection.writeFrames(&bench.resources)
            peer.read()
            peer.send()
            bench.read(connection) { event, input in connection.handleEvent(event, input, &bench.resources) }
        }

        /// Has the target answer, with `body` if there is one.
        func answer(_ body: StaticString? = nil) {
            let head = SideBench.response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            let slot = peer.headSlots[0]
            peer.session.respond(slot, head, framing: body == nil ? .none : .chunked, isEnd: body == nil)
            if let body { peer.session.attach(slot, SideBench.buffer(body), isLast: true) }
            peer.send()
            if body != nil { peer.session.detach(slot) }
        }
    }

    @Test func anAnswerIsReadByItsStream() throws {
        let asked = try Asked()
        #expect(asked.connection.streamCount == 1 && !asked.connection.isIdle)
        asked.answer("hello")
        while !asked.stream.isEnded { asked.turn() }
        #expect(asked.bench.takeDeferred().contains { $0 === asked.client }, "its exchange goes on in the next pass")
        guard case .complete = asked.stream.readHead(asked.exchange, &asked.bench.resources) else {
            Issue.record("no head")
            return
        }
        #expect(asked.bench.resources.response.status == 200 && asked.stream.inbound?.text == "hello")
    }

    @Test func aResetSaysThatItWasNotProcessed() throws {
        let asked = try Asked()
        asked.peer.session.reset(asked.peer.headSlots[0], .refusedStream)
        asked.peer.send()
        while !asked.stream.isBroken { asked.turn() }
        #expect(asked.stream.isRefused && asked.stream.isUnprocessed(isUnresponsive: false))
        #expect(asked.connection.streamCount == 0 && asked.connection.isIdle)
    }

    @Test func aGoAwayEndsNewStreams() throws {
        let asked = try Asked()
        #expect(asked.connection.hasRoom)
        asked.peer.session.finishShutdown()
        asked.peer.send()
        while !asked.connection.isEnding { asked.turn() }
        #expect(!asked.connection.hasRoom && !asked.stream.isBroken, "the stream that is there goes on")
    }

    @Test func anUnwantedAnswerIsReset() throws {
        let asked = try Asked()
        let slot = asked.peer.headSlots[0]
        asked.stream.release(&asked.bench.resources)
        while asked.peer.closings[slot] == nil { asked.turn() }
        #expect(asked.peer.closings[slot] == .resetByOtherSide)
    }

    /// An end says what the target had acknowledged, a reset does not.
    @Test func theEndOfAConnectionEndsItsStreams() throws {
        let asked = try Asked()
        let ended = asked.connection.endStreams()
        #expect(ended.count == 1 && ended[0] === asked.stream && asked.connection.streamCount == 0)
        #expect(asked.stream.isBroken && !asked.stream.isRefused)
    }

    @Test func nothingIsHeldAfterClosing() throws {
        let asked = try Asked()
        asked.answer("hello")
        while !asked.stream.isEnded { asked.turn() }
        #expect(asked.bench.resources.buffers.bytesHeld > 0)
        asked.stream.release(&asked.bench.resources)
        asked.connection.close(reset: true, &asked.bench.resources)
        #expect(asked.bench.resources.buffers.bytesHeld == 0)
    }
}
