import Core
import Testing

@testable import Routing

@Suite struct WeightedTurnsTests {
    private let group = GroupCell()
    private let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: Instant(nanoseconds: 1))

    private func targets(_ weights: [Int]) -> [BalancedTarget] {
        weights.map { weight in
            let target = BalancedTarget(TargetCell())
            target.adopt(weight: weight, .roundRobin(slowStart: 0), in: group)
            return target
        }
    }

    private func picks(_ count: Int, from turns: inout WeightedTurns, _ targets: [BalancedTarget]) -> [Int] {
        (0..<count).compactMap { _ in turns.next(request, targets) }
    }

    @Test(arguments: [[1, 2], [5, 1, 1], [256, 1], [3, 7, 11, 2], [1, 1, 1, 256]])
    func everyStretchHasItsShares(weights: [Int]) {
        let targets = targets(weights)
        var turns = WeightedTurns(seed: 3)
        turns.rebuild(weights.indices.map { Int32($0) }, targets) { $0.weight * 256 }
        let sum = weights.reduce(0, +)
        let sequence = picks(10 * sum, from: &turns, targets)
        for start in stride(from: 0, to: 9 * sum, by: 7) {
            for (index, weight) in weights.enumerated() {
                let count = sequence[start..<(start + sum)].count { $0 == index }
                #expect(abs(count - weight) <= 1 + weight / 64, "\(count) of \(weight) from \(start) on")
            }
        }
    }

    /// A rebuild before every pick, each with another target missing, favours nobody.
    @Test func flappingFavoursNoTarget() {
        let weights = [1, 2, 3, 4], targets = targets(weights)
        var turns = WeightedTurns(seed: 9), random = FastRandom(seed: 4)
        var counts = [0, 0, 0, 0]
        for _ in 0..<20_000 {
            let missing = Int32(random.next(below: 12))
            turns.rebuild((0..<4).filter { $0 != missing }, targets) { $0.weight * 256 }
            counts[turns.next(request, targets) ?? 0] += 1
        }
        for (count, weight) in zip(counts, weights) { #expect(abs(count - 2000 * weight) < 200 * weight, "\(counts)") }
    }

    @Test func aNewWeightCountsFromNowOn() {
        let targets = targets([1, 1])
        var turns = WeightedTurns(seed: 1)
        turns.rebuild([0, 1], targets) { $0.weight * 256 }
        _ = picks(1000, from: &turns, targets)
        targets[1].adopt(weight: 9, .roundRobin(slowStart: 0), in: group)
        turns.rebuild([0, 1], targets) { $0.weight * 256 }
        #expect(abs(picks(1000, from: &turns, targets).count { $0 == 1 } - 900) <= 2)
    }

    @Test func whatWasTriedIsPassedOver() {
        let targets = targets([8, 4, 2, 1])
        var turns = WeightedTurns(seed: 1)
        turns.rebuild([0, 1, 2, 3], targets) { $0.weight * 256 }
        for tried in [[], [0], [0, 1], [1, 3], [0, 1, 2]] {
            let again = PickRequest(
                hash: 0, tried: tried.map { targets[$0] }, mayTrySuspect: false, now: request.now)
            for _ in 0..<20 { #expect(turns.next(again, targets).map { !tried.contains($0) } == true) }
        }
        let all = PickRequest(hash: 0, tried: targets, mayTrySuspect: false, now: request.now)
        #expect(turns.next(all, targets) == nil)
    }

    /// The virtual time wraps, and nothing happens.
    @Test func theClockMayWrap() {
        let targets = targets([1, 3])
        var turns = WeightedTurns(seed: 1)
        for target in targets { target.turn = TargetTurn(due: UInt64.max - 10, step: 0) }
        turns.rebuild([0, 1], targets) { _ in 1 }
        var counts = [0, 0]
        // Each pick takes half a round of 2^40, so that 2^25 of them wrap the clock.
        for _ in 0..<(1 << 10) { counts[turns.next(request, targets) ?? 0] += 1 }
        #expect(abs(counts[0] - counts[1]) <= 1)
    }
}
