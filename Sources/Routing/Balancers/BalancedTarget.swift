import Core

/// One target of a group on one worker, as balancers see it: whether it may be picked, and how busy it is.
///
/// Shape: one object for each registration and worker; the cell in it is what all workers share.
public final class BalancedTarget {
    /// Its health, and whether it is suspect.
    public let cell: TargetCell
    /// Its share of the requests beside those of others, 0 to 256; 0 for none.
    public private(set) var weight = 1
    /// Attempts on it that have begun and have not ended, on this worker.
    @inlinable public var inFlight: Int { ownCount }
    @usableFromInline var ownCount = 0
    /// Its turn among targets of unequal weights.
    var turn = TargetTurn()
    /// What it is owed among targets that are equally busy: see `LeastOutstanding`.
    var lag = 0
    /// Whether it is in another zone than this process, and those of its own zone come first.
    private var isInOtherZone = false
    /// Its group; nil before it was adopted.
    private var group: GroupCell?
    /// Whether what is in flight on it is counted over all workers.
    @usableFromInline private(set) var isCounted = false
    /// The group where the same is counted for all of its targets; nil if its algorithm does not look at that.
    private(set) var countedIn: GroupCell?
    /// What may be in flight on it, over all workers; 0 for any number.
    public private(set) var limit = 0
    /// What its algorithm learns from the outcomes of attempts.
    private var lesson = BalancingAlgorithm.Lesson.nothing
    /// What is counted beside that.
    private var watch = AttemptWatch()
    /// Whether it learns anything. What most algorithms do not need costs their requests not even a call.
    @usableFromInline private(set) var learns = false

    /// A target on which nothing is in flight.
    public init(_ cell: TargetCell) { self.cell = cell }

    /// Takes its weight and what may be in flight on it, and counts from now on what that and the algorithm of its
    /// group need. It is picked last if it `isInOtherZone`, while enough targets of this zone are healthy.
    public func adopt(
        weight: Int, isInOtherZone: Bool = false, limit: Int = 0, _ algorithm: BalancingAlgorithm,
        watch: AttemptWatch = AttemptWatch(), in group: GroupCell
    ) {
        precondition(weight >= 0 && limit >= 0, "balanced target: weight \(weight), limit \(limit)")
        self.weight = weight
        self.limit = limit
        self.isInOtherZone = isInOtherZone
        self.group = group
        lesson = algorithm.lesson
        self.watch = watch
        if lesson == .failures { self.watch.countsAttempts = true }
        learns = lesson != .nothing || watch.countsAttempts
        let isCounted = limit > 0 || algorithm.countsOutstanding
        if isCounted != self.isCounted { cell.load.outstanding.add(isCounted ? inFlight : -inFlight) }
        self.isCounted = isCounted
        let counting = algorithm.countsGroup ? group : nil
        if counting !== countedIn {
            countedIn?.outstanding.add(-inFlight)
            counting?.outstanding.add(inFlight)
        }
        countedIn = counting
    }

    /// It has left its group: what is in flight on it does not count there any more.
    public func leaveGroup() {
        countedIn?.outstanding.add(-inFlight)
        countedIn = nil
    }

    /// Whether one more may be in flight on it.
    public var hasSlot: Bool { limit == 0 || cell.load.outstanding.value < limit }

    /// An attempt on it has begun.
    @inlinable public func began() {
        ownCount += 1
        if isCounted { count(1) }
    }

    /// Begins an attempt on it, unless as many are in flight as may be.
    public func begin() -> Bool {
        guard limit > 0 else {
            began()
            return true
        }
        guard cell.load.outstanding.add(below: limit) else { return false }
        ownCount += 1
        countedIn?.outstanding.add(1)
        return true
    }

    /// An attempt on it has ended, and the connection or stream of it, if there was one.
    @inlinable public func ended() {
        precondition(ownCount > 0, "balanced target: more attempts ended than began")
        ownCount -= 1
        if isCounted { count(-1) }
    }

    /// Learns from the outcome of an attempt what its algorithm picks by, and counts it where that is wanted. Returns
    /// whether control is to be told that so many attempts in a row have failed.
    @inlinable @discardableResult public func note(_ outcome: AttemptOutcome, now: Instant) -> Bool {
        learns && learn(from: outcome, now: now)
    }

    @usableFromInline func learn(from outcome: AttemptOutcome, now: Instant) -> Bool {
        if lesson == .latency { learnLatency(from: outcome, now: now) }
        guard watch.countsAttempts, let isFailure = outcome.isFailure else { return false }
        return cell.load.count(isFailure: isFailure, inARow: watch.failuresInARow)
    }

    private func learnLatency(from outcome: AttemptOutcome, now: Instant) {
        if outcome.isFailure == true {
            cell.load.latency.record(outcome.duration, isFailure: true, now: now)
        } else if outcome.isFailure == false, let latency = outcome.latency {
            cell.load.latency.record(latency, isFailure: false, now: now)
        } else if outcome.ending == .abandoned, let latency = outcome.latency {
            // A client that does not wait any longer tells that the target is slow at least.
            cell.load.latency.recordAtLeast(latency, now: now)
        }
    }

    /// Whether it may be picked.
    public var use: TargetUse {
        if weight == 0 { return .never }
        guard cell.isUsable else { return .lastResort }
        return isInOtherZone && group?.reach == .ownZone ? .otherZone : .ready
    }

    /// Whether all targets of its group are used, since too few are healthy.
    var isInGroupThatFailsOpen: Bool { group?.reach == .allTargets }

    /// Whether it is one of these few.
    func isAmong(_ targets: [BalancedTarget]) -> Bool {
        for target in targets where target === self { return true }
        return false
    }

    @usableFromInline func count(_ difference: Int) {
        cell.load.outstanding.add(difference)
        countedIn?.outstanding.add(difference)
    }
}
