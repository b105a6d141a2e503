import Core
import Testing

@testable import Routing

@Suite struct RemovalBudgetTests {
    private func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: (1000 + seconds) * 1_000_000_000) }

    /// Removes one target a second as long as it may; returns how many of ten were.
    private func removed(of count: Int, _ percent: Int) -> Int {
        var budget = RemovalBudget()
        var removed = 0
        for second in 0..<10 where budget.mayRemove(of: count, percent: percent, now: at(UInt64(second))) {
            budget.noteRemoval(percent: percent, now: at(UInt64(second)))
            removed += 1
        }
        return removed
    }

    @Test(arguments: [(10, 20, 2), (10, 29, 2), (3, 10, 1), (100, 5, 5), (10, 100, 10), (1, 1, 1)])
    func aShareOfTheTargetsMayGoInAMinuteAndOneAtLeast(_ count: Int, _ percent: Int, _ expected: Int) {
        #expect(removed(of: count, percent) == expected)
    }

    @Test func whatWasRemovedAMinuteAgoDoesNotCount() {
        var budget = RemovalBudget()
        func mayRemove(_ second: UInt64) -> Bool { budget.mayRemove(of: 4, percent: 50, now: at(second)) }
        for second: UInt64 in [0, 30] {
            #expect(mayRemove(second))
            budget.noteRemoval(percent: 50, now: at(second))
        }
        #expect(!mayRemove(59))
        #expect(mayRemove(60))
        budget.noteRemoval(percent: 50, now: at(60))
        #expect(!mayRemove(89))
        #expect(mayRemove(90))
    }
}
