import Core
import Testing

@testable import Proxy

@Suite struct ClientConnectionTests {
    private static func client() -> ClientConnection {
        ClientConnection(
            transport: Plans.noTransport(to: .client), address: Plans.address("192.0.2.7", 1234),
            listener: WorkerListener(Plans.listener(), actions: [], tickets: Plans.tickets),
            now: Instant(nanoseconds: 5))
    }

    @Test func beginsByReading() {
        let client = Self.client()
        guard case .reading = client.phase else {
            Issue.record("begins in \(client.phase)")
            return
        }
        #expect(client.lastActivity == Instant(nanoseconds: 5))
        #expect(client.keepAliveUntil == client.lastActivity + client.listener.settings.clientKeepAlive)
        #expect(!client.isClosed && client.isFlushed && client.heldByteCount == 0)
        #expect(client.headDeadline == .distantFuture && client.transport.timer == .distantFuture)
    }

    /// A client that takes the connection's end for the body's must not take a FIN for it while some of it waits.
    @Test(arguments: [true, false]) func aBodyOfWhichSomeWaitsEndsWithAReset(waits: Bool) throws {
        var bench = WorkerBench()
        bench.adopt([Plans.listener()], [])
        let pair = try SocketPair()
        let listener = try #require(bench.worker.listeners[0])
        var transport = Transport(token: bench.worker.slab.nextToken, socket: pair.own, to: .client)
        transport.isReadable = false
        let client = ClientConnection(
            transport: transport, address: Plans.address("192.0.2.7", 1234), listener: listener,
            now: Instant(nanoseconds: 5))
        _ = bench.worker.slab.insert(.client(client))
        bench.worker.clientCount += 1
        bench.counters.connectionsActive.add()
        client.sending = .untilClose
        if waits {
            client.outbound = bench.worker.resources.buffers.acquireLarge()
            client.outbound?.append("rest")
        }
        bench.worker.abortResponse(to: client, isResponseDone: true)
        if waits, case .failed = pair.otherEnd() { return }
        #expect(!waits && pair.otherEnd() == .endOfStream)
    }

    @Test func isChargedForBuffersOfBothSides() {
        let client = Self.client()
        client.inbound = Buffer(capacity: 100)
        client.outbound = Buffer(capacity: 20)
        #expect(client.heldByteCount == 120 && client.chargedByteCount == 120)
        #expect(client.isFlushed)
        client.outbound?.append("x")
        #expect(!client.isFlushed)

        let target = TargetConnection(
            transport: Plans.noTransport(to: .target), pool: TargetPool(Plans.target(0)), group: Plans.emptyGroup,
            now: Instant(nanoseconds: 0))
        target.inbound = Buffer(capacity: 3)
        let exchange = Exchange()
        exchange.target = target
        client.exchange = exchange
        #expect(client.heldByteCount == 120 && client.chargedByteCount == 123)
    }

    @Test func closedIsTheEnd() async {
        let client = Self.client()
        client.enter(.exchanging)
        client.enter(.reading)
        client.enter(.lingering(until: .distantFuture, bytesLeft: 1))
        client.enter(.closed)
        #expect(client.isClosed)
        await #expect(processExitsWith: .failure) {
            let client = Self.client()
            client.enter(.closed)
            client.enter(.reading)
        }
    }
}
