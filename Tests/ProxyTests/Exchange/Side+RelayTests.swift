import Core
import HTTP1
import Testing

@testable import Proxy

/// Bodies passed from one side to another, over loopback.
@Suite struct SideRelayTests {
    /// A client that sends a body, and a target that takes it.
    private final class Relay {
        let bench = SideBench()
        let source: ClientConnection
        let client: Socket
        let sink: TargetConnection
        let target: Socket

        init(_ framing: Framing, to sending: Framing) throws {
            (source, client) = try bench.client()
            (sink, target) = try bench.target()
            source.decoder = BodyDecoder(framing)
            sink.sending = sending
        }

        /// Relays until that is over, or says something else than to wait.
        func run(keeping exchange: Exchange? = nil, workMax: Int = 1 << 20) -> Side.RelayResult {
            while true {
                source.transport.isReadable = true
                let result = source.relayBody(to: sink, keeping: exchange, workMax: workMax, &bench.resources)
                if result != .waiting { return result }
            }
        }
    }

    @Test(arguments: [
        (Framing.length(5), Framing.length(5), "hello", "hello"),
        (.length(5), .chunked, "hello", "5\r\nhello\r\n0\r\n\r\n"),
        (.chunked, .chunked, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        (.chunked, .untilClose, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
    ])
    func aBodyIsFramedAnew(_ framing: Framing, _ sending: Framing, _ sent: String, _ expected: String) throws {
        let relay = try Relay(framing, to: sending)
        let output = Buffer(capacity: 256)
        for byte in sent.utf8 { output.append(byte) }
        _ = relay.client.write(output)
        #expect(relay.run() == .ended)
        #expect(relay.target.readText(expected.utf8.count) == expected)
        #expect(relay.source.consumedCount == UInt64(sent.utf8.count))
        relay.source.shrinkBuffers(&relay.bench.resources)
        relay.sink.shrinkBuffers(&relay.bench.resources)
        #expect(relay.bench.resources.buffers.bytesHeld == 0)
    }

    @Test func anEndInTheMiddleIsTold() throws {
        let relay = try Relay(.length(10), to: .length(10))
        relay.client.writeAll("half")
        relay.client.shutdownWrite()
        #expect(relay.run() == .sourceGone)
    }

    @Test func aMalformedChunkIsReported() throws {
        let relay = try Relay(.chunked, to: .chunked)
        relay.client.writeAll("zz\r\n")
        guard case .sourceMalformed = relay.run() else {
            Issue.record("a bad chunk was relayed")
            return
        }
    }

    @Test func aDeadSinkIsTold() throws {
        let relay = try Relay(.length(1 << 20), to: .length(1 << 20))
        relay.target.closeWithReset()
        while relay.bench.fill(relay.sink) != .failed {}
        relay.client.writeAll("anything")
        var result = relay.run()
        // What is small waits behind the head: it is the next write that finds the connection dead.
        if result == .turnOver { result = relay.run() }
        #expect(result == .sinkGone)
    }

    @Test func aTurnEndsAfterSoMuchWork() throws {
        let relay = try Relay(.length(1000), to: .length(1000))
        relay.client.writeAll("some of it")
        #expect(relay.run(workMax: 1) == .turnOver)
        #expect(relay.source.consumedCount == 10)
    }

    /// A sink that takes nothing stops the reading: no more is held than two buffers.
    @Test func aBlockedSinkHoldsTheSourceBack() throws {
        let relay = try Relay(.untilClose, to: .length(1 << 30))
        let much = SideBench.buffer(count: 1 << 16)
        var sentCount = 0
        var idleTurns = 0
        while idleTurns < 50 {
            let piece = Buffer(capacity: much.count)
            piece.append(much.bytes)
            if case .bytes(let count) = relay.client.write(piece) { sentCount += count }
            relay.source.transport.isReadable = true
            let before = relay.source.consumedCount
            let result = relay.source.relayBody(to: relay.sink, workMax: 1 << 20, &relay.bench.resources)
            #expect(result == .waiting || result == .turnOver)
            idleTurns = relay.source.consumedCount == before ? idleTurns + 1 : 0
        }
        #expect(!relay.sink.isWritable && sentCount > Int(relay.source.consumedCount))
        #expect(relay.bench.resources.buffers.bytesHeld <= 2 * Core.Limits.bulkBufferBytes)
        // It goes on once the target takes some.
        let input = Buffer(capacity: 1 << 16)
        let before = relay.source.consumedCount
        while relay.source.consumedCount == before {
            input.removeAll()
            _ = relay.target.read(into: input)
            relay.sink.transport.isWritable = true
            _ = relay.source.relayBody(to: relay.sink, workMax: 1 << 20, &relay.bench.resources)
        }
    }

    @Test func aRequestsBodyIsKept() throws {
        let relay = try Relay(.length(5), to: .length(5))
        let exchange = relay.bench.exchange(relay.source)
        exchange.keptBytesMax = 100
        relay.client.writeAll("hello")
        #expect(relay.run(keeping: exchange) == .ended)
        exchange.keptBody.rewind(&relay.bench.resources.buffers)
        #expect(exchange.keptBody.replay?.text == "hello")
        exchange.keptBody.reset(&relay.bench.resources.buffers)
        #expect(exchange.keptBody.heldByteCount == 0)
    }

    @Test func whatIsTooLongIsNotKept() throws {
        let relay = try Relay(.length(5), to: .length(5))
        let exchange = relay.bench.exchange(relay.source)
        exchange.keptBytesMax = 4
        relay.client.writeAll("hello")
        #expect(relay.run(keeping: exchange) == .ended)
        #expect(exchange.keptBody.isLost && exchange.keptBody.heldByteCount == 0)
    }

}
