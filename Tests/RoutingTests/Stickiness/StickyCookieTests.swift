import Testing

@testable import Routing

@Suite struct StickyCookieTests {
    @Test(arguments: [StickyCookie.Kind.target, .application, .group], [UInt64(0), 1, .max, 0x0123_4567_89AB_CDEF])
    func whatIsWrittenIsRead(_ kind: StickyCookie.Kind, _ word: UInt64) {
        let cookie = StickyCookie(kind, issuedAt: UInt32(truncatingIfNeeded: word), scope: word, name: ~word)
        #expect(StickyCookie(cookie.bytes) == cookie)
    }

    @Test(arguments: [(0, UInt8(0)), (0, 4), (0, 255), (1, 1), (2, 1), (3, 128)])
    func whatALaterVersionWroteIsNotRead(_ place: Int, _ byte: UInt8) {
        var bytes = StickyCookie(.group, issuedAt: 1, scope: 2, name: 3).bytes
        bytes[place] = byte
        #expect(StickyCookie(bytes) == nil)
    }

    @Test(arguments: [
        (UInt32(1000), false), (1060, false), (1061, true), (4_000_000_000, true),
        // The clock was set back.
        (999, false), (940, false), (939, true), (0, true),
    ])
    func isStaleAfterItsDuration(_ now: UInt32, _ isStale: Bool) {
        let cookie = StickyCookie(.target, issuedAt: 1000, scope: 2, name: 3)
        #expect(cookie.isStale(after: 60, now: now) == isStale)
    }
}
