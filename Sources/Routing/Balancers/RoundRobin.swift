/// Whether a balancer may pick a target.
public enum TargetUse: Equatable, Sendable {
    /// Healthy: picked in turn.
    case ready
    /// Registered but not healthy (initial or unhealthy): picked only when no target is `ready`.
    case lastResort
    /// Draining or unused: never picked.
    case never
}

/// Picks the targets of one group in turn.
///
/// Source: Application Load Balancer user guide, "Routing algorithms" and "Health checks for target groups" (fail
///         open).
/// Shape:  a dense list of the indices that may be picked, rebuilt only when health or membership changed;
///         `next` costs the same for 3 targets and for 3,000. A worker owns its instance and never copies it.
public struct RoundRobin: Sendable {
    /// Indices into the group's targets, ascending.
    private var eligible: [Int32] = []
    /// Targets that would be eligible if they were not suspect, ascending; empty when suspects are all there is.
    public private(set) var suspects: [Int32] = []
    /// Where in `eligible` the next pick lies.
    private var position = 0
    /// The target whose turn it was when `eligible` was last empty; the starting point before the first rebuild.
    private var resumeIndex: Int

    /// No target is `ready`, so all that are registered are used. The caller says so, loudly.
    public private(set) var isFailOpen = false

    /// Begins with the target at `offset`, counted round the list: each worker gets another one.
    public init(startingAt offset: Int = 0) {
        precondition(offset >= 0, "round robin: starts at \(offset)")
        resumeIndex = offset
    }

    /// How many targets may be picked.
    public var eligibleCount: Int { eligible.count }
    /// Nothing can be picked: the group is empty, or all of it is draining or unused.
    public var isEmpty: Bool { eligible.isEmpty }

    /// Reads the use of targets 0 ..< `count` again, and which of them are suspect: those are passed over while there
    /// are others of the same use. The turn passes on where it stood: whoever was next is still next, or the first
    /// eligible target after it.
    public mutating func rebuild(count: Int, isSuspect: (Int) -> Bool = { _ in false }, use: (Int) -> TargetUse) {
        if !eligible.isEmpty { resumeIndex = Int(eligible[position]) }
        let wanted: TargetUse = (0..<count).contains { use($0) == .ready } ? .ready : .lastResort
        eligible.removeAll(keepingCapacity: true)
        eligible.reserveCapacity(count)
        suspects.removeAll(keepingCapacity: true)
        for index in 0..<count where use(index) == wanted {
            if isSuspect(index) { suspects.append(Int32(index)) } else { eligible.append(Int32(index)) }
        }
        if eligible.isEmpty { swap(&eligible, &suspects) }
        isFailOpen = wanted == .lastResort && !eligible.isEmpty
        guard !eligible.isEmpty else { return position = 0 }
        position = firstPosition(atOrAfter: resumeIndex % count)
    }

    /// The same for targets of a group.
    mutating func rebuild(_ targets: [BalancedTarget]) {
        rebuild(count: targets.count, isSuspect: { targets[$0].cell.isSuspect }) {
            targets[$0].cell.isHealthy ? .ready : .lastResort
        }
    }

    /// The target whose turn it is, of those that were not tried. Suspects come last, but one whose trial is due has
    /// its turn first where that is allowed.
    ///
    /// O(1), and a step for each target tried.
    mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        if request.mayTrySuspect, let trial = suspectToTry(request, targets) { return trial }
        for _ in 0..<eligibleCount {
            guard let index = next() else { break }
            if !targets[index].isAmong(request.tried) { return index }
        }
        for suspect in suspects where !targets[Int(suspect)].isAmong(request.tried) { return Int(suspect) }
        return nil
    }

    private func suspectToTry(_ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        for suspect in suspects where targets[Int(suspect)].cell.claimTrial(now: request.now) { return Int(suspect) }
        return nil
    }

    /// The index of the target whose turn it is, or nil when there is none.
    public mutating func next() -> Int? {
        guard position < eligible.count else { return nil }
        let target = eligible[position]
        position = position + 1 == eligible.count ? 0 : position + 1
        return Int(target)
    }

    /// The position of the first eligible index that is at least `index`; zero when all are below it.
    private func firstPosition(atOrAfter index: Int) -> Int {
        var low = 0
        var high = eligible.count
        while low < high {
            let middle = (low + high) / 2
            if eligible[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low == eligible.count ? 0 : low
    }
}
