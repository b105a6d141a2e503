import Core
import Testing

/// Random schedules against the simplest thing that could tell the time: a dictionary of deadlines.
@Suite struct TimerWheelModelTests {
    private static let tick: UInt64 = 1 << 22
    private static let slotCount = 200

    /// What every timer wheel should do, slowly.
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

    /// How far the deadlines of one run lie, in ticks: within each level, and beyond the last.
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

            // Sleep to the instant the wheel asks for, or wake early, or oversleep.
            let wake = wheel.nextDeadline
            #expect((wake == nil) == model.deadlines.isEmpty)
            if let wake, let earliest = model.earliestTick {
                #expect(wake.nanoseconds <= max(earliest * Self.tick, now.nanoseconds), "asks too late, step \(step)")
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
        #expect(firedCount > 100, "the run was worth something")
    }

    /// Sets, moves or forgets one timer; a slot sometimes gets a new occupant whose predecessor's timer was left.
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
        // Half of them near, so that some fire soon in every run; a few in the past.
        let reach = random.next().isMultiple(of: 2) ? span : max(1, span / 64)
        let ahead = now + random.next() % (reach * Self.tick)
        let deadline = random.next(below: 20) == 0 ? Instant(nanoseconds: now.nanoseconds / 2) : ahead
        wheel.schedule(token, at: deadline)
        model.deadlines[token] = deadline
    }
}
