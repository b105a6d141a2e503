import Core
import HTTP2
import Routing
import Telemetry
import Testing

@testable import Proxy

/// HTTP/2 connections to targets: how they are opened and shared, and how they end.
@Suite struct WorkerHTTP2TargetTests {
    private let target: HTTP2LoopbackTarget

    init() throws { target = try HTTP2LoopbackTarget() }

    private static var listener: ListenerPlan {
        var settings = Plans.settings
        settings.speaksH2C = true
        settings.addsReason = true
        return Plans.listener(settings: settings, defaultAction: Plans.forward([0], [1]))
    }

    private func worker(_ targets: [TargetPlan]? = nil) throws -> ServingWorker {
        try ServingWorker(
            Self.listener, [Plans.group(0, "blue", targets ?? [target.plan], version: .http2)], descriptorsMax: 100)
    }

    /// Answers every request that waits at the target, in the order in which it came.
    private func answerAll(_ target: HTTP2LoopbackTarget) {
        for connection in target.connections {
            for slot in connection.peer.headSlots where connection.peer.heads[slot] != nil {
                connection.answer(slot)
                connection.peer.forget(slot)
            }
        }
    }

    @Test func requestsShareOneConnection() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slots = (0..<10).map { _ in client.ask() }
        #expect(worker.serve { target.has(10) })
        #expect(target.connections.count == 1 && worker.counters.targetHTTP2Connections.value == 1)
        answerAll(target)
        #expect(worker.serve { slots.allSatisfy { client.status($0) == 200 && client.peer.bodies[$0] == "ok" } })
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
        worker.stop()
    }

    /// A request that the target refused, or never saw, goes out again, whatever its method.
    @Test func aRefusedStreamIsSentElsewhere() throws {
        let other = try HTTP2LoopbackTarget(1)
        var worker = try worker([target.plan, other.plan])
        let client = try worker.http2Client(), target = target
        let slot = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(worker.serve { target.has(1) || other.has(1) })
        let (first, second) = target.has(1) ? (target, other) : (other, target)
        let refused = first.connections[0].peer
        refused.session.reset(refused.headSlots[0], .refusedStream)
        refused.send()
        #expect(worker.serve { second.has(1) })
        answerAll(second)
        #expect(worker.serve { client.status(slot) == 200 })
        #expect(worker.counters.attempts.value(.refused) == 1 && worker.counters.http2StreamsReset.value(.target) == 1)
        worker.stop()
    }

    /// A POST that the target has reset for another reason may have been processed.
    @Test func aResetPOSTIsNotSentAgain() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slot = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(worker.serve { target.has(1) })
        let peer = target.connections[0].peer
        peer.session.reset(peer.headSlots[0], .internalError)
        peer.send()
        #expect(worker.serve { client.status(slot) == 502 })
        #expect(client.field("apus-reason", slot) == "TargetClosedConnection" && !target.has(2))
        worker.stop()
    }

    /// A GOAWAY moves new requests to another connection; those that it lets be end where they are.
    @Test func aGoAwayMovesNewRequests() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let first = client.ask()
        #expect(worker.serve { target.has(1) })
        target.connections[0].peer.session.finishShutdown()
        target.connections[0].peer.send()
        let counters = worker.counters
        #expect(worker.serve { counters.http2GoAways.value(.target) == 1 })
        let second = client.ask()
        #expect(worker.serve { target.has(2) })
        #expect(target.connections.count == 2)
        answerAll(target)
        #expect(worker.serve { client.status(first) == 200 && client.status(second) == 200 })
        #expect(worker.serve { target.has(2) && target.connections[0].peer.isEnded }, "it is closed after its last")
        worker.stop()
    }

    /// A response cut by the end of its connection is not repeated: its client has seen some of it.
    @Test func theEndOfAConnectionEndsWhatHasBegun() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slot = client.ask()
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer(target.connections[0].peer.headSlots[0], body: nil)
        #expect(worker.serve { client.status(slot) == 200 })
        target.connections[0].peer.reset()
        #expect(worker.serve { client.read() && client.peer.closings[slot] != nil })
        worker.settle()
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 && $0?.connections.isEmpty == true })
        #expect(worker.counters.targetConnectionsActive.value == 0)
    }

    @Test func aTargetThatRefusesConnectionsIsToldOf() throws {
        var worker = try worker([try LoopbackTarget.closed(0)])
        let client = try worker.http2Client()
        let slots = (0..<3).map { _ in client.ask() }
        #expect(worker.serve { slots.allSatisfy { client.status($0) == 502 } })
        #expect(slots.allSatisfy { client.field("apus-reason", $0) == "TargetConnectFailed" })
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 && $0?.queue.isEmpty == true })
        worker.stop()
    }

    @Test func anIdleConnectionIsClosedWithAGoAway() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slot = client.ask()
        #expect(worker.serve { target.has(1) })
        answerAll(target)
        #expect(worker.serve { client.status(slot) == 200 })
        worker.settle()
        worker.pass(after: 990_000_000)
        #expect(target.has(1) && !target.connections[0].peer.isEnded)
        worker.pass(after: 50_000_000)
        #expect(worker.serve { target.has(1) && target.connections[0].peer.isEnded })
        #expect(target.connections[0].peer.hasGoAway && worker.counters.targetConnectionsActive.value == 0)
        worker.stop()
    }

    /// What a stream's fault is called reaches the client's answer, and metrics.
    @Test func aMalformedResponseIsReplaced() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slot = client.ask()
        #expect(worker.serve { target.has(1) })
        let connection = target.connections[0]
        let head = SideBench.response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        connection.peer.session.respond(connection.peer.headSlots[0], head, framing: .length(5), isEnd: true)
        connection.peer.send()
        #expect(worker.serve { client.read() && (client.status(slot) != nil || client.peer.closings[slot] != nil) })
        #expect(client.status(slot) == 502, "it promised five bytes and sent none")
        #expect(worker.counters.http2StreamFaults.value(.target) == 1)
        worker.stop()
    }
}
