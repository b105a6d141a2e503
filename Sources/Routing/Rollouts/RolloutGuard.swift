/// What a rollout watches: a measure at which the new group must not be worse than the old one.
public struct RolloutGuard: Equatable, Sendable {
    /// What is measured.
    public enum Measure: Equatable, Sendable {
        /// The share of requests that failed.
        case errorShare
        /// The time in which this share of requests was answered, 0.99 for p99.
        case latency(quantile: Double)
    }

    /// What is measured.
    public let measure: Measure
    /// The least difference that matters, above 0. Of shares: the difference itself, 0.005 for half a percentage point.
    /// Of times: by how much of the old one the new one is longer, 0.2 for a fifth.
    public let smallestEffect: Double

    /// A guard of `measure`.
    public init(_ measure: Measure, smallestEffect: Double) {
        precondition(smallestEffect > 0, "rollout guard: an effect that is none")
        self.measure = measure
        self.smallestEffect = smallestEffect
    }
}

/// What a group has answered in some time, as guards look at it.
public struct RolloutCounts: Equatable, Sendable {
    /// Its requests, and those of them that failed.
    public var errors: ShareCounts
    /// What the answers took.
    public var latencies: LatencyCounts

    /// These counts.
    public init(errors: ShareCounts, latencies: LatencyCounts) {
        self.errors = errors
        self.latencies = latencies
    }

    /// Nothing, on `scale`.
    public init(_ scale: LatencyScale) {
        self.init(errors: ShareCounts(), latencies: LatencyCounts(bucketCount: scale.edges.count))
    }

    /// Adds what was counted later.
    static func += (left: inout RolloutCounts, right: RolloutCounts) {
        left.errors += right.errors
        left.latencies += right.latencies
    }
}
