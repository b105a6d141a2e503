import Core
import Testing

@testable import Proxy

@Suite struct HTTPDateTests {
    private func text(_ date: inout HTTPDate, at second: UInt64) -> String {
        let head = Head()
        head.append("Date: ")
        date.append(to: head, now: second)
        return head.bytes.text
    }

    /// The first is the example of RFC 9110 §5.6.7; the others are the edges of days, months, years and centuries.
    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (59, "Thu, 01 Jan 1970 00:00:59 GMT"), (86_399, "Thu, 01 Jan 1970 23:59:59 GMT"),
            (86_400, "Fri, 02 Jan 1970 00:00:00 GMT"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"), (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(UInt64, String)]) func writesKnownDates(second: UInt64, expected: String)
    {
        var date = HTTPDate()
        let first = text(&date, at: second)
        let again = text(&date, at: second)
        #expect(first == "Date: \(expected)")
        #expect(again == first)
    }

    /// One value is used for ever, so nothing of the last date may shine through the next.
    @Test func isRewrittenEverySecond() {
        var date = HTTPDate()
        for (second, expected) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (784_111_778, "Sun, 06 Nov 1994 08:49:38 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] as [(UInt64, String)] {
            let seen = text(&date, at: second)
            #expect(seen == "Date: \(expected)")
        }
    }

    @Test func namesEveryWeekdayAndMonth() {
        var date = HTTPDate()
        var weekdays: [Substring] = [], months: [Substring] = []
        for day in UInt64(0)..<7 { weekdays.append(text(&date, at: day * 86_400).dropFirst(6).prefix(3)) }
        for month in UInt64(0)..<12 {
            let middleDay = (month * 61 + 30) / 2
            months.append(text(&date, at: middleDay * 86_400).dropFirst(14).prefix(3))
        }
        #expect(weekdays == ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"])
        #expect(
            months == ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])
    }
}
