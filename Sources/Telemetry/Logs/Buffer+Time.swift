import Core

extension Buffer {
    /// Appends a time of day as ISO 8601 in UTC with microseconds: `2026-01-31T12:34:56.789012Z`, 27 bytes.
    ///
    /// Units: nanoseconds since 1970, as `WallClock.now()`; the range is the years 1970–2554.
    func append(timestamp nanoseconds: UInt64) {
        append(secondsOf: nanoseconds)
        append(.dot)
        append(decimal: nanoseconds / 1000 % 1_000_000, digitCount: 6)
        append("Z")
    }

    /// Appends a time of day without fraction and zone: `2026-01-31T12:34:56`, 19 bytes.
    func append(secondsOf nanoseconds: UInt64) {
        let seconds = nanoseconds / 1_000_000_000
        let secondOfDay = seconds % 86_400
        let date = CivilDate(dayNumber: seconds / 86_400)
        append(decimal: date.year, digitCount: 4)
        append("-")
        append(decimal: date.month, digitCount: 2)
        append("-")
        append(decimal: date.day, digitCount: 2)
        append("T")
        append(decimal: secondOfDay / 3600, digitCount: 2)
        append(.colon)
        append(decimal: secondOfDay / 60 % 60, digitCount: 2)
        append(.colon)
        append(decimal: secondOfDay % 60, digitCount: 2)
    }

    /// Appends a length of time in seconds with `digitCount` decimals, truncated and not rounded: `0.086`.
    func append(seconds time: Nanoseconds, digitCount: Int) {
        append(decimal: time / 1_000_000_000)
        append(.dot)
        var fraction = time % 1_000_000_000
        for _ in digitCount..<9 { fraction /= 10 }
        append(decimal: fraction, digitCount: digitCount)
    }

    /// Appends the lowest `digitCount` decimal digits of `value`, with leading zeros.
    private func append(decimal value: UInt64, digitCount: Int) {
        var unit: UInt64 = 1
        for _ in 1..<digitCount { unit *= 10 }
        while unit > 0 {
            append(UInt8(truncatingIfNeeded: value / unit % 10) + 0x30)
            unit /= 10
        }
    }
}
