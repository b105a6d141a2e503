import Core

/// Of two targets that it draws at random by their weights, picks the one that will probably answer first: by what is
/// in flight on it over all workers, times how long its answers take, times a penalty for failures.
///
/// What is not measured for a while approaches the median of the group. Beside that a share of the requests is a probe:
/// it goes to the first target drawn, whatever is known of it, if nothing was heard of that for a while. So no target
/// starves, be it new, or slow once.
///
/// Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001; Finagle, "Peak EWMA".
/// Shape:  a pick looks at two targets; once a second at a sample of all.
struct LeastLatency: Sendable {
    private(set) var eligible = EligibleTargets()
    private var draw: WeightedDraw
    /// The median of what answers take, in microseconds; 0 while nothing is known.
    private var typical: UInt64 = 0
    private var meanWeight = 1.0
    private var medianAt = Instant(nanoseconds: 0)
    private var sample: [UInt64] = []

    /// Draws the numbers of this seed.
    init(seed: UInt64) {
        draw = WeightedDraw(seed: seed)
        sample.reserveCapacity(Limits.latencySampleMax)
    }

    /// The health of targets has changed, or their weights.
    mutating func rebuild(_ targets: [BalancedTarget]) {
        eligible.rebuild(targets)
        draw.rebuild(eligible.indices, targets, weight: \.weight)
        let sum = eligible.indices.reduce(0) { $0 + targets[Int($1)].weight }
        meanWeight = Double(sum) / Double(max(1, eligible.indices.count))
    }

    /// The target for a request, of those that were not tried.
    mutating func pick(_ request: PickRequest, from targets: [BalancedTarget]) -> Int? {
        if let trial = eligible.suspectToTry(request, targets) { return trial }
        if request.now >= medianAt { findMedian(targets, now: request.now) }
        guard let first = untried(request, targets, besides: nil) else {
            return eligible.untried(from: 0, request, targets)
        }
        let isProbe = draw.number(below: Limits.probeInterval) == 0
        if isProbe, targets[first].cell.load.latency.isOlder(than: Limits.probeAgeMin, now: request.now) {
            return first
        }
        guard let second = untried(request, targets, besides: first) else { return first }
        // Nearly equal costs are equal: then the weights decide, by which the first was drawn.
        return cost(of: targets[second], request.now) * 1.25 < cost(of: targets[first], request.now) ? second : first
    }

    /// A target drawn at random that was not tried, and is not `first`.
    private mutating func untried(_ request: PickRequest, _ targets: [BalancedTarget], besides first: Int?) -> Int? {
        var place = 0
        for _ in 0..<Limits.drawsMax {
            guard let drawn = draw.next() else { return nil }
            place = drawn
            if let index = eligible.untried(at: place, request, targets), index != first { return index }
        }
        // Only few can be left: the next in the list.
        for step in 0..<min(eligible.indices.count, Limits.drawsMax) {
            let next = (place + step) % eligible.indices.count
            if let index = eligible.untried(at: next, request, targets), index != first { return index }
        }
        return nil
    }

    /// What a request on `target` costs: proportional to how long its client will probably wait.
    private func cost(of target: BalancedTarget, _ now: Instant) -> Double {
        let estimate = target.cell.load.latency.estimate(typical: typical, now: now)
        let latency = max(1, estimate?.microseconds ?? typical)
        let failures = estimate?.failures ?? 0
        // So that who fails at once does not seem to be the fastest, it is as slow as the others at least.
        let slowness = failures > 0 ? max(latency, typical) : latency
        let waiting = Double(target.cell.load.outstanding.value) * meanWeight / Double(target.weight)
        let penalty = 1 + Double(failures * failures) / 64
        return (waiting + 1) * Double(slowness) * penalty
    }

    /// Finds the median among a sample of the targets of which something is known.
    private mutating func findMedian(_ targets: [BalancedTarget], now: Instant) {
        medianAt = now + Limits.medianInterval
        sample.removeAll(keepingCapacity: true)
        let count = eligible.indices.count
        guard count > 0 else { return }
        let start = draw.number(below: count)
        for step in 0..<min(count, Limits.latencySampleMax) {
            let index = Int(eligible.indices[(start + step) % count])
            if let known = targets[index].cell.load.latency.recorded { sample.append(known) }
        }
        guard !sample.isEmpty else {
            // Nothing is known of a group that has just begun: it is asked again soon.
            return medianAt = now + Limits.medianInterval / 100
        }
        sample.sort()
        typical = sample[(sample.count - 1) / 2]
    }
}
