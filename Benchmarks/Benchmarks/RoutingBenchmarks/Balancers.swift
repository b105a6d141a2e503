import Benchmark
import Measuring
import Routing

/// The balancers: cost may not grow with the number of targets.
func balancerBenchmarks() {
    for count in [3, 3000] {
        measure("round-robin-\(count)") {
            var turns = RoundRobin()
            turns.rebuild(count: count) { _ in .ready }
            return turns
        } operation: { turns, _ in
            blackHole(turns.next())
        }
    }
    for weights in [[90, 10], [500, 300, 150, 40, 10]] {
        measure("weights-\(weights.count)") {
            SmoothWeights(weights: weights)
        } operation: { weights, _ in
            blackHole(weights.next())
        }
    }
}
