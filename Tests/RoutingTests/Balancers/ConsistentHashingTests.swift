import Core
import Testing

@testable import Routing

@Suite struct ConsistentHashingTests {
    private let group = GroupCell()

    private func key(_ number: Int) -> UInt64 {
        var hash = FlowHash()
        hash.add(UInt64(number + 1))
        return hash.value
    }

    private func balancer(_ weights: [Int], bound: Int = 125) -> (Balancer, [BalancedTarget]) {
        let algorithm = BalancingAlgorithm.consistentHash(
            MaglevTable(keys: weights.indices.map(key), weights: weights), boundPercent: bound)
        let targets = healthyTargets(weights, algorithm, in: group)
        return (Balancer(algorithm, targets: targets, seed: 0), targets)
    }

    private func request(_ hash: UInt64, tried: [BalancedTarget] = [], mayTrySuspect: Bool = false) -> PickRequest {
        PickRequest(hash: hash, tried: tried, mayTrySuspect: mayTrySuspect, now: Instant(nanoseconds: 9_000_000_000))
    }

    @Test func theSameGoesToTheSame() {
        var (one, targets) = balancer([1, 1, 1, 1])
        var (other, same) = balancer([1, 1, 1, 1])
        for hash in (0..<200).map(key) {
            let pick = one.pick(request(hash), from: targets)
            #expect(pick != nil && pick == other.pick(request(hash), from: same))
        }
    }

    /// One that turns unhealthy moves what is its own, and has it again.
    @Test func anUnhealthyTargetMovesItsOwnAlone() {
        var (balancer, targets) = balancer([1, 1, 1, 1, 1])
        let hashes = (0..<500).map(key)
        let before = hashes.map { balancer.pick(request($0), from: targets) }
        targets[2].cell.isHealthy = false
        balancer.rebuild(targets)
        for (hash, old) in zip(hashes, before) {
            let new = balancer.pick(request(hash), from: targets)
            #expect(old == 2 ? new != 2 && new != nil : new == old)
        }
        targets[2].cell.isHealthy = true
        balancer.rebuild(targets)
        #expect(hashes.map { balancer.pick(request($0), from: targets) } == before)
    }

    /// With n in flight nobody has more than 1.25 n / 4, rounded up, but for the first few, whatever the hashes, 0 too.
    @Test(arguments: [0, 1, 77] as [UInt64]) func theBoundHolds(hash: UInt64) {
        var (balancer, targets) = balancer([1, 1, 1, 1])
        for count in 1...100 {
            guard let pick = balancer.pick(request(hash), from: targets) else { return #expect(Bool(false)) }
            targets[pick].began()
            let bound = max(Limits.hashBoundMin, (125 * count + 399) / 400)
            #expect(targets.allSatisfy { $0.inFlight <= bound }, "\(targets.map(\.inFlight)) of \(count)")
        }
    }

    @Test(arguments: [3, 10, 100]) func theBoundHoldsForAnyKeyAndSize(targetCount: Int) {
        for hash in (0..<50).map(key) {
            var (balancer, targets) = balancer(Array(repeating: 1, count: targetCount))
            for count in 1...(targetCount * 20) {
                guard let pick = balancer.pick(request(hash), from: targets) else { return #expect(Bool(false)) }
                targets[pick].began()
                let share = (125 * count + 100 * targetCount - 1) / (100 * targetCount)
                let bound = max(Limits.hashBoundMin, share)
                guard targets[pick].inFlight <= bound else {
                    Issue.record("\(targets[pick].inFlight) in flight of \(count), key \(hash)")
                    return
                }
            }
            for target in targets { while target.inFlight > 0 { target.ended() } }
        }
    }

    @Test func withoutABoundAllIsSticky() {
        var (balancer, targets) = balancer([1, 1, 1], bound: 0)
        let first = balancer.pick(request(5), from: targets)
        for _ in 0..<50 { targets[balancer.pick(request(5), from: targets) ?? 0].began() }
        #expect(targets[first ?? 0].inFlight == 50)
    }

    @Test func whatWasTriedIsPassedOverAndNoneIsLeft() {
        var (balancer, targets) = balancer([1, 1, 1, 0])
        for hash in (0..<50).map(key) {
            var tried: [BalancedTarget] = []
            while let pick = balancer.pick(request(hash, tried: tried), from: targets) { tried.append(targets[pick]) }
            #expect(tried.count == 3 && !targets[3].isAmong(tried))
        }
    }

    @Test func aSuspectIsTriedByItsOwn() {
        var (balancer, targets) = balancer([1, 1, 1])
        let own = (0..<100).map(key).first { balancer.pick(request($0), from: targets) == 1 } ?? 0
        let foreign = (0..<100).map(key).first { balancer.pick(request($0), from: targets) == 0 } ?? 0
        _ = targets[1].cell.suspect(now: Instant(nanoseconds: 1))
        balancer.rebuild(targets)
        #expect(balancer.hasSuspects)
        #expect(balancer.pick(request(foreign, mayTrySuspect: true), from: targets) == 0)
        #expect(balancer.pick(request(own), from: targets) != 1)
        #expect(balancer.pick(request(own, mayTrySuspect: true), from: targets) == 1)
    }
}
