/// Whether a balancer may pick a target.
public enum TargetUse: Int, Comparable, Sendable {
    /// Healthy: picked in turn.
    case ready
    /// Healthy, in another zone: picked when no target is `ready`, or only suspects are.
    case otherZone
    /// Registered but not healthy (initial or unhealthy): picked when no target is healthy, or too few are.
    case lastResort
    /// Of weight 0: never picked.
    case never

    public static func < (first: TargetUse, second: TargetUse) -> Bool { first.rawValue < second.rawValue }
}

/// The targets of a group that may be picked, as every algorithm for requests sees them.
///
/// Shape:  dense lists of indices into the group's targets, rebuilt only when health or membership has changed.
/// Source: Application Load Balancer user guide, "Health checks for target groups" (fail open).
struct EligibleTargets: Sendable {
    /// Those that may be picked, ascending.
    private(set) var indices: [Int32] = []
    /// Targets that would be eligible if they were not suspect, ascending; empty when suspects are all there is.
    private(set) var suspects: [Int32] = []
    /// Whether there are any: to ask a list would count a reference to it.
    private(set) var hasSuspects = false
    /// Too few targets are healthy, so all that are registered are used. The caller says so, loudly.
    private(set) var isFailOpen = false

    /// Reads the use of targets 0 ..< `count` anew, and which of them are suspect: those are passed over while there
    /// are others. With `failsOpen` all are used that ever are.
    mutating func rebuild(
        count: Int, failsOpen: Bool = false, isSuspect: (Int) -> Bool, use: (Int) -> TargetUse
    ) {
        let last = failsOpen ? .lastResort : Self.last(count, isSuspect, use)
        indices.removeAll(keepingCapacity: true)
        indices.reserveCapacity(count)
        suspects.removeAll(keepingCapacity: true)
        for index in 0..<count where use(index) <= last {
            if isSuspect(index) { suspects.append(Int32(index)) } else { indices.append(Int32(index)) }
        }
        if indices.isEmpty { swap(&indices, &suspects) }
        isFailOpen = last == .lastResort && !indices.isEmpty
        hasSuspects = !suspects.isEmpty
    }

    /// The last use that is needed to have a target that is not suspect, or healthy at least.
    private static func last(_ count: Int, _ isSuspect: (Int) -> Bool, _ use: (Int) -> TargetUse) -> TargetUse {
        var hasAny = (ready: false, otherZone: false)
        for index in 0..<count {
            switch use(index) {
            case .ready where !isSuspect(index): return .ready
            case .ready: hasAny.ready = true
            case .otherZone: hasAny.otherZone = true
            case .lastResort, .never: break
            }
        }
        return hasAny.otherZone ? .otherZone : hasAny.ready ? .ready : .lastResort
    }

    /// The same for targets of a group.
    mutating func rebuild(_ targets: [BalancedTarget]) {
        let failsOpen = targets.first?.isInGroupThatFailsOpen ?? false
        rebuild(
            count: targets.count, failsOpen: failsOpen, isSuspect: { targets[$0].cell.isSuspect },
            use: { targets[$0].use })
    }

    /// A suspect whose trial is due, where that is allowed.
    func suspectToTry(_ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        guard request.mayTrySuspect, hasSuspects else { return nil }
        for suspect in suspects {
            let target = targets[Int(suspect)]
            if request.admits(target), target.cell.claimTrial(now: request.now) { return Int(suspect) }
        }
        return nil
    }

    /// A suspect that was not tried: for a request that has tried all the others. One that finds the others full waits
    /// for them.
    func untriedSuspect(_ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        if request.isLimited, indices.contains(where: { !targets[Int($0)].isAmong(request.tried) }) { return nil }
        for suspect in suspects where request.admits(targets[Int(suspect)]) { return Int(suspect) }
        return nil
    }

    /// Whether the target with this index may be picked.
    func contains(_ index: Int) -> Bool {
        var low = 0
        var high = indices.count
        while low < high {
            let middle = (low + high) / 2
            if indices[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low < indices.count && indices[low] == index
    }

    /// The target at this place in `indices`; nil if it was tried, or is full.
    func untried(at place: Int, _ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        let index = Int(indices[place])
        return request.admits(targets[index]) ? index : nil
    }

    /// The first target that was not tried, from this place in `indices` on, then a suspect: what remains for a request
    /// that has tried nearly all.
    func untried(from place: Int, _ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        for step in indices.indices {
            if let index = untried(at: (place + step) % indices.count, request, targets) { return index }
        }
        return untriedSuspect(request, targets)
    }
}
