import Core

/// Picks the target with the fewest attempts in flight over all workers, for its weight; of several the one that is
/// owed most turns, so that idle targets share by their weights.
///
/// Up to `Limits.outstandingLooksMax` targets are all looked at. Of more it is a window that moves on with every pick,
/// so that each is looked at in its turn: the least of 32 is among the least tenth of all but once in thirty picks.
///
/// Source: Application Load Balancer user guide, "Routing algorithms" (least outstanding requests); ties as nginx's
///         `least_conn`.
/// Shape:  a pick costs at most two looks at each target of the window.
struct LeastOutstanding: Sendable {
    private(set) var eligible = EligibleTargets()
    /// Where the window begins.
    private var start: Int

    /// Begins at the target at `offset`.
    init(startingAt offset: Int) { start = offset }

    /// The health of targets has changed, or who they are.
    mutating func rebuild(_ targets: [BalancedTarget]) { eligible.rebuild(targets) }

    /// The target for a request, of those that were not tried.
    mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        if let trial = eligible.suspectToTry(request, targets) { return trial }
        let count = eligible.indices.count
        guard count > 0 else { return nil }
        let looks = min(count, Limits.outstandingLooksMax)
        start %= count
        defer { if looks < count { start += looks } }
        guard let least = least(looks, request, targets) else {
            return eligible.untried(from: start, request, targets)
        }
        return owed(least, looks, request, targets)
    }

    /// The least busy target of the window.
    private func least(_ looks: Int, _ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        var least: Int?
        var leastLoad = 0
        var leastWeight = 1
        var place = start
        for _ in 0..<looks {
            let index = Int(eligible.indices[place])
            let target = targets[index]
            place = place + 1 == eligible.indices.count ? 0 : place + 1
            if !request.admits(target) { continue }
            let load = target.cell.load.outstanding.value
            guard least == nil || load * leastWeight < leastLoad * target.weight else { continue }
            least = index
            leastLoad = load
            leastWeight = target.weight
        }
        return least
    }

    /// Of the targets of the window that are as busy as `least` the one that is owed most: smooth weighted turns.
    private func owed(_ least: Int, _ looks: Int, _ request: PickRequest, _ targets: [BalancedTarget]) -> Int {
        let load = targets[least].cell.load.outstanding.value
        let weight = targets[least].weight
        var best = least
        var bestLag = Int.min
        var total = 0
        var place = start
        for _ in 0..<looks {
            let index = Int(eligible.indices[place])
            let target = targets[index]
            place = place + 1 == eligible.indices.count ? 0 : place + 1
            if target.cell.load.outstanding.value * weight > load * target.weight { continue }
            if !request.admits(target) { continue }
            target.lag += target.weight
            total += target.weight
            guard target.lag > bestLag else { continue }
            best = index
            bestLag = target.lag
        }
        targets[best].lag -= total
        return best
    }
}
