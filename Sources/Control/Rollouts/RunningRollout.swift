import Core
import Model
import Routing
import Telemetry

/// A rollout under way, or one that has ended and whose last weights are not in force yet: its record, what it has seen
/// since its step began or the process did, and what it knows of its weights.
struct RunningRollout {
    /// What is kept of it.
    var record: RolloutRecord {
        didSet { if record != oldValue { isDurable = false } }
    }
    /// Whether `record` is on disk as it is.
    var isDurable = false
    /// The weights that it has set, as they were in force last; nil before that, and where it may set them whatever
    /// they are.
    var ownWeights: [String: Int]?
    /// Whether a change of its weights waits for its turn, or for the disk.
    var isSettingWeights = false
    /// Whether a decision about it waits for its turn: meanwhile it is not looked at.
    var isDeciding = false
    /// Why its weights could not be set the last time; nil if they could.
    var failure: String?
    /// Who waits until it has begun.
    var onStart: ((Result<RolloutStatus, AdminError>) -> Void)?
    /// What was seen, and what is to be done.
    private(set) var state: RolloutState
    /// The step of the rollout at which `state` began.
    private let firstStep: Int
    private let beganAt: Instant
    /// The buckets in which workers count latencies, in seconds.
    private static let scale = LatencyScale(edges: LatencyHistogram.edges)
    private var before: (new: Counted, old: Counted)?
    /// Requests of the new group that began before its share fell and have not ended: they belong to the larger share,
    /// so as many answers are not counted.
    private var answersToSkip: UInt64 = 0

    /// What a group has counted since it is there.
    private struct Counted {
        /// Tells the group from another one of its name.
        let group: ObjectIdentifier
        let ended: UInt64
        let failed: UInt64
        let latencies: [UInt64]

        init(_ group: GroupState) {
            self.group = ObjectIdentifier(group)
            // What failed is read first: it must not be more than what ended.
            failed = group.counters.reduce(0) { $0 + $1.requestsFailed.value }
            ended = group.counters.reduce(0) { $0 + $1.requestsEnded.value }
            var sums = LatencySums()
            for worker in group.counters { sums.add(worker.responseTime) }
            var latencies = sums.counts
            // Whoever has gone before the response began would have waited longer still.
            latencies[latencies.count - 1] += group.counters.reduce(0) { $0 + $1.requestsAbandoned.value }
            self.latencies = latencies
        }

        /// What came on top of `before`; nil if these are the counts of another group of the same name.
        func since(_ before: Counted) -> RolloutCounts? {
            guard group == before.group, ended >= before.ended, failed >= before.failed,
                zip(latencies, before.latencies).allSatisfy({ $0 >= $1 })
            else { return nil }
            return RolloutCounts(
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
            RolloutPolicy(record.rollout, from: record.step), scale: Self.scale, now: now)
        state.isPaused = record.phase == .paused
    }

    /// What the counters of both groups have shown since the last look, and what is to be done about it.
    ///
    /// An interval lasts until both groups have answered something: what only one of them has answered can be compared
    /// with nothing. How long that takes depends on no outcome, so it favours nobody.
    mutating func look(new: GroupState, old: GroupState, now: Instant) -> RolloutState.Progress {
        let counted = (new: Counted(new), old: Counted(old))
        let nothing = RolloutCounts(Self.scale)
        guard let before, let newCounts = counted.new.since(before.new), let oldCounts = counted.old.since(before.old)
        else {
            before = counted
            return state.look(new: nothing, old: nothing, now: now)
        }
        if answersToSkip > 0 {
            answersToSkip -= min(answersToSkip, newCounts.errors.total)
            self.before = counted
            return state.look(new: nothing, old: nothing, now: now)
        }
        guard newCounts.errors.total > 0, oldCounts.errors.total > 0 else {
            return state.look(new: nothing, old: nothing, now: now)
        }
        self.before = counted
        return state.look(new: newCounts, old: oldCounts, now: now)
    }

    /// The share of the new group may fall with the next weights: what is under way there now does not count.
    mutating func skipRequestsUnderWay(in group: GroupState?) {
        answersToSkip = group?.counters.reduce(0) { $0 + $1.requestsActive.value } ?? 0
        before = nil
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

    /// It is over.
    mutating func end(_ phase: RolloutRecord.Phase, _ reason: String) {
        record.phase = phase
        record.reason = reason
        record.endedAt = WallClock.now()
        record.isSettled = false
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
