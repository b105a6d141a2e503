import Core

/// Picks the targets of one group on one worker, by the algorithms that there are, each of which has a file here.
///
/// Targets are named by their index in the group's list, which every call is given. What is in flight on each is
/// counted in `BalancedTarget`.
///
/// Shape:  a worker owns its instance. Picking allocates nothing, but for the first pick after a change of health.
///         Plain turns are no case of `OtherBalancer`, since to take them out of it and to put them back would take
///         longer than the pick.
/// Source: docs/elbv2.md, "Target group attributes".
public struct Balancer: Sendable {
    /// Round robin with equal weights, if there is no `other`.
    private var turns: RoundRobin
    private var other: OtherBalancer?
    /// Differs between workers, so that they do not march in step.
    private let seed: Int
    /// Whether some target is passed over because it is suspect, and may be tried now and then. Stored, as it is asked
    /// for every request.
    public private(set) var hasSuspects = false
    /// Whether all targets are used, since too few are healthy.
    public private(set) var isFailOpen = false

    /// Begins with these targets. `seed` differs between workers.
    public init(_ algorithm: BalancingAlgorithm, targets: [BalancedTarget], seed: Int) {
        self.seed = seed
        turns = RoundRobin(startingAt: seed)
        adopt(algorithm, targets: targets)
    }

    /// Goes on with other targets, or by another algorithm. What an algorithm remembers of its turns is kept.
    public mutating func adopt(_ algorithm: BalancingAlgorithm, targets: [BalancedTarget]) {
        if case .roundRobin(let slowStart) = algorithm {
            turns.slowStart = slowStart
            if other.map({ !$0.isWeightedTurns }) ?? false { other = nil }
        } else {
            other = OtherBalancer(algorithm, after: other, seed: UInt64(seed))
        }
        rebuild(targets)
    }

    /// The health of some of `targets` has changed, or their shares, or whether one is suspect.
    public mutating func rebuild(_ targets: [BalancedTarget]) {
        if other.map({ !$0.isWeightedTurns }) ?? false {
            other?.rebuild(targets)
        } else {
            rebuildTurns(targets)
        }
        hasSuspects = other?.hasSuspects ?? turns.eligible.hasSuspects
        isFailOpen = other?.isFailOpen(targets) ?? turns.isFailOpen
    }

    private mutating func rebuildTurns(_ targets: [BalancedTarget]) {
        turns.rebuild(targets)
        if !turns.needsWeights(targets) {
            other = nil
        } else if other == nil {
            other = .weightedTurns(WeightedTurns(turns, targets, seed: UInt64(seed)))
        } else {
            other?.rebuild(targets, as: turns)
        }
    }

    /// The target for a request, or for a flow; nil if there is none that was not tried.
    public mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        if other == nil { return turns.pick(request, from: targets) }
        return pickOtherwise(request, from: targets)
    }

    private mutating func pickOtherwise(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        guard let index = other?.pick(request, from: targets) else { return nil }
        if other?.isOver == true { other = nil }
        return index
    }

    /// A suspect whose trial is due, if the request may try one.
    public func suspectToTry(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        (other?.eligible ?? turns.eligible).suspectToTry(request, targets)
    }

    /// Whether there is any target that may be picked, be it full.
    public var hasTargets: Bool { !(other?.eligible ?? turns.eligible).indices.isEmpty }

    /// Whether the target with this index may be picked, be it full.
    public func mayPick(_ index: Int) -> Bool { (other?.eligible ?? turns.eligible).contains(index) }
}

/// What a balancer is asked.
public struct PickRequest {
    /// Tells a flow from others; 0 for a request.
    let hash: UInt64
    /// Targets that were tried before, which are not picked again.
    let tried: [BalancedTarget]
    /// Whether a suspect may be picked first, to find out whether it is back.
    let mayTrySuspect: Bool
    /// The time.
    let now: Instant
    /// Whether targets have a limit, so that full ones are passed over.
    let isLimited: Bool
    /// Whether every target will do: most requests ask no more than that.
    let admitsAll: Bool

    /// A question about one attempt.
    public init(
        hash: UInt64, tried: [BalancedTarget], mayTrySuspect: Bool, isLimited: Bool = false, now: Instant
    ) {
        self.hash = hash
        self.tried = tried
        self.mayTrySuspect = mayTrySuspect
        self.isLimited = isLimited
        self.now = now
        admitsAll = tried.isEmpty && !isLimited
    }

    /// Whether the target was not tried before and is not full.
    func admits(_ target: BalancedTarget) -> Bool { admitsAll || !target.isAmong(tried) && target.hasSlot }
}
