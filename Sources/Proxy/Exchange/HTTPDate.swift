import Core

/// The time of day as the Date field writes it, made once a second. Source: RFC 9110 §5.6.7, IMF-fixdate.
struct HTTPDate {
    /// The second that `text` says; none at first.
    private var second = UInt64.max
    private var text = InlineArray<29, UInt8>(repeating: .space)

    /// Appends the date to `head`'s arena: `now` counts seconds since 1970.
    mutating func append(to head: Head, now: UInt64) {
        if now != second {
            second = now
            write(now)
        }
        head.append(text.span)
    }

    /// Writes `Mon, 23 Nov 2026 19:04:00 GMT`.
    private mutating func write(_ second: UInt64) {
        let days = second / 86_400
        let time = second % 86_400
        let date = CivilDate(dayNumber: days)
        let weekdays: StaticString = "ThuFriSatSunMonTueWed"
        let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
        put(weekdays, from: Int(days % 7) * 3, at: 0)
        text[3] = .comma
        putTwoDigits(date.day, at: 5)
        put(months, from: Int(date.month - 1) * 3, at: 8)
        putTwoDigits(date.year / 100, at: 12)
        putTwoDigits(date.year % 100, at: 14)
        putTwoDigits(time / 3600, at: 17)
        text[19] = .colon
        putTwoDigits(time / 60 % 60, at: 20)
        text[22] = .colon
        putTwoDigits(time % 60, at: 23)
        put("GMT", from: 0, at: 26)
    }

    private mutating func put(_ letters: StaticString, from start: Int, at position: Int) {
        for index in 0..<3 { text[position + index] = letters[byte: start + index] }
    }

    private mutating func putTwoDigits(_ value: UInt64, at position: Int) {
        text[position] = UInt8(value / 10) + 0x30
        text[position + 1] = UInt8(value % 10) + 0x30
    }
}
