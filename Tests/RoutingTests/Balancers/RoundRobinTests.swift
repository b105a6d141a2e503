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
        Case(
            why: "other zones wait", uses: [.otherZone, .ready, .lastResort], expected: [1], isFailOpen: false),
        Case(
            why: "none ready here", uses: [.otherZone, .never, .lastResort], expected: [0], isFailOpen: false),
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

    /// A target of another zone that is not suspect is worth more than suspects of this one.
    @Test func suspectsOfThisZoneBringInOtherZones() {
        var turns = RoundRobin()
        turns.rebuild(count: 3, isSuspect: { $0 == 0 }) { [.ready, .otherZone, .lastResort][$0] }
        #expect(picks(2, from: &turns) == [1, 1] && turns.suspects == [0] && !turns.isFailOpen)
        turns.rebuild(count: 3, isSuspect: { $0 < 2 }) { [.ready, .otherZone, .lastResort][$0] }
        #expect(Set(picks(2, from: &turns)) == [0, 1])
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
}
