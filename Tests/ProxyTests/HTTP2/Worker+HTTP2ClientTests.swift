import Core
import HTTP2
import Routing
import Telemetry
import Testing

@testable import Proxy

/// HTTP/2 connections of clients: their requests, their end and their deadlines.
@Suite struct WorkerHTTP2ClientTests {
    private let target: LoopbackTarget

    private let blue: GroupPlan

    init() throws {
        target = try LoopbackTarget()
        blue = Plans.group(0, "blue", [target.plan])
    }

    private func listener(_ action: ActionPlan, _ change: (inout ListenerSettings) -> Void = { _ in }) -> ListenerPlan {
        var settings = Plans.settings
        settings.speaksH2C = true
        change(&settings)
        return Plans.listener(settings: settings, defaultAction: action)
    }

    private func worker(_ descriptorsMax: Int = 100) throws -> ServingWorker {
        try ServingWorker(listener(Plans.forward([0], [1])), [blue], descriptorsMax: descriptorsMax)
    }

    @Test func requestsOfOneConnectionAreServedAtOnce() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slots = (0..<5).map { _ in client.ask() }
        #expect(worker.serve { target.has(5) })
        #expect(worker.counters.http2Connections.value == 1 && worker.counters.requestsActive.value == 5)
        // The last one first: no answer waits for another.
        for connection in target.connections.reversed() { connection.answer() }
        #expect(worker.serve { slots.allSatisfy { client.status($0) == 200 && client.peer.endedSlots.contains($0) } })
        #expect(worker.counters.requestsActive.value == 0)
        #expect(worker.bench.takeLog().split(separator: "\n").count == 5)
        worker.stop()
    }

    @Test func bodiesAndTrailersPassBothWays() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slot = client.ask("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", hasBody: true)
        client.send("hello", on: slot)
        #expect(worker.serve { client.read() && target.has(1) && target.connections[0].has("0\r\n\r\n") })
        #expect(target.connections[0].text.contains("5\r\nhello\r\n"))
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld")
        #expect(worker.serve { client.status(slot) == 200 && client.peer.bodies[slot] == "world" })
        worker.stop()
    }

    /// A stream that its client resets gives up its target's connection; others go on.
    @Test func aResetEndsOneRequest() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let first = client.ask()
        #expect(worker.serve { target.has(1) })
        let second = client.ask()
        #expect(worker.serve { target.has(2) })
        client.peer.session.reset(first, .cancel)
        client.peer.send()
        #expect(worker.serve { target.connections[0].hasEnd })
        worker.settle()
        #expect(worker.counters.http2StreamsReset.value(.client) == 1)
        #expect(worker.bench.takeLog().contains(#""elb_status_code":460,"#))
        target.connections[1].answer()
        #expect(worker.serve { client.status(second) == 200 })
        worker.stop()
    }

    /// A response that cannot be completed is a reset stream; its connection goes on.
    @Test func aCutResponseResetsItsStream() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slot = client.ask()
        #expect(worker.serve { target.has(1) })
        target.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwo")
        #expect(worker.serve { client.read() && client.peer.bodies[slot] == "wo" })
        target.connections[0].close()
        #expect(worker.serve { client.read() && client.peer.closings[slot] != nil })
        #expect(client.peer.closings[slot] == .resetByOtherSide && !client.peer.isEnded)
        let again = client.ask()
        #expect(worker.serve { target.has(2) })
        target.connections[1].answer()
        #expect(worker.serve { client.status(again) == 200 })
        worker.stop()
    }

    /// One connection has a share of the connections to targets; its other requests wait until one is free.
    @Test func aConnectionHasItsShareOfTargetConnections() throws {
        var worker = try worker(20)
        let share = worker.bench.worker.targetShare
        let client = try worker.http2Client(), target = target
        let slots = (0..<share + 3).map { _ in client.ask() }
        #expect(worker.serve { client.read() && target.has(1) })
        worker.settle()
        #expect(worker.counters.shareWaits.value > 0 && target.connections.count <= share)
        var answered = [Int](repeating: 0, count: share)
        #expect(
            worker.serve {
                _ = target.has(0)
                for (index, connection) in target.connections.enumerated()
                where index < share && connection.requestCount > answered[index] {
                    answered[index] += 1
                    connection.answer()
                }
                return slots.allSatisfy { client.status($0) == 200 }
            })
        #expect(target.connections.count <= share && answered.reduce(0, +) == slots.count)
        worker.stop()
    }

    // MARK: The end

    /// A connection whose listener is gone is told so; what it has asked is served.
    @Test func aRemovedListenerEndsConnectionsAfterTheirRequests() throws {
        var worker = try worker()
        let client = try worker.http2Client(), target = target
        let slot = client.ask()
        #expect(worker.serve { target.has(1) })
        worker.bench.adopt([], [blue])
        target.connections[0].answer()
        #expect(worker.serve { client.status(slot) == 200 })
        worker.pass(after: Limits.goAwayTime)
        #expect(worker.serve { client.read() && client.peer.hasGoAway && client.peer.isEnded })
        #expect(worker.counters.connectionsCutByConfiguration.value == 0)
        client.peer.reset()
        worker.settle()
        #expect(worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    @Test func aConnectionWithoutRequestsIsClosed() throws {
        var worker = try ServingWorker(listener(Plans.fixed(204)))
        let client = try worker.http2Client()
        worker.pass(after: Plans.settings.firstByteTimeout - 1_000_000_000)
        client.read()
        #expect(!client.peer.isEnded)
        worker.pass(after: 2_000_000_000)
        #expect(worker.serve { client.read() && client.peer.isEnded })
        #expect(client.peer.hasGoAway && worker.counters.timeouts.value(.firstByte) == 1)
        client.peer.reset()
        worker.settle()
        #expect(worker.bench.worker.clientCount == 0 && worker.counters.connectionsActive.value == 0)
        worker.stop()
    }

    /// After so many requests the client opens another connection; no request is lost by that.
    @Test func soManyRequestsAreServedOnOneConnection() throws {
        var worker = try ServingWorker(listener(Plans.fixed(204)))
        let client = try worker.http2Client()
        var asked = 0
        #expect(
            worker.serve {
                while asked < Limits.http2RequestsMax, client.peer.session.streamCapacity > 0, !client.peer.hasGoAway {
                    client.ask()
                    asked += 1
                }
                return client.read() && client.peer.hasGoAway
            })
        #expect(asked >= Limits.http2RequestsMax - 1, "\(asked)")
        #expect(worker.serve { client.read() && client.peer.isEnded })
        #expect(client.peer.statuses.count == asked && client.peer.statuses.allSatisfy { $0 == 204 })
        worker.stop()
    }

    // MARK: Faults

    /// What is no frame ends the connection with a GOAWAY, and is counted.
    @Test func whatIsNoFrameEndsTheConnection() throws {
        var worker = try ServingWorker(listener(Plans.fixed(204)))
        let client = try worker.client()
        client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + String(repeating: "x", count: 100))
        #expect(worker.serve { client.hasEnd })
        let faults = HTTP2Fault.allCases.reduce(0) { $0 + worker.counters.http2Faults.value($1) }
        client.close()
        worker.settle()
        #expect(faults == 1 && worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    /// The preface is HTTP/1's business where the listener does not speak HTTP/2 without TLS.
    @Test func withoutH2CThePrefaceIsRefused() throws {
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.fixed(204)))
        let client = try worker.client()
        client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        #expect(worker.serve { client.hasEnd })
        #expect(client.text.hasPrefix("HTTP/1.1 ") && worker.counters.http2Connections.value == 0)
        #expect(!client.text.contains(" 204 "))
        worker.stop()
    }
}
