import Core

/// Turns of targets with unequal weights: the target whose turn is due first is picked, and its next turn is due after
/// a time that is inverse to its weight. So shares are exact over any longer stretch, and a heavy target's turns lie
/// between those of the others.
///
/// The time is virtual. When a turn is due is kept in the `BalancedTarget`, so that turns survive every rebuild: what a
/// target has waited for already counts, at its new weight. A new target begins anywhere between two turns.
///
/// Shape:  a binary heap with an entry for each eligible target; a pick is O(log n).
/// Source: earliest deadline first, as Envoy's weighted round robin.
struct WeightedTurns: Sendable {
    private struct Entry {
        var due: UInt64
        let step: UInt64
        let index: Int32
    }

    /// The time between two turns of a target of weight 1, where weights count in parts of `TargetCell.fullShare`.
    private static let round: UInt64 = 1 << 40

    private var heap: [Entry] = []
    /// When the last turn was due. It wraps, and so do all others.
    private var clock: UInt64 = 0
    private var random: FastRandom

    /// No target. `seed` differs between workers, so that they do not march in step.
    init(seed: UInt64) { random = FastRandom(seed: seed) }

    /// Takes over the targets with these indices. A weight is at least 1.
    mutating func rebuild(_ indices: [Int32], _ targets: [BalancedTarget], weight: (BalancedTarget) -> Int) {
        heap.removeAll(keepingCapacity: true)
        heap.reserveCapacity(indices.count)
        for index in indices {
            let target = targets[Int(index)]
            let step = Self.round / UInt64(max(1, weight(target)))
            let wait = target.turn.wait(at: clock, step: step) ?? random.next() % step
            target.turn = TargetTurn(due: clock &+ wait, step: step)
            heap.append(Entry(due: clock &+ wait, step: step, index: index))
        }
        for place in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(place) }
    }

    /// The target whose turn it is, of those that were not tried.
    mutating func next(_ request: PickRequest, _ targets: [BalancedTarget]) -> Int? {
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
        guard !request.tried.isEmpty, targets[Int(heap[place].index)].isAmong(request.tried) else { return place }
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
