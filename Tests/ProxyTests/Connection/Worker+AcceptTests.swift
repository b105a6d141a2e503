import Core
import Routing
import Testing

@testable import Proxy

@Suite struct WorkerAcceptTests {
    private static let toBlue = Plans.forward([0], [1])

    @Test func aClientIsServedAndCounted() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)))
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.has("204 No Content") })
        #expect(worker.counters.connectionsAccepted.value == 1 && worker.counters.connectionsActive.value == 1)
        client.socket.shutdownWrite()
        #expect(worker.serve { client.hasEnd })
        #expect(worker.counters.connectionsActive.value == 0 && worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    @Test func beyondTheLimitTheOldestSilentClientGoes() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)), connectionsMax: 2)
        let first = try worker.client(), second = try worker.client()
        let counters = worker.counters
        #expect(worker.serve { counters.connectionsAccepted.value == 2 })
        let third = try worker.client(asking: "/")
        #expect(worker.serve { third.has("204") })
        #expect(first.hasEnd && !second.hasEnd)
        #expect(counters.connectionsEvicted.value(.silent) == 1 && counters.connectionsActive.value == 2)
        worker.stop()
    }

    @Test func whereAllAreBusyANewClientIsRejected() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(
            Plans.listener(defaultAction: Self.toBlue), [Plans.group(0, "blue", [target.plan])], connectionsMax: 2)
        let busy = try [worker.client(asking: "/1"), worker.client(asking: "/2")]
        #expect(worker.serve { target.has(2) })
        let third = try worker.client()
        #expect(worker.serve { third.hasEnd })
        #expect(worker.counters.connectionsRejected.value(.connectionLimit) == 1)
        for connection in target.connections { connection.answer() }
        #expect(worker.serve { busy.allSatisfy { $0.count(of: 200) == 1 } }, "they are served all the same")
        worker.stop()
    }

    @Test func withoutMemoryANewClientIsRejected() throws {
        var worker = try ServingWorker(Plans.listener())
        let held = 1 << 20
        worker.bench.worker.resources.buffers.charge(held)
        let client = try worker.client()
        #expect(worker.serve { client.hasEnd })
        #expect(worker.counters.connectionsRejected.value(.memoryBudget) == 1)
        #expect(worker.counters.connectionsAccepted.value == 0)
        worker.bench.worker.resources.buffers.charge(-held)
        let later = try worker.client(asking: "/")
        #expect(worker.serve { later.has("404 Not Found") })
        worker.stop()
    }

    @Test func whoIsNoTrustedProxyIsRejected() throws {
        var settings = Plans.settings
        settings.trustedProxies = [AddressRange(Plans.address("10.0.0.0", 0), prefixLength: 8)]
        var worker = try ServingWorker(Plans.listener(settings: settings))
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.hasEnd })
        #expect(worker.counters.connectionsRejected.value(.untrustedNetwork) == 1 && client.text.isEmpty)
        worker.stop()
    }

    /// Before anything else: nobody is evicted for a client that is denied, and it counts as one that never was.
    @Test func whoIsDeniedIsResetAtOnce() throws {
        let access = Plans.denying("127.0.0.0", 8)
        var worker = try ServingWorker(Plans.listener(access: access), connectionsMax: 1)
        worker.bench.worker.resources.buffers.charge(1 << 20)
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.hasEnd })
        #expect(client.text.isEmpty)
        let counters = worker.counters
        #expect(counters.connectionsRejected.value(.deniedAddress) == 1 && counters.connectionsAccepted.value == 0)
        #expect(counters.connectionsRejected.value(.memoryBudget) == 0 && counters.flowsRejected.value(.tcp) == 0)
        #expect(access.denials.connections.value == 1)
        #expect(access.denials.lastClient.value == Plans.address("127.0.0.1", 0))
        worker.bench.worker.resources.buffers.charge(-(1 << 20))
        worker.stop()
    }

    @Test func aDeniedClientOfANetworkLoadBalancerIsAFlowThatWasRejected() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(
            Plans.flowListener(access: Plans.denying("127.0.0.1", 32)), [Plans.flowGroup([target.plan])])
        let client = try worker.client()
        #expect(worker.serve { client.hasEnd })
        #expect(worker.counters.flowsRejected.value(.tcp) == 1 && worker.counters.flows.value(.tcp) == 0)
        #expect(!target.hasTaken(1))
        worker.stop()
    }

    /// A change acts on new connections, and cuts none.
    @Test func whoIsThereStays() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)))
        let client = try worker.client(asking: "/1")
        #expect(worker.serve { client.count(of: 204) == 1 })
        worker.bench.adopt(
            [Plans.listener(access: Plans.denying("127.0.0.1", 32), defaultAction: Plans.fixed(204))], [])
        client.ask("/2")
        #expect(worker.serve { client.count(of: 204) == 2 })
        let late = try worker.client(asking: "/3")
        #expect(worker.serve { late.hasEnd })
        #expect(late.text.isEmpty)
        worker.bench.adopt([Plans.listener(defaultAction: Plans.fixed(204))], [])
        let later = try worker.client(asking: "/4")
        #expect(worker.serve { later.count(of: 204) == 1 })
        worker.stop()
    }

    /// Their handshake is complete: for them the listener was there.
    @Test func whoConnectedBeforeTheListenerWentIsServed() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)))
        let client = try worker.client(asking: "/")
        worker.bench.adopt([], [])
        #expect(worker.serve { client.has("204 No Content") })
        #expect(client.text.contains("Connection: close\r\n"))
        #expect(worker.bench.worker.listenerSockets.isEmpty)
        let late = try worker.client()
        #expect(worker.serve { late.hasEnd }, "nobody listens any more")
        #expect(worker.counters.connectionsAccepted.value == 1)
        worker.stop()
    }
}
