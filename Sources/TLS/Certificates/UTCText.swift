import Core

/// A time in UTC, as in `2023-09-21T01:50:17Z`. Source: RFC 3339.
///
/// Units: seconds since 1970. Limits: times before 1970 are written as the start of 1970.
func timeText(_ seconds: Int) -> String {
    let time = UInt64(max(0, seconds))
    let date = CivilDate(dayNumber: time / 86_400)
    let second = time % 86_400
    return "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2))T"
        + "\(digits(second / 3600, 2)):\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2))Z"
}

private func digits(_ value: UInt64, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.count)) + text
}
