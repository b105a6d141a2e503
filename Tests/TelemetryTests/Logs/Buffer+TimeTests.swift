import Core
import Testing

@testable import Telemetry

@Suite struct BufferTimeTests {
    static let timestamps: [(UInt64, String)] = [
        (0, "1970-01-01T00:00:00.000000Z"),
        (951_782_399_999_999_999, "2000-02-28T23:59:59.999999Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
        (951_868_800_000_001_000, "2000-03-01T00:00:00.000001Z"),
        (1_704_067_199_000_000_000, "2023-12-31T23:59:59.000000Z"),
        (1_769_862_896_789_012_345, "2026-01-31T12:34:56.789012Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
        (UInt64.max, "2554-07-21T23:34:33.709551Z"),
    ]

    @Test(arguments: timestamps) func writesTimestamps(nanoseconds: UInt64, expected: String) {
        let buffer = Buffer(capacity: 27)
        buffer.append(timestamp: nanoseconds)
        #expect(buffer.bytes.text == expected)
    }

    /// Walks the calendar day by day with the rule everybody knows, to beyond the last representable day.
    @Test func everyDayFollowsTheOneBefore() {
        var year: UInt64 = 1970
        var month = 1
        var day: UInt64 = 1
        for number in UInt64(0)...213_504 {
            let date = CivilDate(dayNumber: number)
            guard date.year == year, date.month == UInt64(month), date.day == day else {
                Issue.record("day \(number): \(date), expected \(year)-\(month)-\(day)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths: [UInt64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] {
                day = 1
                month += 1
            }
            if month > 12 {
                month = 1
                year += 1
            }
        }
        #expect(year == 2554)
    }

    static let intervals: [(UInt64, Int, String)] = [
        (0, 3, "0.000"), (999_999, 3, "0.000"), (86_000_000, 3, "0.086"), (1_500_000_000, 3, "1.500"),
        (61_001_999_999, 3, "61.001"), (1_234_567_899, 6, "1.234567"),
    ]

    @Test(arguments: intervals) func writesSeconds(nanoseconds: UInt64, digitCount: Int, expected: String) {
        let buffer = Buffer(capacity: 30)
        buffer.append(seconds: nanoseconds, digitCount: digitCount)
        #expect(buffer.bytes.text == expected)
    }
}
