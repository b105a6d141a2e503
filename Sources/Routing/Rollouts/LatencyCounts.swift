import Core

/// How many requests took how long: a count for each bucket of a scale.
public struct LatencyCounts: Equatable, Sendable {
    /// For each bucket.
    public private(set) var buckets: [UInt64]
    /// All of them.
    public private(set) var total: UInt64

    /// These counts.
    public init(_ buckets: [UInt64]) {
        self.buckets = buckets
        total = buckets.reduce(0, +)
    }

    /// No requests, on a scale of so many buckets.
    init(bucketCount: Int) { self.init([UInt64](repeating: 0, count: bucketCount)) }

    /// Adds what was counted later, on the same scale.
    static func += (left: inout LatencyCounts, right: LatencyCounts) {
        precondition(left.buckets.count == right.buckets.count, "latency counts: two scales")
        for index in left.buckets.indices { left.buckets[index] += right.buckets[index] }
        left.total += right.total
    }

    /// How many are in this bucket or a later one.
    func shareCounts(from bucket: Int) -> ShareCounts {
        ShareCounts(hits: buckets.dropFirst(bucket).reduce(0, +), of: total)
    }
}

/// The buckets of a histogram of times.
public struct LatencyScale: Equatable, Sendable {
    /// The upper edge of each bucket, ascending; infinity for the last.
    public let edges: [Double]

    /// Buckets with these upper edges.
    public init(edges: [Double]) { self.edges = edges }

    /// Where `bucket` begins: 0 for the first.
    func lowerEdge(of bucket: Int) -> Double { bucket == 0 ? 0 : edges[bucket - 1] }

    /// The time that stands for what is in `bucket`: its upper edge, or, of the last bucket, its lower one.
    func time(of bucket: Int) -> Double { bucket == edges.count - 1 ? lowerEdge(of: bucket) : edges[bucket] }

    /// The time within which this share of requests was answered, as if those of a bucket were spread evenly over it;
    /// nil without requests.
    func quantile(_ quantile: Double, of counts: LatencyCounts) -> Double? {
        counts.total == 0 ? nil : time(ofRank: quantile * Double(counts.total), of: counts)
    }

    /// The time of the request with this rank in the order of their times, from 0 to their number, in the same manner.
    func time(ofRank rank: Double, of counts: LatencyCounts) -> Double {
        var below = 0.0
        for (index, count) in counts.buckets.enumerated() where count > 0 {
            let next = below + Double(count)
            if next >= rank {
                let (from, to) = (lowerEdge(of: index), time(of: index))
                return from + (to - from) * max(0, rank - below) / Double(count)
            }
            below = next
        }
        return time(of: edges.count - 1)
    }

    /// The first bucket all of which is above `time`.
    func firstBucket(above time: Double) -> Int {
        var (low, high) = (0, edges.count)
        while low < high {
            let middle = (low + high) / 2
            // The lower edge of a bucket is the upper edge of the one before it.
            if middle > 0, edges[middle - 1] >= time { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
