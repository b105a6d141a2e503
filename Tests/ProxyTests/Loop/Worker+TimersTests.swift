import Core
import Telemetry
import Testing

@testable import Proxy

/// The deadlines of clients and targets. The clock moves only as a test says.
@Suite struct WorkerTimersTests {
    private let target: LoopbackTarget

    init() throws { target = try LoopbackTarget() }

    private func worker(_ change: (inout ListenerSettings) -> Void = { _ in }) throws -> ServingWorker {
        var settings = Plans.settings
        change(&settings)
        return try ServingWorker(
            Plans.listener(settings: settings, defaultAction: Plans.forward([0], [1])),
            [Plans.group(0, "blue", [target.plan])])
    }

    /// Passes `time` but for a moment, in which nothing may end; then the moment, after which `client` has its end.
    private func expectEnd(
        of client: LoopbackEnd, after time: Nanoseconds, _ kind: TimeoutKind, _ worker: inout ServingWorker
    ) {
        worker.pass(after: time - 10_000_000)
        worker.settle()
        #expect(worker.counters.timeouts.value(kind) == 0 && !client.hasEnd)
        worker.pass(after: 20_000_000)
        worker.settle()
        #expect(worker.counters.timeouts.value(kind) == 1)
    }

    @Test func whoSaysNothingIsClosed() throws {
        var worker = try worker()
        let client = try worker.client(), counters = worker.counters
        #expect(worker.serve { counters.connectionsAccepted.value == 1 })
        expectEnd(of: client, after: Plans.settings.firstByteTimeout, .firstByte, &worker)
        #expect(client.hasEnd && client.text.isEmpty && counters.connectionsActive.value == 0)
        worker.stop()
    }

    /// The deadline of a head is absolute: single bytes do not move it.
    @Test func aHeadThatTakesTooLongGets408() throws {
        var worker = try worker()
        let client = try worker.client()
        client.send("GET / HTTP/1.1\r\nX-A: ")
        worker.settle()
        for _ in 0..<9 {
            worker.pass(after: Plans.settings.headTimeout / 10)
            client.send("a")
            worker.settle()
        }
        #expect(client.text.isEmpty)
        worker.pass(after: Plans.settings.headTimeout / 10 + 10_000_000)
        #expect(worker.serve { client.has("</html>") && client.hasEnd })
        #expect(client.count(of: 408) == 1 && worker.counters.timeouts.value(.requestHead) == 1)
        worker.stop()
    }

    @Test func anIdleConnectionIsClosed() throws {
        var worker = try worker()
        let client = try worker.client(asking: "/"), target = target
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        expectEnd(of: client, after: Plans.settings.idleTimeout, .clientKeepAlive, &worker)
        #expect(client.hasEnd)
        worker.stop()
    }

    @Test func aTargetThatDoesNotAnswerGets504() throws {
        var worker = try worker()
        let client = try worker.client(asking: "/"), target = target
        #expect(worker.serve { target.has(1) })
        // A target without an answer is looked at every second: the clock goes on in such steps.
        for _ in 0..<59 { worker.pass(after: 1_000_000_000) }
        worker.settle()
        #expect(client.text.isEmpty && !target.connections[0].hasEnd)
        for _ in 0..<2 { worker.pass(after: 1_000_000_000) }
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 504) == 1 && target.connections[0].hasEnd && !client.hasEnd)
        #expect(worker.counters.timeouts.value(.targetIdle) == 1 && worker.counters.timeouts.value(.clientIdle) == 0)
        worker.stop()
    }

    /// What comes of an answer counts as activity; so the whole may take longer.
    @Test func aSlowAnswerIsNotIdle() throws {
        var worker = try worker()
        let client = try worker.client(asking: "/"), target = target
        #expect(worker.serve { target.has(1) })
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        for count in 1...3 {
            worker.pass(after: 50_000_000_000)
            target.connections[0].send("a")
            #expect(worker.serve { client.has("\r\n\r\n" + String(repeating: "a", count: count)) })
        }
        #expect(worker.counters.timeouts.value(.targetIdle) == 0)
        worker.stop()
    }

    // MARK: Rates

    private static let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"

    /// A client that sends its body more slowly than the listener wants holds a connection to a target for nothing.
    @Test func aBodyThatComesTooSlowlyGets408() throws {
        var worker = try worker()
        let client = try worker.client(), target = target
        client.send(Self.post)
        #expect(worker.serve { target.has(1) })
        let window = Plans.settings.bodyRateWindow
        client.send(String(repeating: "a", count: 1000))
        worker.settle()
        worker.pass(after: window + 10_000_000)
        worker.settle()
        #expect(client.text.isEmpty, "a window with enough")
        client.send(String(repeating: "a", count: 999))
        worker.settle()
        worker.pass(after: window + 10_000_000)
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 408) == 1 && worker.counters.timeouts.value(.requestBodyRate) == 1)
        #expect(target.connections[0].hasEnd)
        worker.stop()
    }

    @Test func withoutAMinimumRateOnlySilenceCounts() throws {
        var worker = try worker { $0.bodyRateWindowBytes = 0 }
        let client = try worker.client(), target = target
        client.send(Self.post)
        #expect(worker.serve { target.has(1) })
        for _ in 0..<5 {
            worker.pass(after: 30_000_000_000)
            client.send("a")
            worker.settle()
        }
        #expect(client.text.isEmpty)
        worker.pass(after: 61_000_000_000)
        #expect(worker.serve { client.has("</html>") })
        #expect(client.count(of: 408) == 1 && worker.counters.timeouts.value(.clientIdle) == 1)
        worker.stop()
    }

    /// A client that takes nothing of its answer is cut: there is nothing else to tell it.
    @Test func aClientThatReadsTooSlowlyIsCut() throws {
        var worker = try worker()
        let client = try worker.client(asking: "/"), target = target
        #expect(worker.serve { target.has(1) })
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        let piece = SideBench.buffer(count: 1 << 16)
        var idlePasses = 0
        while idlePasses < 50 {
            if case .bytes = target.connections[0].socket.write(piece) { idlePasses = 0 } else { idlePasses += 1 }
            piece.refill()
            worker.pass()
        }
        let window = Plans.settings.bodyRateWindow
        for _ in 0..<2 { worker.pass(after: window + 10_000_000) }
        worker.settle()
        #expect(worker.counters.timeouts.value(.responseRate) == 1)
        #expect(worker.bench.worker.clientCount == 0 && target.connections[0].hasEnd)
        #expect(worker.counters.bytesHeld.value == 0)
        _ = client
        worker.stop()
    }
}
