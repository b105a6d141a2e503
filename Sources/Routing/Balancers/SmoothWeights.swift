/// Divides requests among the groups of a weighted forward action, in proportion and without clumps.
///
/// Every group keeps a lag: what it was owed so far, less what it got. A pick adds to each its share, takes
/// the group with the largest lag, and subtracts one pick from it. Lags stay small, so counts are exact over
/// a cycle (as many picks as the weights' sum) and close to exact over any shorter stretch.
///
/// Shape:  one array, allocated by `init` and `adopt` only; `next` costs one pass over the groups. A worker
///         owns its instance and never copies it, since a copy would make the next pick allocate.
/// Limits: weights 0–999 by ELBv2's rule; any non-negative ones whose sum is below 2^31 work.
/// Source: docs/elbv2.md, "Actions"; the method is nginx's smooth weighted round robin.
public struct SmoothWeights: Sendable {
    private struct Group {
        var weight: Int
        /// Picks owed, in units of 1/`pick`.
        var lag: Int
    }

    /// Lags are kept this much finer than weights, so that rounding at 10,000 changes of weight in a row
    /// adds up to less than a hundredth of a pick.
    private static let fineness = 1 << 20

    private var groups: [Group]
    /// What one pick counts in lags: the sum of the last weights that were not all zero, × `fineness`.
    private var pick = fineness
    /// Whether any weight is above zero.
    private var isLive = false

    /// Begins at part `part` of `partCount` of the cycle, so that several workers do not march in step.
    public init(weights: [Int], startingAt part: Int = 0, of partCount: Int = 1) {
        precondition(partCount > 0 && part >= 0, "weights: part \(part) of \(partCount)")
        groups = weights.map { Group(weight: $0, lag: 0) }
        settle()
        guard isLive else { return }
        let divisor = weights.reduce(0, Self.greatestCommonDivisor)
        let cycle = min(weights.reduce(0, +) / divisor, Limits.startingPicksMax)
        for _ in 0..<(cycle * (part % partCount) / partCount) { _ = next() }
    }

    /// How many groups there are.
    public var count: Int { groups.count }

    /// The group of the next request, or nil when every weight is zero.
    public mutating func next() -> Int? {
        guard isLive else { return nil }
        var best = -1
        var bestLag = Int.min
        for index in groups.indices where groups[index].weight > 0 {
            groups[index].lag += groups[index].weight * Self.fineness
            if groups[index].lag > bestLag {
                bestLag = groups[index].lag
                best = index
            }
        }
        groups[best].lag -= pick
        return best
    }

    /// The group of everything that has this hash, or nil when every weight is zero: each has its share of all hashes.
    public func index(for hash: UInt64) -> Int? { index { hash % $0 } }

    /// The group that has this place of all that there are, or nil when every weight is zero. Each has the part of them
    /// that its weight says, one after the other: so of two groups the one that gets more loses none.
    public func index(atPlace place: UInt64) -> Int? { index { place.multipliedFullWidth(by: $0).high } }

    /// The group in whose part of the sum of weights `place`, below that sum, lies.
    private func index(_ place: (UInt64) -> UInt64) -> Int? {
        let sum = groups.reduce(0) { $0 + $1.weight }
        guard sum > 0 else { return nil }
        var place = Int(place(UInt64(sum)))
        return groups.firstIndex { group in
            place -= group.weight
            return place < 0
        }
    }

    /// Takes new weights and keeps what each group is owed, so that changes, however many, favour no group.
    ///
    /// `previousIndexOfEach[i]` is the index that group `i` had until now, or nil if it is new here; a group
    /// that nobody names is gone, and what it was owed is divided among the others.
    public mutating func adopt(weights: [Int], previousIndexOfEach: [Int?]) {
        precondition(weights.count == previousIndexOfEach.count, "weights: one previous index per weight")
        let oldPick = pick
        let old = groups
        groups = weights.map { Group(weight: $0, lag: 0) }
        settle()
        for (index, previous) in previousIndexOfEach.enumerated() {
            guard let previous else { continue }
            groups[index].lag = Self.scale(old[previous].lag, by: pick, over: oldPick)
        }
        balance()
    }

    /// Derives `pick` and `isLive` from the weights.
    private mutating func settle() {
        var sum = 0
        for group in groups {
            precondition(group.weight >= 0, "weights: \(group.weight) is negative")
            sum += group.weight
        }
        precondition(sum < 1 << 31, "weights: sum \(sum) is too large")
        isLive = sum > 0
        if isLive { pick = sum * Self.fineness }
    }

    /// Makes the lags sum to zero again after groups went away or lags were rounded.
    private mutating func balance() {
        guard !groups.isEmpty else { return }
        let excess = groups.reduce(0) { $0 + $1.lag }
        var rest = excess
        var heaviest = 0
        for index in groups.indices {
            let part = isLive ? Self.scale(excess, by: groups[index].weight * Self.fineness, over: pick) : 0
            groups[index].lag -= part
            rest -= part
            if groups[index].weight > groups[heaviest].weight { heaviest = index }
        }
        groups[heaviest].lag -= rest
    }

    private static func scale(_ value: Int, by numerator: Int, over denominator: Int) -> Int {
        Int(Int128(value) * Int128(numerator) / Int128(denominator))
    }

    private static func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
        var (larger, smaller) = (left, right)
        while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
        return larger
    }
}
