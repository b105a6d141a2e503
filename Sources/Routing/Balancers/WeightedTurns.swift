import Core

/// Turns of targets with unequal weights: the target whose turn is due first is picked, and its next turn is due after
/// a time that is inverse to its weight. So shares are exact over any longer stretch, and a heavy target's turns lie
/// between those of the others.
///
/// The time is virtual. When a turn is due is kept in the `BalancedTarget`, so that turns survive every rebuild: what a
/// target has waited for already counts, at its new weight. A new target begins anywhere between two turns.
///
/// A slow start is a weight that grows: the weights are read again 256 times on its way.
///
/// Shape:  a binary heap with an entry for each eligible target; a pick is O(log n).
/// Source: earliest deadline first, as Envoy's weighted round robin; Application Load Balancer user guide, "Slow start
///         mode".
struct WeightedTurns: Sendable {
    private struct Entry {
        var due: UInt64
        let step: UInt64
        let index: Int32
    }

    /// The time between two turns of a target of weight 1, where weights count in parts of `TargetCell.fullShare`.
    private static let round: UInt64 = 1 << 40

    private(set) var eligible: EligibleTargets
    private var slowStart: Nanoseconds
    private var heap: [Entry] = []
    /// When the last turn was due. It wraps, and so do all others.
    private var clock: UInt64 = 0
    private var random: FastRandom
    /// When the weights of targets that start slowly are read again.
    private var reweighAt = Instant.distantFuture
    /// Whether weights differ, or a target starts slowly.
    private(set) var isNeeded = true

    /// Takes over from `plain`. `seed` differs between workers, so that they do not march in step.
    init(_ plain: RoundRobin, _ targets: [BalancedTarget], seed: UInt64) {
        eligible = plain.eligible
        slowStart = plain.slowStart
        random = FastRandom(seed: seed)
        begin(targets)
    }

    /// The health of targets has changed, or their weights, or the slow start, as `plain` turns know.
    mutating func rebuild(_ targets: [BalancedTarget], as plain: RoundRobin) {
        eligible = plain.eligible
        slowStart = plain.slowStart
        isNeeded = true
        begin(targets)
    }

    /// The target for a request, of those that were not tried. Suspects come last, but one whose trial is due has its
    /// turn first where that is allowed.
    mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        if let trial = eligible.suspectToTry(request, targets) { return trial }
        if request.now >= reweighAt { reweigh(targets, now: request.now) }
        return next(request, targets) ?? eligible.untriedSuspect(request, targets)
    }

    private mutating func begin(_ targets: [BalancedTarget]) {
        order(targets) { $0.weight * TargetCell.fullShare }
        let isRamping =
            slowStart > 0 && eligible.indices.contains { targets[Int($0)].cell.isStartingSlowly }
        // How far a slow start has come is read at the next pick, which knows the time.
        reweighAt = isRamping ? Instant(nanoseconds: 0) : .distantFuture
    }

    /// Reads how far the slow starts have come.
    private mutating func reweigh(_ targets: [BalancedTarget], now: Instant) {
        let slowStart = slowStart
        var isRamping = false
        var isUneven = false
        let first = eligible.indices.first.map { targets[Int($0)].weight }
        order(targets) { target in
            let share = target.cell.slowStartShare(of: slowStart, now: now)
            if share < TargetCell.fullShare { isRamping = true }
            if target.weight != first { isUneven = true }
            return target.weight * share
        }
        isNeeded = isRamping || isUneven
        reweighAt = isRamping ? now + slowStart / UInt64(TargetCell.fullShare) : .distantFuture
    }

    /// Makes the heap anew. A weight is at least 1.
    private mutating func order(_ targets: [BalancedTarget], weight: (BalancedTarget) -> Int) {
        heap.removeAll(keepingCapacity: true)
        heap.reserveCapacity(eligible.indices.count)
        for index in eligible.indices {
            let target = targets[Int(index)]
            let step = Self.round / UInt64(max(1, weight(target)))
            let wait = target.turn.wait(at: clock, step: step) ?? random.next() % step
            target.turn = TargetTurn(due: clock &+ wait, step: step)
            heap.append(Entry(due: clock &+ wait, step: step, index: index))
        }
        for place in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(place) }
    }

    /// The target whose turn it is, of those that were not tried.
    private mutating func next(_ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        guard let place = firstUntried(below: 0, request, targets) else { return nil }
        let entry = heap[place]
        if place == 0 { clock = entry.due }
        heap[place].due = entry.due &+ entry.step
        targets[Int(entry.index)].turn = TargetTurn(due: entry.due &+ entry.step, step: entry.step)
        siftDown(place)
        return Int(entry.index)
    }

    /// The place of the earliest turn of a target that was not tried, in the part of the heap below `place`: below each
    /// one that was tried there are two to look at.
    private func firstUntried(below place: Int, _ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
        guard place < heap.count else { return nil }
        if request.admits(targets[Int(heap[place].index)]) { return place }
        let left = firstUntried(below: 2 * place + 1, request, targets)
        let right = firstUntried(below: 2 * place + 2, request, targets)
        guard let left, let right else { return left ?? right }
        return isBefore(right, left) ? right : left
    }

    private func isBefore(_ place: Int, _ other: Int) -> Bool {
        Int64(bitPattern: heap[place].due &- heap[other].due) < 0
    }

    private mutating func siftDown(_ start: Int) {
        var place = start
        while true {
            var least = 2 * place + 1
            guard least < heap.count else { return }
            if least + 1 < heap.count, isBefore(least + 1, least) { least += 1 }
            guard isBefore(least, place) else { return }
            heap.swapAt(place, least)
            place = least
        }
    }
}

/// When the next turn of a target is due on one worker, in the virtual time of `WeightedTurns`.
struct TargetTurn: Sendable {
    /// When.
    var due: UInt64 = 0
    /// The time between two turns; 0 before the first.
    var step: UInt64 = 0

    /// How long it still has to wait where turns are `step` apart; nil if it had no turn to wait for.
    func wait(at clock: UInt64, step newStep: UInt64) -> UInt64? {
        let wait = due &- clock
        guard step > 0, wait <= 2 * step else { return nil }
        return step.dividingFullWidth(wait.multipliedFullWidth(by: newStep)).quotient
    }
}
