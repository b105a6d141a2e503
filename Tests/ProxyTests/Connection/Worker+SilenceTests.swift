import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

/// Targets that do not respond: what leaves them, and what stays.
@Suite struct WorkerSilenceTests {
    private static let toBlue = Plans.listener(defaultAction: Plans.forward([0], [1]))

    /// Two targets, the one that has been asked first.
    private func asked(
        _ worker: inout ServingWorker, _ targets: [LoopbackTarget], _ request: String
    ) throws -> (client: LoopbackEnd, first: LoopbackTarget, other: LoopbackTarget) {
        let client = try worker.client()
        client.send(request)
        #expect(worker.serve { targets.contains { $0.has(1) } })
        let index = targets[0].has(1) ? 0 : 1
        return (client, targets[index], targets[1 - index])
    }

    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"

    /// A safe request leaves a target that turns unhealthy; another one may have been processed, and stays.
    @Test(arguments: [(get, true), (post, false)]) func onlySafeRequestsLeaveAnUnhealthyTarget(
        _ request: String, leaves: Bool
    ) throws {
        let targets = [try LoopbackTarget(0), try LoopbackTarget(1)]
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", targets.map(\.plan))])
        let (client, first, other) = try asked(&worker, targets, request)
        first.plan.cell.isHealthy = false
        worker.bench.worker.targetUnhealthy(first.plan.id)
        if leaves {
            #expect(worker.serve { other.has(1) && first.connections[0].hasEnd })
            other.connections[0].answer()
        } else {
            worker.settle()
            #expect(!other.has(1) && !first.connections[0].hasEnd)
            first.connections[0].answer()
        }
        #expect(worker.serve { client.count(of: 200) == 1 })
        #expect(worker.counters.retries.value == (leaves ? 1 : 0))
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
        worker.stop()
    }

    /// An answer that has begun is not given up.
    @Test func anAnswerThatHasBegunStays() throws {
        let targets = [try LoopbackTarget(0), try LoopbackTarget(1)]
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", targets.map(\.plan))])
        let (client, first, other) = try asked(&worker, targets, Self.get)
        first.connections[0].send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        #expect(worker.serve { client.has("ab") })
        first.plan.cell.isHealthy = false
        worker.bench.worker.targetUnhealthy(first.plan.id)
        first.connections[0].send("cd")
        #expect(worker.serve { client.has("abcd") })
        #expect(!other.has(1))
        worker.stop()
    }

    /// Without another target the request waits on.
    @Test func withoutAnotherTargetItStays() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(Self.toBlue, [Plans.group(0, "blue", [target.plan])])
        let client = try worker.client(asking: "/")
        #expect(worker.serve { target.has(1) })
        target.plan.cell.isHealthy = false
        worker.bench.worker.targetUnhealthy(0)
        worker.settle()
        target.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        worker.stop()
    }

    /// The attribute switches it off.
    @Test func whereTheGroupSaysSoTheyStay() throws {
        let targets = [try LoopbackTarget(0), try LoopbackTarget(1)]
        var settings = Plans.group(0, "blue", []).settings
        settings.attempts.leavesUnhealthy = false
        let group = GroupPlan(
            id: 0, name: "blue", targets: targets.map(\.plan), settings: settings, cell: GroupCell(),
            counters: TargetGroupCounters())
        var worker = try ServingWorker(Self.toBlue, [group])
        let (client, first, other) = try asked(&worker, targets, Self.get)
        first.plan.cell.isHealthy = false
        worker.bench.worker.targetUnhealthy(first.plan.id)
        worker.settle()
        #expect(!other.has(1))
        first.connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        worker.stop()
    }

    // MARK: HTTP/2

    private static var h2c: ListenerPlan {
        var settings = Plans.settings
        settings.speaksH2C = true
        return Plans.listener(settings: settings, defaultAction: Plans.forward([0], [1]))
    }

    /// A target whose program stands still acknowledges all the same: it is asked by a PING, and without an answer the
    /// requests that may be sent again leave it.
    @Test func aTargetThatAnswersNoPingIsLeft() throws {
        let targets = [try HTTP2LoopbackTarget(0), try HTTP2LoopbackTarget(1)]
        let group = Plans.group(0, "blue", targets.map(\.plan), version: .http2)
        var worker = try ServingWorker(Self.h2c, [group])
        let client = try worker.http2Client()
        // Both have a connection on which settings were exchanged: nothing else is said there unasked.
        let before = [client.ask(), client.ask()]
        #expect(worker.serve { targets.allSatisfy { $0.has(1) } })
        for target in targets { target.connections[0].answer(target.connections[0].peer.headSlots[0]) }
        #expect(worker.serve { before.allSatisfy { client.status($0) == 200 } })
        let slot = client.ask()
        #expect(worker.serve { targets.contains { $0.has(2) } })
        let index = targets[0].has(2) ? 0 : 1
        let (first, other) = (targets[index], targets[1 - index])
        first.isAwake = false
        for _ in 0..<9 { worker.pass(after: 1_000_000_000) }
        #expect(!other.has(2) && !first.plan.cell.isSuspect)
        for _ in 0..<8 { worker.pass(after: 1_000_000_000) }
        #expect(first.plan.cell.isSuspect && worker.counters.suspicions.value(.timedOut) == 1)
        #expect(worker.serve { other.has(2) })
        let last = try #require(other.connections.last)
        last.answer(try #require(last.peer.headSlots.last))
        #expect(worker.serve { client.status(slot) == 200 })
        worker.stop()
    }

    /// One that answers it keeps its requests, however long they take.
    @Test func aTargetThatAnswersThePingIsKept() throws {
        let targets = [try HTTP2LoopbackTarget(0), try HTTP2LoopbackTarget(1)]
        let group = Plans.group(0, "blue", targets.map(\.plan), version: .http2)
        var worker = try ServingWorker(Self.h2c, [group])
        let client = try worker.http2Client()
        let slot = client.ask()
        #expect(worker.serve { targets.contains { $0.has(1) } })
        let index = targets[0].has(1) ? 0 : 1
        let (first, other) = (targets[index], targets[1 - index])
        for _ in 0..<30 {
            worker.pass(after: 1_000_000_000)
            _ = first.has(1)
            worker.settle()
        }
        #expect(!other.has(1) && !first.plan.cell.isSuspect)
        first.connections[0].answer(first.connections[0].peer.headSlots[0])
        #expect(worker.serve { client.status(slot) == 200 })
        worker.stop()
    }
}
