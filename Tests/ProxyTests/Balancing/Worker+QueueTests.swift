import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

/// Requests that wait until a target takes one more.
@Suite struct WorkerQueueTests {
    private static let toBlue = Plans.listener(defaultAction: Plans.forward([0], [1]))
    private static let second: Nanoseconds = 1_000_000_000
    private let target: LoopbackTarget
    private let cell = GroupCell()
    private let counters = TargetGroupCounters()

    init() throws { target = try LoopbackTarget() }

    private static func limits(_ requestsMax: Int = 1, queueMax: Int = 10) -> TargetLimits {
        var limits = TargetLimits()
        limits.requestsMax = requestsMax
        limits.queueMax = queueMax
        return limits
    }

    private func blue(_ targets: [TargetPlan]? = nil, _ limits: TargetLimits = limits()) -> GroupPlan {
        Plans.group(0, "blue", targets ?? [target.plan], limits: limits, cell: cell, counters: counters)
    }

    /// The requests that the target has got, in this order.
    private func asked(_ target: LoopbackTarget) -> [String] {
        _ = target.has(.max)
        let text = target.connections.map(\.text).joined()
        return text.split(separator: "\r\n").filter { $0.hasPrefix("GET ") }.map { String($0.split(separator: " ")[1]) }
    }

    @Test func theyGoInTheirOrderAndKeepTheConnection() throws {
        var worker = try ServingWorker(Self.toBlue, [blue()])
        let target = target, counters = counters
        var clients: [LoopbackEnd] = []
        for number in 1...4 {
            clients.append(try worker.client(asking: "/\(number)"))
            #expect(worker.serve { target.has(1) && counters.queueLength.value == UInt64(number - 1) })
        }
        for number in 1...4 {
            #expect(worker.serve { target.has(number) })
            worker.settle()
            #expect(asked(target) == (1...number).map { "/\($0)" })
            target.connections[0].answer("a\(number)")
            #expect(worker.serve { clients[number - 1].has("a\(number)") })
        }
        #expect(target.connections.count == 1 && counters.queueLength.value == 0)
        let log = worker.bench.takeLog()
        #expect(log.split(separator: "\n").count { $0.contains(#""queue_time":null"#) } == 1)
        worker.stop()
    }

    @Test func whoWaitsTooLongAndWhoComesTooLateAreTold() throws {
        var worker = try ServingWorker(Self.toBlue, [blue(nil, Self.limits(queueMax: 1))])
        let target = target, counters = counters
        let first = try worker.client(asking: "/1")
        #expect(worker.serve { target.has(1) })
        let second = try worker.client(asking: "/2")
        #expect(worker.serve { counters.queueLength.value == 1 })
        let third = try worker.client(asking: "/3")
        #expect(worker.serve { third.count(of: 503) == 1 })
        #expect(counters.queueRejections.value == 1 && second.count(of: 503) == 0)
        worker.pass(after: 11 * Self.second)
        #expect(worker.serve { second.count(of: 503) == 1 })
        #expect(counters.queueTimeouts.value == 1 && counters.queueLength.value == 0)
        #expect(worker.counters.timeouts.value(.targetQueue) == 1)
        target.connections[0].answer()
        #expect(worker.serve { first.count(of: 200) == 1 })
        second.ask("/4")
        #expect(worker.serve { target.has(2) }, "its connection serves the next request")
        let log = worker.bench.takeLog()
        #expect(log.contains(#""apus_reason":"TargetQueueFull""#))
        #expect(log.contains(#""queue_time":11.0"#) && log.contains(#""apus_reason":"TargetQueueTimeout""#))
        worker.stop()
    }

    @Test func whoGoesAwayLeavesItsPlace() throws {
        var worker = try ServingWorker(Self.toBlue, [blue(nil, Self.limits(queueMax: 1))])
        let target = target, counters = counters
        let first = try worker.client(asking: "/1")
        #expect(worker.serve { target.has(1) })
        let second = try worker.client(asking: "/2")
        #expect(worker.serve { counters.queueLength.value == 1 })
        second.close()
        #expect(worker.serve { counters.queueLength.value == 0 })
        let third = try worker.client(asking: "/3")
        #expect(worker.serve { counters.queueLength.value == 1 })
        target.connections[0].answer()
        #expect(worker.serve { first.count(of: 200) == 1 && target.has(2) })
        #expect(asked(target) == ["/1", "/3"])
        #expect(worker.bench.takeLog().contains(#""elb_status_code":460"#))
        target.connections[0].answer()
        #expect(worker.serve { third.count(of: 200) == 1 })
        worker.stop()
    }

    /// Its first target has refused, so a race was about to begin when it had to wait: it is served once all the same.
    @Test func whoWaitsDoesNotRace() throws {
        let target = target, counters = counters
        var worker = try ServingWorker(Self.toBlue, [blue([try LoopbackTarget.closed(1), target.plan])])
        var clients: [LoopbackEnd] = []
        for number in 1...3 { clients.append(try worker.client(asking: "/\(number)")) }
        #expect(worker.serve { target.has(1) && counters.queueLength.value == 2 })
        for number in 1...3 {
            target.connections[0].answer()
            worker.pass(after: Self.second / 2)
            #expect(worker.serve { clients.reduce(0) { $0 + $1.count(of: 200) } == number })
            #expect(number == 3 || worker.serve { target.has(number + 1) })
        }
        #expect(counters.queueLength.value == 0 && Set(asked(target)) == ["/1", "/2", "/3"])
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
        worker.stop()
    }

    /// As many as wait go where the algorithm sends them, not all to the first target.
    @Test func withoutALimitTheyAreSpreadAsEver() throws {
        let target = target, counters = counters, other = try LoopbackTarget(1)
        var worker = try ServingWorker(Self.toBlue, [blue([target.plan, other.plan])])
        let clients = try (1...6).map { try worker.client(asking: "/\($0)") }
        #expect(worker.serve { target.has(1) && other.has(1) && counters.queueLength.value == 4 })
        worker.bench.adopt([Self.toBlue], [blue([target.plan, other.plan], Self.limits(0))])
        #expect(worker.serve { counters.queueLength.value == 0 })
        #expect(worker.serve { target.has(3) && other.has(3) })
        #expect(clients.allSatisfy { $0.count(of: 503) == 0 })
        worker.stop()
    }

    // MARK: Changes

    @Test func aNewTargetTakesThemAtOnce() throws {
        var worker = try ServingWorker(Self.toBlue, [blue()])
        let target = target, counters = counters, other = try LoopbackTarget(1)
        let clients = try ["/1", "/2"].map { try worker.client(asking: $0) }
        #expect(worker.serve { target.has(1) && counters.queueLength.value == 1 })
        worker.bench.adopt([Self.toBlue], [blue([target.plan, other.plan])])
        #expect(worker.serve { other.has(1) && counters.queueLength.value == 0 })
        other.connections[0].answer()
        target.connections[0].answer()
        #expect(worker.serve { clients.allSatisfy { $0.count(of: 200) == 1 } })
        worker.stop()
    }

    @Test func aTargetThatBecomesHealthyTakesThemAtOnce() throws {
        let target = target, counters = counters, other = try LoopbackTarget(1)
        other.plan.cell.isHealthy = false
        var worker = try ServingWorker(Self.toBlue, [blue([target.plan, other.plan])])
        let clients = try ["/1", "/2", "/3"].map { try worker.client(asking: $0) }
        #expect(worker.serve { target.has(1) && counters.queueLength.value == 2 })
        #expect(worker.bench.worker.nextPassAt.map { $0 > worker.bench.worker.now } ?? true, "it does not spin")
        other.plan.cell.isHealthy = true
        cell.flip()
        #expect(worker.serve { other.has(1) && counters.queueLength.value == 1 })
        // The rest goes in turn, as before.
        other.connections[0].answer()
        #expect(worker.serve { other.has(2) })
        target.connections[0].answer()
        other.connections[0].answer()
        #expect(worker.serve { clients.allSatisfy { $0.count(of: 200) == 1 } })
        worker.stop()
    }

    /// Among groups for which nobody waits, one is found again for which somebody did before.
    @Test func whoWaitsAgainIsFoundAgain() throws {
        let target = target, counters = counters, other = try LoopbackTarget(1)
        let group = blue([target.plan, other.plan])
        let green = Plans.group(1, "green", [])
        var worker = try ServingWorker(Self.toBlue, [group, green])
        for round in 1...2 {
            other.plan.cell.isHealthy = false
            cell.flip()
            let clients = try ["/1", "/2"].map { try worker.client(asking: $0) }
            #expect(worker.serve { target.has(round) && counters.queueLength.value == 1 })
            let awaited = worker.bench.worker.awaitedGroups.map(\.plan.name)
            #expect(awaited == ["blue"])
            other.plan.cell.isHealthy = true
            cell.flip()
            #expect(worker.serve { other.has(round) && counters.queueLength.value == 0 })
            target.connections[0].answer()
            other.connections[0].answer()
            #expect(worker.serve { clients.allSatisfy { $0.count(of: 200) == 1 } })
            worker.bench.worker.serveChangedGroups()
            let isLookedAt = !worker.bench.worker.awaitedGroups.isEmpty
            #expect(!isLookedAt)
        }
        worker.stop()
    }

    @Test(arguments: [0, 3]) func aHigherLimitOrNoneLetsThemGo(requestsMax: Int) throws {
        var worker = try ServingWorker(Self.toBlue, [blue()])
        let target = target, counters = counters
        let clients = try ["/1", "/2", "/3"].map { try worker.client(asking: $0) }
        #expect(worker.serve { target.has(1) && counters.queueLength.value == 2 })
        worker.bench.adopt([Self.toBlue], [blue(nil, Self.limits(requestsMax))])
        #expect(worker.serve { target.has(3) && counters.queueLength.value == 0 })
        #expect(clients.count == 3)
        worker.stop()
    }

    @Test func withTheLastTargetTheWaitIsOver() throws {
        var worker = try ServingWorker(Self.toBlue, [blue()])
        let target = target, counters = counters
        let first = try worker.client(asking: "/1")
        #expect(worker.serve { target.has(1) })
        let second = try worker.client(asking: "/2")
        #expect(worker.serve { counters.queueLength.value == 1 })
        worker.bench.adopt([Self.toBlue], [blue([])])
        #expect(worker.serve { second.count(of: 503) == 1 })
        target.connections[0].answer()
        #expect(worker.serve { first.count(of: 200) == 1 }, "what the target has it finishes")
        #expect(worker.bench.takeLog().contains(#""apus_reason":"NoTargets""#))
        worker.stop()
    }

    /// A request that its target gives back goes to another one; where that is full it waits, behind those that do.
    @Test func aRetryWaitsToo() throws {
        let target = target, counters = counters, other = try LoopbackTarget(1)
        var worker = try ServingWorker(Self.toBlue, [blue([target.plan, other.plan])])
        var clients = try ["/1", "/2"].map { try worker.client(asking: $0) }
        #expect(worker.serve { target.has(1) && other.has(1) })
        clients.append(try worker.client(asking: "/3"))
        #expect(worker.serve { counters.queueLength.value == 1 })
        target.connections[0].close()
        #expect(worker.serve { target.has(2) && counters.queueLength.value == 1 })
        #expect(asked(target).last == "/3")
        other.connections[0].answer()
        #expect(worker.serve { other.has(2) && counters.queueLength.value == 0 })
        other.connections.last?.answer()
        target.connections.last?.answer()
        #expect(worker.serve { clients.allSatisfy { $0.count(of: 200) == 1 } })
        worker.stop()
    }

    /// With nobody else waiting it may as well try the same target again.
    @Test func aRetryDoesNotLeaveASlotFree() throws {
        var worker = try ServingWorker(Self.toBlue, [blue()])
        let target = target, client = try worker.client(asking: "/1")
        #expect(worker.serve { target.has(1) })
        target.connections[0].close()
        #expect(worker.serve { target.has(2) })
        target.connections[1].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        worker.stop()
    }

    // MARK: One target alone

    /// A request that may go to one target alone waits for that, though others are free, and keeps none waiting.
    @Test func whoIsBoundToATargetWaitsForThatAlone() throws {
        let target = target, counters = counters, other = try LoopbackTarget(1)
        var worker = try ServingWorker(Self.toBlue, [blue([target.plan, other.plan])])
        let first = try worker.client(asking: "/1")
        #expect(worker.serve { target.has(1) || other.has(1) })
        let held = target.has(1) ? target : other, free = target.has(1) ? other : target
        let group = try #require(worker.bench.worker.groups[0])
        let pool = try #require(group.pools.first { $0.id == held.plan.id })
        let bound = worker.bench.begin(at: worker.bench.worker.now)
        bound.group = group
        #expect(worker.bench.worker.takeTarget(bound, group, only: pool) == nil)
        #expect(counters.queueLength.value == 1 && bound.targetWait != nil)
        let second = try worker.client(asking: "/2")
        #expect(worker.serve { free.has(1) }, "others go on")
        worker.settle()
        #expect(bound.targetWait != nil)
        worker.bench.worker.leaveTargetQueue(bound)
        #expect(counters.queueLength.value == 0 && !group.isAwaited)
        #expect(cell.waitBoard?.isAnyWaiting == false && pool.cell.waitBoard?.isAnyWaiting == false)
        held.connections[0].answer()
        free.connections[0].answer()
        #expect(worker.serve { first.count(of: 200) == 1 && second.count(of: 200) == 1 })
        bound.client.exchange = nil
        worker.stop()
    }

    @Test func whenItsTargetLeavesItWaitsForAnyOther() throws {
        let target = target, counters = counters, other = try LoopbackTarget(1)
        var worker = try ServingWorker(Self.toBlue, [blue([target.plan, other.plan])])
        let clients = try ["/1", "/2"].map { try worker.client(asking: $0) }
        #expect(worker.serve { target.has(1) && other.has(1) })
        let group = try #require(worker.bench.worker.groups[0])
        let bound = worker.bench.begin(at: worker.bench.worker.now)
        bound.group = group
        #expect(worker.bench.worker.takeTarget(bound, group, only: group.pools[0]) == nil)
        worker.bench.adopt([Self.toBlue], [blue([other.plan])])
        #expect(bound.targetWait != nil && bound.targetWait?.target == nil && counters.queueLength.value == 1)
        #expect(group.ownWaitCount == 0 && group.queue.count == 1)
        worker.bench.worker.leaveTargetQueue(bound)
        bound.client.exchange = nil
        #expect(clients.count == 2)
        worker.stop()
    }

    // MARK: Several workers

    /// One of the two workers with these mailboxes; the requests of both go to the same target.
    private func worker(_ index: Int, _ mailboxes: [Mailbox<WorkerMail>]) throws -> ServingWorker {
        try ServingWorker(Self.toBlue, [blue()], index: index, mailboxes: mailboxes)
    }

    @Test func theOldestGoesFirstWhereverItWaits() throws {
        let mailboxes = [Mailbox<WorkerMail>(), Mailbox<WorkerMail>()]
        var first = try worker(0, mailboxes), second = try worker(1, mailboxes)
        let target = target, counters = counters
        let holder = try first.client(asking: "/held")
        #expect(first.serve { target.has(1) })
        let late = 5 * Self.second
        second.pass(after: first.bench.worker.now.since(second.bench.worker.now))
        let older = try second.client(asking: "/older")
        #expect(second.serve { counters.queueLength.value == 1 })
        first.pass(after: late)
        let younger = try first.client(asking: "/younger")
        #expect(first.serve { counters.queueLength.value == 2 })
        target.connections[0].answer()
        #expect(first.serve { holder.count(of: 200) == 1 })
        first.settle()
        #expect(!target.has(2), "the first worker leaves the slot to the second")
        #expect(second.serve { target.has(2) })
        #expect(asked(target) == ["/held", "/older"])
        target.connections[1].answer()
        #expect(second.serve { older.count(of: 200) == 1 })
        #expect(first.serve { target.has(3) }, "and the second to the first")
        target.connections.first { !$0.isEnded }?.answer()
        #expect(first.serve { younger.count(of: 200) == 1 })
        first.stop()
        second.stop()
    }

    /// The request that a slot was meant for is gone when its worker looks: the slot comes back.
    @Test func aSlotThatNobodyWantsAnyMoreComesBack() throws {
        let mailboxes = [Mailbox<WorkerMail>(), Mailbox<WorkerMail>()]
        var first = try worker(0, mailboxes), second = try worker(1, mailboxes)
        let target = target, counters = counters
        let holder = try first.client(asking: "/held")
        #expect(first.serve { target.has(1) })
        second.pass(after: first.bench.worker.now.since(second.bench.worker.now))
        let older = try second.client(asking: "/older")
        #expect(second.serve { counters.queueLength.value == 1 })
        first.pass(after: 5 * Self.second)
        let younger = try first.client(asking: "/younger")
        #expect(first.serve { counters.queueLength.value == 2 })
        target.connections[0].answer()
        #expect(first.serve { holder.count(of: 200) == 1 })
        older.close()
        #expect(second.serve { counters.queueLength.value == 1 })
        #expect(first.serve { target.has(2) })
        #expect(asked(target) == ["/held", "/younger"] && younger.count(of: 503) == 0)
        first.stop()
        second.stop()
    }
}
