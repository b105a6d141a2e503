import Core
import Routing
import Testing

@testable import Proxy

/// Connections to targets from their opening over their pool to their end.
@Suite struct WorkerTargetTests {
    private let target: LoopbackTarget

    private let blue: GroupPlan

    init() throws {
        target = try LoopbackTarget()
        blue = Plans.group(0, "blue", [target.plan])
    }

    private func worker(connectionsMax: Int = 20) throws -> ServingWorker {
        try ServingWorker(
            Plans.listener(defaultAction: Plans.forward([0], [1])), [blue], connectionsMax: connectionsMax,
            descriptorsMax: 100)
    }

    /// Has a client ask, and the target answer on its last connection.
    private func serveOne(_ worker: inout ServingWorker, _ client: LoopbackEnd, number: Int) {
        let target = target
        client.ask("/\(number)")
        #expect(worker.serve { target.has(number) })
        target.connections.last?.answer()
        #expect(worker.serve { client.count(of: 200) == number })
    }

    @Test func oneConnectionServesOneRequestAfterTheOther() throws {
        var worker = try worker()
        let client = try worker.client()
        for number in 1...5 { serveOne(&worker, client, number: number) }
        #expect(target.connections.count == 1)
        #expect(worker.counters.targetConnectionsOpened.value == 1)
        #expect(worker.counters.targetConnectionsReused.value == 4)
        #expect(worker.counters.targetConnectionsActive.value == 1 && worker.counters.targetConnectionsIdle.value == 1)
        worker.stop()
    }

    /// What a target says though nobody asked would be taken for the answer of the next request.
    @Test func whatSpeaksUnaskedIsClosed() throws {
        var worker = try worker()
        let client = try worker.client()
        serveOne(&worker, client, number: 1)
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        client.ask("/2")
        let target = target
        #expect(worker.serve { target.has(2) })
        #expect(target.connections.count == 2 && target.connections[0].hasEnd)
        target.connections[1].answer()
        #expect(worker.serve { client.count(of: 200) == 2 })
        #expect(!client.text.contains("forged"))
        worker.stop()
    }

    /// More than the answer has come: where it ends is not certain any more.
    @Test func bytesBehindAnAnswerEndTheConnection() throws {
        var worker = try worker()
        let client = try worker.client(asking: "/")
        let target = target
        #expect(worker.serve { target.has(1) })
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n")
        #expect(worker.serve { client.has("\r\n\r\nok") && target.connections[0].hasEnd })
        #expect(worker.counters.targetConnectionsIdle.value == 0 && client.count(of: 200) == 1)
        worker.stop()
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n"])
    func aTargetThatClosesIsNotKept(_ head: String) throws {
        var worker = try worker()
        let client = try worker.client(asking: "/")
        let target = target
        #expect(worker.serve { target.has(1) })
        target.connections[0].send("\(head)Content-Length: 2\r\n\r\nok")
        #expect(worker.serve { client.has("ok") && target.connections[0].hasEnd })
        #expect(worker.counters.targetConnectionsActive.value == 0)
        worker.stop()
    }

    /// A pool keeps `poolConnectionsMax`, which the plan sets to 4; the oldest go.
    @Test func aPoolKeepsSoManyIdleConnections() throws {
        var worker = try worker()
        let target = target
        let clients = try (0..<6).map { try worker.client(asking: "/\($0)") }
        #expect(worker.serve { target.has(6) })
        #expect(target.connections.count == 6)
        for connection in target.connections { connection.answer() }
        #expect(worker.serve { clients.allSatisfy { $0.count(of: 200) == 1 } })
        worker.settle()
        #expect(worker.counters.targetConnectionsIdle.value == 4)
        #expect(worker.counters.targetConnectionsActive.value == 4)
        #expect(target.connections.count { $0.hasEnd } == 2)
        worker.stop()
    }

    @Test func anIdleConnectionIsClosedAfterAWhile() throws {
        var worker = try worker()
        let client = try worker.client()
        serveOne(&worker, client, number: 1)
        let connection = target.connections[0]
        worker.pass(after: 990_000_000)
        #expect(!connection.hasEnd)
        worker.pass(after: 20_000_000)
        #expect(worker.serve { connection.hasEnd })
        #expect(worker.counters.targetConnectionsIdle.value == 0 && worker.counters.targetConnectionsActive.value == 0)
        serveOne(&worker, client, number: 2)
        #expect(target.connections.count == 2)
        worker.stop()
    }

    /// A target that has left its group serves what it has begun, and nothing else.
    @Test func aDrainingTargetKeepsNoConnection() throws {
        var worker = try worker()
        let client = try worker.client(asking: "/")
        let target = target
        #expect(worker.serve { target.has(1) })
        worker.bench.adopt(
            [Plans.listener(defaultAction: Plans.forward([0], [1]))],
            [Plans.group(0, "blue", [], counters: blue.counters)])
        var drained = worker.bench.takeDrained()
        #expect(drained.isEmpty)
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 && target.connections[0].hasEnd })
        drained = worker.bench.takeDrained()
        #expect(drained == [0] && worker.counters.targetConnectionsIdle.value == 0)
        worker.stop()
    }
}
