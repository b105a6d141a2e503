import Core
import Testing

@testable import Routing

@Suite struct RetryBudgetTests {
    private static let second: UInt64 = 1_000_000_000
    private let start = Instant(nanoseconds: 100 * second)

    @Test func isAShareOfTheRequests() {
        var budget = RetryBudget()
        for _ in 0..<1_000 { budget.noteRequest(now: start) }
        var count = 0
        while budget.take(percent: 20, now: start) { count += 1 }
        #expect(count == 200)
        let (hasRoom, hasMore) = (budget.hasRoom(percent: 20, now: start), budget.hasRoom(percent: 21, now: start))
        #expect(!hasRoom && hasMore)
    }

    @Test func tenAreAlwaysAllowedUnlessDisabled() {
        var budget = RetryBudget()
        let taken = (0..<11).map { _ in budget.take(percent: 1, now: start) }
        #expect(taken == [Bool](repeating: true, count: 10) + [false])
        var none = RetryBudget()
        let (isTaken, isHalfFull) = (none.take(percent: 0, now: start), none.isHalfFull(percent: 0, now: start))
        #expect(!isTaken && !isHalfFull)
    }

    @Test func forgetsAfterTenSeconds() {
        var budget = RetryBudget()
        for _ in 0..<10 { _ = budget.take(percent: 20, now: start) }
        let rooms = [9, 10].map { budget.hasRoom(percent: 20, now: start + $0 * Self.second) }
        #expect(rooms == [false, true])
        for _ in 0..<1_000 { budget.noteRequest(now: start + 10 * Self.second) }
        var count = 0
        while budget.take(percent: 20, now: start + 15 * Self.second) { count += 1 }
        #expect(count == 200, "requests of five seconds ago still count")
        let hasRoom = budget.hasRoom(percent: 20, now: start + 1_000 * Self.second)
        #expect(hasRoom)
    }

    @Test func trialsMayUseHalfOfIt() {
        var budget = RetryBudget()
        for count in 0..<10 {
            let isHalfFull = budget.isHalfFull(percent: 20, now: start)
            #expect(isHalfFull == (count < 5))
            _ = budget.take(percent: 20, now: start)
        }
    }
}
