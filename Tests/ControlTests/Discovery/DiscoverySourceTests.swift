import Core
import Testing

@testable import Control

/// How a source is, and when it is tried again.
@Suite struct DiscoverySourceTests {
    @Test func whatWasHeardStaysWhileTheSourceIsAway() {
        var record = SourceRecord()
        #expect(record.state == .starting && record.found == nil)
        record.failed("first", now: Instant(nanoseconds: 5))
        record.failed("second", now: Instant(nanoseconds: 9))
        #expect(record.state == .away(since: Instant(nanoseconds: 5), reason: "second"))
        record.heard(FoundTargets())
        #expect(record.state == .following && record.reason == nil && record.heardAt != nil)
        record.failed("third", now: Instant(nanoseconds: 20))
        #expect(record.found != nil && record.failuresCount == 3 && record.reason == "third")
    }

    @Test func attemptsBecomeRareAndNeverEnd() {
        var backoff = Backoff()
        var longest: Nanoseconds = 0
        for attempt in 0..<100 {
            let delay = backoff.next()
            longest = max(longest, delay)
            let most = min(Limits.discoveryRetryMax, Limits.discoveryRetryMin << UInt64(min(attempt, 10)))
            #expect(delay >= most / 2 && delay <= most, "attempt \(attempt)")
        }
        #expect(longest > Limits.discoveryRetryMax / 2)
        backoff.reset()
        #expect(backoff.next() <= Limits.discoveryRetryMin)
    }
}
