import Foundation
import Testing

@testable import Core

@Suite struct UTCTextTests {
    static let times: [(UInt64, String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999_999_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
        (1_767_225_599_123_456_789, "2025-12-31T23:59:59.123Z"),
    ]

    @Test(arguments: times) func readsLikeACalendar(nanoseconds: UInt64, text: String) {
        #expect(utcText(nanoseconds: nanoseconds) == text)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (1_695_261_017, "2023-09-21T01:50:17Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"), (-1, "1970-01-01T00:00:00Z"), (.min, "1970-01-01T00:00:00Z"),
    ])
    func secondsBecomeText(seconds: Int, text: String) {
        #expect(utcText(seconds: seconds) == text)
    }

    @Test func agreesWithFoundation() {
        for day in stride(from: UInt64(0), through: 80_000, by: 37) {
            let seconds = day * 86_400 + day % 86_400
            let expected = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            #expect(utcText(nanoseconds: seconds * 1_000_000_000) == expected.dropLast() + ".000Z")
        }
    }
}
