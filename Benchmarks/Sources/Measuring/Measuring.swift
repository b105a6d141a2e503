import Benchmark
import CAllocationCounter
import Glibc

/// Allocations by the measuring thread in one sample: the sum over its 1,000 operations.
public let allocations = BenchmarkMetric.custom("Allocations", polarity: .prefersSmaller, useScalingFactor: false)

/// Processor time of the measuring thread for one operation, in nanoseconds.
///
/// The tool's own figure advances in steps of 10 ms, many times what a sample takes.
public let processorTime = BenchmarkMetric.custom("Processor time (ns)", polarity: .prefersSmaller)

/// What every benchmark here measures, for at most a second.
private func configuration() -> Benchmark.Configuration {
    Benchmark.Configuration(
        metrics: [allocations, processorTime, .instructions],
        warmupIterations: 3, scalingFactor: .kilo, maxDuration: .seconds(1), maxIterations: 1000,
        thresholds: [allocations: BenchmarkThresholds(absolute: [.p90: 0])])
}

/// Registers a benchmark of `operation`, which is handed what `setup` made, and the number of the operation.
///
/// Neither `setup` nor the first operation of a sample is measured, so that a copy made of the state is
/// unique before counting begins. The name has no space, or the tool does not find its thresholds again.
public func measure<State>(
    _ name: String, setup: @escaping @Sendable () -> State,
    operation: @escaping @Sendable (inout State, Int) -> Void
) {
    let countBefore = allocation_count()
    blackHole([UInt8](repeating: 0, count: 100))
    precondition(allocation_count() > countBefore, "allocations are not counted: is another malloc preloaded?")
    Benchmark(name, configuration: configuration()) { benchmark in
        var state = setup()
        operation(&state, 0)
        let iterations = benchmark.scaledIterations
        benchmark.startMeasurement()
        let allocationsBefore = allocation_count()
        let timeBefore = threadTime()
        for index in iterations { operation(&state, index) }
        let timeAfter = threadTime()
        let allocationsAfter = allocation_count()
        benchmark.stopMeasurement()
        benchmark.measurement(allocations, Int(allocationsAfter - allocationsBefore))
        benchmark.measurement(processorTime, timeAfter - timeBefore)
    }
}

/// Nanoseconds that the calling thread has run. Source: clock_gettime(2), `CLOCK_THREAD_CPUTIME_ID`.
private func threadTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
