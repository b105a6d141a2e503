import Benchmark

/// What the tool runs: the name is its convention.
let benchmarks: @Sendable () -> Void = {
    parsingBenchmarks()
    writingBenchmarks()
    bodyBenchmarks()
}
