import Core
import Testing

@testable import Routing

@Suite struct WaitBoardTests {
    private let wakeups = (0..<3).map { _ in EventDescriptor() }

    /// Which of the workers were woken since this was asked last.
    private func woken() -> [Int] {
        wakeups.indices.filter { index in
            var poller = Poller()
            poller.add(wakeups[index].descriptor, token: .none, interest: .readable)
            let now = Instant.now()
            let isWoken = poller.wait(until: now, now: now) == 1
            wakeups[index].clear()
            return isWoken
        }
    }

    @Test func theOldestOfTheOthersIsFound() {
        let board = WaitBoard(wakeups)
        #expect(!board.isAnyWaiting && board.oldest(besides: 0) == nil)
        board.publish(Instant(nanoseconds: 50), of: 0)
        board.publish(Instant(nanoseconds: 40), of: 2)
        #expect(board.isAnyWaiting && board.oldest(besides: 0)?.worker == 2)
        #expect(board.oldest(besides: 2)?.worker == 0 && board.oldest(besides: 2)?.since.nanoseconds == 50)
        board.publish(Instant(nanoseconds: 30), of: 1)
        #expect(board.oldest(besides: 0)?.worker == 1)
        for worker in 0..<3 { board.publish(nil, of: worker) }
        #expect(!board.isAnyWaiting && board.oldest(besides: 1) == nil)
    }

    @Test func onlyWhoWaitsIsWokenByAChange() {
        let cell = GroupCell()
        cell.flip()
        let board = cell.waitBoard(wakeups)
        #expect(cell.waitBoard === board && cell.waitBoard([]) === board, "there is one")
        cell.flip()
        #expect(woken().isEmpty)
        board.publish(Instant(nanoseconds: 1), of: 1)
        board.publishOthers(true, of: 2)
        cell.flip()
        #expect(woken() == [1, 2])
        board.publish(nil, of: 1)
        board.publishOthers(false, of: 2)
        cell.flip()
        #expect(woken().isEmpty)
    }

    @Test func noMoreWaitThanMay() {
        let cell = GroupCell()
        #expect(cell.beginWait(most: 2) && cell.beginWait(most: 2) && !cell.beginWait(most: 2))
        cell.endWait()
        #expect(cell.beginWait(most: 2) && !cell.beginWait(most: 0))
    }
}
