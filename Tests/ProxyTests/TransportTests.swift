import Core
import Testing

@testable import Proxy

/// A connection over loopback whose other end the test holds.
@Suite struct TransportTests {
    private final class Pair {
        var bench = WorkerBench()
        var transport: Transport
        let other: Socket
        let listening: Socket

        init() throws {
            guard let address = SocketAddress(literal: "127.0.0.1", port: 0) else { fatalError("no loopback") }
            listening = try Socket.listen(on: address, sharesPort: false)
            guard let bound = listening.localAddress else { fatalError("not bound") }
            other = try Socket.connect(to: bound)
            var accepted: Socket?
            while accepted == nil {
                if case .accepted(let socket, _) = listening.accept() { accepted = socket }
            }
            transport = Transport(token: .none, socket: accepted ?? other, to: .client)
        }

        deinit {
            other.close()
            listening.close()
            transport.socket.close()
        }
    }

    private func buffer(_ text: StaticString, capacity: Int = 64) -> Buffer {
        let buffer = Buffer(capacity: capacity)
        buffer.append(text)
        return buffer
    }

    @Test func aReadThatLeavesRoomIsTheLastUntilTheNextEdge() throws {
        let pair = try Pair()
        #expect(pair.other.write(buffer("hello")) == .bytes(5))
        let input = Buffer(capacity: 64)
        let first = pair.transport.receive(into: input, &pair.bench.worker)
        #expect(first == .got && input.count == 5 && !pair.transport.isReadable)
        let second = pair.transport.receive(into: input, &pair.bench.worker)
        #expect(second == .nothing)
        #expect(pair.bench.counters.clientBytesReceived.value == 5)
    }

    @Test func withoutRoomNothingIsRead() throws {
        let pair = try Pair()
        let full = buffer("1234", capacity: 4)
        let result = pair.transport.receive(into: full, &pair.bench.worker)
        #expect(result == .nothing && pair.transport.isReadable, "the kernel was not asked")
    }

    @Test func theEndIsToldAgainAndAgain() throws {
        let pair = try Pair()
        pair.other.shutdownWrite()
        let input = Buffer(capacity: 8)
        var result = pair.transport.receive(into: input, &pair.bench.worker)
        while result == .nothing {
            pair.transport.isReadable = true
            result = pair.transport.receive(into: input, &pair.bench.worker)
        }
        #expect(result == .ended && pair.transport.isEnded && !pair.transport.isBroken)
        let again = pair.transport.receive(into: input, &pair.bench.worker)
        #expect(again == .ended)
    }

    @Test func writesBothPiecesAndCountsThem() throws {
        let pair = try Pair()
        let head = buffer("head ")
        let body = buffer("body and more")
        let isAlive = pair.transport.send(head, then: body, count: 4, &pair.bench.worker)
        #expect(isAlive && head.isEmpty && body.count == 9)
        #expect(pair.transport.sentCount == 9 && pair.bench.counters.clientBytesSent.value == 9)
    }

    @Test func aFullKernelBlocksUntilThePollerSpeaks() throws {
        let pair = try Pair()
        let much = Buffer(capacity: 1 << 16)
        while pair.transport.isWritable {
            while much.freeCount > 0 { much.append(0x61) }
            _ = pair.transport.send(much, &pair.bench.worker)
            much.compact()
        }
        let result = pair.transport.send(much, &pair.bench.worker)
        #expect(result == .blocked)
    }
}
