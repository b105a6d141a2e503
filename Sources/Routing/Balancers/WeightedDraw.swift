import Core

/// Draws targets at random, each as often as its weight says.
///
/// Shape: sums of the weights in the order of the targets; a draw is O(1) with equal weights, else O(log n).
struct WeightedDraw: Sendable {
    /// The sum of the weights up to and with each target; empty while all are equal.
    private var sums: [UInt64] = []
    private var count = 0
    private var random: FastRandom

    /// Draws from nothing.
    init(seed: UInt64) { random = FastRandom(seed: seed) }

    /// Draws from targets with these indices from now on.
    mutating func rebuild(_ indices: [Int32], _ targets: [BalancedTarget], weight: (BalancedTarget) -> Int) {
        sums.removeAll(keepingCapacity: true)
        count = indices.count
        guard let first = indices.first.map({ weight(targets[Int($0)]) }) else { return }
        if indices.allSatisfy({ weight(targets[Int($0)]) == first }) { return }
        var sum: UInt64 = 0
        for index in indices {
            sum += UInt64(weight(targets[Int(index)]))
            sums.append(sum)
        }
    }

    /// A place in the list of indices; nil if it is empty, or all weights are 0.
    mutating func next() -> Int? {
        guard let sum = sums.last else { return count == 0 ? nil : random.next(below: count) }
        guard sum > 0 else { return nil }
        let place = random.next().multipliedFullWidth(by: sum).high
        var low = 0
        var high = sums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] <= place { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// A number below `bound`, of the same sequence.
    mutating func number(below bound: Int) -> Int { random.next(below: bound) }
}
