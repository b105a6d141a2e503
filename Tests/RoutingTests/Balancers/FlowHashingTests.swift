import Core
import Testing

@testable import Routing

/// Which target a flow gets, and what a target that fails does to the flows of others.
@Suite struct FlowHashingTests {
    private let targets = healthyTargets([1, 1, 1, 1, 1], .roundRobin(slowStart: 0), in: GroupCell())
    private let hashing: FlowHashing
    private let now = Instant(nanoseconds: 1_000_000_000_000)

    init() { hashing = FlowHashing(MaglevTable(keys: (0..<5).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 })) }

    private func pick(_ hash: UInt64, tried: [Int] = [], mayTry: Bool = true, after time: Nanoseconds = 0) -> Int? {
        let request = PickRequest(
            hash: hash, tried: tried.map { targets[$0] }, mayTrySuspect: mayTry, now: now + time)
        return hashing.pick(request, from: targets)
    }

    private var hashes: [UInt64] {
        var random = FastRandom(seed: 7)
        return (0..<2000).map { _ in random.next() }
    }

    @Test func aFlowHasOneTargetAndAllHaveSome() {
        let first = hashes.map { pick($0) }
        #expect(first == hashes.map { pick($0) } && Set(first) == [0, 1, 2, 3, 4])
    }

    /// Its own flows go, evenly to the rest; no other flow moves; and all are back when it is.
    @Test func aTargetThatFailsMovesItsOwnFlowsAlone() {
        let before = hashes.map { pick($0) }
        targets[2].cell.isHealthy = false
        let during = hashes.map { pick($0) }
        var moved: [Int: Int] = [:]
        for (old, new) in zip(before, during) {
            if old == 2 { moved[new ?? -1, default: 0] += 1 } else { #expect(old == new) }
        }
        #expect(Set(moved.keys) == [0, 1, 3, 4] && moved.values.allSatisfy { $0 > 50 }, "\(moved)")
        targets[2].cell.isHealthy = true
        #expect(hashes.map { pick($0) } == before)
    }

    /// Only a flow that would go elsewhere if it failed finds out whether a suspect is back, and one at a time.
    @Test func aSuspectIsTriedByItsOwnFlows() throws {
        let own = try #require(hashes.first { pick($0) == 1 }), other = try #require(hashes.first { pick($0) == 3 })
        #expect(targets[1].cell.suspect(now: now))
        #expect(pick(own) != 1, "not at once")
        let later = Limits.trialInterval
        #expect(pick(other, after: later) == 3)
        #expect(pick(own, mayTry: false, after: later) != 1)
        #expect(pick(own, after: later) == 1 && pick(own, after: later) != 1)
    }

    @Test func whatWasTriedIsNotPickedAgain() {
        for hash in hashes.prefix(100) {
            var tried: [Int] = []
            while let next = pick(hash, tried: tried) {
                #expect(!tried.contains(next))
                tried.append(next)
            }
            #expect(Set(tried) == [0, 1, 2, 3, 4])
        }
    }

    /// Suspects are better than nobody, unhealthy ones only where nobody is healthy.
    @Test func withoutAHealthyTargetAllAreUsed() throws {
        for index in [0, 1, 2, 3] { targets[index].cell.isHealthy = false }
        #expect(targets[4].cell.suspect(now: now))
        #expect(hashes.prefix(100).allSatisfy { pick($0) == 4 })
        #expect(pick(hashes[0], tried: [4]) == nil, "the others are not healthy")
        targets[4].cell.isHealthy = false
        #expect(hashes.prefix(200).allSatisfy { pick($0) != nil } && Set(hashes.prefix(200).map { pick($0) }).count > 1)
    }

    @Test func withoutTargetsThereIsNone() {
        let request = PickRequest(hash: 1, tried: [], mayTrySuspect: true, now: now)
        #expect(FlowHashing(MaglevTable(keys: [])).pick(request, from: []) == nil)
    }
}
