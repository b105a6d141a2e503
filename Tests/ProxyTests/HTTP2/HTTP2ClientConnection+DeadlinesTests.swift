import Core
import HTTP2
import Testing

@testable import Proxy

@Suite struct HTTP2ClientConnectionDeadlinesTests {
    @Test func withoutRequestsItIdlesOut() throws {
        let bench = SideBench()
        let (connection, _) = try bench.http2Client()
        let settings = bench.listener.settings
        #expect(connection.nextDeadline == bench.resources.now + settings.firstByteTimeout && connection.isSilent)
        connection.requestCount = 1
        #expect(connection.nextDeadline == connection.idleSince + settings.idleTimeout(hasAsked: true).duration)
    }

    @Test func aFrameThatHasBegunMustBeCompleteInTime() throws {
        let bench = SideBench()
        let (connection, _) = try bench.http2Client()
        connection.partialSince = bench.resources.now
        let deadline = bench.resources.now + bench.listener.settings.headTimeout
        #expect(connection.nextDeadline == deadline && !connection.isOverdue(&bench.resources))
        bench.resources.now = deadline
        let isOverdue = connection.isOverdue(&bench.resources)
        #expect(isOverdue)
        #expect(bench.resources.counters.timeouts.value(.requestHead) == 1)
    }

    /// Frames wait, and the client takes none of them.
    @Test func aClientThatTakesNothingIsOverdue() throws {
        let bench = SideBench()
        let (connection, _) = try bench.http2Client()
        connection.outbound = bench.resources.buffers.acquireSmall()
        connection.outbound?.append("frame")
        let deadline = connection.lastFlush + bench.listener.settings.idleTimeout
        #expect(!connection.isFlushed && !connection.isOverdue(&bench.resources))
        bench.resources.now = deadline
        let isOverdue = connection.isOverdue(&bench.resources)
        #expect(isOverdue)
    }

    @Test func aStreamsDeadlineIsTheConnections() throws {
        let bench = SideBench()
        let (connection, _) = try bench.http2Client()
        let stream = ClientStream(connection, slot: 0, now: bench.resources.now)
        connection.streams.append(stream)
        connection.streamCount = 1
        let exchange = bench.exchange(stream)
        #expect(connection.nextDeadline == stream.exchangeDeadline)
        exchange.attempts.nextAt = bench.resources.now + 5
        #expect(connection.nextDeadline == bench.resources.now + 5)
    }

    @Test func theEndOfTheAnnouncementIsADeadline() throws {
        let bench = SideBench()
        let (connection, _) = try bench.http2Client()
        connection.enter(.announcing(until: bench.resources.now + 3))
        #expect(connection.nextDeadline == bench.resources.now + 3)
        connection.enter(.lingering(until: bench.resources.now + 2))
        #expect(connection.nextDeadline == bench.resources.now + 2 && !connection.isOverdue(&bench.resources))
        connection.enter(.closed)
        #expect(connection.nextDeadline == .distantFuture)
    }
}
