import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

/// How a connection that is passed on finds its target.
@Suite struct WorkerTunnelTests {
    /// The connection that a target has taken, once it has.
    private func connection(_ worker: inout ServingWorker, _ targets: [LoopbackTarget]) -> LoopbackEnd? {
        var taken: LoopbackEnd?
        _ = worker.serve {
            taken = targets.first { $0.hasTaken(1) }?.connections.last
            return taken != nil
        }
        return taken
    }

    @Test func bytesPassBothWays() throws {
        let target = try LoopbackTarget()
        let counters = TargetGroupCounters()
        var worker = try ServingWorker(Plans.flowListener(), [Plans.flowGroup([target.plan], counters: counters)])
        let client = try worker.client()
        client.send("hello")
        let connection = try #require(connection(&worker, [target]))
        #expect(worker.serve { connection.has("hello") })
        connection.send("world")
        #expect(worker.serve { client.has("world") })
        #expect(worker.counters.flows.value(.tcp) == 1 && counters.flowsActive.value == 1)
        #expect(worker.counters.targetConnectionsActive.value == 1)
        worker.stop()
    }

    @Test func afterATargetThatRefusesAnotherOneIsTried() throws {
        let target = try LoopbackTarget(1)
        let refusing = try LoopbackTarget.closed(0)
        var worker = try ServingWorker(Plans.flowListener(), [Plans.flowGroup([refusing, target.plan])])
        // Ports of clients differ: among so many some are for the one that refuses.
        let clients = try (0..<8).map { _ in try worker.client() }
        #expect(worker.serve { target.hasTaken(8) })
        #expect(worker.counters.targetConnectFailures.value == worker.counters.retries.value)
        #expect(worker.counters.flowEndings.value(.connectFailed) == 0)
        #expect(clients.allSatisfy { !$0.hasEnd })
        worker.stop()
    }

    @Test func whereAllRefuseTheClientIsReset() throws {
        var worker = try ServingWorker(
            Plans.flowListener(),
            [Plans.flowGroup([try LoopbackTarget.closed(0), try LoopbackTarget.closed(1)])])
        let client = try worker.client()
        #expect(worker.serve { client.hasEnd })
        worker.settle()
        #expect(worker.counters.flowEndings.value(.connectFailed) == 1)
        #expect(worker.takeConnectionLog().contains("connect_failed"))
        #expect(worker.bench.worker.clientCount == 0)
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
        worker.stop()
    }

    @Test(arguments: [("no_targets", 1, FlowEnding.noTargets), ("no_weight", 0, .noWeight)])
    func withoutATargetOrAWeightItEnds(_ label: String, _ weight: Int, _ ending: FlowEnding) throws {
        var worker = try ServingWorker(
            Plans.flowListener(defaultAction: Plans.forward([0], [weight])), [Plans.flowGroup([])])
        let client = try worker.client()
        #expect(worker.serve { client.hasEnd })
        worker.settle()
        #expect(worker.counters.flowEndings.value(ending) == 1 && worker.counters.flowsRejected.value(.tcp) == 1)
        #expect(worker.takeConnectionLog().contains(label))
        worker.stop()
    }

    /// All connections of one address go to one target where the group is sticky; else their ports part them.
    @Test(arguments: [true, false]) func stickyFlowsGoToOneTarget(isSticky: Bool) throws {
        let targets = try (0..<4).map { try LoopbackTarget($0) }
        var worker = try ServingWorker(
            Plans.flowListener(), [Plans.flowGroup(targets.map(\.plan), FlowGroupPlan(isSticky: isSticky))],
            connectionsMax: 50, descriptorsMax: 200)
        let clients = try (0..<20).map { _ in try worker.client() }
        #expect(
            worker.serve {
                for target in targets { _ = target.hasTaken(0) }
                return targets.reduce(0) { $0 + $1.connections.count } == 20
            })
        let used = targets.count { !$0.connections.isEmpty }
        #expect(isSticky ? used == 1 : used > 1)
        #expect(clients.count == 20)
        worker.stop()
    }

    /// The target hears who the client is before the client's first byte.
    @Test func aGroupMayWantAPROXYHeader() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(
            Plans.flowListener(), [Plans.flowGroup([target.plan], FlowGroupPlan(sendsProxyHeader: true))])
        let client = try worker.client()
        client.send("hello")
        let connection = try #require(connection(&worker, [target]))
        #expect(worker.serve { connection.has("hello") })
        #expect(connection.text.unicodeScalars.starts(with: "\r\n\r\n\0\r\nQUIT\n".unicodeScalars))
        #expect(connection.text.hasSuffix("hello"))
        worker.stop()
    }

    // MARK: Rules by name

    private func byName(_ groups: [GroupPlan]) throws -> ServingWorker {
        let rule = RulePlan(
            priority: 1, conditions: [.serverName(ServerNameCondition(["green.example"]))],
            action: Plans.forward([1], [1]))
        return try ServingWorker(Plans.flowListener(rules: [rule]), groups)
    }

    private func groups(_ blue: LoopbackTarget, _ green: LoopbackTarget) -> [GroupPlan] {
        let plan = Plans.flowGroup([green.plan])
        return [
            Plans.flowGroup([blue.plan]),
            GroupPlan(
                id: 1, name: "green", targets: plan.targets, settings: plan.settings, balancing: plan.balancing,
                cell: GroupCell(), counters: TargetGroupCounters()),
        ]
    }

    /// Who speaks no TLS asks for no name; nothing of what it says is lost.
    @Test func whatIsNoTLSHasNoName() throws {
        let (blue, green) = (try LoopbackTarget(0), try LoopbackTarget(1))
        var worker = try byName(groups(blue, green))
        let client = try worker.client()
        client.send("SSH-2.0-test\r\n")
        let connection = try #require(connection(&worker, [blue, green]))
        #expect(worker.serve { connection.has("SSH-2.0-test\r\n") })
        #expect(green.connections.isEmpty)
        worker.stop()
    }

    /// A client that waits for its server to speak first is served after the time for a ClientHello.
    @Test func whoSaysNothingHasNoName() throws {
        let (blue, green) = (try LoopbackTarget(0), try LoopbackTarget(1))
        var worker = try byName(groups(blue, green))
        let client = try worker.client(), counters = worker.counters
        #expect(worker.serve { counters.connectionsAccepted.value == 1 })
        worker.pass(after: Plans.settings.handshakeTimeout - 10_000_000)
        worker.settle()
        #expect(!blue.hasTaken(1))
        worker.pass(after: 20_000_000)
        let connection = try #require(connection(&worker, [blue, green]))
        connection.send("220 ready\r\n")
        #expect(worker.serve { client.has("220 ready\r\n") })
        worker.stop()
    }

    @Test func whoIsTooSlowInAClientHelloIsReset() throws {
        let (blue, green) = (try LoopbackTarget(0), try LoopbackTarget(1))
        var worker = try byName(groups(blue, green))
        let client = try worker.client()
        client.send("\u{16}\u{3}\u{1}")
        worker.settle()
        worker.pass(after: Plans.settings.handshakeTimeout + 10_000_000)
        #expect(worker.serve { client.hasEnd })
        #expect(worker.counters.flowEndings.value(.clientHello) == 1 && blue.connections.isEmpty)
        worker.stop()
    }
}
