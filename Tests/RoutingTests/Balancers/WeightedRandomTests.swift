import Core
import Testing

@testable import Routing

@Suite struct WeightedRandomTests {
    private let group = GroupCell()
    private let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: Instant(nanoseconds: 1))

    private func targets(_ weights: [Int]) -> [BalancedTarget] {
        healthyTargets(weights, .weightedRandom, in: group)
    }

    private func shares(_ targets: [BalancedTarget]) -> [Int] {
        var random = WeightedRandom(seed: 5)
        random.rebuild(targets)
        var counts = targets.map { _ in 0 }
        for _ in 0..<10_000 { counts[random.pick(request, from: targets) ?? 0] += 1 }
        return counts.map { ($0 + 50) / 100 }
    }

    @Test func sharesFollowWeights() {
        for (weights, wanted) in [([1, 1], [50, 50]), ([1, 3], [25, 75]), ([0, 1, 4], [0, 20, 80]), ([7], [100])] {
            for (share, wanted) in zip(shares(targets(weights)), wanted) { #expect(abs(share - wanted) <= 2) }
        }
    }

    /// What control takes from a target that fails the others get.
    @Test func aMitigatedTargetGetsLess() {
        let targets = targets([1, 1, 1])
        targets[1].cell.share = TargetCell.fullShare / 16
        let shares = shares(targets)
        #expect((2...4).contains(shares[1]) && abs(shares[0] - shares[2]) <= 2, "\(shares)")
    }

    @Test func failuresAreCountedForControl() {
        let target = targets([1])[0]
        var failure = AttemptOutcome(.answered, duration: 1)
        failure.isServerError = true
        for outcome in [
            AttemptOutcome(.answered, duration: 1), failure, AttemptOutcome(.connectFailed, duration: 1),
            AttemptOutcome(.abandoned, duration: 1), AttemptOutcome(.withdrawn, duration: 1),
        ] {
            target.note(outcome, now: request.now)
        }
        #expect(target.cell.load.counts == AttemptCounts(answered: 1, failed: 2))
    }
}
