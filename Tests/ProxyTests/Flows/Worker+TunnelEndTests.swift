import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

/// How tunnels end, and what they leave.
@Suite struct WorkerTunnelEndTests {
    private let target: LoopbackTarget
    private let counters = TargetGroupCounters()

    init() throws { target = try LoopbackTarget() }

    private func worker() throws -> ServingWorker {
        try ServingWorker(Plans.flowListener(), [Plans.flowGroup([target.plan], counters: counters)])
    }

    /// Both ends of a tunnel that has passed on `hello` each way.
    private func open(_ worker: inout ServingWorker) throws -> (client: LoopbackEnd, connection: LoopbackEnd) {
        let client = try worker.client(), target = target
        client.send("hello")
        #expect(worker.serve { target.hasTaken(1) && target.connections[0].has("hello") })
        target.connections[0].send("hello")
        #expect(worker.serve { client.has("hello") })
        return (client, target.connections[0])
    }

    private func expectNothingLeft(_ worker: borrowing ServingWorker) {
        #expect(worker.bench.worker.clientCount == 0 && worker.counters.connectionsActive.value == 0)
        #expect(worker.counters.targetConnectionsActive.value == 0 && counters.flowsActive.value == 0)
        #expect(worker.counters.bytesHeld.value == 0 && worker.counters.flowsEnded.value(.tcp) == 1)
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
    }

    /// Each direction ends by itself, and no reset follows: what is on its way arrives.
    @Test(arguments: [true, false]) func anOrderlyEndIsPassedOn(clientFirst: Bool) throws {
        var worker = try worker()
        let (client, connection) = try open(&worker)
        let (first, second) = clientFirst ? (client, connection) : (connection, client)
        first.send("bye")
        first.socket.shutdownWrite()
        #expect(worker.serve { second.has("bye") && second.hasEnd })
        #expect(worker.bench.worker.clientCount == 1, "the other direction is open")
        second.send("late")
        second.socket.shutdownWrite()
        #expect(worker.serve { first.has("late") && first.hasEnd })
        worker.settle()
        #expect(worker.counters.flowEndings.value(.finished) == 1)
        #expect(FlowParty.allCases.allSatisfy { worker.counters.flowResets.value($0) == 0 })
        let log = worker.takeConnectionLog()
        #expect(log.contains("finished") && log.contains(clientFirst ? "client" : "target"), "\(log)")
        expectNothingLeft(worker)
        worker.stop()
    }

    /// A reset becomes a reset: neither side takes what it got for the whole.
    @Test(arguments: [true, false]) func aResetIsPassedOn(byClient: Bool) throws {
        var worker = try worker()
        let (client, connection) = try open(&worker)
        let (first, second) = byClient ? (client, connection) : (connection, client)
        first.reset()
        var ending: Socket.ReadResult?
        let input = Buffer(capacity: 16)
        #expect(
            worker.serve {
                ending = second.socket.read(into: input)
                return ending != .wouldBlock
            })
        guard case .failed = ending else {
            Issue.record("an orderly end: \(String(describing: ending))")
            return
        }
        #expect(worker.counters.flowEndings.value(.reset) == 1)
        #expect(worker.counters.flowResets.value(byClient ? .client : .target) == 1)
        worker.settle()
        expectNothingLeft(worker)
        worker.stop()
    }

    @Test func silenceEndsItAndActivityMovesThat() throws {
        var worker = try worker()
        let (client, connection) = try open(&worker)
        worker.pass(after: 300_000_000_000)
        client.send("more")
        #expect(worker.serve { connection.has("more") })
        // A side whose kernel still takes bytes is active, and kernels may be late to say that they have taken them.
        for tunnel in worker.bench.worker.tunnels() {
            for side in [tunnel.client, tunnel.target].compactMap(\.self) {
                for _ in 0..<5000 where side.transport.takenCount < side.transport.sentCount { worker.pass() }
            }
        }
        worker.pass(after: 349_000_000_000)
        worker.settle()
        #expect(!client.hasEnd)
        worker.pass(after: 2_000_000_000)
        #expect(worker.serve { client.hasEnd && connection.hasEnd })
        #expect(worker.counters.timeouts.value(.flowIdle) == 1 && worker.counters.flowEndings.value(.idle) == 1)
        worker.settle()
        expectNothingLeft(worker)
        worker.stop()
    }

    /// The end of a deregistration delay, and a target that turns unhealthy where that ends its connections.
    @Test func controlMayEndTheTunnelsOfATarget() throws {
        var worker = try worker()
        let (client, connection) = try open(&worker)
        worker.bench.worker.endTunnels(of: 7, .unhealthy)
        worker.settle()
        #expect(!client.hasEnd, "of another target")
        worker.bench.worker.endTunnels(of: 0, .unhealthy)
        #expect(worker.serve { client.hasEnd && connection.hasEnd })
        worker.settle()
        #expect(worker.counters.flowEndings.value(.unhealthy) == 1 && worker.takeConnectionLog().contains("unhealthy"))
        expectNothingLeft(worker)
        worker.stop()
    }

    @Test func theLogCountsBytesOfBothDirections() throws {
        var worker = try worker()
        let (client, connection) = try open(&worker)
        client.send("abc")
        #expect(worker.serve { connection.has("abc") })
        client.close()
        connection.close()
        worker.settle()
        let log = worker.takeConnectionLog()
        #expect(log.contains(":8,") && log.contains(":5,"), "eight bytes from the client, five to it: \(log)")
        #expect(worker.counters.flowBytes.value(.tcp) == 13)
        worker.stop()
    }
}
