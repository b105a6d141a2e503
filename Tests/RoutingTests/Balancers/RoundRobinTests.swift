import Core
import Testing

@testable import Routing

@Suite struct RoundRobinTests {
    private func picks(_ count: Int, from turns: inout RoundRobin) -> [Int?] { (0..<count).map { _ in turns.next() } }

    @Test func picksNothingWithoutTargets() {
        var turns = RoundRobin(startingAt: 3)
        #expect(turns.next() == nil)
        turns.rebuild(count: 0) { _ in .ready }
        #expect(turns.next() == nil)
        #expect(turns.isEmpty && !turns.isFailOpen)
    }

    @Test(arguments: [1, 3, 3000]) func everyTargetInTurn(_ count: Int) {
        var turns = RoundRobin()
        turns.rebuild(count: count) { _ in .ready }
        #expect(turns.eligibleCount == count)
        for _ in 0..<2 { #expect(picks(count, from: &turns) == Array(0..<count)) }
    }

    @Test(arguments: [(0, 0), (1, 1), (2, 2), (3, 0), (7, 1)]) func startsAtItsOffset(_ offset: Int, _ first: Int) {
        var turns = RoundRobin(startingAt: offset)
        turns.rebuild(count: 3) { _ in .ready }
        #expect(turns.next() == first)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let why: String, uses: [TargetUse], expected: [Int], isFailOpen: Bool
        var testDescription: String { why }
    }

    static let cases = [
        Case(
            why: "ready ones only", uses: [.lastResort, .ready, .never, .ready], expected: [1, 3], isFailOpen: false),
        Case(
            why: "none ready: all registered", uses: [.lastResort, .never, .lastResort], expected: [0, 2],
            isFailOpen: true),
        Case(why: "all draining", uses: [.never, .never], expected: [], isFailOpen: false),
        Case(why: "one ready", uses: [.lastResort, .lastResort, .ready], expected: [2], isFailOpen: false),
    ]

    @Test(arguments: cases) func eligibility(_ test: Case) {
        var turns = RoundRobin()
        turns.rebuild(count: test.uses.count) { test.uses[$0] }
        #expect(turns.isFailOpen == test.isFailOpen)
        #expect(turns.eligibleCount == test.expected.count)
        for _ in 0..<2 { #expect(picks(test.expected.count, from: &turns) == test.expected) }
        #expect(turns.isEmpty == test.expected.isEmpty)
    }

    /// Suspects are skipped only while there are other eligible targets.
    @Test func suspectsComeLast() {
        var turns = RoundRobin()
        turns.rebuild(count: 4, isSuspect: { $0 == 1 }) { $0 == 3 ? .lastResort : .ready }
        #expect(picks(4, from: &turns) == [0, 2, 0, 2] && turns.suspects == [1] && !turns.isFailOpen)
        turns.rebuild(count: 4, isSuspect: { $0 < 3 }) { $0 == 3 ? .lastResort : .ready }
        #expect(Set(picks(3, from: &turns)) == [0, 1, 2] && turns.suspects.isEmpty && !turns.isFailOpen)
        turns.rebuild(count: 4, isSuspect: { $0 == 0 }) { _ in .lastResort }
        #expect(Set(picks(3, from: &turns)) == [1, 2, 3] && turns.suspects == [0] && turns.isFailOpen)
    }

    @Test func turnSurvivesRebuilds() {
        var turns = RoundRobin()
        turns.rebuild(count: 5) { _ in .ready }
        #expect(picks(2, from: &turns) == [0, 1])
        turns.rebuild(count: 5) { $0 == 2 ? .lastResort : .ready }  // the next target was removed
        #expect(picks(2, from: &turns) == [3, 4])
        turns.rebuild(count: 5) { _ in .ready }  // it was added again: it waits for its turn
        #expect(picks(4, from: &turns) == [0, 1, 2, 3])
        turns.rebuild(count: 3) { _ in .ready }  // the list became shorter than the turn
        #expect(turns.next() == 1)
        turns.rebuild(count: 5) { _ in .never }
        #expect(turns.next() == nil)
        turns.rebuild(count: 5) { _ in .ready }  // after an empty list, where it was
        #expect(turns.next() == 2)
    }

    /// With a rebuild before every pick, each without another target, no target is favoured.
    @Test func flappingFavoursNoTarget() {
        var random = FastRandom(seed: 5)
        var turns = RoundRobin()
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<20_000 {
            let missing = random.next(below: 10)
            turns.rebuild(count: 10) { $0 == missing ? .lastResort : .ready }
            counts[turns.next()!] += 1
        }
        for count in counts { #expect(abs(count - 2000) < 200) }
    }

    @Test func rebuildsWithoutChangeDoNotDisturb() {
        var turns = RoundRobin()
        var sequence: [Int?] = []
        for _ in 0..<30 {
            turns.rebuild(count: 7) { _ in .ready }
            sequence.append(turns.next())
        }
        #expect(sequence == (0..<30).map { $0 % 7 })
    }

    // MARK: Weights and slow start

    private func targets(_ weights: [Int]) -> [BalancedTarget] {
        let group = GroupCell()
        return weights.map { weight in
            let target = BalancedTarget(TargetCell())
            target.cell.isHealthy = true
            target.adopt(weight: weight, .roundRobin(slowStart: 0), in: group)
            return target
        }
    }

    private func counts(
        _ picks: Int, from turns: inout RoundRobin, _ targets: [BalancedTarget], at seconds: UInt64 = 100
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
        let targets = targets([1, 3, 0, 6])
        var turns = RoundRobin(startingAt: 2)
        turns.rebuild(targets)
        for (count, wanted) in zip(counts(1000, from: &turns, targets), [100, 300, 0, 600]) {
            #expect(abs(count - wanted) <= 2)
        }
        targets[3].cell.isHealthy = false
        turns.rebuild(targets)
        #expect(abs(counts(400, from: &turns, targets)[1] - 300) <= 2)
    }

    /// A target of weight 0 is not used even if there is no other.
    @Test func weightZeroIsNobody() {
        let targets = targets([0, 0])
        var turns = RoundRobin()
        turns.rebuild(targets)
        #expect(turns.isEmpty && !turns.isFailOpen && counts(3, from: &turns, targets) == [0, 0])
    }

    @Test func equalWeightsAreTurnsWhateverTheyAre() {
        let targets = targets([7, 7, 7])
        var turns = RoundRobin()
        turns.rebuild(targets)
        let request = PickRequest(hash: 0, tried: [], mayTrySuspect: false, now: Instant(nanoseconds: 1))
        #expect((0..<4).map { _ in turns.pick(request, from: targets) } == [0, 1, 2, 0])
    }

    @Test func aSlowStartGrowsInALine() {
        let targets = targets([1, 1])
        targets[1].cell.beginSlowStart(now: Instant(nanoseconds: 100_000_000_000))
        var turns = RoundRobin(slowStart: 40_000_000_000)
        turns.rebuild(targets)
        for (seconds, wanted) in [(110, 0.2), (120, 1.0 / 3), (130, 0.75 / 1.75), (140, 0.5), (200, 0.5)] {
            let share = Double(counts(2000, from: &turns, targets, at: UInt64(seconds))[1]) / 2000
            #expect(abs(share - wanted) < 0.02, "\(share) after \(seconds - 100) seconds")
        }
        targets[1].cell.endSlowStart()
        turns.rebuild(targets)
        #expect(counts(10, from: &turns, targets) == [5, 5])
    }

    @Test func withoutADurationThereIsNoSlowStart() {
        let targets = targets([1, 1])
        targets[1].cell.beginSlowStart(now: Instant(nanoseconds: 100_000_000_000))
        var turns = RoundRobin()
        turns.rebuild(targets)
        #expect(counts(10, from: &turns, targets) == [5, 5])
    }
}
