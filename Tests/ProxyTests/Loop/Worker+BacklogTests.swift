import Core
import Testing

@testable import Proxy

/// Connections with more work than one turn allows.
@Suite struct WorkerBacklogTests {
    private static func request(_ count: Int) -> String {
        String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: count)
    }

    /// However many have much to do, who has little waits for one round of theirs at most.
    @Test func whoHasLittleToDoWaitsForOneRound() throws {
        var worker = try ServingWorker(
            Plans.listener(defaultAction: Plans.fixed(204)), connectionsMax: 20, descriptorsMax: 50)
        let busy = try (0..<10).map { _ in try worker.client() }
        let small = try worker.client(asking: "/")
        #expect(worker.serve { small.count(of: 204) == 1 })
        let count = Limits.requestsPerTurnMax * 8
        for client in busy { client.send(Self.request(count)) }
        worker.pass()
        #expect(!worker.bench.worker.backlog.isEmpty)
        small.ask("/")
        worker.pass()
        #expect(small.count(of: 204) == 2)
        #expect(busy.contains { $0.count(of: 204) < count }, "they are not done")
        #expect(worker.serve { busy.allSatisfy { $0.count(of: 204) == count } })
        #expect(worker.bench.worker.backlog.isEmpty)
        worker.stop()
    }

    /// A connection in the backlog does nothing until its turn, and stands there once.
    @Test func aConnectionStandsInTheBacklogOnce() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)))
        let client = try worker.client()
        client.send(Self.request(Limits.requestsPerTurnMax * 4))
        worker.pass()
        worker.pass()
        for _ in 0..<3 {
            #expect(worker.bench.worker.backlog.count <= 1)
            client.send(Self.request(Limits.requestsPerTurnMax))
            worker.pass()
        }
        #expect(worker.serve { client.count(of: 204) == Limits.requestsPerTurnMax * 7 })
        worker.stop()
    }

    /// Work that is left is done though nothing else happens.
    @Test func withABacklogThePassIsDueAtOnce() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)))
        let client = try worker.client()
        worker.settle()
        let now = worker.bench.worker.now
        #expect(worker.bench.worker.nextPassAt.map { $0 > now } ?? false, "a client that may be idle")
        client.send(Self.request(Limits.requestsPerTurnMax * 4))
        worker.pass()
        #expect(!worker.bench.worker.backlog.isEmpty && worker.bench.worker.nextPassAt == worker.bench.worker.now)
        #expect(worker.serve { client.count(of: 204) == Limits.requestsPerTurnMax * 4 })
        worker.stop()
    }

    /// Who closes meanwhile is passed over.
    @Test func whoIsGoneByThenIsPassedOver() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)))
        let client = try worker.client()
        client.send(Self.request(Limits.requestsPerTurnMax * 4))
        worker.pass()
        #expect(!worker.bench.worker.backlog.isEmpty)
        client.reset()
        worker.settle()
        #expect(worker.bench.worker.backlog.isEmpty && worker.bench.worker.clientCount == 0)
    }
}
