import Core
import HTTP1
import HTTP2
import Testing

@testable import Proxy

/// One request and its response on a client's HTTP/2 connection: what its end is called, and what its head says.
@Suite struct ClientStreamTests {
    private func respond(_ served: ServedConnection, _ stream: ClientStream, _ text: StaticString, hasBody: Bool) {
        guard let exchange = stream.exchange else { preconditionFailure("answered already") }
        stream.sending = .chunked
        stream.writeHead(SideBench.response(text), exchange, hasBody: hasBody, &served.bench.resources)
    }

    /// Streams end by themselves, so a body that ends with a target's connection needs no framing of its own.
    @Test(arguments: [
        (Framing.none, Framing.none), (.length(7), .length(7)), (.chunked, .chunked), (.untilClose, .chunked),
    ]) func anyBodyHasAnEnd(_ ofTarget: Framing, _ forClient: Framing) throws {
        let served = try ServedConnection()
        let (stream, _) = served.request()
        let exchange = try #require(stream.exchange)
        #expect(stream.framing(of: ofTarget, for: exchange) == forClient)
    }

    @Test func aResponseWithoutABodyEndsItsStream() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request()
        respond(served, stream, "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", hasBody: false)
        while !served.peer.endedSlots.contains(slot) { served.turn() }
        #expect(
            served.peer.heads[slot]?.map(\.status) == [304] && served.peer.heads[slot]?[0].fields["etag"] == "\"a\"")
        #expect(stream.isFlushed && served.peer.bodies[slot] == nil)
    }

    /// A target's agreement, as HTTP/2 has it: 200, without what proves HTTP/1.1's handshake. Source: RFC 8441 §5.
    @Test func anAgreementToAWebSocketIsTranslated() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request(hasBody: true)
        let head = SideBench.response(
            "HTTP/1.1 101 A\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
        head.isWebSocket = true
        let exchange = try #require(stream.exchange)
        stream.writeHead(head, exchange, hasBody: true, &served.bench.resources)
        while served.peer.heads[slot] == nil { served.turn() }
        let received = try #require(served.peer.heads[slot]?.last)
        #expect(received.status == 200 && received.fields["sec-websocket-protocol"] == "chat")
        #expect(received.fields["sec-websocket-accept"] == nil)
    }

    /// An end that is no fault is told apart from one that is, and from one that lets the client ask again.
    enum Case: CaseIterable, Sendable { case fault, tunnel, refusal, forwarded }

    @Test(arguments: Case.allCases) func theErrorCodeTellsWhy(test: Case) throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request(hasBody: true)
        if test == .tunnel {
            let head = SideBench.response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
            head.isWebSocket = true
            stream.writeHead(head, try #require(stream.exchange), hasBody: true, &served.bench.resources)
        }
        stream.resetCode = test == .refusal ? .refusedStream : test == .forwarded ? .enhanceYourCalm : nil
        stream.abort(&served.bench.resources)
        while served.peer.resetCodes[slot] == nil { served.turn() }
        let expected: HTTP2ErrorCode =
            switch test {
            case .fault: .internalError
            case .tunnel: .cancel
            case .refusal: .refusedStream
            case .forwarded: .enhanceYourCalm
            }
        #expect(served.peer.resetCodes[slot] == expected)
    }

    /// What a client sends after its answer is thrown away, and its window opens all the same: other streams need it.
    @Test func theRestOfAnAnsweredRequestIsThrownAway() throws {
        let served = try ServedConnection()
        let (stream, slot) = served.request(hasBody: true)
        respond(served, stream, "HTTP/1.1 200 OK\r\n\r\n", hasBody: false)
        stream.finish(&served.bench.resources)
        stream.exchange = nil
        served.peer.session.attach(slot, SideBench.buffer(count: 20_000), isLast: true)
        for _ in 0..<200 where !stream.isEnded { served.turn() }
        served.peer.session.detach(slot)
        #expect(stream.isEnded && stream.inbound == nil && stream.consumedCount >= 20_000)
        #expect(served.bench.resources.buffers.bytesHeld < 20_000 + served.connection.heldByteCount)
    }
}
