import Core
import Testing

@testable import HTTP2

@Suite struct TokenBucketTests {
    private func instant(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// How many of `count` tries succeed.
    private func take(_ count: Int, from bucket: inout TokenBucket, at now: Instant) -> Int {
        (0..<count).count { _ in bucket.take(now) }
    }

    @Test func allowsABurstAndThenARate() {
        var bucket = TokenBucket(capacity: 10, perSecond: 4, now: instant(0))
        #expect(take(20, from: &bucket, at: instant(0)) == 10)
        #expect(take(20, from: &bucket, at: instant(249)) == 0)
        #expect(take(20, from: &bucket, at: instant(400)) == 1)
        #expect(take(20, from: &bucket, at: instant(500)) == 1, "the remainder of the time before is kept")
        #expect(take(20, from: &bucket, at: instant(1500)) == 4)
    }

    @Test func holdsNoMoreThanItsCapacity() {
        var bucket = TokenBucket(capacity: 3, perSecond: 1000, now: instant(0))
        #expect(take(9, from: &bucket, at: instant(1_000_000)) == 3)
        bucket.refund(100)
        #expect(take(9, from: &bucket, at: instant(1_000_000)) == 3)
        #expect(take(9, from: &bucket, at: .distantFuture) == 3)
    }

    @Test func refundsTokens() {
        var bucket = TokenBucket(capacity: 2, perSecond: 1, now: instant(0))
        #expect(take(2, from: &bucket, at: instant(0)) == 2)
        bucket.refund(1)
        #expect(take(2, from: &bucket, at: instant(0)) == 1)
    }

    @Test func clockGoingBackAddsNothing() {
        var bucket = TokenBucket(capacity: 1, perSecond: 1, now: instant(5000))
        #expect(take(2, from: &bucket, at: instant(5000)) == 1)
        #expect(take(2, from: &bucket, at: instant(1000)) == 0)
    }
}
