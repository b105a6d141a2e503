import Core

/// How far a rollout has come, and what it has seen.
///
/// The new group's share grows step by step. At each look what both groups answered since the last one is added, and
/// `look` says whether the rollout stays where it is, moves on, or ends. With 100 percent there is no old group beside
/// the new one any more, so the last step is the end.
///
/// Shape:  pure; whoever drives it changes the weights, and keeps the time.
public struct RolloutState: Equatable, Sendable {
    /// What is to be done after a look.
    public enum Progress: Equatable, Sendable {
        /// Nothing, because of this.
        case stays(Wait)
        /// The new group gets what the step with this index says.
        case moves(step: Int)
        /// The new group gets everything: the rollout is over.
        case promoted
        /// The old group gets everything, because of the guard with this index.
        case aborted(guard: Int)
    }

    /// What a step waits for.
    public enum Wait: Equatable, Sendable {
        /// Its time is not over.
        case time(left: Nanoseconds)
        /// The new group has had too few requests to judge by.
        case requests(missing: UInt64)
        /// The guard with this index cannot tell yet that the new group is not worse.
        case evidence(guard: Int)
        /// Somebody has paused the rollout.
        case paused
    }

    /// How it goes on.
    public let policy: RolloutPolicy
    /// The index of the step that it is at.
    public private(set) var step = 0
    /// Whether it stays at its step until it is resumed. Guards end it all the same.
    public var isPaused = false
    /// When the step began.
    public private(set) var stepBeganAt: Instant
    /// What each guard has seen.
    public private(set) var evidence: [GuardEvidence]
    /// What the new group has had in this step.
    public private(set) var requests: UInt64 = 0

    /// A rollout that begins its first step. Latencies are counted on `scale`.
    public init(_ policy: RolloutPolicy, scale: LatencyScale, now: Instant) {
        self.policy = policy
        stepBeganAt = now
        evidence = policy.guards.map { GuardEvidence($0, scale: scale, stepCount: policy.steps.count) }
        for index in evidence.indices { evidence[index].beginStep() }
    }

    /// What the new group gets now, in percent.
    public var share: Double { policy.steps[step] }

    /// The probability of a false alarm that each guard may have.
    private var falseAlarm: Double { policy.falseAlarm / Double(max(1, policy.guards.count)) }

    /// Adds what both groups answered since the last look, and says what is to be done.
    public mutating func look(new: RolloutCounts, old: RolloutCounts, now: Instant) -> Progress {
        requests += new.errors.total
        for index in evidence.indices {
            evidence[index].add(new: new, old: old)
            if evidence[index].isWorse(falseAlarm: falseAlarm) { return .aborted(guard: index) }
        }
        if let wait = wait(now: now) { return .stays(wait) }
        return advance(now: now)
    }

    /// What the step waits for; nil if it may end.
    public func wait(now: Instant) -> Wait? {
        if isPaused { return .paused }
        let elapsed = now.since(stepBeganAt)
        if elapsed < policy.stepTime { return .time(left: policy.stepTime - elapsed) }
        if requests < policy.requestsMin { return .requests(missing: policy.requestsMin - requests) }
        guard policy.advance == .notWorse,
            let index = evidence.firstIndex(where: { !$0.isNotWorse(error: Limits.rolloutWrongPass) })
        else { return nil }
        return .evidence(guard: index)
    }

    /// Goes on to the next step, whatever the guards say.
    public mutating func advance(now: Instant) -> Progress {
        step = min(step + 1, policy.steps.count - 1)
        guard step < policy.steps.count - 1 else { return .promoted }
        stepBeganAt = now
        requests = 0
        for index in evidence.indices { evidence[index].beginStep() }
        return .moves(step: step)
    }

    /// How each guard stands.
    public var readings: [GuardReading] {
        evidence.map { $0.reading(falseAlarm: falseAlarm, error: Limits.rolloutWrongPass) }
    }
}
