import Core
import Model
import Routing
import Telemetry

/// A rollout under way: its record, what it has seen since its step began or the process did, and what both groups had
/// counted at the last look.
struct RunningRollout {
    /// What is kept of it.
    var record: RolloutRecord
    /// What was seen, and what is to be done.
    private(set) var state: RolloutState
    /// The step of the rollout at which `state` began.
    private let firstStep: Int
    private let beganAt: Instant
    /// Whether its weights were seen in force: if they are others later, somebody else has changed them.
    var wasInForce = false
    private var before: (new: Counted, old: Counted)?

    /// What a group has counted since it is there.
    private struct Counted {
        let ended: UInt64
        let failed: UInt64
        let latencies: [UInt64]

        init(_ workers: [TargetGroupCounters]) {
            // What failed is read first: it must not be more than what ended.
            failed = workers.reduce(0) { $0 + $1.requestsFailed.value }
            ended = workers.reduce(0) { $0 + $1.requestsEnded.value }
            var sums = LatencySums()
            for worker in workers { sums.add(worker.responseTime) }
            latencies = sums.counts
        }

        func since(_ before: Counted) -> RolloutCounts {
            RolloutCounts(
                errors: ShareCounts(hits: failed - before.failed, of: ended - before.ended),
                latencies: LatencyCounts(zip(latencies, before.latencies).map { $0 - $1 }))
        }
    }

    /// A rollout that begins, or goes on, at the step of `record`.
    init(_ record: RolloutRecord, now: Instant) {
        self.record = record
        firstStep = record.step
        beganAt = now
        state = RolloutState(
            RolloutPolicy(record.rollout, from: record.step), scale: LatencyScale(edges: LatencyHistogram.edges),
            now: now)
        state.isPaused = record.phase == .paused
    }

    /// What counters of both groups have shown since the last look, and what is to be done about it. The first look is
    /// only to begin with.
    mutating func look(
        new: [TargetGroupCounters], old: [TargetGroupCounters], now: Instant
    ) -> RolloutState.Progress? {
        let counted = (new: Counted(new), old: Counted(old))
        defer { before = counted }
        guard let before else { return nil }
        return state.look(
            new: counted.new.since(before.new), old: counted.old.since(before.old), now: now)
    }

    /// Goes on with the next step, whatever the guards say.
    mutating func advance(now: Instant) -> RolloutState.Progress { state.advance(now: now) }

    /// The step of the rollout that the step of `state` is.
    func step(_ index: Int) -> Int { firstStep + index }

    /// It stays at its step, or goes on from there.
    mutating func setPaused(_ isPaused: Bool, because reason: String? = nil) {
        state.isPaused = isPaused
        record.phase = isPaused ? .paused : .running
        record.reason = reason
    }

    /// Why the targets of the new group end the rollout; nil if they do not.
    ///
    /// More than half of them fail their checks, or did not become healthy in time.
    func circuitBreaker(_ group: GroupState, now: Instant) -> String? {
        let count = group.registrations.count
        guard count > 0 else { return "\(group.name) has no targets any more." }
        let unhealthy = group.tally[.unhealthy]
        if unhealthy * 2 > count { return "\(unhealthy) of \(count) targets of \(group.name) are unhealthy." }
        guard group.isChecked, now.since(beganAt) >= Limits.rolloutHealthTime else { return nil }
        let initial = group.tally[.initial]
        guard (unhealthy + initial) * 2 > count else { return nil }
        return "\(unhealthy + initial) of \(count) targets of \(group.name) have not become healthy within "
            + "\(Limits.rolloutHealthTime / 1_000_000_000) s."
    }
}
