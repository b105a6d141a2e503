import Core

/// What one guard of a rollout has seen, of both groups at the same time.
///
/// A latency guard is one of shares as well: that of the requests which took longer than the quantile of the old group
/// and the smallest effect beyond it. That time is computed of what was seen before, so the requests that it judges
/// have no part in it; if both groups answer alike, it is as often exceeded by either, wherever it lies.
///
/// A group may turn bad late, when much speaks for it already. So evidence is collected from the beginning of each
/// step, and what counts is the mean over all steps that there will be; those to come count as 1.
///
/// Shape:  a value; some kilobytes for each step.
public struct GuardEvidence: Equatable, Sendable {
    /// What has been seen since the beginning of one step.
    private struct Span: Equatable {
        var evidence = ShareEvidence()
        var new: RolloutCounts
        var old: RolloutCounts
    }

    private let rule: RolloutGuard
    private let scale: LatencyScale
    /// The steps of the rollout.
    private let stepCount: Int
    private var spans: [Span] = []
    /// What the old group's answers took of late, by bucket; older ones count less.
    private var recent: [Double]

    /// The evidence of a guard in a rollout of so many steps. `beginStep` comes before anything is added.
    public init(_ rule: RolloutGuard, scale: LatencyScale, stepCount: Int) {
        self.rule = rule
        self.scale = scale
        self.stepCount = stepCount
        recent = [Double](repeating: 0, count: scale.edges.count)
    }

    /// The next step begins. There are no more than was said in the beginning.
    public mutating func beginStep() {
        precondition(spans.count < stepCount, "rollout: more steps than there are")
        spans.append(Span(new: RolloutCounts(scale), old: RolloutCounts(scale)))
    }

    /// Adds what both groups answered in the same interval.
    public mutating func add(new: RolloutCounts, old: RolloutCounts) {
        let counts = shareCounts(new, old)
        for index in spans.indices {
            if let counts { spans[index].evidence.add(new: counts.new, old: counts.old) }
            spans[index].new += new
            spans[index].old += old
        }
        guard case .latency = rule.measure else { return }
        for (index, count) in old.latencies.buckets.enumerated() {
            recent[index] = recent[index] * Limits.rolloutMemory + Double(count)
        }
    }

    /// What is compared of an interval; nil while too little is known for it.
    private func shareCounts(_ new: RolloutCounts, _ old: RolloutCounts) -> (new: ShareCounts, old: ShareCounts)? {
        switch rule.measure {
        case .errorShare: return (new.errors, old.errors)
        case .latency(let quantile):
            let total = recent.reduce(0, +)
            guard total >= Limits.rolloutLatenciesMin else { return nil }
            var below = 0.0
            let bucket = recent.firstIndex { count in
                below += count
                return below >= quantile * total
            }
            guard let bucket else { return nil }
            let first = scale.firstBucket(above: scale.time(of: bucket) * (1 + rule.smallestEffect))
            return (new.latencies.shareCounts(from: first), old.latencies.shareCounts(from: first))
        }
    }

    /// The logarithm of the evidence for the new group being worse. At `-log(α)` chance is excluded but for α, however
    /// often one looks.
    public var logarithm: Double {
        let ahead = Double(stepCount - spans.count).naturalLogarithm
        return Double.logSum(of: spans.map(\.evidence.logarithm) + [ahead]) - Double(stepCount).naturalLogarithm
    }

    /// Whether the new group is worse: chance is excluded but for the probability `falseAlarm`, and the difference is
    /// one that matters in the step in which most speaks for it.
    public func isWorse(falseAlarm: Double) -> Bool {
        guard logarithm >= -falseAlarm.naturalLogarithm,
            let span = spans.max(by: { $0.evidence.logarithm < $1.evidence.logarithm })
        else { return false }
        return effect(span) >= rule.smallestEffect
    }

    /// Whether what this step has shown proves that the new group is not worse by an effect that matters, but for the
    /// probability `error`.
    public func isNotWorse(error: Double) -> Bool {
        guard let span = spans.last else { return false }
        let (new, old) = (figure(span.new, error: error / 2), figure(span.old, error: error / 2))
        return switch rule.measure {
        case .errorShare: new.upper - old.lower < rule.smallestEffect
        case .latency: old.lower > 0 && new.upper <= old.lower * (1 + rule.smallestEffect)
        }
    }

    /// How it stands, in this step's figures.
    public func reading(falseAlarm: Double, error: Double) -> GuardReading {
        let span = spans.last ?? Span(new: RolloutCounts(scale), old: RolloutCounts(scale))
        return GuardReading(
            new: figure(span.new, error: error / 2), old: figure(span.old, error: error / 2), effect: effect(span),
            evidence: logarithm, evidenceLimit: -falseAlarm.naturalLogarithm, isWorse: isWorse(falseAlarm: falseAlarm),
            isNotWorse: isNotWorse(error: error))
    }

    /// How much worse the new group looks.
    private func effect(_ span: Span) -> Double {
        switch rule.measure {
        case .errorShare: return span.new.errors.share - span.old.errors.share
        case .latency(let quantile):
            guard let new = scale.quantile(quantile, of: span.new.latencies),
                let old = scale.quantile(quantile, of: span.old.latencies), old > 0
            else { return 0 }
            return new / old - 1
        }
    }

    private func figure(_ counts: RolloutCounts, error: Double) -> GuardReading.Figure {
        switch rule.measure {
        case .errorShare:
            let bounds = ShareBounds(counts.errors, error: error)
            return GuardReading.Figure(value: counts.errors.share, lower: bounds.lower, upper: bounds.upper)
        case .latency(let quantile):
            let latencies = counts.latencies
            guard let value = scale.quantile(quantile, of: latencies) else {
                return GuardReading.Figure(value: 0, lower: 0, upper: .infinity)
            }
            // So many of the requests are at most as long as the true quantile.
            let ranks = ShareBounds.hits(of: latencies.total, share: quantile, error: error)
            return GuardReading.Figure(
                value: value,
                lower: ranks.lowerBound == 0 ? 0 : scale.time(ofRank: Double(ranks.lowerBound), of: latencies),
                upper: ranks.upperBound >= latencies.total
                    ? .infinity : scale.time(ofRank: Double(ranks.upperBound + 1), of: latencies))
        }
    }
}
