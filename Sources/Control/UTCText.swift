/// A time as `2026-01-31T23:59:59.123Z`, for logs and events. Units: nanoseconds since 1970-01-01T00:00:00Z.
///
/// Source: RFC 3339; the calendar by H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
func utcText(nanoseconds: UInt64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    let secondOfDay = seconds % 86400
    // Days since 0000-03-01, in eras of 400 years, so that the leap day is the last of its year.
    let days = seconds / 86400 + 719_468
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let time = "\(padded(secondOfDay / 3600, 2)):\(padded(secondOfDay / 60 % 60, 2)):\(padded(secondOfDay % 60, 2))"
    return "\(date)T\(time).\(padded(nanoseconds / 1_000_000 % 1000, 3))Z"
}

private func padded(_ number: UInt64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
