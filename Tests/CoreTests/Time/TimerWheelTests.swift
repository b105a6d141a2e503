import Core
import Testing

@Suite struct TimerWheelTests {
    /// Nanoseconds of a tick, and ticks of one turn of each level.
    private static let tick: UInt64 = 1 << 22
    private static let turns: [UInt64] = [64, 64 * 64, 64 * 64 * 64, 64 * 64 * 64 * 64]

    private static func instant(tick: UInt64, plus nanoseconds: UInt64 = 0) -> Instant {
        Instant(nanoseconds: tick * Self.tick + nanoseconds)
    }

    private static func token(_ index: Int, _ generation: UInt32 = 1) -> Token {
        Token(index: index, generation: generation)
    }

    private static func expired(_ wheel: inout TimerWheel, at now: Instant) -> [Token] {
        var tokens: [Token] = []
        while let token = wheel.nextExpired(now: now) { tokens.append(token) }
        return tokens
    }

    @Test func anEmptyWheelWaitsForNothing() {
        var wheel = TimerWheel(now: Self.instant(tick: 1000))
        #expect(wheel.count == 0)
        #expect(wheel.nextDeadline == nil)
        #expect(wheel.nextExpired(now: Self.instant(tick: 100_000)) == nil)
    }

    /// Distances around every boundary of the four levels, and beyond the last.
    static let distances: [UInt64] = {
        var all: Set<UInt64> = [0, 1, 2, 3, 5 * turns[3], 5 * turns[3] + 1234]
        for turn in turns {
            for near in [turn - 1, turn, turn + 1, 2 * turn - 1, 2 * turn, 2 * turn + 1] { all.insert(near) }
            for part in [turn / 64 * 63 - 1, turn / 64 * 63, turn / 64 * 63 + 1] { all.insert(part) }
        }
        return all.sorted()
    }()

    /// Starting points around the same boundaries. If the start is not aligned, a deadline may fall into the current
    /// slot of a coarser level, a whole turn away.
    static let starts: [UInt64] = [0, 1, 63, 64, 65, 4095, 4096, 262_143, 262_144, 16_777_215, 16_777_216, 987_654_321]

    /// Calls the wheel as a worker does, at the instants of `nextDeadline`. The timer must fire at the first tick not
    /// before its deadline, after few calls.
    @Test(arguments: distances) func firesAtTheFirstTickNotBefore(distance: UInt64) throws {
        for start in Self.starts {
            for offset in [0, 1, Self.tick - 1] {
                var wheel = TimerWheel(now: Self.instant(tick: start, plus: 12345))
                let deadline = Self.instant(tick: start + distance, plus: offset)
                wheel.schedule(Self.token(9), at: deadline)
                let dueTick = start + distance + (offset == 0 ? 0 : 1)
                var visits = 0
                while true {
                    let wake = try #require(wheel.nextDeadline)
                    #expect(wake <= Self.instant(tick: dueTick), "start \(start), offset \(offset)")
                    let fired = Self.expired(&wheel, at: wake)
                    visits += 1
                    if fired.isEmpty {
                        try #require(wake < Self.instant(tick: dueTick) && visits < 20)
                        continue
                    }
                    #expect(fired == [Self.token(9)])
                    #expect(wake >= deadline, "early: start \(start), offset \(offset)")
                    break
                }
                #expect(wheel.count == 0 && wheel.nextDeadline == nil)
            }
        }
    }

    /// The same in one step: the timer must not fire at the last nanosecond before its tick, but at its tick.
    @Test(arguments: distances) func firesAfterOneLongSleep(distance: UInt64) {
        for start in Self.starts {
            var wheel = TimerWheel(now: Self.instant(tick: start))
            wheel.schedule(Self.token(1), at: Self.instant(tick: start + distance))
            if distance > 0 {
                let justBefore = Instant(nanoseconds: Self.instant(tick: start + distance).nanoseconds - 1)
                #expect(wheel.nextExpired(now: justBefore) == nil, "start \(start)")
            }
            let fired = Self.expired(&wheel, at: Self.instant(tick: start + distance))
            #expect(fired == [Self.token(1)], "start \(start)")
        }
    }

    @Test func aDeadlineInThePastIsDueAtOnce() {
        var wheel = TimerWheel(now: Self.instant(tick: 500))
        wheel.schedule(Self.token(0), at: Instant(nanoseconds: 0))
        wheel.schedule(Self.token(1), at: Self.instant(tick: 500))
        #expect(wheel.nextDeadline == Self.instant(tick: 500))
        #expect(Set(Self.expired(&wheel, at: Self.instant(tick: 500))) == [Self.token(0), Self.token(1)])
    }

    @Test func theDistantFutureDoesNotOverflow() throws {
        var wheel = TimerWheel(now: Self.instant(tick: 77))
        wheel.schedule(Self.token(0), at: .distantFuture)
        for year in UInt64(1)...50 {
            let now = Instant(nanoseconds: year * 365 * 86_400 * 1_000_000_000)
            #expect(wheel.nextExpired(now: now) == nil)
            #expect(try #require(wheel.nextDeadline) > now)
        }
        wheel.cancel(Self.token(0))
        #expect(wheel.count == 0)
    }

    @Test func movesATimer() {
        var wheel = TimerWheel(now: Self.instant(tick: 0))
        wheel.schedule(Self.token(4), at: Self.instant(tick: 10))
        wheel.schedule(Self.token(4), at: Self.instant(tick: 5000))
        #expect(wheel.count == 1)
        #expect(wheel.nextExpired(now: Self.instant(tick: 4999)) == nil)
        wheel.schedule(Self.token(4), at: Self.instant(tick: 5001))
        #expect(wheel.nextExpired(now: Self.instant(tick: 5000)) == nil)
        #expect(Self.expired(&wheel, at: Self.instant(tick: 5001)) == [Self.token(4)])
        #expect(wheel.count == 0)
    }

    /// A timer that is due and was not returned yet can still be moved or cancelled.
    @Test func movesAndCancelsDueTimers() {
        var wheel = TimerWheel(now: Self.instant(tick: 0))
        for index in 0..<3 { wheel.schedule(Self.token(index), at: Self.instant(tick: 7)) }
        let first = wheel.nextExpired(now: Self.instant(tick: 7))
        let left = (0..<3).map { Self.token($0) }.filter { $0 != first }
        #expect(left.count == 2)
        wheel.cancel(left[0])
        wheel.schedule(left[1], at: Self.instant(tick: 8))
        #expect(wheel.nextExpired(now: Self.instant(tick: 7)) == nil)
        #expect(Self.expired(&wheel, at: Self.instant(tick: 8)) == [left[1]])
    }

    @Test func cancelsOnlyForTheOwnToken() {
        var wheel = TimerWheel(now: Self.instant(tick: 0))
        wheel.cancel(Self.token(3))
        wheel.schedule(Self.token(3, 2), at: Self.instant(tick: 9))
        wheel.cancel(Self.token(3, 1))
        #expect(wheel.count == 1, "the token of an earlier occupant has no effect")
        wheel.cancel(Self.token(3, 2))
        #expect(wheel.count == 0 && wheel.nextDeadline == nil)
        wheel.cancel(Self.token(3, 2))
        #expect(wheel.count == 0)
        #expect(wheel.nextExpired(now: Self.instant(tick: 100)) == nil)
    }

    @Test func firesWithTheLastToken() {
        var wheel = TimerWheel(now: Self.instant(tick: 0))
        wheel.schedule(Self.token(3, 1), at: Self.instant(tick: 9))
        wheel.schedule(Self.token(3, 2), at: Self.instant(tick: 9))
        #expect(Self.expired(&wheel, at: Self.instant(tick: 9)) == [Self.token(3, 2)])
    }

    /// A worker without connections has no timers. When the next one is set, the wheel must not step through every tick
    /// since then: for a hundred years that would take too long.
    @Test func catchesUpWithALongSleepAtOnce() throws {
        let century: UInt64 = 750_000_000_000
        var wheel = TimerWheel(now: Self.instant(tick: 3))
        wheel.schedule(Self.token(0), at: Self.instant(tick: century))
        #expect(Self.expired(&wheel, at: Self.instant(tick: century)) == [Self.token(0)])
        wheel.schedule(Self.token(0), at: Self.instant(tick: 2 * century + 70))
        wheel.schedule(Self.token(1), at: Self.instant(tick: 2 * century))
        #expect(Self.expired(&wheel, at: Self.instant(tick: 2 * century + 69)) == [Self.token(1)])
        #expect(Self.expired(&wheel, at: Self.instant(tick: 2 * century + 70)) == [Self.token(0)])
    }
}

/// Random schedules against a simple model, a dictionary of deadlines.
@Suite struct TimerWheelModelTests {
    private static let tick: UInt64 = 1 << 22
    private static let slotCount = 200

    /// The behaviour of a timer wheel, implemented simply and slowly.
    private struct Model {
        var deadlines: [Token: Instant] = [:]

        /// The first tick that is not before the earliest deadline.
        var earliestTick: UInt64? {
            deadlines.values.map { ($0.nanoseconds + tick - 1) / tick }.min()
        }

        mutating func takeDue(at now: Instant) -> Set<Token> {
            let due = deadlines.filter { ($0.value.nanoseconds + tick - 1) / tick <= now.nanoseconds / tick }
            for token in due.keys { deadlines[token] = nil }
            return Set(due.keys)
        }
    }

    /// The range of deadlines in one run, in ticks: within each level, and beyond the last.
    static let spans: [UInt64] = [40, 3000, 200_000, 14_000_000, 200_000_000]

    @Test(arguments: spans, [1, 2, 3, 4] as [UInt64]) func agreesWithTheModel(span: UInt64, seed: UInt64) {
        var random = FastRandom(seed: seed &* 1_000_003 ^ span)
        var now = Instant(nanoseconds: random.next() >> 4)
        var wheel = TimerWheel(now: now)
        var model = Model()
        var generations = [UInt32](repeating: 1, count: Self.slotCount)
        var firedCount = 0
        for step in 0..<3000 {
            change(&wheel, &model, &generations, now: now, span: span, using: &random)
            if !random.next().isMultiple(of: 3) { continue }

            // Sleeps until `nextDeadline`, or wakes early, or late.
            let wake = wheel.nextDeadline
            #expect((wake == nil) == model.deadlines.isEmpty)
            if let wake, let earliest = model.earliestTick {
                #expect(
                    wake.nanoseconds <= max(earliest * Self.tick, now.nanoseconds),
                    "nextDeadline is too late, step \(step)")
            }
            switch random.next(below: 4) {
            case 0: now = now + random.next() % (span * Self.tick / 50)
            case 1: now = now + random.next() % (3 * Self.tick)
            default: now = max(now, wake ?? now)
            }
            let due = model.takeDue(at: now)
            var fired: Set<Token> = []
            while let token = wheel.nextExpired(now: now) {
                let isNew = fired.insert(token).inserted
                #expect(isNew, "fired twice")
            }
            #expect(fired == due, "step \(step)")
            #expect(wheel.count == model.deadlines.count)
            firedCount += fired.count
        }
        #expect(firedCount > 100, "the run fired enough timers")
    }

    /// Sets, moves or cancels one timer. Sometimes a slot has a new occupant while the timer of the previous one is
    /// still set.
    private func change(
        _ wheel: inout TimerWheel, _ model: inout Model, _ generations: inout [UInt32], now: Instant, span: UInt64,
        using random: inout FastRandom
    ) {
        let index = random.next(below: Self.slotCount)
        let token = Token(index: index, generation: generations[index])
        switch random.next(below: 10) {
        case 0, 1:
            wheel.cancel(token)
            model.deadlines[token] = nil
        case 2:
            wheel.cancel(Token(index: index, generation: generations[index] + 1))
        case 3:
            generations[index] += 1
            let next = Token(index: index, generation: generations[index])
            schedule(&wheel, &model, next, now: now, span: span, using: &random)
            model.deadlines[token] = nil
        default:
            schedule(&wheel, &model, token, now: now, span: span, using: &random)
        }
    }

    private func schedule(
        _ wheel: inout TimerWheel, _ model: inout Model, _ token: Token, now: Instant, span: UInt64,
        using random: inout FastRandom
    ) {
        // Half of them are near, so that some fire soon in every run; a few are in the past.
        let reach = random.next().isMultiple(of: 2) ? span : max(1, span / 64)
        let ahead = now + random.next() % (reach * Self.tick)
        let deadline = random.next(below: 20) == 0 ? Instant(nanoseconds: now.nanoseconds / 2) : ahead
        wheel.schedule(token, at: deadline)
        model.deadlines[token] = deadline
    }
}
