import Core
import TLS
import Telemetry
import Testing

@testable import Proxy

@Suite struct ResourcesTests {
    @Test func aClientIsDeferredOnce() throws {
        let bench = SideBench()
        let (client, _) = try bench.client()
        bench.resources.deferToNextPass(client)
        bench.resources.deferToNextPass(client)
        #expect(bench.resources.deferredClients.count == 1 && client.isDeferred)
    }

    @Test func aConnectionIsWrittenOnceAndNotAfterItsEnd() throws {
        let bench = SideBench()
        let (connection, _) = try bench.http2Client()
        bench.resources.markDirty(connection)
        bench.resources.markDirty(connection)
        #expect(bench.resources.dirtyConnections.count == 1 && connection.isDirty)
        let (closed, _) = try bench.http2Client()
        closed.enter(.closed)
        bench.resources.markDirty(closed)
        #expect(bench.resources.dirtyConnections.count == 1)
    }

    @Test func bytesAreCountedBySide() {
        let counters = WorkerCounters()
        let resources = Resources(counters: counters, bufferBytesMax: 1, now: Instant(nanoseconds: 7))
        resources.countReceived(from: .client, 1)
        resources.countReceived(from: .target, 2)
        resources.countSent(to: .client, 3)
        resources.countSent(to: .target, 4)
        #expect(counters.clientBytesReceived.value == 1 && counters.targetBytesReceived.value == 2)
        #expect(counters.clientBytesSent.value == 3 && counters.targetBytesSent.value == 4)
        #expect(resources.now == Instant(nanoseconds: 7))
    }
}
