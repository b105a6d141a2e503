import Core
import Foundation

@testable import Routing

/// A rollout in virtual time: what is looked at and decided is the real thing, two groups are simulated, and a seed
/// decides everything.
///
/// Requests come at random. Each fails with the probability of its group, and is answered in a time that is distributed
/// lognormally.
struct RolloutSimulation {
    /// What a group is like.
    struct GroupModel {
        /// The share of requests that fail.
        var errors = 0.001
        /// What half of the answers take, in milliseconds.
        var medianMilliseconds = 10.0
    }

    /// How a rollout ended.
    struct Outcome {
        /// What was decided last.
        var progress: RolloutState.Progress
        /// When, in seconds.
        var seconds: Double
        /// Requests of the new group, and those that failed.
        var new = ShareCounts()

        /// Whether the new group was called worse.
        var isAborted: Bool { if case .aborted = progress { true } else { false } }
    }

    /// Four buckets to each doubling, from 1 ms to 1 s.
    static let scale = LatencyScale(edges: (0..<40).map { pow(2, Double($0) / 4) } + [.infinity])
    /// Looks per second, as control has them.
    static let looksPerSecond = 4.0

    private var random: SplitMix
    private let rate: Double
    private let old: Sampler
    private let new: Sampler

    /// Two groups that have `rate` requests a second together.
    init(old: GroupModel = GroupModel(), new: GroupModel, rate: Double, seed: UInt64) {
        random = SplitMix(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        self.rate = rate
        self.old = Sampler(old)
        self.new = Sampler(new)
    }

    /// Runs `policy` for so many seconds, or until it is decided.
    mutating func run(_ policy: RolloutPolicy, seconds: Double) -> Outcome {
        var state = RolloutState(policy, scale: Self.scale, now: Instant(nanoseconds: 0))
        var outcome = Outcome(progress: .stays(.paused), seconds: seconds)
        for look in 1...Int(seconds * Self.looksPerSecond) {
            let share = state.share / 100
            let newCounts = new.counts(rate * share / Self.looksPerSecond, &random)
            let oldCounts = old.counts(rate * (1 - share) / Self.looksPerSecond, &random)
            outcome.new += newCounts.errors
            let time = Double(look) / Self.looksPerSecond
            let progress = state.look(
                new: newCounts, old: oldCounts, now: Instant(nanoseconds: UInt64(time * 1e9)))
            switch progress {
            case .promoted, .aborted: return Outcome(progress: progress, seconds: time, new: outcome.new)
            case .stays, .moves: outcome.progress = progress
            }
        }
        return outcome
    }

    /// When a check of the new group alone, once a minute, against limits that do not change, stops it; nil if it does
    /// not within so many seconds.
    mutating func fixedThreshold(
        share: Double, errorsMax: Double, p99MaxMilliseconds: Double, seconds: Double
    ) -> Double? {
        for minute in 1...Int(seconds / 60) {
            let counts = new.counts(rate * share * 60, &random)
            let slow = Self.scale.quantile(0.99, of: counts.latencies) ?? 0
            if counts.errors.share > errorsMax || slow > p99MaxMilliseconds { return Double(minute) * 60 }
        }
        return nil
    }

    /// Draws what a group answers in some time.
    private struct Sampler {
        let errors: Double
        /// The probability of each bucket.
        let buckets: [Double]

        init(_ model: GroupModel) {
            errors = model.errors
            let spread = 0.5 * 2.0.squareRoot()
            let below = RolloutSimulation.scale.edges.map { edge in
                edge.isInfinite ? 1 : (1 + erf(log(edge / model.medianMilliseconds) / spread)) / 2
            }
            buckets = zip(below, [0] + below).map { $0 - $1 }
        }

        func counts(_ mean: Double, _ random: inout SplitMix) -> RolloutCounts {
            let buckets = buckets.map { $0 * mean < 1e-6 ? 0 : random.poisson($0 * mean) }
            let total = buckets.reduce(0, +)
            var failed: UInt64 = 0
            if total > 200 {
                failed = min(total, random.poisson(errors * Double(total)))
            } else {
                for _ in 0..<total where random.unit() < errors { failed += 1 }
            }
            return RolloutCounts(errors: ShareCounts(hits: failed, of: total), latencies: LatencyCounts(buckets))
        }
    }
}

/// Numbers that a seed decides. Source: Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// From 0 to less than 1.
    mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    /// A number of events of which `mean` are expected; beyond 30 by the normal distribution.
    mutating func poisson(_ mean: Double) -> UInt64 {
        if mean > 30 {
            let normal = (-2 * log(1 - unit())).squareRoot() * cos(2 * .pi * unit())
            return UInt64(max(0, (mean + mean.squareRoot() * normal).rounded()))
        }
        var (count, product): (UInt64, Double) = (0, unit())
        let limit = exp(-mean)
        while product > limit {
            count += 1
            product *= unit()
        }
        return count
    }
}
