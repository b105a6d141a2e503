import Core
import Testing

@testable import Routing

@Suite struct SmoothWeightsTests {
    static let vectors: [[Int]] =
        [
            [1], [999], [1, 1], [90, 10], [50, 50], [95, 5], [99, 1], [999, 1], [998, 999], [0, 1], [0, 999, 1],
            [5, 1, 1],
            [10, 0, 10], [1, 2, 3, 4, 5], [999, 999, 999, 999, 999], [999, 1, 1, 1, 1], [500, 300, 150, 40, 10],
            [7, 11, 13, 17, 19], [997, 2, 0, 1, 0], [1, 1, 1, 1, 1, 1, 1], [333, 333, 334], [1, 10, 100, 999],
        ] + randomVectors(seed: 1, count: 60)

    static func randomVectors(seed: UInt64, count: Int) -> [[Int]] {
        var random = FastRandom(seed: seed)
        return (0..<count).map { index in
            var weights = (0..<2 + random.next(below: index % 3 == 0 ? 30 : 4)).map { _ in
                random.next(below: 4) == 0 ? random.next(below: 10) : random.next(below: 1000)
            }
            weights[random.next(below: weights.count)] += 1
            return weights
        }
    }

    /// The largest deviation of any window of `picks` from the groups' shares, in picks.
    private func worstDeviation(_ picks: [Int], _ weights: [Int], window: Int) -> Double {
        let sum = Double(weights.reduce(0, +))
        var counts = [Int](repeating: 0, count: weights.count)
        var worst = 0.0
        for (index, pick) in picks.enumerated() {
            counts[pick] += 1
            if index >= window { counts[picks[index - window]] -= 1 }
            guard index >= window - 1 else { continue }
            for group in weights.indices {
                worst = max(worst, abs(Double(counts[group]) - Double(window * weights[group]) / sum))
            }
        }
        return worst
    }

    private func picks(_ count: Int, from weights: inout SmoothWeights) -> [Int] {
        var result: [Int] = []
        while result.count < count, let pick = weights.next() { result.append(pick) }
        return result
    }

    @Test(arguments: [[], [0], [0, 0, 0]] as [[Int]]) func nothingToPick(_ weights: [Int]) {
        var smooth = SmoothWeights(weights: weights, startingAt: 1, of: 2)
        #expect(smooth.count == weights.count)
        for _ in 0..<3 { #expect(smooth.next() == nil) }
    }

    @Test func aSmallCycleIsSpread() {
        var smooth = SmoothWeights(weights: [5, 1, 1])
        #expect(picks(7, from: &smooth) == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test(arguments: vectors) func aCycleIsExact(_ weights: [Int]) {
        var smooth = SmoothWeights(weights: weights)
        for _ in 0..<3 {
            var counts = [Int](repeating: 0, count: weights.count)
            for pick in picks(weights.reduce(0, +), from: &smooth) { counts[pick] += 1 }
            #expect(counts == weights)
        }
    }

    @Test(arguments: vectors) func everyWindowHasItsShare(_ weights: [Int]) {
        for part in 0..<3 {
            var smooth = SmoothWeights(weights: weights, startingAt: part, of: 3)
            let sequence = picks(weights.reduce(0, +) + 3000, from: &smooth)
            // 2 % of 1,000 are 20 picks; a single worker is far closer.
            #expect(worstDeviation(sequence, weights, window: 1000) < 3)
            #expect(worstDeviation(sequence, weights, window: 100) < 3)
        }
    }

    @Test(arguments: 1...8) func workersTogetherKeepTheShares(_ workerCount: Int) {
        var random = FastRandom(seed: UInt64(workerCount))
        for weights in Self.vectors where weights.count <= 5 {
            var workers = (0..<workerCount).map { SmoothWeights(weights: weights, startingAt: $0, of: workerCount) }
            let inTurn = (0..<4000).map { workers[$0 % workerCount].next()! }
            #expect(worstDeviation(inTurn, weights, window: 1000) <= 20)
            let atRandom = (0..<4000).map { _ in workers[random.next(below: workerCount)].next()! }
            #expect(worstDeviation(atRandom, weights, window: 1000) <= 20)
        }
    }

    @Test func workersStartAtDifferentPicks() {
        let first = (0..<8).map { part in
            var smooth = SmoothWeights(weights: [999, 1], startingAt: part, of: 8)
            return picks(1000, from: &smooth).firstIndex(of: 1)!
        }.sorted()
        for (one, next) in zip(first, first.dropFirst()) { #expect(next - one == 125) }
    }

    @Test func longCycleStartsNearItsBeginning() {
        let weights = (0..<100).map { 900 + $0 % 97 }
        var smooth = SmoothWeights(weights: weights, startingAt: 7, of: 8)
        #expect(worstDeviation(picks(5000, from: &smooth), weights, window: 1000) < 3)
    }

    /// With a change before every pick, the picks of each group follow the sum of its shares.
    @Test(arguments: 1...6 as ClosedRange<UInt64>) func tenThousandChangesFavourNoGroup(_ seed: UInt64) {
        var random = FastRandom(seed: seed)
        let groupCount = 2 + Int(seed) % 4
        var owed = [Double](repeating: 0, count: groupCount)
        var weights = [Int](repeating: 1, count: groupCount)
        var smooth = SmoothWeights(weights: weights)
        for _ in 0..<10_000 {
            let changed = random.next(below: groupCount)
            weights[changed] = random.next(below: 3) == 0 ? 0 : random.next(below: 1000)
            smooth.adopt(weights: weights, previousIndexOfEach: Array(weights.indices))
            let sum = Double(weights.reduce(0, +))
            guard let pick = smooth.next() else {
                #expect(sum == 0)
                continue
            }
            #expect(weights[pick] > 0)
            for group in weights.indices { owed[group] += Double(weights[group]) / sum }
            owed[pick] -= 1
        }
        for group in weights.indices { #expect(abs(owed[group]) < Double(groupCount)) }
    }

    /// The weights of a canary deployment, 10,000 times with a few picks each: no step may restart the cycle.
    @Test func repeatingTheSameWeightsDoesNotRestart() {
        var smooth = SmoothWeights(weights: [99, 1])
        var light = 0
        for _ in 0..<10_000 {
            smooth.adopt(weights: [99, 1], previousIndexOfEach: [0, 1])
            light += smooth.next() == 1 ? 1 : 0
        }
        #expect(abs(light - 100) <= 1)
    }

    @Test func identityIsKeptWhenGroupsMove() {
        var moved = SmoothWeights(weights: [3, 2, 1])
        var still = SmoothWeights(weights: [3, 2, 1])
        var order = [0, 1, 2]
        for turn in 0..<600 {
            // The order [a, b, c] becomes [b, c, a]; `order` maps the groups.
            if turn % 5 == 0 {
                order = [order[1], order[2], order[0]]
                moved.adopt(weights: order.map { [3, 2, 1][$0] }, previousIndexOfEach: [1, 2, 0])
            }
            _ = still.next()
            #expect(moved.next() != nil)
        }
        var counts = [0, 0, 0]
        for _ in 0..<600 { counts[order[moved.next()!]] += 1 }
        #expect(counts == [300, 200, 100])
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func groupsComeAndGo(_ seed: UInt64) {
        var random = FastRandom(seed: seed)
        var names = [0, 1, 2]
        var weightOf = [100, 200, 300, 400, 0, 50]
        var owed = [Double](repeating: 0, count: weightOf.count)
        var smooth = SmoothWeights(weights: names.map { weightOf[$0] })
        for _ in 0..<10_000 {
            let before = names
            names = (0..<weightOf.count).filter { _ in random.next(below: 2) == 0 }.shuffled(using: &random)
            weightOf[random.next(below: weightOf.count)] = random.next(below: 1000)
            smooth.adopt(
                weights: names.map { weightOf[$0] }, previousIndexOfEach: names.map { before.firstIndex(of: $0) })
            let sum = names.reduce(0) { $0 + weightOf[$1] }
            for _ in 0..<5 {
                guard let pick = smooth.next() else {
                    #expect(sum == 0)
                    break
                }
                for name in names { owed[name] += Double(weightOf[name]) / Double(sum) }
                owed[names[pick]] -= 1
            }
        }
        // A removed group loses its credit or debt, which must even out.
        for name in weightOf.indices { #expect(abs(owed[name]) < 100) }
    }

    @Test func everyHashHasItsGroupAndEveryGroupItsShare() {
        let weights = SmoothWeights(weights: [3, 0, 1])
        var counts = [0, 0, 0]
        for hash in 0..<UInt64(400) {
            guard let index = weights.index(for: hash) else { continue }
            #expect(weights.index(for: hash) == index)
            counts[index] += 1
        }
        #expect(counts == [300, 0, 100])
        #expect(SmoothWeights(weights: [0, 0]).index(for: 7) == nil)
    }

    @Test func everyPlaceHasItsGroupAndMoreWeightOnlyAddsPlaces() {
        let places = (0..<1000).map { UInt64($0) * (UInt64.max / 1000) }
        var last: Set<UInt64> = []
        for weight in [0, 1, 10, 500, 999, 1000] {
            let weights = SmoothWeights(weights: [1000 - weight, weight])
            let now = Set(places.filter { weights.index(atPlace: $0) == 1 })
            #expect(last.isSubset(of: now) && abs(now.count - weight) <= 1, "\(weight): \(now.count)")
            last = now
        }
        #expect(SmoothWeights(weights: [0, 0]).index(atPlace: 7) == nil)
        #expect(SmoothWeights(weights: [1, 0]).index(atPlace: .max) == 0)
    }
}
