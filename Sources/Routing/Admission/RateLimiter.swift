import Core
import Synchronization

/// Admits so many requests a second for each key, over all workers, and a burst of some more.
///
/// Each key has a bucket: a word with a tag of the key's hash and the time at which the bucket would be full again if
/// nothing more came (the generic cell rate algorithm). A request that would put that time further ahead than the burst
/// allows is rejected, and changes nothing.
///
/// A key has eight places, in one cache line. If all are taken by others, the bucket that will be full soonest makes
/// room: a full one is as good as none, and whoever is held to the limit goes last. So a crowd of new keys displaces
/// each other, and an offender only where the crowd is as busy.
///
/// Shape:  `Limits.rateLimitBuckets` words that all workers write, without locks. Two keys of the same tag in the same
///         eight places share a bucket: one pair in 16 million. Two workers that see a key for the first time at once
///         may give it two buckets, of which one is used from then on.
/// Limits: the hash of a key must be one that nobody outside of the process can foresee, or they could have other keys
///         displaced.
/// Source: ITU-T I.371, Annex A; the places of a key as in a set-associative cache.
public final class RateLimiter: Sendable {
    /// What becomes of a request.
    public enum Verdict: Equatable, Sendable {
        case admitted
        /// Rejected; after so long one will be admitted.
        case rejected(wait: Nanoseconds)
    }

    /// Ticks between two requests at the limit's pace. Time is counted in these, so that every pace is as exact.
    private static let interval: UInt64 = 256
    private static let timeBits: UInt64 = 40
    private static let timeMask: UInt64 = (1 << timeBits) - 1
    private static let ways = 8
    /// Ticks by which a request may come early: times are rounded, and who keeps exactly to the pace is to be admitted.
    private static let slack: UInt64 = 2

    /// Requests a second.
    private let rate: Double
    private let buckets: AtomicWords
    /// Ticks in a nanosecond, times 2^64.
    private let pace: UInt64
    /// How far ahead a bucket's time may be, in ticks; and how far it seems to a worker whose clock was read earlier.
    private let depth: UInt64
    private let depthSeen: UInt64
    private let rejectedCount = Atomic<UInt64>(0)
    private let displacedCount = Atomic<UInt64>(0)

    /// No key has brought a request. `rate` is more than 0 and at most 1,000,000; `burst` is from 1 to 1,000,000.
    public init(rate: Double, burst: Int, bucketCount: Int = Limits.rateLimitBuckets) {
        precondition(rate > 0 && rate <= 1_000_000, "rate limiter: \(rate) requests a second")
        precondition((1...1_000_000).contains(burst), "rate limiter: a burst of \(burst)")
        precondition(bucketCount >= Self.ways && bucketCount & (bucketCount - 1) == 0, "rate limiter: buckets")
        self.rate = rate
        buckets = AtomicWords(count: bucketCount)
        let ticksPerSecond = rate * Double(Self.interval)
        pace = UInt64(ticksPerSecond / 1e9 * 0x1p64)
        depth = UInt64(burst) * Self.interval + Self.slack
        depthSeen = depth + UInt64(ticksPerSecond) + 1
    }

    /// Requests that were rejected.
    public var rejected: UInt64 { rejectedCount.load(ordering: .relaxed) }
    /// Buckets that others took though they were not full again: their keys were admitted more than their due.
    public var displaced: UInt64 { displacedCount.load(ordering: .relaxed) }

    /// Admits a request of the key with this hash, or rejects it.
    public func admit(_ hash: UInt64, now: Instant) -> Verdict {
        let time = now.nanoseconds.multipliedFullWidth(by: pace).high
        let tag = max(1, hash >> Self.timeBits)
        let first = Int(hash & UInt64(buckets.count / Self.ways - 1)) * Self.ways
        while true {
            let (place, seen, lead) = find(tag, from: first, time)
            let isOwn = seen >> Self.timeBits == tag
            let next = (isOwn ? lead : 0) + Self.interval
            guard next <= depth else {
                rejectedCount.wrappingAdd(1, ordering: .relaxed)
                return .rejected(wait: Nanoseconds(Double(next - depth) / (rate * Double(Self.interval)) * 1e9))
            }
            let word = tag << Self.timeBits | (time &+ next) & Self.timeMask
            // If another worker was faster, all is looked at anew.
            guard buckets.exchange(seen, for: word, at: place) else { continue }
            if !isOwn, lead > 0 { displacedCount.wrappingAdd(1, ordering: .relaxed) }
            return .admitted
        }
    }

    /// The bucket of a tag; or, if it has none, the one that is full soonest. `lead` is in how many ticks that is.
    private func find(_ tag: UInt64, from first: Int, _ time: UInt64) -> (place: Int, word: UInt64, lead: UInt64) {
        var best: (place: Int, word: UInt64, lead: UInt64) = (first, 0, .max)
        for place in first..<(first + Self.ways) {
            let word = buckets.load(place)
            let ahead = word == 0 ? 0 : lead(of: word, time)
            if word >> Self.timeBits == tag { return (place, word, ahead) }
            if ahead < best.lead { best = (place, word, ahead) }
        }
        return best
    }

    /// In how many ticks the bucket is full; 0 if it is. What is further ahead than any can be is long past: time has
    /// wrapped.
    private func lead(of word: UInt64, _ time: UInt64) -> UInt64 {
        let ahead = (word &- time) & Self.timeMask
        return ahead > depthSeen ? 0 : ahead
    }
}
