import Core
import Synchronization

/// The state of one registered target that all workers share: its health, written by control, and whether it is
/// suspect, written by workers too.
///
/// A target is suspect after an attempt failed in a way that predicts further failures: no connection, a timeout,
/// unacknowledged data. Suspicion is faster than health checks and only a preference: a suspect is skipped while others
/// are eligible, and tried once a second. The health state that is reported does not change.
/// Shape: shared by reference; workers hold it in their `BalancedTarget` and retain it only when they adopt a snapshot.
public final class TargetCell: Sendable {
    private let healthy = Atomic<Bool>(false)
    /// 0 while the target is not suspect; else the instant, in nanoseconds, from which the next request may try it.
    private let trialAt = Atomic<UInt64>(0)
    /// What workers have seen of its work.
    public let load = TargetLoad()
    /// Since when its share grows, in nanoseconds; 0 if it does not start slowly.
    private let slowSince = Atomic<UInt64>(0)
    private let mitigatedShare = Atomic<Int>(fullShare)
    private let waits = AtomicLazyReference<WaitBoard>()
    private let ejected = Atomic<Bool>(false)

    /// What shares count in: one of so many is all that a target's weight says.
    public static let fullShare = 256

    /// A target that is not healthy, and not suspect.
    public init() {}

    /// Whether the target is healthy by its health checks.
    public var isHealthy: Bool {
        get { healthy.load(ordering: .acquiring) }
        set { healthy.store(newValue, ordering: .releasing) }
    }

    /// Whether it is taken out for a while since it failed too many requests. Control writes it, and flips the group's
    /// cell.
    public var isEjected: Bool {
        get { ejected.load(ordering: .acquiring) }
        set { ejected.store(newValue, ordering: .releasing) }
    }

    /// Whether requests go to it while enough targets of its group are healthy.
    public var isUsable: Bool { isHealthy && !isEjected }

    /// Whether an attempt has failed, and since then none has succeeded and no health check has passed.
    public var isSuspect: Bool { trialAt.load(ordering: .acquiring) != 0 }

    /// Makes the target suspect. Returns false if it was suspect already.
    public func suspect(now: Instant) -> Bool {
        let trial = (now + Limits.trialInterval).nanoseconds
        return trialAt.compareExchange(expected: 0, desired: trial, ordering: .acquiringAndReleasing).exchanged
    }

    /// Clears the suspicion. Returns false if the target was not suspect.
    public func clearSuspicion() -> Bool { trialAt.exchange(0, ordering: .acquiringAndReleasing) != 0 }

    /// Whether the calling worker may try the suspect target now: true once per `Limits.trialInterval` over all
    /// workers.
    public func claimTrial(now: Instant) -> Bool {
        let due = trialAt.load(ordering: .acquiring)
        guard due != 0, due <= now.nanoseconds else { return false }
        let next = (now + Limits.trialInterval).nanoseconds
        return trialAt.compareExchange(expected: due, desired: next, ordering: .acquiringAndReleasing).exchanged
    }
}

extension TargetCell {
    /// The part of its weight that `weighted_random` picks it by, of `fullShare`: less while it fails more often than
    /// the others. Control writes it, and flips the group's cell.
    public var share: Int {
        get { mitigatedShare.load(ordering: .relaxed) }
        set { mitigatedShare.store(newValue, ordering: .relaxed) }
    }

    /// Whether its share grows since it has become healthy.
    public var isStartingSlowly: Bool { slowSince.load(ordering: .relaxed) != 0 }

    /// Its share grows from `now` on. Control writes it before the target becomes healthy.
    public func beginSlowStart(now: Instant) { slowSince.store(max(1, now.nanoseconds), ordering: .relaxed) }

    /// Since when its share grows; nil if it does not.
    public var slowStartBegan: Instant? {
        let since = slowSince.load(ordering: .relaxed)
        return since == 0 ? nil : Instant(nanoseconds: since)
    }

    /// It has all of its share, however long it has been healthy.
    public func endSlowStart() { slowSince.store(0, ordering: .relaxed) }

    /// Whether it still starts slowly, where that takes `duration`.
    public func isStartingSlowly(for duration: Nanoseconds, now: Instant) -> Bool {
        slowStartShare(of: duration, now: now) < Self.fullShare
    }

    /// How much of its share it has by now, of `fullShare`: from the first part on, growing in a line.
    func slowStartShare(of duration: Nanoseconds, now: Instant) -> Int {
        let since = slowSince.load(ordering: .relaxed)
        guard since != 0, duration > 0 else { return Self.fullShare }
        let age = now.since(Instant(nanoseconds: since))
        guard age < duration else { return Self.fullShare }
        return max(1, Int(UInt64(Self.fullShare).multipliedFullWidth(by: age).low / duration))
    }
}

extension TargetCell {
    /// Who waits for this very target; nil while nobody ever has.
    public var waitBoard: WaitBoard? { waits.load() }

    /// The same; made for workers that are woken by `wakeups` if there is none.
    public func waitBoard(_ wakeups: [EventDescriptor]) -> WaitBoard {
        waits.load() ?? waits.storeIfNil(WaitBoard(wakeups))
    }
}

/// Tells workers that the health of some target of a group has changed, or that one is suspect or not any more.
///
/// A change costs the writer one store, and each worker one comparison per pick and one pass over the group afterwards.
/// Workers on which requests wait for a target are woken.
public final class GroupCell: Sendable {
    private let flips = Atomic<UInt64>(0)
    private let reached = Atomic<UInt8>(TargetReach.ownZone.rawValue)
    /// Attempts in flight on all of its targets, over all workers, where its algorithm looks at that.
    let outstanding = SharedCount()
    /// Requests that wait until a target takes them, over all workers.
    private let waitingCount = SharedCount()
    private let waits = AtomicLazyReference<WaitBoard>()

    /// A group whose targets have not changed.
    public init() {}

    /// Grows with every flip. Workers compare it with the value they last acted on.
    public var epoch: UInt64 { flips.load(ordering: .sequentiallyConsistent) }

    /// Makes workers reread the state of the group's targets at their next pick.
    public func flip() {
        flips.wrappingAdd(1, ordering: .sequentiallyConsistent)
        waits.load()?.wakeAll()
    }

    /// Which of its targets are used. Control writes it, and flips the cell.
    public var reach: TargetReach {
        get { TargetReach(rawValue: reached.load(ordering: .acquiring)) ?? .allTargets }
        set { reached.store(newValue.rawValue, ordering: .releasing) }
    }
}

extension GroupCell {
    /// Counts one more request that waits, unless `most` wait already.
    public func beginWait(most: Int) -> Bool { waitingCount.add(below: most) }

    /// Ends a count of `beginWait`.
    public func endWait() { waitingCount.add(-1) }

    /// Who waits for a target of the group; nil while nobody ever has.
    public var waitBoard: WaitBoard? { waits.load() }

    /// The same; made for workers that are woken by `wakeups` if there is none.
    public func waitBoard(_ wakeups: [EventDescriptor]) -> WaitBoard {
        waits.load() ?? waits.storeIfNil(WaitBoard(wakeups))
    }
}

/// Which targets of a group are used, as control decides by how many of them are healthy.
public enum TargetReach: UInt8, Sendable {
    /// Healthy ones, of which those of this zone come first where the group is configured so.
    case ownZone
    /// All healthy ones: too few of this zone are.
    case allZones
    /// All that are registered: too few are healthy (fail open).
    case allTargets
}
