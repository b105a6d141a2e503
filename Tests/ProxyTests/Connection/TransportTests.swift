import Core
import Testing

@testable import Proxy

/// A connection over loopback whose other end the test holds.
@Suite struct TransportTests {
    private final class Pair {
        var bench = WorkerBench()
        var transport: Transport
        let sockets: SocketPair

        init() throws {
            sockets = try SocketPair()
            transport = Transport(token: .none, socket: sockets.own, to: .client)
        }

        deinit {
            sockets.other.close()
            sockets.own.close()
        }

        var other: Socket { sockets.other }
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

    /// With TLS what is consumed may still wait, sealed: it is not flushed before the kernel has it, and it gets there.
    @Test func whatIsSealedAndWaitsIsNotForgotten() throws {
        let pair = try Pair()
        let client = try secure(pair)
        let side = ClientConnection(
            transport: Plans.noTransport(to: .client), address: Plans.address("192.0.2.7", 1234),
            listener: Listener(Plans.listener(), actions: [], tickets: Plans.tickets), now: Instant(nanoseconds: 5))
        var written = 0
        while pair.transport.isFlushed {
            let outbound = pair.bench.worker.outbound(of: side)
            outbound.compact()
            while outbound.freeCount > 0 { outbound.append(0x61) }
            written += outbound.count
            _ = pair.bench.worker.flush(side, &pair.transport)
        }
        // What the kernel did not even see does not count.
        written -= side.outbound?.count ?? 0
        side.outbound?.removeAll()
        let early = pair.bench.worker.flush(side, &pair.transport)
        try #require(early == .blocked, "\(pair.transport.heldByteCount) bytes wait")
        var last = early
        while last != .done {
            client.read()
            pair.transport.isWritable = true
            last = pair.bench.worker.flush(side, &pair.transport)
        }
        while client.receivedCount < written { client.read() }
        #expect(client.receivedCount == written)
    }

    /// An end that the kernel does not take now comes behind what it has, and not instead of it.
    @Test func anEndBehindAFullKernelWaits() throws {
        let pair = try Pair()
        let client = try secure(pair)
        let much = Buffer(capacity: 1 << 16)
        var written = 0
        while pair.transport.isFlushed {
            while much.freeCount > 0 { much.append(0x61) }
            let before = much.count
            _ = pair.transport.send(much, &pair.bench.worker)
            written += before - much.count
            much.compact()
        }
        pair.transport.shutdownWrite(&pair.bench.worker)
        #expect(pair.transport.isShut && !pair.transport.isFlushed)
        var last = Transport.Flush.blocked
        while last == .blocked {
            client.read()
            pair.transport.isWritable = true
            last = pair.transport.flush(&pair.bench.worker)
        }
        #expect(last == .done)
        while !client.isTold { client.read() }
        #expect(client.receivedCount == written)
        #expect(pair.sockets.otherEnd() == .endOfStream)
    }

    /// The client of a pair on which TLS is spoken from now on.
    private func secure(_ pair: Pair) throws -> SecurePeer {
        let client = try SecurePeer(pair.other)
        let tls = try client.session(for: pair.bench.worker.wire)
        pair.transport.tls = tls
        while !client.isShaken {
            client.shakeHands()
            pair.transport.isReadable = true
            _ = pair.transport.shakeHands(tls, &pair.bench.worker)
        }
        return client
    }
}
