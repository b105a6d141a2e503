import Core

/// Picks the target of a request by the hash of its key, so that requests with one key go to one target, unless that
/// has more in flight than its bound: then they go to the next target by the same hash, or to another one with room.
///
/// A target that comes or goes moves its own share and hardly any other, as the table is `MaglevTable`'s.
///
/// Source: V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2018.
/// Shape:  a pick looks at up to `Limits.flowLooksMax` targets by hashes, mostly at one, and where none of them has
///         room at up to `Limits.boundLooksMax` in a row; the bound does not hold where those are all full.
struct ConsistentHashing: Sendable {
    private(set) var eligible = EligibleTargets()
    private var table: MaglevTable
    /// What a target may have in flight, in percent of its share of what the group has; 0 for no bound.
    private var boundPercent: Int
    /// Whether each target may be picked.
    private var mayTake: [Bool] = []
    /// The sum of the weights of those that may.
    private var weightSum = 0

    /// Picks by this table of the group's targets.
    init(_ table: MaglevTable, boundPercent: Int) {
        self.table = table
        self.boundPercent = boundPercent
    }

    /// The health of targets has changed, or who they are.
    mutating func rebuild(_ targets: [BalancedTarget]) {
        eligible.rebuild(targets)
        mayTake.removeAll(keepingCapacity: true)
        mayTake.append(contentsOf: repeatElement(false, count: targets.count))
        weightSum = 0
        for index in eligible.indices {
            mayTake[Int(index)] = true
            weightSum += targets[Int(index)].weight
        }
    }

    /// The target for a request, of those that were not tried.
    func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        guard !eligible.indices.isEmpty, let first = table[request.hash] else { return nil }
        // A suspect is tried only by what is its own.
        if request.mayTrySuspect, !mayTake[first], eligible.suspects.contains(Int32(first)),
            request.admits(targets[first]), targets[first].cell.claimTrial(now: request.now)
        {
            return first
        }
        var next = FlowHash(request.hash)
        var index = first
        var least: Int?
        for look in 1...Limits.flowLooksMax {
            if mayTake[index], request.admits(targets[index]) {
                if hasRoom(targets[index]) { return index }
                if least.map({ isBusier(targets[$0], targets[index]) }) ?? true { least = index }
            }
            next.add(UInt64(look))
            index = table[next.value] ?? first
        }
        let start = Int(request.hash % UInt64(eligible.indices.count))
        return withRoom(from: start, request, targets) ?? least ?? eligible.untried(from: start, request, targets)
    }

    /// The next target that has room and was not tried, from this place in the list of those that may be picked.
    private func withRoom(from start: Int, _ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        let count = eligible.indices.count
        for offset in 0..<min(count, Limits.boundLooksMax) {
            let index = Int(eligible.indices[(start + offset) % count])
            guard hasRoom(targets[index]) else { continue }
            if request.admits(targets[index]) { return index }
        }
        return nil
    }

    /// Whether one more request leaves `target` within its bound.
    private func hasRoom(_ target: BalancedTarget) -> Bool {
        guard boundPercent > 0, let group = target.countedIn else { return true }
        let outstanding = target.cell.load.outstanding.value
        // With little in flight a share is less than two requests, and the same would go to several targets needlessly.
        if outstanding < Limits.hashBoundMin { return true }
        return outstanding * weightSum * 100 < (group.outstanding.value + 1) * target.weight * boundPercent
    }

    private func isBusier(_ one: BalancedTarget, _ other: BalancedTarget) -> Bool {
        one.cell.load.outstanding.value * other.weight > other.cell.load.outstanding.value * one.weight
    }
}
