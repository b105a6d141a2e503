import Core

/// Picks targets at random by their weights; a target that fails more than the others gets less, as control finds out
/// (`AnomalyDetection`).
///
/// Source: Application Load Balancer user guide, "Automatic Target Weights".
/// Shape:  a pick is O(log n).
struct WeightedRandom: Sendable {
    private(set) var eligible = EligibleTargets()
    private var draw: WeightedDraw

    /// Draws the numbers of this seed.
    init(seed: UInt64) { draw = WeightedDraw(seed: seed) }

    /// The health of targets has changed, or their weights.
    mutating func rebuild(_ targets: [BalancedTarget]) {
        eligible.rebuild(targets)
        draw.rebuild(eligible.indices, targets) { $0.weight * $0.cell.share }
    }

    /// The target for a request, of those that were not tried.
    mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        if let trial = eligible.suspectToTry(request, targets) { return trial }
        var last = 0
        for _ in 0..<Limits.drawsMax {
            guard let place = draw.next() else { break }
            last = place
            if let index = eligible.untried(at: place, request, targets) { return index }
        }
        return eligible.untried(from: last, request, targets)
    }
}
