import Core
import Testing

@testable import Proxy

@Suite struct RateWindowTests {
    private let length: Nanoseconds = 100

    private func instant(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test func withoutAWindowThereIsNoDeadline() {
        var window = RateWindow()
        #expect(window.deadline == .distantFuture)
        window.cancel()
        #expect(window.deadline == .distantFuture)
    }

    @Test func oneWindowAtATime() {
        var window = RateWindow()
        window.begin(now: instant(1000), length: length, passed: 50)
        #expect(window.deadline == instant(1100))
        window.begin(now: instant(1050), length: length, passed: 70)
        #expect(window.deadline == instant(1100), "the one under way goes on, with its own count")
        let isFast = window.isFastEnough(now: instant(1100), length: length, passed: 70, minimum: 20)
        #expect(isFast)
    }

    /// The kernel's own count may go back, as when an end is counted that was not sent: that is slow, and no more.
    @Test func aCountThatGoesBackIsSlow() {
        var window = RateWindow()
        window.begin(now: instant(0), length: length, passed: 100)
        let isFast = window.isFastEnough(now: instant(100), length: length, passed: 99, minimum: 1)
        #expect(!isFast)
    }

    /// Bytes passed before the window do not count; those in it do, to the last.
    @Test(
        arguments: [
            (20, 20, true), (19, 20, false), (0, 1, false), (0, 0, true), (1000, 1, true),
        ] as [(UInt64, UInt64, Bool)])
    func judgesWhatPassedInTheWindow(passed: UInt64, minimum: UInt64, expected: Bool) {
        var window = RateWindow()
        let earlier: UInt64 = 1_000_000
        window.begin(now: instant(0), length: length, passed: earlier)
        let isFast = window.isFastEnough(now: instant(100), length: length, passed: earlier + passed, minimum: minimum)
        #expect(isFast == expected)
    }

    @Test func everyVerdictBeginsTheNextWindow() {
        var window = RateWindow()
        window.begin(now: instant(0), length: length, passed: 0)
        var verdicts: [Bool] = []
        var deadlines: [Instant] = []
        for (now, passed) in [(100, 10), (205, 25), (310, 34), (410, 44)] as [(UInt64, UInt64)] {
            verdicts.append(window.isFastEnough(now: instant(now), length: length, passed: passed, minimum: 10))
            deadlines.append(window.deadline)
        }
        #expect(verdicts == [true, true, false, true], "what one window had too many does not help the next")
        #expect(deadlines == [200, 305, 410, 510].map(instant))
    }

    @Test func cancellingForgetsTheWindow() {
        var window = RateWindow()
        window.begin(now: instant(0), length: length, passed: 0)
        window.cancel()
        #expect(window.deadline == .distantFuture)
        window.begin(now: instant(500), length: length, passed: 100)
        #expect(window.deadline == instant(600))
        let isFast = window.isFastEnough(now: instant(600), length: length, passed: 105, minimum: 10)
        #expect(!isFast, "counted from the new beginning")
    }

    @Test func aWindowBeyondTimeNeverEnds() {
        var window = RateWindow()
        window.begin(now: instant(5), length: .max, passed: 0)
        #expect(window.deadline == .distantFuture)
    }
}
