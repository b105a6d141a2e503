import Core
import Model
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

    /// Those that come later have a weight of 0 while one that comes first is usable.
    @Test func prioritiesAreFailOver() {
        func target(_ id: String, weight: Int? = nil) -> Discovered.Target {
            Discovered.Target(TargetDescription(id: id, port: 80, weight: weight), name: id, identity: id)
        }
        func key(_ id: String) -> TargetKey { TargetKey(id: id, port: 80) }
        var found = FoundTargets(targets: [target("a"), target("b", weight: 3), target("c"), target("d", weight: 7)])
        func weights(_ usable: String...) -> [Int?] {
            found.targetsByPriority { usable.contains($0.id) }.map(\.target.weight)
        }
        #expect(weights() == [nil, 3, nil, 7], "all are alike")
        found.priorities = [key("a"): 10, key("b"): 10, key("c"): 20, key("d"): 30]
        #expect(weights("a", "b", "c", "d") == [nil, 3, 0, 0])
        #expect(weights("b", "d") == [nil, 3, 0, 0], "one is enough")
        #expect(weights("c", "d") == [0, 0, nil, 0])
        #expect(weights("d") == [0, 0, 0, 7])
        #expect(weights() == [nil, 3, 0, 0], "with none those are used that come first")
    }

    /// One that answers and ends after a moment, again and again, is not asked again and again.
    @Test func whatEndsAfterAMomentIsAskedAsSeldom() {
        var backoff = Backoff()
        for _ in 0..<10 {
            backoff.ended(after: Limits.discoveryRetryMax - 1)
            _ = backoff.next()
        }
        #expect(backoff.next() >= Limits.discoveryRetryMax / 2)
        backoff.ended(after: Limits.discoveryRetryMax)
        #expect(backoff.next() <= Limits.discoveryRetryMin)
    }
}
