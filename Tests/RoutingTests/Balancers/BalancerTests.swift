import Core
import Testing

@testable import Routing

@Suite struct BalancerTests {
    private let now = Instant(nanoseconds: 5_000_000_000)

    private func targets(_ count: Int) -> [BalancedTarget] {
        (0..<count).map { _ in
            let target = BalancedTarget(TargetCell())
            target.cell.isHealthy = true
            return target
        }
    }

    private func request(_ hash: UInt64 = 0, tried: [BalancedTarget] = [], mayTrySuspect: Bool = false) -> PickRequest {
        PickRequest(hash: hash, tried: tried, mayTrySuspect: mayTrySuspect, now: now)
    }

    @Test func theSettingSaysWhichAlgorithmPicks() {
        let targets = targets(3)
        var turns = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 1)
        #expect((0..<4).map { _ in turns.pick(request(7), from: targets) } == [1, 2, 0, 1])
        let table = MaglevTable(keys: [1, 2, 3])
        var hashing = Balancer(.flowHash(table), targets: targets, seed: 1)
        #expect((0..<4).map { _ in hashing.pick(request(7), from: targets) } == Array(repeating: table[7], count: 4))
    }

    @Test func otherTargetsKeepTheTurn() {
        let targets = targets(3)
        var balancer = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 0)
        #expect(balancer.pick(request(), from: targets) == 0)
        let more = targets + self.targets(1)
        balancer.adopt(.roundRobin(slowStart: 0), targets: more)
        #expect((0..<4).map { _ in balancer.pick(request(), from: more) } == [1, 2, 3, 0])
        balancer.adopt(.flowHash(MaglevTable(keys: [5])), targets: [more[0]])
        #expect(balancer.pick(request(9), from: [more[0]]) == 0)
        balancer.adopt(.roundRobin(slowStart: 0), targets: [])
        #expect(balancer.pick(request(), from: []) == nil)
    }

    @Test func whatWasTriedIsNotPickedAgain() {
        let targets = targets(3)
        for algorithm in [BalancingAlgorithm.roundRobin(slowStart: 0), .flowHash(MaglevTable(keys: [1, 2, 3]))] {
            var balancer = Balancer(algorithm, targets: targets, seed: 0)
            var tried: [BalancedTarget] = []
            while let index = balancer.pick(request(11, tried: tried), from: targets) { tried.append(targets[index]) }
            #expect(tried.count == 3 && targets.allSatisfy { $0.isAmong(tried) })
        }
    }

    @Test func aSuspectIsTriedWhereThatIsAllowed() {
        let targets = targets(2)
        var balancer = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 0)
        #expect(!balancer.hasSuspects)
        _ = targets[1].cell.suspect(now: Instant(nanoseconds: now.nanoseconds - Limits.trialInterval))
        balancer.rebuild(targets)
        #expect(balancer.hasSuspects)
        #expect((0..<2).map { _ in balancer.pick(request(), from: targets) } == [0, 0])
        #expect(balancer.pick(request(mayTrySuspect: true), from: targets) == 1)
        #expect(balancer.pick(request(mayTrySuspect: true), from: targets) == 0, "once in an interval")
    }

    @Test(arguments: [BalancingAlgorithm.roundRobin(slowStart: 0), .flowHash(MaglevTable(keys: [1, 2]))])
    func withoutAHealthyTargetAllAreUsed(algorithm: BalancingAlgorithm) {
        let targets = targets(2)
        var balancer = Balancer(algorithm, targets: targets, seed: 0)
        #expect(!balancer.isFailOpen)
        for target in targets { target.cell.isHealthy = false }
        balancer.rebuild(targets)
        #expect(balancer.isFailOpen && balancer.pick(request(3), from: targets) != nil)
        #expect(!Balancer(algorithm, targets: [], seed: 0).isFailOpen)
    }

    /// Control says when too few are healthy; a target of weight 0 gets nothing even then.
    @Test(arguments: [BalancingAlgorithm.roundRobin(slowStart: 0), .flowHash(MaglevTable(keys: [1, 2, 3]))])
    func whereTooFewAreHealthyAllAreUsed(algorithm: BalancingAlgorithm) {
        let group = GroupCell()
        let targets = healthyTargets([1, 1, 0], algorithm, in: group)
        targets[1].cell.isHealthy = false
        var balancer = Balancer(algorithm, targets: targets, seed: 0)
        func picked() -> Set<Int?> { Set((0..<300).map { balancer.pick(request($0), from: targets) }) }
        #expect(!balancer.isFailOpen && picked() == [0])
        group.reach = .allTargets
        balancer.rebuild(targets)
        #expect(balancer.isFailOpen && picked() == [0, 1])
        targets[0].cell.isHealthy = false
        group.reach = .ownZone
        balancer.rebuild(targets)
        #expect(balancer.isFailOpen && picked() == [0, 1], "the healthy one has weight 0")
    }

    @Test(arguments: [BalancingAlgorithm.roundRobin(slowStart: 0), .flowHash(MaglevTable(keys: [1, 2, 3]))])
    func thoseOfThisZoneComeFirst(algorithm: BalancingAlgorithm) {
        let group = GroupCell()
        let targets = healthyTargets([1, 1, 1], algorithm, in: group)
        targets[2].adopt(weight: 1, isInOtherZone: true, algorithm, in: group)
        var balancer = Balancer(algorithm, targets: targets, seed: 0)
        func picked() -> Set<Int?> { Set((0..<300).map { balancer.pick(request($0), from: targets) }) }
        #expect(picked() == [0, 1])
        group.reach = .allZones
        balancer.rebuild(targets)
        #expect(picked() == [0, 1, 2] && !balancer.isFailOpen)
        group.reach = .ownZone
        for target in targets[0...1] { target.cell.isHealthy = false }
        balancer.rebuild(targets)
        #expect(picked() == [2] && !balancer.isFailOpen)
    }

    // MARK: Weights and slow start

    private func targets(weights: [Int]) -> [BalancedTarget] {
        let group = GroupCell()
        return weights.map { weight in
            let target = BalancedTarget(TargetCell())
            target.cell.isHealthy = true
            target.adopt(weight: weight, .roundRobin(slowStart: 0), in: group)
            return target
        }
    }

    private func counts(
        _ picks: Int, from turns: inout Balancer, _ targets: [BalancedTarget], at seconds: UInt64 = 100
    ) -> [Int] {
        var counts = targets.map { _ in 0 }
        let now = Instant(nanoseconds: seconds * 1_000_000_000)
        for _ in 0..<picks {
            let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: now)
            if let pick = turns.pick(request, from: targets) { counts[pick] += 1 }
        }
        return counts
    }

    @Test func weightsAreShares() {
        let targets = targets(weights: [1, 3, 0, 6])
        var turns = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 2)
        for (count, wanted) in zip(counts(1000, from: &turns, targets), [100, 300, 0, 600]) {
            #expect(abs(count - wanted) <= 2)
        }
        targets[3].cell.isHealthy = false
        turns.rebuild(targets)
        #expect(abs(counts(400, from: &turns, targets)[1] - 300) <= 2)
    }

    /// A target of weight 0 is not used even if there is no other.
    @Test func weightZeroIsNobody() {
        let targets = targets(weights: [0, 0])
        var turns = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 0)
        #expect(!turns.isFailOpen && counts(3, from: &turns, targets) == [0, 0])
    }

    @Test func equalWeightsAreTurnsWhateverTheyAre() {
        let targets = targets(weights: [7, 7, 7])
        var turns = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 0)
        let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: Instant(nanoseconds: 1))
        #expect((0..<4).map { _ in turns.pick(request, from: targets) } == [0, 1, 2, 0])
    }

    @Test func aSlowStartGrowsInALine() {
        let targets = targets(weights: [1, 1])
        targets[1].cell.beginSlowStart(now: Instant(nanoseconds: 100_000_000_000))
        var turns = Balancer(.roundRobin(slowStart: 40_000_000_000), targets: targets, seed: 0)
        for (seconds, wanted) in [(110, 0.2), (120, 1.0 / 3), (130, 0.75 / 1.75), (140, 0.5), (200, 0.5)] {
            let share = Double(counts(2000, from: &turns, targets, at: UInt64(seconds))[1]) / 2000
            #expect(abs(share - wanted) < 0.02, "\(share) after \(seconds - 100) seconds")
        }
        targets[1].cell.endSlowStart()
        turns.rebuild(targets)
        #expect(counts(10, from: &turns, targets) == [5, 5])
    }

    @Test func withoutADurationThereIsNoSlowStart() {
        let targets = targets(weights: [1, 1])
        targets[1].cell.beginSlowStart(now: Instant(nanoseconds: 100_000_000_000))
        var turns = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 0)
        #expect(counts(10, from: &turns, targets) == [5, 5])
    }

    /// Weights that become equal, or a slow start that is over, leave plain turns behind.
    @Test func turnsBecomePlainAgain() {
        let targets = targets(weights: [1, 2])
        var balancer = Balancer(.roundRobin(slowStart: 0), targets: targets, seed: 0)
        #expect(counts(30, from: &balancer, targets) == [10, 20])
        for target in targets { target.adopt(weight: 2, .roundRobin(slowStart: 0), in: GroupCell()) }
        balancer.adopt(.roundRobin(slowStart: 0), targets: targets)
        let first = balancer.pick(request(), from: targets)
        #expect((0..<4).map { _ in balancer.pick(request(), from: targets) == first } == [false, true, false, true])
        balancer.adopt(.leastOutstanding, targets: targets)
        balancer.adopt(.roundRobin(slowStart: 0), targets: targets)
        #expect(counts(10, from: &balancer, targets) == [5, 5])
    }
}
