import Routing

/// The attempt counts of a target at the last read of each of their three readers, so that each gets the difference.
struct AttemptReadings {
    private var byAnomalies = AttemptCounts()
    private var byOutliers = AttemptCounts()
    private var byChecks = AttemptCounts()

    /// What was added since anomalies were looked for last.
    mutating func takeForAnomalies(_ counts: AttemptCounts) -> AttemptCounts { Self.take(counts, &byAnomalies) }

    /// What was added since outliers were looked for last.
    mutating func takeForOutliers(_ counts: AttemptCounts) -> AttemptCounts { Self.take(counts, &byOutliers) }

    /// What was added since a health check was due last.
    mutating func takeForChecks(_ counts: AttemptCounts) -> AttemptCounts { Self.take(counts, &byChecks) }

    private static func take(_ counts: AttemptCounts, _ last: inout AttemptCounts) -> AttemptCounts {
        defer { last = counts }
        return counts.since(last)
    }
}
