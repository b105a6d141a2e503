import Core
import Testing

@testable import Routing

@Suite struct WeightedTurnsTests {
    private let group = GroupCell()
    private let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: Instant(nanoseconds: 1))

    private func targets(_ weights: [Int]) -> [BalancedTarget] {
        healthyTargets(weights, .roundRobin(slowStart: 0), in: group)
    }

    private func turns(_ targets: [BalancedTarget], seed: UInt64) -> WeightedTurns {
        WeightedTurns(plain(targets), targets, seed: seed)
    }

    private func plain(_ targets: [BalancedTarget]) -> RoundRobin {
        var plain = RoundRobin()
        plain.rebuild(targets)
        return plain
    }

    private func picks(_ count: Int, from turns: inout WeightedTurns, _ targets: [BalancedTarget]) -> [Int] {
        (0..<count).compactMap { _ in turns.pick(request, from: targets) }
    }

    @Test(arguments: [[1, 2], [5, 1, 1], [256, 1], [3, 7, 11, 2], [1, 1, 1, 256]])
    func everyStretchHasItsShares(weights: [Int]) {
        let targets = targets(weights)
        var turns = turns(targets, seed: 3)
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
        var turns = turns(targets, seed: 9), random = FastRandom(seed: 4)
        var counts = [0, 0, 0, 0]
        for _ in 0..<20_000 {
            let missing = random.next(below: 12)
            for (index, target) in targets.enumerated() { target.cell.isHealthy = index != missing }
            turns.rebuild(targets, as: plain(targets))
            counts[turns.pick(request, from: targets) ?? 0] += 1
        }
        for (count, weight) in zip(counts, weights) { #expect(abs(count - 2000 * weight) < 200 * weight, "\(counts)") }
    }

    @Test func aNewWeightCountsFromNowOn() {
        let targets = targets([1, 1])
        var turns = turns(targets, seed: 1)
        _ = picks(1000, from: &turns, targets)
        targets[1].adopt(weight: 9, .roundRobin(slowStart: 0), in: group)
        turns.rebuild(targets, as: plain(targets))
        #expect(abs(picks(1000, from: &turns, targets).count { $0 == 1 } - 900) <= 2)
    }

    @Test func whatWasTriedIsPassedOver() {
        let targets = targets([8, 4, 2, 1])
        var turns = turns(targets, seed: 1)
        for tried in [[], [0], [0, 1], [1, 3], [0, 1, 2]] {
            let again = PickRequest(
                hash: 0, tried: tried.map { targets[$0] }, mayTrySuspect: false, now: request.now)
            for _ in 0..<20 { #expect(turns.pick(again, from: targets).map { !tried.contains($0) } == true) }
        }
        let all = PickRequest(hash: 0, tried: targets, mayTrySuspect: false, now: request.now)
        #expect(turns.pick(all, from: targets) == nil)
    }

    /// The virtual time wraps, and nothing happens: a turn that is due later is a small number then.
    @Test func aWaitCountsAcrossTheWrap() {
        #expect(TargetTurn(due: 5, step: 100).wait(at: UInt64.max - 4, step: 100) == 10)
        #expect(
            TargetTurn(due: 5, step: 100).wait(at: UInt64.max - 4, step: 50) == 5, "half the way at twice the weight")
        #expect(TargetTurn(due: 5, step: 100).wait(at: 6, step: 100) == nil, "it is over")
        #expect(TargetTurn().wait(at: 0, step: 100) == nil)
    }
}
