import Core
import Testing

@testable import Proxy

@Suite struct TargetPoolTests {
    private static func connection(_ pool: TargetPool, _ number: Int) -> TargetConnection {
        TargetConnection(
            transport: Plans.noTransport(to: .target, token: Token(index: number, generation: 1)), pool: pool,
            group: Plans.emptyGroup, now: Instant(nanoseconds: 0))
    }

    private func indices(_ connections: [TargetConnection]) -> [Int] { connections.map(\.transport.token.index) }

    @Test func isItsTarget() {
        let plan = Plans.target(6)
        let pool = TargetPool(plan)
        #expect(pool.id == 6 && pool.address == plan.address && pool.cell === plan.cell)
        #expect(pool.idle.all.isEmpty && pool.inFlight == 0 && pool.draining == nil)
        #expect(pool.takeIdle() == nil)
    }

    @Test func theLastUsedIsUsedNext() {
        let pool = TargetPool(Plans.target(0))
        for number in 1...3 { pool.putIdle(Self.connection(pool, number)) }
        #expect(indices(pool.idle.all) == [1, 2, 3], "oldest first")
        #expect(pool.takeIdle()?.transport.token.index == 3)
        pool.putIdle(Self.connection(pool, 4))
        #expect([pool.takeIdle(), pool.takeIdle(), pool.takeIdle()].map { $0?.transport.token.index } == [4, 2, 1])
        #expect(pool.takeIdle() == nil)
    }

    @Test func theOldestMakesRoom() {
        let pool = TargetPool(Plans.target(0))
        var evicted: [Int?] = []
        for number in 1...5 {
            pool.putIdle(Self.connection(pool, number))
            evicted.append(pool.takeExcess(over: 3)?.transport.token.index)
        }
        #expect(evicted == [nil, nil, nil, 1, 2])
        #expect(indices(pool.idle.all) == [3, 4, 5])
    }

    @Test func aPoolOfNoneKeepsNothing() {
        let pool = TargetPool(Plans.target(0))
        let connection = Self.connection(pool, 1)
        pool.putIdle(connection)
        #expect(pool.takeExcess(over: 0) === connection)
        #expect(pool.idle.all.isEmpty)
    }

    @Test func aSmallerCapTakesTheOldestOneByOne() {
        let pool = TargetPool(Plans.target(0))
        for number in 1...4 { pool.putIdle(Self.connection(pool, number)) }
        #expect(pool.takeExcess(over: 2)?.transport.token.index == 1)
        #expect(pool.takeExcess(over: 2)?.transport.token.index == 2)
        #expect(pool.takeExcess(over: 2) == nil)
        #expect(indices(pool.idle.all) == [3, 4])
    }

    @Test(arguments: [1, 2, 3]) func aClosedConnectionIsTakenOut(number: Int) {
        let pool = TargetPool(Plans.target(0))
        let connections = (1...3).map { Self.connection(pool, $0) }
        for connection in connections { pool.putIdle(connection) }
        pool.removeIdle(connections[number - 1])
        #expect(indices(pool.idle.all) == [1, 2, 3].filter { $0 != number })
    }

    // MARK: Draining

    @Test func countsExchangesInFlight() {
        let pool = TargetPool(Plans.target(0))
        for _ in 0..<3 { pool.begin() }
        pool.end(cut: false)
        #expect(pool.inFlight == 2)
        pool.end(cut: true)
        #expect(pool.inFlight == 1 && pool.draining == nil)
    }

    /// Only exchanges that end while the target drains are told to whoever waits for it.
    @Test func drainingCountsWhatEndsFromThenOn() throws {
        let pool = TargetPool(Plans.target(0))
        for _ in 0..<6 { pool.begin() }
        pool.end(cut: false)
        pool.drain()
        var draining = try #require(pool.draining)
        #expect(draining.finished == 0 && draining.cut == 0)
        for isCut in [false, true, false, true, true] { pool.end(cut: isCut) }
        draining = try #require(pool.draining)
        #expect(draining.finished == 2 && draining.cut == 3 && pool.inFlight == 0)
    }

    @Test func misuseTraps() async {
        await #expect(processExitsWith: .failure) {
            let pool = TargetPool(Plans.target(0))
            pool.removeIdle(Self.connection(pool, 1))
        }
        await #expect(processExitsWith: .failure) { TargetPool(Plans.target(0)).end(cut: false) }
        await #expect(processExitsWith: .failure) {
            let pool = TargetPool(Plans.target(0))
            pool.drain()
            pool.drain()
        }
    }

    /// What was sent within half a second of the first silence may have been read by a host that died then.
    @Test func onlyWhatWasSentLongAfterTheFirstSilenceNeverArrived() {
        let pool = TargetPool(Plans.target(0)), start = Instant(nanoseconds: 10_000_000_000)
        #expect(!pool.wasGone(at: start))
        for delay: UInt64 in [7, 0, 9] { #expect(pool.recordUnresponsive(since: start + delay)) }
        #expect(!pool.wasGone(at: start) && !pool.wasGone(at: start + 499_999_999))
        #expect(pool.wasGone(at: start + 500_000_000))
        pool.recordResponsive(now: start + 1_000_000_000)
        #expect(!pool.wasGone(at: start + 900_000_000))
        #expect(!pool.recordUnresponsive(since: start + 999_999_999), "it was heard on another connection since")
        #expect(pool.recordUnresponsive(since: start + 1_000_000_001))
    }
}
