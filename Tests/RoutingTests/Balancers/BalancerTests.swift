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
        #expect(!balancer.isFailOpen(targets))
        for target in targets { target.cell.isHealthy = false }
        balancer.rebuild(targets)
        #expect(balancer.isFailOpen(targets) && balancer.pick(request(3), from: targets) != nil)
        #expect(!Balancer(algorithm, targets: [], seed: 0).isFailOpen([]))
    }
}
