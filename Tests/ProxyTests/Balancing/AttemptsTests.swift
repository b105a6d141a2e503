import Core
import Testing

@testable import Proxy

@Suite struct AttemptsTests {
    private let now = Instant(nanoseconds: 1_000)
    private let pools = (0..<4).map { TargetPool(Plans.target($0)) }

    private func token(_ index: Int) -> Token { Token(index: index, generation: 1) }

    @Test func threeAttemptsMayBegin() {
        var attempts = Attempts()
        for index in 0..<3 {
            #expect(attempts.mayBegin)
            attempts.begin()
            attempts.wait(for: pools[index], token(index), now: now)
        }
        #expect(!attempts.mayBegin && attempts.tried.count == 3 && attempts.pending.count == 3)
        attempts.uncount()
        #expect(attempts.mayBegin)
    }

    @Test func theRaceEndsWithTheLastAttempt() {
        var attempts = Attempts()
        attempts.begin()
        attempts.awaitNext(after: 250, now: now)
        #expect(attempts.nextAt == now + 250)
        attempts.awaitNext(after: 0, now: now)
        #expect(attempts.nextAt == .distantFuture, "no race at all")
        attempts.begin()
        attempts.begin()
        attempts.awaitNext(after: 250, now: now)
        #expect(attempts.nextAt == .distantFuture, "nobody is left to join")
    }

    @Test func anAttemptIsTakenOutOnce() throws {
        var attempts = Attempts()
        for index in 0..<2 {
            attempts.begin()
            attempts.wait(for: pools[index], token(index), now: now)
        }
        attempts.begin()
        attempts.wait(for: pools[2], ticket: 9, now: now)
        let taken = attempts.take(token(1))
        let second = try #require(taken)
        #expect(second.pool === pools[1] && second.beganAt == now)
        let again = attempts.take(token(1))
        #expect(again == nil)
        let waiting = attempts.take(pools[2])
        let third = try #require(waiting)
        #expect(third.token == .none && third.ticket == 9)
        let (first, nobody) = (attempts.takeFirst(), attempts.takeFirst())
        #expect(first?.pool === pools[0] && nobody == nil)
        attempts.putBack(second)
        #expect(attempts.pending.count == 1 && attempts.count == 3)
    }

    @Test func aTargetIsRememberedOnce() {
        var attempts = Attempts()
        attempts.exclude(pools[3])
        attempts.exclude(pools[3])
        #expect(attempts.tried.count == 1)
        attempts.lastFailure = .connectTimedOut
        attempts.reset()
        #expect(attempts.tried.isEmpty && attempts.count == 0 && attempts.lastFailure == nil)
    }
}
