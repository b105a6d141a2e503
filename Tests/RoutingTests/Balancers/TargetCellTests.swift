import Core
import Routing
import Testing

@Suite struct TargetCellTests {
    @Test func aTargetIsUnhealthyUntilProvenOtherwise() {
        let cell = TargetCell()
        #expect(!cell.isHealthy)
        cell.isHealthy = true
        #expect(cell.isHealthy)
        cell.isHealthy = false
        #expect(!cell.isHealthy)
    }

    @Test func suspicionBeginsOnceAndEndsOnce() {
        let cell = TargetCell(), now = Instant(nanoseconds: 7)
        #expect(!cell.isSuspect && !cell.clearSuspicion() && !cell.claimTrial(now: now))
        #expect(cell.suspect(now: now) && cell.isSuspect)
        #expect(!cell.suspect(now: now), "whoever is second tells nobody")
        #expect(cell.clearSuspicion() && !cell.isSuspect && !cell.clearSuspicion())
    }

    @Test func oneOfManyTriesASuspectPerSecond() {
        let cell = TargetCell(), start = Instant(nanoseconds: 7), second: UInt64 = 1_000_000_000
        _ = cell.suspect(now: start)
        #expect(!cell.claimTrial(now: start + (second - 1)))
        #expect(cell.claimTrial(now: start + second) && !cell.claimTrial(now: start + second))
        #expect(!cell.claimTrial(now: start + (2 * second - 1)))
        #expect(cell.claimTrial(now: start + 2 * second))
    }

    @Test func everyFlipIsANewEpoch() {
        let cell = GroupCell()
        let first = cell.epoch
        cell.flip()
        let second = cell.epoch
        cell.flip()
        #expect(second > first && cell.epoch > second)
    }

    /// Control stores the health and then flips; whoever sees the new epoch sees the health.
    @Test func healthIsSeenWithItsEpoch() {
        let cell = TargetCell(), group = GroupCell()
        let flipCount: UInt64 = 20_000
        let control = Thread.start(name: "flipping") {
            for _ in 0..<flipCount {
                cell.isHealthy = true
                group.flip()
            }
        }
        var seen: UInt64 = 0
        var unhealthy = 0
        while seen < flipCount {
            seen = group.epoch
            if seen > 0 && !cell.isHealthy { unhealthy += 1 }
        }
        control.join()
        #expect(unhealthy == 0)
    }
}
