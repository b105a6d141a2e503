import Core
import Testing

@testable import Routing

/// What every algorithm does where targets have a limit.
@Suite struct BalancerLimitTests {
    private static let algorithms: [BalancingAlgorithm] = [
        .roundRobin(slowStart: 0), .leastOutstanding, .weightedRandom, .leastLatency,
        .consistentHash(MaglevTable(keys: [1, 2, 3]), boundPercent: 125),
    ]
    private let group = GroupCell()

    private func targets(_ weights: [Int], limit: Int, _ algorithm: BalancingAlgorithm) -> [BalancedTarget] {
        weights.map { weight in
            let target = BalancedTarget(TargetCell())
            target.cell.isHealthy = true
            target.adopt(weight: weight, limit: limit, algorithm, in: group)
            return target
        }
    }

    private func request(
        _ hash: UInt64 = 0, tried: [BalancedTarget] = [], mayTrySuspect: Bool = false
    ) -> PickRequest {
        PickRequest(
            hash: hash, tried: tried, mayTrySuspect: mayTrySuspect, isLimited: true,
            now: Instant(nanoseconds: 5_000_000_000))
    }

    @Test(arguments: algorithms.indices, [[1, 1, 1], [1, 5, 2]])
    func allSlotsAreTakenAndNoMore(index: Int, weights: [Int]) {
        let algorithm = Self.algorithms[index]
        let targets = targets(weights, limit: 2, algorithm)
        var balancer = Balancer(algorithm, targets: targets, seed: 3)
        for hash in 0..<6 {
            guard let pick = balancer.pick(request(UInt64(hash)), from: targets) else {
                Issue.record("a slot is free")
                return
            }
            #expect(targets[pick].begin())
        }
        #expect(targets.map(\.inFlight) == [2, 2, 2])
        #expect(balancer.pick(request(1), from: targets) == nil && balancer.hasTargets && balancer.mayPick(1))
        #expect(!targets[0].begin())
        targets[1].ended()
        #expect(balancer.pick(request(2), from: targets) == 1)
        #expect(balancer.pick(request(2, tried: [targets[1]]), from: targets) == nil)
    }

    @Test(arguments: algorithms.indices) func aSuspectIsNotWhereTheOverflowGoes(index: Int) {
        let algorithm = Self.algorithms[index]
        let targets = targets([1, 1, 1], limit: 1, algorithm)
        _ = targets[2].cell.suspect(now: Instant(nanoseconds: 1))
        var balancer = Balancer(algorithm, targets: targets, seed: 0)
        #expect(targets[0].begin() && targets[1].begin())
        #expect(balancer.pick(request(4), from: targets) == nil && !balancer.mayPick(2))
        #expect(balancer.pick(request(4, tried: [targets[0], targets[1]]), from: targets) == 2, "the others failed")
        let trial = balancer.suspectToTry(request(mayTrySuspect: true), from: targets)
        #expect(trial == 2 && balancer.suspectToTry(request(mayTrySuspect: true), from: targets) == nil)
    }

    /// What other workers have begun counts.
    @Test func aLimitIsOfAllWorkers() {
        let cell = TargetCell()
        cell.isHealthy = true
        let views = (0..<2).map { _ in
            let target = BalancedTarget(cell)
            target.adopt(weight: 1, limit: 3, .roundRobin(slowStart: 0), in: group)
            return target
        }
        #expect(views[0].begin() && views[1].begin() && views[0].begin() && !views[1].begin())
        #expect(!views[1].hasSlot)
        views[0].ended()
        #expect(views[1].hasSlot && views[1].begin())
        // With a lower limit nothing begins until enough have ended; without one anything does.
        for view in views { view.adopt(weight: 1, limit: 1, .roundRobin(slowStart: 0), in: group) }
        #expect(!views[0].begin())
        for view in views { view.adopt(weight: 1, .roundRobin(slowStart: 0), in: group) }
        #expect(views[0].begin() && cell.load.outstanding.value == 0, "it is not counted any more")
        for view in views { view.adopt(weight: 1, limit: 9, .roundRobin(slowStart: 0), in: group) }
        #expect(cell.load.outstanding.value == 4)
    }

    @Test func withoutTargetsThereIsNothingToWaitFor() {
        let targets = targets([0, 0], limit: 1, .leastOutstanding)
        let balancer = Balancer(.leastOutstanding, targets: targets, seed: 0)
        #expect(!balancer.hasTargets && !balancer.mayPick(0))
    }
}
