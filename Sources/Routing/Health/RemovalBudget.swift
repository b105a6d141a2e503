import Core

/// Limits how many targets of a group health checks may take out in a minute, so that a mistake in what is checked does
/// not take out all of them at once.
///
/// Shape:  the times of the removals of the last minute, oldest first; pure.
/// Limits: as many as the group has targets.
public struct RemovalBudget: Sendable {
    private var removals: [Instant] = []

    /// Nothing was removed.
    public init() {}

    /// Whether one more of `count` targets may be removed, where so many percent of them may be in a minute, but one at
    /// least.
    public mutating func mayRemove(of count: Int, percent: Int, now: Instant) -> Bool {
        if percent >= 100 { return true }
        let passed = removals.prefix { now.since($0) >= Limits.removalWindow }.count
        removals.removeFirst(passed)
        return removals.count < max(1, count * percent / 100)
    }

    /// A target was removed.
    public mutating func noteRemoval(percent: Int, now: Instant) {
        if percent < 100 { removals.append(now) }
    }
}
