import Core

/// Picks the targets of one group in turn. While their weights differ, or one starts slowly, `WeightedTurns` stands in
/// its place.
///
/// Source: Application Load Balancer user guide, "Routing algorithms".
/// Shape:  a list of the indices that may be picked, rebuilt only when health or membership changed; a pick costs the
///         same for 3 targets and for 3,000. A worker owns its instance and never copies it.
public struct RoundRobin: Sendable {
    private(set) var eligible = EligibleTargets()
    /// Where in `eligible` the next pick lies.
    private var position = 0
    /// The target whose turn it was when `eligible` was last empty; the starting point before the first rebuild.
    private var resumeIndex: Int
    /// How long a target's share grows after it has become healthy; 0 for no slow start.
    var slowStart: Nanoseconds

    /// Begins with the target at `offset`, counted round the list: each worker gets another one.
    public init(startingAt offset: Int = 0, slowStart: Nanoseconds = 0) {
        precondition(offset >= 0, "round robin: starts at \(offset)")
        resumeIndex = offset
        self.slowStart = slowStart
    }

    /// How many targets may be picked.
    public var eligibleCount: Int { eligible.indices.count }
    /// Nothing can be picked: the group is empty, or all of it has a weight of 0.
    public var isEmpty: Bool { eligible.indices.isEmpty }
    /// Targets that are passed over because they are suspect.
    public var suspects: [Int32] { eligible.suspects }
    /// No target is `ready`, so all that are registered are used.
    public var isFailOpen: Bool { eligible.isFailOpen }

    /// Reads the use of targets 0 ..< `count` again, and which of them are suspect. The turn passes on where it stood:
    /// whoever was next is still next, or the first eligible target after it.
    public mutating func rebuild(count: Int, isSuspect: (Int) -> Bool = { _ in false }, use: (Int) -> TargetUse) {
        keepTurn()
        eligible.rebuild(count: count, isSuspect: isSuspect, use: use)
        resume(count: count)
    }

    /// The same for targets of a group.
    mutating func rebuild(_ targets: [BalancedTarget]) {
        keepTurn()
        eligible.rebuild(targets)
        resume(count: targets.count)
    }

    /// Whether the weights of those that may be picked differ, or one starts slowly.
    func needsWeights(_ targets: [BalancedTarget]) -> Bool {
        guard let first = eligible.indices.first else { return false }
        let weight = targets[Int(first)].weight
        return eligible.indices.contains { index in
            let target = targets[Int(index)]
            return target.weight != weight || slowStart > 0 && target.cell.isStartingSlowly
        }
    }

    private mutating func keepTurn() {
        if !eligible.indices.isEmpty { resumeIndex = Int(eligible.indices[position]) }
    }

    private mutating func resume(count: Int) {
        position = eligible.indices.isEmpty ? 0 : firstPosition(atOrAfter: resumeIndex % count)
    }

    /// The target whose turn it is, of those that were not tried. Suspects come last, but one whose trial is due has
    /// its turn first where that is allowed.
    ///
    /// O(1), and a step for each target tried.
    mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        if let trial = eligible.suspectToTry(request, targets) { return trial }
        for _ in 0..<eligibleCount {
            guard let index = next() else { break }
            if request.admits(targets[index]) { return index }
        }
        return eligible.untriedSuspect(request, targets)
    }

    /// The index of the target whose turn it is, or nil when there is none.
    public mutating func next() -> Int? {
        guard position < eligible.indices.count else { return nil }
        let target = eligible.indices[position]
        position = position + 1 == eligible.indices.count ? 0 : position + 1
        return Int(target)
    }

    /// The position of the first eligible index that is at least `index`; zero when all are below it.
    private func firstPosition(atOrAfter index: Int) -> Int {
        let indices = eligible.indices
        var low = 0
        var high = indices.count
        while low < high {
            let middle = (low + high) / 2
            if indices[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low == indices.count ? 0 : low
    }
}
