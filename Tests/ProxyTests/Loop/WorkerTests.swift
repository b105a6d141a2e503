import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

/// A worker's passes: what they are due for, what they do in which order, and when there are no more.
@Suite struct WorkerTests {
    private static let toBlue = Plans.listener(defaultAction: Plans.forward([0], [1]))

    @Test func withoutConnectionsNoPassIsDue() {
        let bench = WorkerBench()
        #expect(bench.worker.nextPassAt == nil && !bench.worker.isFinished)
    }

    /// An event for what another event of the same batch has closed is none any more.
    @Test func anEventOfAClosedConnectionIsStale() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { target.has(1) })
        // Both are ready in one batch; the first that is looked at ends the other.
        client.reset()
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        worker.settle()
        #expect(worker.bench.worker.clientCount == 0 && worker.counters.requestsActive.value == 0)
        #expect(worker.counters.targetConnectionsActive.value == worker.counters.targetConnectionsIdle.value)
    }

    /// Messages of control are acted on in their order.
    @Test func mailIsRead() throws {
        let target = try LoopbackTarget()
        let blue = Plans.group(0, "blue", [target.plan])
        var worker = try ServingWorker(Self.toBlue, [blue])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { target.has(1) })
        let empty = Snapshot(
            generation: 2, listeners: [Self.toBlue], groups: [Plans.group(0, "blue", [], counters: blue.counters)],
            accessLog: nil)
        worker.bench.worker.mailbox.send(.adopt(empty, opened: []))
        worker.bench.worker.mailbox.send(.cut(target: 0))
        #expect(worker.serve { client.count(of: 502) == 1 })
        let mail = worker.bench.control.takeAll()
        let generations = mail.compactMap { mail -> UInt64? in
            guard case .adopted(worker: 0, let generation) = mail else { return nil }
            return generation
        }
        let cut = mail.compactMap { mail -> Int? in
            guard case .drained(worker: 0, target: 0, finished: 0, let cut, left: 0) = mail else { return nil }
            return cut
        }
        #expect(generations == [1, 2] && cut == [1])
        #expect(worker.counters.exchangesCutByDeregistration.value == 1)
        worker.stop()
    }

    // MARK: The end

    /// Idle connections go, the exchange under way has its time, and new connections are refused.
    @Test func aWorkerFinishesWhatIsUnderWay() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let busy = try worker.client(asking: "/"), idle = try worker.client(), counters = worker.counters
        #expect(worker.serve { target.has(1) && counters.connectionsAccepted.value == 2 })
        let deadline = worker.bench.worker.now + 10_000_000_000
        worker.bench.worker.mailbox.send(.finish(deadline: deadline))
        worker.settle()
        #expect(worker.bench.worker.listenerSockets.isEmpty && !worker.bench.worker.isFinished)
        let late = try worker.client()
        #expect(worker.serve { late.hasEnd }, "nobody listens any more")
        worker.pass(after: Limits.finishIdleTime + 10_000_000)
        #expect(worker.serve { idle.hasEnd })
        #expect(!busy.hasEnd && !worker.bench.worker.isFinished)
        target.connections[0].answer()
        #expect(worker.serve { busy.count(of: 200) == 1 && busy.hasEnd })
        #expect(busy.text.contains("Connection: close\r\n"))
        worker.settle()
        #expect(worker.bench.worker.isFinished && counters.connectionsCutByConfiguration.value == 0)
        worker.stop()
    }

    /// Where another process serves already, idle clients are not hurried.
    @Test func afterAHandoverIdleClientsGetOneMoreResponse() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let idle = try worker.client(), counters = worker.counters
        #expect(worker.serve { counters.connectionsAccepted.value == 1 })
        let deadline = worker.bench.worker.now + 100_000_000_000
        worker.bench.worker.mailbox.send(.handOver(deadline: deadline))
        worker.settle()
        #expect(worker.bench.worker.listenerSockets.isEmpty)
        worker.pass(after: 5 * Limits.finishIdleTime)
        worker.settle()
        #expect(!idle.hasEnd && !worker.bench.worker.isFinished)
        idle.ask("/")
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer()
        #expect(worker.serve { idle.count(of: 200) == 1 && idle.hasEnd })
        #expect(idle.text.contains("Connection: close\r\n"))
        worker.settle()
        #expect(worker.bench.worker.isFinished && counters.connectionsCutByConfiguration.value == 0)
        worker.stop()
    }

    /// At the deadline what is left is cut, counted, and told to control.
    @Test func atTheDeadlineTheRestIsCut() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { target.has(1) })
        worker.bench.worker.mailbox.send(.finish(deadline: worker.bench.worker.now + 1_000_000_000))
        worker.settle()
        #expect(worker.bench.worker.isFinished == false)
        worker.pass(after: 1_010_000_000)
        #expect(worker.bench.worker.isFinished == true)
        worker.stop()
        #expect(client.hasEnd && target.connections[0].hasEnd)
        #expect(worker.counters.connectionsCutByConfiguration.value == 1)
        let cut = worker.bench.control.takeAll().compactMap { mail -> Int? in
            guard case .stopped(worker: 0, let cut) = mail else { return nil }
            return cut
        }
        #expect(cut == [1])
    }

    /// The gauge of bytes held follows what is held.
    @Test func bytesHeldArePublished() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let client = try worker.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        #expect(worker.serve { target.has(1) })
        worker.settle()
        let held = worker.counters.bytesHeld.value
        #expect(held > 0 && held == worker.bench.worker.resources.buffers.bytesHeld)
        client.send("cde")
        #expect(worker.serve { target.connections[0].has("abcde") })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        worker.settle()
        #expect(worker.counters.bytesHeld.value == worker.bench.worker.resources.buffers.bytesHeld)
        #expect(worker.counters.bytesHeld.value < held)
        worker.stop()
        #expect(worker.bench.worker.resources.buffers.bytesHeld == 0)
    }

    /// Over its budget a worker closes the connection that holds the most, and no other.
    @Test func overItsBudgetTheHungriestGoes() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let small = try worker.client(asking: "/small")
        #expect(worker.serve { target.has(1) })
        let large = try worker.client(asking: "/large")
        #expect(worker.serve { target.has(2) })
        target.connections[1].send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        let piece = SideBench.buffer(count: 1 << 16)
        var idlePasses = 0
        while idlePasses < 50 {
            if case .bytes = target.connections[1].socket.write(piece) { idlePasses = 0 } else { idlePasses += 1 }
            piece.refill()
            worker.pass()
        }
        worker.bench.worker.resources.buffers.charge(1 << 20)
        worker.pass()
        #expect(worker.counters.connectionsShed.value >= 1 && worker.bench.worker.clientCount < 2)
        worker.bench.worker.resources.buffers.charge(-(1 << 20))
        worker.settle()
        #expect(target.connections[1].hasEnd)
        _ = (small, large)
        worker.stop()
    }
}
