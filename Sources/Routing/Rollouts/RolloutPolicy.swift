import Core

/// How a rollout goes on: by what steps, when, and what stops it.
public struct RolloutPolicy: Equatable, Sendable {
    /// What a step needs to end, beside its time and its requests.
    public enum Advance: Equatable, Sendable {
        /// Every guard has to be sure that the new group is not worse.
        case notWorse
        /// No guard may be sure that it is worse.
        case time
    }

    /// What the new group gets in each step, in percent: ascending, the last 100.
    public var steps: [Double]
    /// What a step takes at least.
    public var stepTime: Nanoseconds
    /// What is watched. Without any, time alone decides.
    public var guards: [RolloutGuard]
    /// The probability that a new group which is as good as the old one is called worse, over the whole rollout and all
    /// guards.
    public var falseAlarm = 0.01
    /// Requests that the new group must have had in a step before the step ends.
    public var requestsMin: UInt64 = 100
    /// What a step needs to end.
    public var advance = Advance.notWorse

    /// A policy with these steps and guards.
    public init(steps: [Double], stepTime: Nanoseconds, guards: [RolloutGuard]) {
        precondition(steps.last == 100 && zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 }, "rollout: steps")
        self.steps = steps
        self.stepTime = stepTime
        self.guards = guards
    }
}
