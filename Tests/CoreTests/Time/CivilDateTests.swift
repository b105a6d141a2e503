import Core
import Glibc
import Testing

@Suite struct CivilDateTests {
    static let known: [(dayNumber: UInt64, date: String)] = [
        (0, "1970-1-1"), (58, "1970-2-28"), (59, "1970-3-1"), (364, "1970-12-31"), (365, "1971-1-1"),
        (789, "1972-2-29"), (790, "1972-3-1"), (10_956, "1999-12-31"), (10_957, "2000-1-1"), (11_016, "2000-2-29"),
        (11_017, "2000-3-1"), (19_782, "2024-2-29"), (20_148, "2025-3-1"), (20_780, "2026-11-23"),
        (47_540, "2100-2-28"), (47_541, "2100-3-1"), (157_113, "2400-2-29"), (2_932_896, "9999-12-31"),
    ]

    @Test(arguments: known) func knowsTheDay(dayNumber: UInt64, date: String) {
        let civil = CivilDate(dayNumber: dayNumber)
        #expect("\(civil.year)-\(civil.month)-\(civil.day)" == date)
    }

    /// Every day from 1970 to 2770, two cycles of the calendar, against a day-by-day count by the calendar's rules.
    @Test func agreesWithCounting() {
        var year: UInt64 = 1970, month: UInt64 = 1, day: UInt64 = 1
        var mismatches = 0
        for dayNumber in UInt64(0)..<2 * 146_097 {
            let civil = CivilDate(dayNumber: dayNumber)
            if civil.year != year || civil.month != month || civil.day != day { mismatches += 1 }
            let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
            let lengths: [UInt64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[Int(month) - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(mismatches == 0)
        #expect(year == 2770 && month == 1 && day == 1)
    }

    @Test func agreesWithTheSystem() {
        var random = FastRandom(seed: 1)
        for _ in 0..<1000 {
            let dayNumber = UInt64(random.next(below: 3_000_000))
            var seconds = time_t(dayNumber * 86_400 + 43_200)
            var broken = unsafe tm()
            let isDone = unsafe gmtime_r(&seconds, &broken) != nil
            #expect(isDone)
            let expected = unsafe [Int(broken.tm_year) + 1900, Int(broken.tm_mon) + 1, Int(broken.tm_mday)]
            let civil = CivilDate(dayNumber: dayNumber)
            #expect([civil.year, civil.month, civil.day].map { Int($0) } == expected)
        }
    }
}
