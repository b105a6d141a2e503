import Core
import Testing

@testable import Routing

@Suite struct WeightedDrawTests {
    /// How often each place is drawn of 30,000 draws.
    private func shares(_ weights: [Int]) -> [Int] {
        let targets = healthyTargets(weights, .roundRobin(slowStart: 0), in: GroupCell())
        var draw = WeightedDraw(seed: 7)
        draw.rebuild(weights.indices.map { Int32($0) }, targets) { $0.weight }
        var counts = [Int](repeating: 0, count: weights.count)
        for _ in 0..<30_000 {
            guard let place = draw.next() else { return [] }
            counts[place] += 1
        }
        return counts
    }

    @Test(arguments: [[1, 1, 1], [5, 5], [1, 2, 7], [256, 1], [3, 0, 3]]) func eachIsDrawnByItsWeight(_ weights: [Int])
    {
        let total = weights.reduce(0, +)
        for (count, weight) in zip(shares(weights), weights) {
            let expected = 30_000 * weight / total
            // Five standard deviations at the most.
            #expect(abs(count - expected) < 450, "\(weights)")
            if weight == 0 { #expect(count == 0) }
        }
    }

    @Test func ofNothingNothingIsDrawn() {
        var draw = WeightedDraw(seed: 7)
        #expect(draw.next() == nil)
        draw.rebuild([], []) { $0.weight }
        #expect(draw.next() == nil)
    }

    /// A group that becomes even again forgets what it was.
    @Test func itIsRebuiltAsOften() {
        let uneven = healthyTargets([1, 1000], .roundRobin(slowStart: 0), in: GroupCell())
        let even = healthyTargets([2, 2], .roundRobin(slowStart: 0), in: GroupCell())
        var draw = WeightedDraw(seed: 7)
        draw.rebuild([0, 1], uneven) { $0.weight }
        draw.rebuild([0, 1], even) { $0.weight }
        var counts = [0, 0]
        for _ in 0..<1000 { counts[draw.next() ?? 0] += 1 }
        #expect(counts.allSatisfy { $0 > 400 }, "\(counts)")
        draw.rebuild([1], uneven) { $0.weight }
        #expect((0..<10).allSatisfy { _ in draw.next() == 0 }, "places in the list, not indices of targets")
    }
}
