import Core

/// A time as `2026-01-31T23:59:59.123Z`, for logs and events. Units: nanoseconds since 1970-01-01T00:00:00Z.
///
/// Source: RFC 3339.
func utcText(nanoseconds: UInt64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    let date = CivilDate(dayNumber: seconds / 86400)
    let second = seconds % 86400
    let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    let time = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    return "\(day)T\(time).\(padded(nanoseconds / 1_000_000 % 1000, 3))Z"
}

private func padded(_ number: UInt64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
