import Core
import Synchronization

/// What every worker knows about one registered target: its health, which control writes, and whether it is suspect,
/// which workers write as well.
///
/// A target is suspect after an attempt on it has failed in a way that says something about all others: no connection,
/// a timeout, data that its kernel did not acknowledge. Suspicion is quicker than health checks and never more than a
/// preference: a suspect is passed over while others are eligible, and tried now and then. Health stays what ELB says.
/// Shape: shared by reference; workers hold it in their `BalancedTarget` and retain it only when they adopt a snapshot.
public final class TargetCell: Sendable {
    private let healthy = Atomic<Bool>(false)
    /// 0 while the target is not suspect; else the instant, in nanoseconds, from which the next request may try it.
    private let trialAt = Atomic<UInt64>(0)

    /// A target that is not healthy, and not suspect.
    public init() {}

    /// Whether the last verdict of the health checks was healthy.
    public var isHealthy: Bool {
        get { healthy.load(ordering: .acquiring) }
        set { healthy.store(newValue, ordering: .releasing) }
    }

    /// Whether an attempt has failed, and since then none has succeeded and no health check has passed.
    public var isSuspect: Bool { trialAt.load(ordering: .acquiring) != 0 }

    /// Healthy and not suspect.
    var isTrusted: Bool { isHealthy && !isSuspect }

    /// Makes the target suspect. False if it was suspect already.
    public func suspect(now: Instant) -> Bool {
        let trial = (now + Limits.trialInterval).nanoseconds
        return trialAt.compareExchange(expected: 0, desired: trial, ordering: .acquiringAndReleasing).exchanged
    }

    /// Clears the target of suspicion. False if it was not suspect.
    public func clearSuspicion() -> Bool { trialAt.exchange(0, ordering: .acquiringAndReleasing) != 0 }

    /// Whether the caller, of all workers, is to try the suspect target now: once per `Limits.trialInterval`.
    public func claimTrial(now: Instant) -> Bool {
        let due = trialAt.load(ordering: .acquiring)
        guard due != 0, due <= now.nanoseconds else { return false }
        let next = (now + Limits.trialInterval).nanoseconds
        return trialAt.compareExchange(expected: due, desired: next, ordering: .acquiringAndReleasing).exchanged
    }
}

/// Tells workers that the health of some target of a group has changed, or that one is suspect or not any more.
///
/// A flip costs whoever makes it one store, and each worker one comparison per pick and one pass over the group after.
public final class GroupCell: Sendable {
    private let flips = Atomic<UInt64>(0)

    /// A group whose targets have not changed.
    public init() {}

    /// Grows with every flip. Workers compare it with the value they last acted on.
    public var epoch: UInt64 { flips.load(ordering: .acquiring) }

    /// Makes workers look at the group's targets again, at their next pick.
    public func flip() { flips.wrappingAdd(1, ordering: .acquiringAndReleasing) }
}
