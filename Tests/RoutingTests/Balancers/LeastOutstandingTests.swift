import Core
import Testing

@testable import Routing

@Suite struct LeastOutstandingTests {
    private let group = GroupCell()
    private let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: Instant(nanoseconds: 1))

    private func targets(_ weights: [Int]) -> [BalancedTarget] {
        healthyTargets(weights, .leastOutstanding, in: group)
    }

    private func balancer(_ targets: [BalancedTarget]) -> LeastOutstanding {
        var least = LeastOutstanding(startingAt: 0)
        least.rebuild(targets)
        return least
    }

    @Test func theLeastBusyIsPicked() {
        let targets = targets([1, 1, 1])
        var least = balancer(targets)
        for index in [0, 0, 1, 1, 2] { targets[index].began() }
        for _ in 0..<3 { #expect(least.pick(request, from: targets) == 2) }
        targets[2].began()
        targets[0].ended()
        #expect(least.pick(request, from: targets) == 0)
    }

    /// Another worker's requests count as well.
    @Test func allWorkersAreCounted() {
        let targets = targets([1, 1])
        let elsewhere = BalancedTarget(targets[0].cell)
        elsewhere.adopt(weight: 1, .leastOutstanding, in: group)
        var least = balancer(targets)
        elsewhere.began()
        for _ in 0..<3 { #expect(least.pick(request, from: targets) == 1) }
        elsewhere.ended()
        #expect(Set((0..<2).map { _ in least.pick(request, from: targets) }) == [0, 1])
    }

    @Test func idleTargetsShareByWeight() {
        let targets = targets([1, 2, 5, 0])
        var least = balancer(targets)
        var counts = [0, 0, 0, 0]
        for _ in 0..<80 { counts[least.pick(request, from: targets) ?? 3] += 1 }
        #expect(counts == [10, 20, 50, 0])
    }

    @Test func weightsDivideWhatIsInFlight() {
        let targets = targets([1, 3])
        var least = balancer(targets)
        for _ in 0..<400 { targets[least.pick(request, from: targets) ?? 0].began() }
        #expect(targets.map(\.inFlight) == [100, 300])
    }

    /// In a large group the window comes to everybody: nobody is left out, and nobody is much busier than another.
    @Test func aLargeGroupIsEven() {
        let targets = targets(Array(repeating: 1, count: 1000))
        var least = balancer(targets)
        for _ in 0..<10_000 { targets[least.pick(request, from: targets) ?? 0].began() }
        let counts = targets.map(\.inFlight)
        #expect((counts.min() ?? 0) >= 9 && (counts.max() ?? 0) <= 11)
    }

    @Test func withoutTargetsThereIsNone() {
        var least = balancer([])
        #expect(least.pick(request, from: []) == nil)
    }
}
