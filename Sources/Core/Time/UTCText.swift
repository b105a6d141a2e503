/// A time as `2026-01-31T23:59:59.123Z`, for logs and events. Units: nanoseconds since 1970-01-01T00:00:00Z.
///
/// Source: RFC 3339.
public func utcText(nanoseconds: UInt64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    return "\(utcSeconds(milliseconds / 1000)).\(padded(milliseconds % 1000, 3))Z"
}

/// A time as `2026-01-31T23:59:59Z`, for certificates. Units: seconds since 1970-01-01T00:00:00Z.
///
/// Limits: times before 1970 are clamped to 1970-01-01T00:00:00Z.
/// Source: RFC 3339.
public func utcText(seconds: Int) -> String { utcSeconds(UInt64(max(0, seconds))) + "Z" }

private func utcSeconds(_ seconds: UInt64) -> String {
    let date = CivilDate(dayNumber: seconds / 86400)
    let second = seconds % 86400
    let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    return "\(day)T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
}

private func padded(_ number: UInt64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
