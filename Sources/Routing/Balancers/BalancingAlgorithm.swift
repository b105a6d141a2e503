import Core

/// Which algorithm picks a group's targets, with what control has made for it.
public enum BalancingAlgorithm: Sendable {
    /// One after the other. The share of a target that has become healthy grows for as long as `slowStart`; 0 for
    /// none.
    case roundRobin(slowStart: Nanoseconds)
    /// The one with the fewest attempts in flight.
    case leastOutstanding
    /// At random, less of those that fail more often than the others.
    case weightedRandom
    /// Of two the one that will probably answer first.
    case leastLatency
    /// By a hash of the request, which the table divides among the targets, and which of them has room: so many percent
    /// of its share, 0 for any number.
    case consistentHash(MaglevTable, boundPercent: Int)
    /// By the hash of a flow, which this table divides among the targets.
    case flowHash(MaglevTable)

    /// What an algorithm learns from the outcomes of attempts.
    enum Lesson {
        case nothing
        /// How many were answered, and how many failed.
        case failures
        /// How long answers take, and how many failed.
        case latency
    }

    /// What it learns from outcomes.
    var lesson: Lesson {
        switch self {
        case .roundRobin, .leastOutstanding, .consistentHash, .flowHash: .nothing
        case .weightedRandom: .failures
        case .leastLatency: .latency
        }
    }

    /// Whether it looks at what is in flight on each target over all workers. Counting that costs a word which all
    /// workers write.
    var countsOutstanding: Bool {
        switch self {
        case .leastOutstanding, .leastLatency, .consistentHash: true
        case .roundRobin, .weightedRandom, .flowHash: false
        }
    }

    /// Whether it looks at what is in flight on all targets of the group together.
    var countsGroup: Bool {
        switch self {
        case .consistentHash(_, let boundPercent): boundPercent > 0
        case .roundRobin, .leastOutstanding, .weightedRandom, .leastLatency, .flowHash: false
        }
    }
}
