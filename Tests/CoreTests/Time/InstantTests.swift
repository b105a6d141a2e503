import Core
import Testing

@Suite struct InstantTests {
    @Test func theClockDoesNotGoBack() {
        var last = Instant.now()
        for _ in 0..<1000 {
            let next = Instant.now()
            #expect(next >= last)
            last = next
        }
        #expect(last < .distantFuture)
    }

    @Test func addsAndSaturates() {
        let instant = Instant(nanoseconds: 100)
        #expect(instant + 5 == Instant(nanoseconds: 105))
        #expect(instant + 0 == instant)
        #expect(instant + .max == .distantFuture)
        #expect(Instant.distantFuture + 1 == .distantFuture)
        #expect(Instant(nanoseconds: .max - 5) + 5 == .distantFuture)
        #expect(Instant(nanoseconds: .max - 6) + 5 < .distantFuture)
    }

    @Test func tellsHowLongAgo() {
        let early = Instant(nanoseconds: 100), late = Instant(nanoseconds: 350)
        #expect(late.since(early) == 250)
        #expect(early.since(late) == 0)
        #expect(early.since(early) == 0)
        #expect(early < late && !(late < early) && !(early < early))
        #expect(max(early, late) == late)
    }

    @Test(
        arguments: [
            (0, 0), (1, 1_000_000_000), (0.05, 50_000_000), (2.5, 2_500_000_000), (1e-9, 1), (1e-10, 0),
            (-1, 0), (-.infinity, 0), (-0.0, 0), (.nan, 0), (.infinity, .max), (1e300, .max), (2e10, .max),
            (18_000_000_000, .max), (17_000_000_000, 17_000_000_000_000_000_000),
        ] as [(Double, UInt64)]) func readsSeconds(seconds: Double, nanoseconds: UInt64)
    {
        #expect(Nanoseconds(seconds: seconds) == nanoseconds)
    }

    /// The wall clock is after the time this was written and before the year 3000.
    @Test func theTimeOfDayIsPlausible() {
        let seconds = WallClock.now() / 1_000_000_000
        #expect(seconds > 1_700_000_000)
        #expect(seconds < 32_503_680_000)
    }
}
