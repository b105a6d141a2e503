import Core
import HTTP1
import Routing
import Telemetry
import Testing

@testable import Proxy

@Suite struct WorkerAttemptsTests {
    private static let toBlue = Plans.listener(defaultAction: Plans.forward([0], [1]))

    @Test func afterATargetThatRefusesAnotherOneIsTried() throws {
        let target = try LoopbackTarget(1)
        let group = Plans.group(0, "blue", [try LoopbackTarget.closed(0), target.plan])
        var worker = try ServingWorker(Self.toBlue, [group])
        for number in 1...2 {
            let client = try worker.client(asking: "/")
            #expect(worker.serve { target.has(number) })
            target.connections.last?.answer()
            #expect(worker.serve { client.count(of: 200) == 1 })
        }
        #expect(worker.counters.targetConnectFailures.value == 1, "then it is suspect and passed over")
        #expect(worker.counters.retries.value == 1 && group.targets[0].cell.isSuspect)
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
        worker.stop()
    }

    @Test func whereAllRefuseTheClientIsTold() throws {
        let group = Plans.group(0, "blue", [try LoopbackTarget.closed(0), try LoopbackTarget.closed(1)])
        var settings = Plans.settings
        settings.addsReason = true
        var worker = try ServingWorker(
            Plans.listener(settings: settings, defaultAction: Plans.forward([0], [1])), [group])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 502) == 1 && client.text.contains("Apus-Reason: TargetConnectFailed\r\n"))
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
        worker.stop()
    }

    /// Targets end idle connections whenever they like: the request is moved, whatever its method, and nothing is
    /// charged to the retry budget.
    @Test func aConnectionThatEndedWhileIdleIsReplaced() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let client = try worker.client(asking: "/1")
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        #expect(worker.counters.targetConnectionsIdle.value == 1)
        // Both are there when the worker looks next: its targets come first.
        target.connections[0].socket.shutdownWrite()
        client.send("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
        #expect(worker.serve { target.has(2) })
        #expect(target.connections.count == 2 && !target.connections[0].text.contains("POST"))
        target.connections[1].answer()
        #expect(worker.serve { client.count(of: 200) == 2 })
        worker.stop()
    }

    /// How a target ends an idle connection at the moment of its use.
    enum End: CaseIterable, Sendable { case closed, halfClosed }

    /// A closed connection answers what comes with a reset: nobody has read it. A half-closed one takes it, and whether
    /// somebody reads it nobody knows.
    @Test(arguments: End.allCases) func aPOSTIsRepeatedOnlyIfNobodyCanHaveReadIt(end: End) throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let client = try worker.client(asking: "/1")
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        client.send("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
        worker.pass {
            switch end {
            case .closed: target.connections[0].close()
            case .halfClosed: target.connections[0].socket.shutdownWrite()
            }
        }
        #expect(worker.counters.targetConnectionsReused.value == 1, "the worker had not heard of the end")
        switch end {
        case .closed:
            #expect(worker.serve(tick: 1_000_000) { target.has(2) })
            target.connections[1].answer()
            #expect(worker.serve { client.count(of: 200) == 2 })
        case .halfClosed:
            #expect(worker.serve(tick: 1_000_000) { client.count(of: 502) == 1 })
            #expect(target.has(2) && target.connections.count == 1)
        }
        #expect(target.plan.cell.isHealthy && worker.bench.worker.pools[0]?.inFlight == 0)
        worker.stop()
    }

    /// A request of HTTP/1 waits for a descriptor while its group becomes one of HTTP/2, which it may not go to.
    @Test func aGroupThatSpeaksAnotherProtocolByThenIsNotAsked() throws {
        let target = try LoopbackTarget()
        let before = Plans.group(0, "blue", [target.plan])
        let after = Plans.group(0, "blue", [target.plan], version: .http2, counters: before.counters)
        var worker = try ServingWorker(Self.toBlue, [before], descriptorsMax: 3)
        let counters = worker.counters
        let first = try worker.client(asking: "/1"), second = try worker.client()
        #expect(worker.serve { target.has(1) && counters.connectionsAccepted.value == 2 })
        second.ask("/2")
        #expect(worker.serve { counters.descriptorWaits.value == 1 })
        worker.bench.adopt([Self.toBlue], [after])
        target.connections[0].answer()
        #expect(worker.serve { first.count(of: 200) == 1 && second.count(of: 464) == 1 })
        #expect(worker.counters.targetHTTP2Connections.value == 0)
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
        worker.stop()
    }
}
