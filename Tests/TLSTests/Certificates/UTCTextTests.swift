import Testing

@testable import TLS

@Suite struct UTCTextTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (1_695_261_017, "2023-09-21T01:50:17Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"), (-1, "1970-01-01T00:00:00Z"), (.min, "1970-01-01T00:00:00Z"),
    ])
    func secondsBecomeText(seconds: Int, text: String) {
        #expect(timeText(seconds) == text)
    }
}
