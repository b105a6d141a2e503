import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

@Suite struct WorkerRoomTests {
    private static let toBlue = Plans.listener(defaultAction: Plans.forward([0], [1]))
    private let target: LoopbackTarget

    init() throws { target = try LoopbackTarget() }

    private var blue: GroupPlan { Plans.group(0, "blue", [target.plan]) }

    // MARK: Client connections

    @Test func theIdlestMakesRoomWhereNobodyIsSilent() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)), connectionsMax: 3)
        var clients: [LoopbackEnd] = []
        for _ in 0..<3 {
            let client = try worker.client(asking: "/")
            #expect(worker.serve { client.has("204") })
            clients.append(client)
            worker.pass(after: 20_000_000)
        }
        clients[0].ask("/again")
        #expect(worker.serve { clients[0].count(of: 204) == 2 })
        worker.pass(after: 20_000_000)
        let new = try worker.client(asking: "/")
        #expect(worker.serve { new.has("204") })
        #expect(clients.map(\.hasEnd) == [false, true, false])
        #expect(worker.counters.connectionsEvicted.value(.idle) == 1)
        worker.stop()
    }

    // MARK: Connections to targets

    @Test func aShareIsAQuarterOfWhatIsLeftBeyondTheReserve() {
        let bench = WorkerBench(descriptorsMax: 80)
        #expect(bench.worker.targetShare == (80 - 20) / 4)
        bench.counters.targetConnectionsActive.add(40)
        #expect(bench.worker.targetShare == (40 - 20) / 4)
        bench.counters.targetConnectionsIdle.add(20)
        #expect(bench.worker.targetShare == (40 + 20 - 20) / 4, "what is idle may be used")
        bench.counters.targetConnectionsIdle.subtract(20)
        bench.counters.targetConnectionsActive.add(40)
        #expect(bench.worker.targetShare == 1, "one is left to everybody")
    }

    /// Two clients and one connection to a target are all that there is room for.
    private func scarceWorker() throws -> ServingWorker {
        try ServingWorker(Self.toBlue, [blue], descriptorsMax: 3)
    }

    @Test func whoWaitsForADescriptorGoesOnWhenThereIsOne() throws {
        var worker = try scarceWorker()
        let (target, counters) = (target, worker.counters)
        let first = try worker.client(asking: "/first"), second = try worker.client()
        #expect(worker.serve { target.has(1) && counters.connectionsAccepted.value == 2 })
        second.ask("/second")
        #expect(worker.serve { counters.descriptorWaits.value == 1 })
        #expect(!target.has(2) && worker.bench.worker.descriptorQueue.count == 1)
        target.connections[0].answer()
        #expect(worker.serve { first.count(of: 200) == 1 && target.has(2) })
        target.connections.last?.answer()
        #expect(worker.serve { second.count(of: 200) == 1 })
        #expect(worker.bench.worker.descriptorQueue.isEmpty)
        worker.stop()
    }

    /// The answer of who waited in vain is the only one: nothing comes of a descriptor that is free later.
    @Test func whoWaitedInVainIsAnsweredOnce() throws {
        var worker = try scarceWorker()
        let (target, counters) = (target, worker.counters)
        let first = try worker.client(asking: "/first"), second = try worker.client()
        #expect(worker.serve { target.has(1) && counters.connectionsAccepted.value == 2 })
        worker.pass(after: 30_000_000_000)
        second.ask("/second")
        #expect(worker.serve { counters.descriptorWaits.value == 1 })
        // So the first is active when the time of the second is over.
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na")
        worker.pass(after: 31_000_000_000)
        #expect(worker.serve { first.has("\r\n\r\na") })
        worker.pass(after: 30_000_000_000)
        #expect(worker.serve { second.has("</html>") })
        #expect(second.count(of: 503) == 1 && counters.timeouts.value(.targetWait) == 1)
        #expect(worker.bench.worker.descriptorQueue.isEmpty)
        target.connections[0].send("bcd")
        #expect(worker.serve { first.has("abcd") })
        worker.pass(after: 100_000_000)
        #expect(!target.has(2) && second.count(of: 503) == 1)
        second.ask("/third")
        #expect(worker.serve { target.has(2) }, "its connection serves the next request")
        worker.stop()
    }

    @Test func anIdleConnectionMakesRoomForAnotherTarget() throws {
        let other = try LoopbackTarget(1)
        let listener = Plans.listener(
            rules: [(priority: 7, action: Plans.forward([1], [1]))], defaultAction: Plans.forward([0], [1]))
        var worker = try ServingWorker(
            listener, [blue, Plans.group(1, "green", [other.plan])], descriptorsMax: 2)
        let (target, client) = (target, try worker.client(asking: "/"))
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        client.ask("/7")
        #expect(worker.serve { other.has(1) && target.connections[0].hasEnd })
        #expect(worker.counters.targetConnectionsIdle.value == 0)
        other.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 2 })
        worker.stop()
    }
}
