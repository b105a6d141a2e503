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
    private var isElsewhere = false
    /// Its group; nil before it was adopted.
    private var group: GroupCell?
    /// The group where what is in flight is counted over all workers; nil if its algorithm does not look at that.
    @usableFromInline private(set) var countedIn: GroupCell?
    /// What its algorithm learns from the outcomes of attempts.
    private var lesson = BalancingAlgorithm.Lesson.nothing
    /// Whether it learns anything. What most algorithms do not need costs their requests not even a call.
    @usableFromInline private(set) var learns = false

    /// A target on which nothing is in flight.
    public init(_ cell: TargetCell) { self.cell = cell }

    /// Takes its weight, and counts from now on what the algorithm of its group looks at. It is picked last if it
    /// `isElsewhere`, while enough targets of this zone are healthy.
    public func adopt(
        weight: Int, isElsewhere: Bool = false, _ algorithm: BalancingAlgorithm, in group: GroupCell
    ) {
        precondition(weight >= 0, "balanced target: a weight of \(weight)")
        self.weight = weight
        self.isElsewhere = isElsewhere
        self.group = group
        lesson = algorithm.lesson
        learns = lesson != .nothing
        let wanted = algorithm.countsOutstanding ? group : nil
        guard wanted !== countedIn else { return }
        if let countedIn { count(-inFlight, in: countedIn) }
        countedIn = wanted
        if let wanted { count(inFlight, in: wanted) }
    }

    /// An attempt on it has begun.
    @inlinable public func began() {
        ownCount += 1
        if let countedIn { count(1, in: countedIn) }
    }

    /// An attempt on it has ended, and the connection or stream of it, if there was one.
    @inlinable public func ended() {
        precondition(ownCount > 0, "balanced target: more attempts ended than began")
        ownCount -= 1
        if let countedIn { count(-1, in: countedIn) }
    }

    /// Learns from the outcome of an attempt what its algorithm picks by.
    @inlinable public func note(_ outcome: AttemptOutcome, now: Instant) {
        if learns { learn(from: outcome, now: now) }
    }

    @usableFromInline func learn(from outcome: AttemptOutcome, now: Instant) {
        switch lesson {
        case .nothing: return
        case .failures:
            guard let isFailure = outcome.isFailure else { return }
            cell.load.count(isFailure: isFailure)
        case .latency:
            if outcome.isFailure == true {
                cell.load.latency.record(outcome.duration, isFailure: true, now: now)
            } else if outcome.isFailure == false, let latency = outcome.latency {
                cell.load.latency.record(latency, isFailure: false, now: now)
            } else if outcome.ending == .abandoned, let latency = outcome.latency {
                // A client that does not wait any longer tells that the target is slow at least.
                cell.load.latency.recordAtLeast(latency, now: now)
            }
        }
    }

    /// Whether it may be picked.
    public var use: TargetUse {
        if weight == 0 { return .never }
        guard cell.isHealthy else { return .lastResort }
        return isElsewhere && group?.reach == .ownZone ? .elsewhere : .ready
    }

    /// Whether all targets of its group are used, since too few are healthy.
    var isInGroupThatFailsOpen: Bool { group?.reach == .allTargets }

    /// Whether it is one of these few.
    func isAmong(_ targets: [BalancedTarget]) -> Bool {
        for target in targets where target === self { return true }
        return false
    }

    @usableFromInline func count(_ difference: Int, in group: GroupCell) {
        cell.load.outstanding.add(difference)
        group.outstanding.add(difference)
    }
}
