import Core
import Model
import Routing

/// What is known of a rollout: how it was asked for, and how far it has come or how it ended.
struct RolloutRecord: Equatable, Sendable {
    /// Where it stands.
    enum Phase: String, Equatable, Sendable, CaseIterable {
        /// The new group gets what its step says.
        case running
        /// It stays at its step until somebody resumes it.
        case paused
        /// The new group has everything.
        case promoted
        /// The old group has everything.
        case aborted

        /// Whether it is over.
        var isEnded: Bool { self == .promoted || self == .aborted }
    }

    /// The largest number that is read from the file: no process begins so many, and adding to it cannot overflow.
    private static let idMax = 1 << 50

    /// Its number: the later, the larger.
    let id: Int
    /// As it was asked for.
    let rollout: Rollout
    /// Who asked.
    let user: UInt32?
    /// When it began, as `WallClock.now()`.
    let startedAt: UInt64
    /// Where it stands.
    var phase = Phase.running
    /// The index of its step.
    var step = 0
    /// Why it is paused, or how it ended: a sentence.
    var reason: String?
    /// When it ended; nil before.
    var endedAt: UInt64?
    /// Whether its last weights have been in force, so that nothing is left to do.
    var isSettled = true

    /// What the new group gets while it is not over, in percent.
    var share: Int { rollout.steps[step] }

    /// The weights of both groups in the action.
    var weights: [String: Int] {
        let new =
            switch phase {
            case .running, .paused: share
            case .promoted: 100
            case .aborted: 0
            }
        return [rollout.from: 100 - new, rollout.to: new]
    }

    /// What changes the weights of the action to those.
    var change: Change {
        .setWeights(
            loadBalancer: rollout.loadBalancerName, port: rollout.port, priority: rollout.priority, weights)
    }
}

// MARK: On disk

extension RolloutRecord {
    /// As the file of rollouts has it.
    var written: Value {
        var value: Value = [
            "id": .int(id), "rollout": rollout.encoded(), "startedAt": .int(Int(clamping: startedAt)),
            "phase": .string(phase.rawValue), "step": .int(step),
        ]
        value["uid"] = user.map { .int(Int($0)) }
        value["reason"] = reason.map { .string($0) }
        if !isSettled { value["settled"] = false }
        value["endedAt"] = endedAt.map { .int(Int(clamping: $0)) }
        return value
    }

    /// Reads what `written` has made; nil if `value` is something else.
    init?(written value: Value) {
        // One condition a statement: with all in one the optimizer of Swift 6.3.1 fails.
        guard let id = value["id"]?.int, (1...Self.idMax).contains(id) else { return nil }
        guard let asked = value["rollout"], let rollout = try? Rollout(asked) else { return nil }
        guard let started = value["startedAt"]?.int, let startedAt = UInt64(exactly: started) else { return nil }
        guard let phaseName = value["phase"]?.string, let phase = Phase(rawValue: phaseName) else { return nil }
        guard let step = value["step"]?.int, rollout.steps.indices.contains(step) else { return nil }
        var user: UInt32?
        if let number = value["uid"]?.int { user = UInt32(exactly: number) }
        self.init(id: id, rollout: rollout, user: user, startedAt: startedAt, phase: phase, step: step)
        reason = value["reason"]?.string
        if let time = value["endedAt"]?.int { endedAt = UInt64(exactly: time) }
        isSettled = value["settled"]?.bool ?? true
    }
}

extension RolloutPolicy {
    /// How `rollout` goes on, from its step `first` on.
    init(_ rollout: Rollout, from first: Int) {
        self.init(
            steps: rollout.steps[first...].map(Double.init), stepTime: Nanoseconds(seconds: rollout.stepTimeSeconds),
            guards: rollout.guards.all.map { RolloutGuard($0.measure, smallestEffect: $0.percent / 100) })
        falseAlarm = rollout.falseAlarmPercent / 100
        requestsMin = UInt64(rollout.minimumRequests)
        advance = rollout.advance == .time ? .time : .notWorse
    }
}

extension Rollout.Guards {
    /// Those that watch something, with their names.
    var all: [(name: String, measure: RolloutGuard.Measure, percent: Double)] {
        let guards: [(String, RolloutGuard.Measure, Double?)] = [
            ("errorShare", .errorShare, errorSharePercent), ("p50", .latency(quantile: 0.5), p50Percent),
            ("p90", .latency(quantile: 0.9), p90Percent), ("p95", .latency(quantile: 0.95), p95Percent),
            ("p99", .latency(quantile: 0.99), p99Percent),
        ]
        return guards.compactMap { name, measure, percent in percent.map { (name, measure, $0) } }
    }
}
