import Core
import Synchronization
import Testing

@testable import Routing

@Suite struct RateLimiterTests {
    private static let second: UInt64 = 1_000_000_000
    private static let start: UInt64 = 77_777 * second

    private func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: Self.start + nanoseconds) }

    /// How many of so many requests are admitted that come evenly in this time.
    private func admitted(
        _ limiter: RateLimiter, _ hash: UInt64, _ count: Int, from: UInt64 = 0, in time: UInt64
    ) -> Int {
        (0..<count).count { limiter.admit(hash, now: at(from + UInt64($0) * time / UInt64(count))) == .admitted }
    }

    @Test(arguments: [(0.5, 1), (1.0, 1), (7.0, 3), (100.0, 10), (3333.0, 100), (100_000.0, 1)])
    func theRateHoldsWithinFivePercent(rate: Double, burst: Int) {
        let limiter = RateLimiter(rate: rate, burst: burst)
        let seconds = max(1, UInt64(200 / rate))
        let wanted = rate * Double(seconds) + Double(burst)
        let count = admitted(limiter, 12345, Int(rate * Double(seconds) * 4), in: seconds * Self.second)
        #expect(abs(Double(count) - wanted) <= max(1, wanted * 0.02), "\(count) of \(wanted)")
        #expect(limiter.rejected == UInt64(Int(rate * Double(seconds) * 4) - count))
    }

    @Test func aBurstComesAtOnceAndThenTheRate() {
        let limiter = RateLimiter(rate: 10, burst: 5)
        #expect((0..<8).count { _ in limiter.admit(1, now: at(0)) == .admitted } == 5)
        for (time, wanted) in [(0, Self.second / 10), (Self.second / 20, Self.second / 20)] {
            guard case .rejected(let wait) = limiter.admit(1, now: at(time)) else {
                Issue.record("admitted")
                continue
            }
            #expect(wait <= wanted && wait > wanted - 2_000_000)
        }
        #expect(limiter.admit(1, now: at(Self.second / 10)) == .admitted)
        #expect(limiter.admit(2, now: at(0)) == .admitted, "another key")
        // What was saved up is no more than the burst.
        #expect((0..<8).count { _ in limiter.admit(1, now: at(3600 * Self.second)) == .admitted } == 5)
    }

    /// Time wraps after 2^32 requests at the limit's pace; an old bucket is a full one.
    @Test func whatIsLongPastIsForgotten() {
        let limiter = RateLimiter(rate: 1_000_000, burst: 2)
        #expect(admitted(limiter, 9, 4, in: 4) == 2)
        for days in [1, 2, 30, 365] as [UInt64] {
            #expect(admitted(limiter, 9, 4, from: days * 86_400 * Self.second, in: 4) == 2)
        }
    }

    /// A worker's clock is that of its pass, which may have begun earlier than another's.
    @Test func aClockThatIsBehindDoesNotRefillABucket() {
        let limiter = RateLimiter(rate: 10, burst: 3)
        #expect((0..<3).count { _ in limiter.admit(5, now: at(Self.second)) == .admitted } == 3)
        #expect(limiter.admit(5, now: at(Self.second - 20_000_000)) != .admitted)
    }

    /// A clock that goes on by 25 µs with every look.
    private final class Steps: Sendable {
        private let count = Atomic<UInt64>(0)
        func next() -> UInt64 { count.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    /// Within the promised 5 %: a thread may be interrupted between its look at the clock and its request, by far more
    /// than a worker's clock is ever behind, and then one more is admitted.
    @Test func threadsShareOneBudget() {
        let limiter = RateLimiter(rate: 1000, burst: 1), steps = Steps()
        let threads = (0..<4).map { _ in
            Thread.start(name: "limiter") { [start = Self.start] in
                for _ in 0..<40_000 {
                    _ = limiter.admit(3, now: Instant(nanoseconds: start + steps.next() * 25_000))
                }
            }
        }
        for thread in threads { thread.join() }
        let count = 160_000 - Int(limiter.rejected)
        #expect(count <= 4200 && count > 3800, "\(count) in 4 seconds")
    }

    // MARK: Hostile keys

    /// With so few buckets all keys come into the same eight places.
    private func crowded() -> RateLimiter { RateLimiter(rate: 1, burst: 10, bucketCount: 8) }

    @Test func aCrowdOfNewKeysDisplacesItselfAndNotTheOffender() {
        let limiter = crowded()
        let offender: UInt64 = 99 << 40
        var count = 0
        for step in 0..<10_000 as Range<UInt64> {
            let now = at(step * Self.second / 1000)
            if limiter.admit(offender, now: now) == .admitted { count += 1 }
            _ = limiter.admit((1000 + step) << 40, now: now)
        }
        #expect(count <= 20, "\(count) admitted in 10 seconds; 10 and a burst of 10 are due")
        #expect(limiter.displaced > 9000)
    }

    /// A bucket that is full again makes room before any other.
    @Test func idleKeysMakeRoomFirst() {
        let limiter = crowded()
        for key in 1...8 as ClosedRange<UInt64> { _ = limiter.admit(key << 40, now: at(0)) }
        #expect((0..<9).count { _ in limiter.admit(5 << 40, now: at(0)) == .admitted } == 9)
        #expect(limiter.admit(9 << 40, now: at(2 * Self.second)) == .admitted && limiter.displaced == 0)
        #expect(admitted(limiter, 5 << 40, 10, from: 2 * Self.second, in: 1) == 2, "it is known as before")
    }
}
