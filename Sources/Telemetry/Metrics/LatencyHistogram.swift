import Core

/// How long things took: counts in buckets that widen with the time they stand for.
///
/// Eight buckets to each doubling, so a bucket is at most one eighth as wide as its lower edge, and a quantile
/// read from the middle of a bucket is off by at most 6.25 % (below 8 µs: by at most 0.5 µs).
///
/// Shape:  words that one thread writes and any reads, as `Counter`. Readers sum them in `LatencySums`.
/// Units:  nanoseconds in, microseconds inside. Bucket edges are whole microseconds, and a time equal to an edge
///         counts as below it, as Prometheus' `le` wants.
/// Limits: the last bucket holds everything over 2^27 µs (134 s).
public struct LatencyHistogram: ~Copyable, Sendable {
    /// How many buckets there are.
    public static var bucketCount: Int { 201 }

    @usableFromInline let buckets = InlineArray<201, Counter> { _ in Counter() }
    @usableFromInline let nanosecondsTotal = Counter()

    /// An empty histogram.
    @inlinable public init() {}

    /// Counts one thing that took `time`. Only the owning thread may call this.
    @inlinable public func record(_ time: Nanoseconds) {
        buckets[Self.bucket(of: time)].add()
        nanosecondsTotal.add(time)
    }

    /// The bucket that `time` belongs to.
    @inlinable static func bucket(of time: Nanoseconds) -> Int {
        // A time of exactly n µs belongs to the bucket that ends there.
        let microseconds = time == 0 ? 0 : (time - 1) / 1000
        if microseconds < 8 { return Int(microseconds) }
        let octave = 63 - microseconds.leadingZeroBitCount
        if octave >= 27 { return bucketCount - 1 }
        return (octave - 2) * 8 + Int(microseconds >> UInt64(octave - 3) & 7)
    }

    /// The lower edge of `bucket`, in microseconds; also the upper edge of the one before it.
    static func lowerEdgeMicroseconds(_ bucket: Int) -> UInt64 {
        if bucket < 8 { return UInt64(bucket) }
        return UInt64(8 + bucket % 8) << UInt64(bucket / 8 - 1)
    }
}

/// The sum of some latency histograms, as read at one time: all workers of a target group, say.
public struct LatencySums: Sendable {
    private var counts = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
    /// How much time was recorded in all. Units: nanoseconds.
    public private(set) var nanosecondsTotal: UInt64 = 0
    /// How many times were recorded.
    public private(set) var count: UInt64 = 0

    /// The sum of no histograms.
    public init() {}

    /// Adds what `histogram` holds now. Its thread may be writing meanwhile: each bucket is exact, and the total
    /// may be a few recordings ahead of the buckets.
    public mutating func add(_ histogram: borrowing LatencyHistogram) {
        for bucket in 0..<LatencyHistogram.bucketCount {
            let value = histogram.buckets[bucket].value
            counts[bucket] += value
            count += value
        }
        nanosecondsTotal += histogram.nanosecondsTotal.value
    }

    /// How many were recorded at or below `exponent` doublings of 1 µs. Exact, since that is an edge of a bucket.
    ///
    /// Limits: `exponent` is 3–27.
    public func count(atMostMicrosecondsLog2 exponent: Int) -> UInt64 {
        precondition(exponent >= 3 && exponent <= 27, "histogram: not a bucket edge")
        return counts[..<((exponent - 2) * 8)].reduce(0, +)
    }

    /// The time that `fraction` of the recordings do not exceed, or nil if nothing was recorded.
    ///
    /// Units:  nanoseconds. `fraction` is in 0…1.
    /// Limits: off by at most 6.25 %, and below 8 µs by 0.5 µs; what is over 134 s is given as 134 s.
    public func quantile(_ fraction: Double) -> Nanoseconds? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((Double(count) * fraction).rounded(.up)))
        var seen: UInt64 = 0
        for bucket in 0..<LatencyHistogram.bucketCount {
            seen += counts[bucket]
            guard seen >= rank else { continue }
            let lower = LatencyHistogram.lowerEdgeMicroseconds(bucket)
            if bucket == LatencyHistogram.bucketCount - 1 { return lower * 1000 }
            return (lower + LatencyHistogram.lowerEdgeMicroseconds(bucket + 1)) * 500
        }
        return nil
    }
}
