import Core
import Testing

@testable import Routing

@Suite struct CheckScheduleTests {
    static let second: Nanoseconds = 1_000_000_000

    struct Case: Sendable, CustomTestStringConvertible {
        let why: String, count: Int, interval: Double
        /// All first checks begin within this many seconds, evenly distributed.
        let window: Double
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "one target, at once", count: 1, interval: 30, window: 1),
        Case(why: "a few, within a second", count: 3, interval: 30, window: 1),
        Case(why: "a few, within a shorter interval", count: 10, interval: 0.05, window: 0.05),
        Case(why: "as many as a second takes", count: 1000, interval: 30, window: 1),
        Case(why: "a thousand per second", count: 5000, interval: 30, window: 5),
        Case(why: "as many as the interval takes", count: 5000, interval: 5, window: 5),
        Case(why: "more than a thousand per second, as the interval demands", count: 20_000, interval: 5, window: 5),
    ]

    @Test(arguments: cases) func firstChecksAreSpreadEvenly(_ test: Case) {
        let interval = Nanoseconds(seconds: test.interval)
        let window = Nanoseconds(seconds: test.window)
        let delays = (0..<test.count).map { CheckSchedule.firstDelay(index: $0, of: test.count, interval: interval) }
        #expect(delays.first == 0)
        let slot = window / UInt64(test.count)
        for (index, delay) in delays.enumerated() {
            #expect(delay < window)
            if index > 0 {
                let gap = delay - delays[index - 1]
                #expect(gap == slot || gap == slot + 1)
            }
        }
        // The last slot is used too: no check begins early.
        #expect(delays.last! + slot + 1 >= window - slot)
    }

    @Test(arguments: [0.05, 1, 5, 30, 300]) func laterChecksAreWithinTenPercent(_ seconds: Double) {
        let interval = Nanoseconds(seconds: seconds)
        let tenth = interval / 10
        #expect(CheckSchedule.nextDelay(interval: interval, random: 0) == interval - tenth)
        #expect(CheckSchedule.nextDelay(interval: interval, random: .max) == interval + tenth)
        var random = FastRandom(seed: 11)
        var sum = 0.0
        var lower = 0
        for _ in 0..<10_000 {
            let delay = CheckSchedule.nextDelay(interval: interval, random: random.next())
            #expect(delay >= interval - tenth && delay <= interval + tenth)
            sum += Double(delay) / Double(interval)
            lower += delay < interval ? 1 : 0
        }
        #expect(abs(sum / 10_000 - 1) < 0.005)
        #expect(abs(lower - 5000) < 300)
    }

    @Test func tinyIntervalsDoNotTrap() {
        for interval in 1...25 as ClosedRange<Nanoseconds> {
            #expect(CheckSchedule.firstDelay(index: 0, of: 3, interval: interval) == 0)
            #expect(CheckSchedule.firstDelay(index: 2, of: 3, interval: interval) < interval)
            #expect(CheckSchedule.nextDelay(interval: interval, random: .max) <= interval + interval / 10)
        }
        #expect(CheckSchedule.firstDelay(index: 1, of: 2, interval: .max) == Self.second / 2)
    }

    /// 5,000 targets with an interval of 5 s for a minute: no tenth of a second has twice its share.
    @Test func manyTargetsNeverBurst() {
        var random = FastRandom(seed: 3)
        let interval = 5 * Self.second
        var perTenth = [Int](repeating: 0, count: 600)
        for index in 0..<5000 {
            var now = CheckSchedule.firstDelay(index: index, of: 5000, interval: interval)
            while now < 60 * Self.second {
                perTenth[Int(now / (Self.second / 10))] += 1
                now += CheckSchedule.nextDelay(interval: interval, random: random.next())
            }
        }
        for count in perTenth { #expect(count < 200) }
    }
}
