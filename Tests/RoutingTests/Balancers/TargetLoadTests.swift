import Core
import Testing

@testable import Routing

@Suite struct TargetLoadTests {
    private let start = Instant(nanoseconds: 77_000_000_000)
    private let second: Nanoseconds = 1_000_000_000

    private func microseconds(_ latency: borrowing SharedLatency, _ now: Instant, typical: UInt64 = 0) -> UInt64? {
        latency.estimate(typical: typical, now: now)?.microseconds
    }

    @Test func nothingIsKnownAtFirst() {
        let latency = SharedLatency()
        let (recorded, isOld) = (latency.recorded, latency.isOlder(than: 0, now: start))
        #expect(microseconds(latency, start) == nil && recorded == nil && isOld)
    }

    @Test func aPeakCountsAtOnceAndIsForgottenInTime() {
        let latency = SharedLatency()
        latency.record(10_000_000, isFailure: false, now: start)
        #expect(microseconds(latency, start) == 10_000)
        latency.record(900_000_000, isFailure: false, now: start + second)
        #expect(microseconds(latency, start + second) == 900_000)
        var now = start + second
        for _ in 0..<3000 {
            now = now + second / 100
            latency.record(10_000_000, isFailure: false, now: now)
        }
        let after = microseconds(latency, now) ?? 0
        #expect((10_000..<80_000).contains(after), "\(after) µs after 30 seconds")
    }

    @Test func whatNobodyMeasuresApproachesTheMedian() {
        let latency = SharedLatency()
        latency.record(second, isFailure: true, now: start)
        let estimates = (0..<6).map { latency.estimate(typical: 1000, now: start + UInt64($0) * 20 * second) }
        for (one, next) in zip(estimates, estimates.dropFirst()) {
            guard let one, let next else { return #expect(Bool(false)) }
            #expect(next.microseconds < one.microseconds && next.failures < one.failures)
        }
        #expect((estimates[5]?.microseconds ?? 0) < 100_000 && (estimates[5]?.failures ?? 255) < 30)
        let fast = SharedLatency()
        fast.record(1_000_000, isFailure: false, now: start)
        #expect((microseconds(fast, start + 100 * second, typical: 50_000) ?? 0) > 40_000)
    }

    @Test func failuresAddUpAndSayNothingAboutSpeed() {
        let latency = SharedLatency()
        latency.record(20_000_000, isFailure: false, now: start)
        for _ in 0..<40 { latency.record(100_000, isFailure: true, now: start) }
        let failing = latency.estimate(typical: 0, now: start)
        #expect(failing?.microseconds == 20_000 && (failing?.failures ?? 0) > 240)
        for _ in 0..<40 { latency.record(20_000_000, isFailure: false, now: start) }
        let recovered = latency.estimate(typical: 0, now: start)
        #expect(recovered?.failures == 0)
    }

    /// A client that has waited for long says that the target takes as long at least.
    @Test func givingUpTellsOfSlowness() {
        let latency = SharedLatency()
        latency.record(10_000_000, isFailure: false, now: start)
        latency.recordAtLeast(1_000_000, now: start)
        #expect(microseconds(latency, start) == 10_000)
        latency.recordAtLeast(5 * second, now: start)
        #expect(microseconds(latency, start) == 5_000_000)
    }

    @Test func theRangeEndsSomewhere() {
        let latency = SharedLatency()
        latency.record(10_000 * second, isFailure: false, now: start)
        #expect(microseconds(latency, start) == (1 << 28) - 1)
        latency.record(1, isFailure: false, now: Instant(nanoseconds: start.nanoseconds - second))
        #expect(microseconds(latency, start).map { $0 > 0 } == true, "another worker's clock may be behind")
    }

    /// After a week nothing is left of what was known, as after a day.
    @Test(arguments: [1, 7, 12] as [UInt64]) func whatIsDaysOldIsForgotten(days: UInt64) {
        let latency = SharedLatency()
        latency.record(second, isFailure: true, now: start)
        let later = start + days * 86_400 * second
        let estimate = latency.estimate(typical: 10_000, now: later)
        #expect(
            estimate.map { $0.microseconds < 20_000 && $0.failures == 0 } == true, "\(String(describing: estimate))")
        let isOld = latency.isOlder(than: 3600 * second, now: later)
        #expect(isOld)
    }

    /// The counts of a target follow it into another group, and out of those that are counted.
    @Test func whatIsInFlightIsCountedWhereItIsLookedAt() {
        let one = GroupCell(), other = GroupCell(), target = BalancedTarget(TargetCell())
        target.began()
        #expect(target.cell.load.outstanding.value == 0 && one.outstanding.value == 0)
        target.adopt(weight: 1, .leastOutstanding, in: one)
        #expect(target.cell.load.outstanding.value == 1 && one.outstanding.value == 0)
        let hashing = BalancingAlgorithm.consistentHash(MaglevTable(keys: [1]), boundPercent: 125)
        target.adopt(weight: 1, hashing, in: one)
        #expect(target.cell.load.outstanding.value == 1 && one.outstanding.value == 1)
        target.began()
        target.adopt(weight: 1, hashing, in: other)
        #expect(one.outstanding.value == 0 && other.outstanding.value == 2)
        target.ended()
        target.leaveGroup()
        #expect(other.outstanding.value == 0 && target.cell.load.outstanding.value == 1, "it drains")
        target.adopt(weight: 1, limit: 5, .roundRobin(slowStart: 0), in: other)
        #expect(target.cell.load.outstanding.value == 1 && other.outstanding.value == 0)
        target.adopt(weight: 1, .weightedRandom, in: other)
        #expect(target.cell.load.outstanding.value == 0 && other.outstanding.value == 0)
        target.ended()
        #expect(target.cell.load.outstanding.value == 0 && target.inFlight == 0)
    }
}
