/// A day of the Gregorian calendar.
public struct CivilDate: Equatable, Sendable {
    /// As in 2026.
    public let year: UInt64
    /// 1–12.
    public let month: UInt64
    /// 1–31.
    public let day: UInt64

    /// The day that is `dayNumber` days after 1970-01-01.
    public init(dayNumber: UInt64) {
        // Days since 0000-03-01, the start of an era of 400 years. A year that begins in March ends with its leap day.
        let days = dayNumber + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        // Without the leap days before it, a day's number divided by 365 is its year.
        let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // From March on, the lengths of months repeat as 31, 30, 31, 30, 31 days: 153 days in five months.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }
}
