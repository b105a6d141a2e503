import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

@Suite struct WorkerOutcomeTests {
    private func pool(_ bench: borrowing WorkerBench) -> (TargetPool, Group) {
        guard let group = bench.worker.groups[0] else { fatalError("no group") }
        return (group.pools[0], group)
    }

    private func bench(flows: FlowGroupPlan? = nil) -> WorkerBench {
        var bench = WorkerBench()
        let targets = [Plans.target(0), Plans.target(1)]
        for target in targets { target.cell.isHealthy = true }
        let plan = GroupPlan(
            id: 0, name: "blue", targets: targets,
            settings: GroupSettings(flows: flows, connectTimeout: 1, poolIdleTimeout: 1, poolConnectionsMax: 1),
            balancing: flows == nil ? .roundRobin(slowStart: 0) : .flowHash(MaglevTable(keys: targets.map(\.flowKey))),
            cell: GroupCell(), counters: TargetGroupCounters())
        bench.adopt([], [plan])
        _ = bench.control.takeAll()
        return bench
    }

    static let suspicious: [(AttemptOutcome.Ending, SuspicionCause)] = [
        (.connectFailed, .connectFailed), (.connectTimedOut, .connectTimedOut), (.overtaken, .connectTimedOut),
        (.timedOut, .timedOut),
    ]

    @Test(arguments: suspicious.indices) func failuresThatAffectAllRequestsMakeSuspect(_ index: Int) {
        let (ending, cause) = Self.suspicious[index]
        var bench = bench()
        let (pool, group) = pool(bench)
        let epoch = group.plan.cell.epoch
        for _ in 0..<2 { bench.worker.note(AttemptOutcome(ending, duration: 1), of: pool, group) }
        #expect(pool.cell.isSuspect && group.plan.cell.epoch == epoch + 1, "said once")
        #expect(bench.counters.suspicions.value(cause) == 1)
        let mail = bench.control.takeAll()
        guard mail.count == 1, case .suspected(target: 0, cause, after: 1) = mail[0] else {
            Issue.record("\(mail)")
            return
        }
    }

    /// Who sends everything away is never busy, and would get all requests of least_outstanding_requests.
    @Test(arguments: [AttemptOutcome.Ending.handshakeFailed, .refused])
    func aTargetThatSendsAllAwayIsSuspect(_ ending: AttemptOutcome.Ending) {
        var bench = bench()
        let (pool, group) = pool(bench)
        let rejection = AttemptOutcome(ending, duration: 1)
        for _ in 0..<Limits.rejectionsInARow - 1 { bench.worker.note(rejection, of: pool, group) }
        bench.worker.note(AttemptOutcome(.answered, duration: 1), of: pool, group)
        for _ in 0..<Limits.rejectionsInARow - 1 { bench.worker.note(rejection, of: pool, group) }
        #expect(!pool.cell.isSuspect, "it answers others")
        bench.worker.note(rejection, of: pool, group)
        #expect(pool.cell.isSuspect && bench.counters.suspicions.value(.rejecting) == 1)
    }

    @Test func aTargetThatEndsIdleConnectionsIsNot() {
        var bench = bench()
        let (pool, group) = pool(bench)
        var retired = AttemptOutcome(.refused, duration: 1)
        retired.isRetired = true
        for _ in 0..<10 { bench.worker.note(retired, of: pool, group) }
        #expect(!pool.cell.isSuspect && retired.isFailure == nil)
        #expect(AttemptOutcome(.refused, duration: 1).isFailure == true)
        #expect(AttemptOutcome(.handshakeFailed, duration: 1).isFailure == true)
    }

    /// A slow request must not make suspect a target that answers others.
    @Test(arguments: [AttemptOutcome.Ending.timedOut, .overtaken, .connectTimedOut])
    func aTargetThatAnswersOthersIsNotSuspect(_ ending: AttemptOutcome.Ending) {
        var bench = bench()
        let (pool, group) = pool(bench)
        pool.recordResponsive(now: bench.worker.now)
        bench.worker.note(AttemptOutcome(ending, duration: 1), of: pool, group)
        #expect(!pool.cell.isSuspect)
        bench.worker.note(AttemptOutcome(.connectFailed, duration: 1), of: pool, group)
        #expect(pool.cell.isSuspect, "a refusal is a refusal")
    }

    @Test(arguments: [
        AttemptOutcome.Ending.handshakeFailed, .notAttempted, .outrun, .withdrawn, .refused, .closed, .malformed,
        .unhealthy, .unacknowledged, .abandoned, .cut,
    ])
    func otherEndingsMakeNoTargetSuspect(_ ending: AttemptOutcome.Ending) {
        var bench = bench()
        let (pool, group) = pool(bench)
        bench.worker.note(AttemptOutcome(ending, duration: 1), of: pool, group)
        #expect(!pool.cell.isSuspect && bench.control.takeAll().isEmpty)
        let total = AttemptOutcome.Ending.allCases.reduce(0) { $0 + bench.counters.attempts.value($1) }
        #expect(total == 1, "but it is counted")
    }

    @Test func anAnswerClearsASuspect() {
        var bench = bench()
        let (pool, group) = pool(bench)
        bench.worker.note(AttemptOutcome(.connectFailed, duration: 1), of: pool, group)
        #expect(pool.recordUnresponsive(since: Instant(nanoseconds: 1)))
        bench.worker.note(AttemptOutcome(.answered, duration: 1), of: pool, group)
        #expect(!pool.cell.isSuspect && pool.unresponsiveSince == nil)
        let mail = bench.control.takeAll()
        guard mail.count == 2, case .trusted(target: 0) = mail[1] else {
            Issue.record("\(mail)")
            return
        }
        #expect(group.plan.counters.connectionErrors.value == 1)
    }

    /// Where connections are passed on, a failed one counts as a failed check, once a second at most.
    @Test func aFlowThatIsNotTakenIsAPassiveCheck() {
        var bench = bench(flows: FlowGroupPlan())
        let (pool, group) = pool(bench)
        for _ in 0..<3 { bench.worker.note(AttemptOutcome(.connectFailed, duration: 1), of: pool, group) }
        let complaints = bench.control.takeAll().count { mail in
            if case .connectFailed(target: 0) = mail { true } else { false }
        }
        #expect(complaints == 1)
        #expect(bench.counters.targetConnectFailures.value == 3)
    }
}
