import Core

/// How long things took: counts in buckets that widen with the time they stand for.
///
/// Eight buckets to each doubling, so a bucket is at most one eighth as wide as its lower edge.
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
}
