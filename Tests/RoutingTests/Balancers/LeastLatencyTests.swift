import Core
import Testing

@testable import Routing

@Suite struct LeastLatencyTests {
    private let start = Instant(nanoseconds: 50_000_000_000)

    private func targets(_ count: Int) -> [BalancedTarget] {
        let group = GroupCell()
        return (0..<count).map { _ in
            let target = BalancedTarget(TargetCell())
            target.cell.isHealthy = true
            target.adopt(weight: 1, .leastLatency, in: group)
            return target
        }
    }

    private func counts(_ targets: [BalancedTarget], _ picks: Int = 1000, at now: Instant) -> [Int] {
        var latency = LeastLatency(seed: 7)
        latency.rebuild(targets)
        var counts = targets.map { _ in 0 }
        let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: now)
        for _ in 0..<picks { counts[latency.pick(request, from: targets) ?? 0] += 1 }
        return counts
    }

    private func answer(_ target: BalancedTarget, milliseconds: UInt64, isError: Bool = false) {
        var outcome = AttemptOutcome(.answered, duration: milliseconds * 1_000_000)
        outcome.isServerError = isError
        target.note(outcome, now: start)
    }

    @Test func theFasterOfTwoIsPicked() {
        let targets = targets(2)
        answer(targets[0], milliseconds: 10)
        answer(targets[1], milliseconds: 200)
        #expect(counts(targets, at: start)[1] == 0, "a second is not over, so that not even a probe goes there")
    }

    @Test func whatIsInFlightCounts() {
        let targets = targets(2)
        for target in targets { answer(target, milliseconds: 10) }
        for _ in 0..<5 { targets[0].began() }
        #expect(counts(targets, at: start)[0] == 0)
    }

    /// One in 64 at most, and only if nothing was heard of the target lately.
    @Test func aProbeNowAndThen() {
        let targets = targets(2)
        answer(targets[0], milliseconds: 10)
        answer(targets[1], milliseconds: 10_000)
        let probes = counts(targets, 10_000, at: start + 2_000_000_000)[1]
        #expect((30..<157).contains(probes), "\(probes) of 10,000")
    }

    @Test func whoFailsAtOnceIsNotTheFastest() {
        let targets = targets(2)
        answer(targets[0], milliseconds: 100)
        answer(targets[1], milliseconds: 100)
        for _ in 0..<20 { answer(targets[1], milliseconds: 1, isError: true) }
        for _ in 0..<50 { targets[0].began() }
        #expect(counts(targets, at: start)[1] == 0)
    }

    /// A target of which nothing is known is as the median of the others.
    @Test func aNewTargetIsLikeTheOthers() {
        let targets = targets(4)
        for target in targets[0..<3] { answer(target, milliseconds: 50) }
        let new = counts(targets, 4000, at: start)[3]
        #expect((800..<1200).contains(new), "\(new) of 4,000")
    }

    @Test func oneOrNone() {
        #expect(counts(targets(1), 10, at: start) == [10])
        var latency = LeastLatency(seed: 7)
        latency.rebuild([])
        #expect(latency.pick(PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: start), from: []) == nil)
    }
}
