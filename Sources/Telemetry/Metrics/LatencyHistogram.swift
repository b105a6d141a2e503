import Core

/// A latency histogram with buckets of exponentially growing width.
///
/// Eight buckets to each doubling, so a bucket is at most one eighth as wide as its lower edge.
///
/// Shape:  words that one thread writes and any thread reads, as in `Counter`. Readers sum them in `LatencySums`.
/// Units:  nanoseconds in, microseconds inside. Bucket edges are whole microseconds, and a time equal to an edge counts
///         as below it, as `le` in Prometheus requires.
/// Limits: the last bucket holds everything over 2^27 µs (134 s).
public struct LatencyHistogram: ~Copyable, Sendable {
    /// How many buckets there are.
    public static var bucketCount: Int { 201 }

    @usableFromInline let buckets = InlineArray<201, Counter> { _ in Counter() }
    @usableFromInline let nanosecondsTotal = Counter()

    /// An empty histogram.
    @inlinable public init() {}

    /// The upper edge of each bucket in seconds; infinity for the last.
    public static var edges: [Double] {
        (0..<bucketCount).map { bucket in
            if bucket == bucketCount - 1 { return .infinity }
            if bucket < 8 { return Double(bucket + 1) / 1e6 }
            return Double((bucket % 8 + 9) << (bucket / 8 - 1)) / 1e6
        }
    }

    /// Records one latency. Only the owning thread may call this.
    @inlinable public func record(_ time: Nanoseconds) {
        buckets[Self.bucket(of: time)].add()
        nanosecondsTotal.add(time)
    }

    /// The bucket that `time` belongs to.
    @inlinable static func bucket(of time: Nanoseconds) -> Int {
        // A time of exactly n µs belongs to the bucket whose upper edge is n.
        let microseconds = time == 0 ? 0 : (time - 1) / 1000
        if microseconds < 8 { return Int(microseconds) }
        let octave = 63 - microseconds.leadingZeroBitCount
        if octave >= 27 { return bucketCount - 1 }
        return (octave - 2) * 8 + Int(microseconds >> UInt64(octave - 3) & 7)
    }
}

/// The sum of several latency histograms at one time, such as those of all workers for a target group.
public struct LatencySums: Sendable {
    /// How many were recorded, by bucket.
    public private(set) var counts = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
    /// The sum of all recorded times. Units: nanoseconds.
    public private(set) var nanosecondsTotal: UInt64 = 0
    /// How many times were recorded.
    public private(set) var count: UInt64 = 0

    /// An empty sum.
    public init() {}

    /// Adds the current content of `histogram`. Its thread may be writing meanwhile: each bucket is exact, but the
    /// total may be a few recordings ahead of the buckets.
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
