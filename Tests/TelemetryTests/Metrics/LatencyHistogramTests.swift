import Core
import Testing

@testable import Telemetry

@Suite struct LatencyHistogramTests {
    @Test func bucketsFollowEachOtherWithoutGap() {
        for bucket in 1..<LatencyHistogram.bucketCount {
            let edge = LatencyHistogram.lowerEdgeMicroseconds(bucket)
            #expect(edge > LatencyHistogram.lowerEdgeMicroseconds(bucket - 1))
            // A time on the edge counts as below it, one nanosecond more as above.
            #expect(LatencyHistogram.bucket(of: edge * 1000) == bucket - 1)
            #expect(LatencyHistogram.bucket(of: edge * 1000 + 1) == bucket)
        }
        #expect(LatencyHistogram.bucket(of: 0) == 0)
        #expect(LatencyHistogram.bucket(of: .max) == LatencyHistogram.bucketCount - 1)
    }

    @Test func countsAndSums() {
        let histogram = LatencyHistogram()
        histogram.record(1_000)
        histogram.record(2_000_000)
        histogram.record(200_000_000_000)
        var sums = LatencySums()
        sums.add(histogram)
        sums.add(histogram)
        #expect(sums.count == 6)
        #expect(sums.nanosecondsTotal == 2 * 200_002_001_000)
        #expect(sums.count(atMostMicrosecondsLog2: 3) == 2)
        #expect(sums.count(atMostMicrosecondsLog2: 10) == 2)
        #expect(sums.count(atMostMicrosecondsLog2: 11) == 4)
        #expect(sums.count(atMostMicrosecondsLog2: 27) == 4)
    }

    @Test(arguments: 3...27)
    func edgesAreExact(exponent: Int) {
        let histogram = LatencyHistogram()
        let edge = Nanoseconds(1000) << UInt64(exponent)
        histogram.record(edge)
        histogram.record(edge + 1)
        var sums = LatencySums()
        sums.add(histogram)
        #expect(sums.count(atMostMicrosecondsLog2: exponent) == 1)
    }

    @Test func quantileOfNothingIsNil() {
        #expect(LatencySums().quantile(0.5) == nil)
    }

    /// The error bound that the documentation gives, over 60,000 times between 1 ns and 67 s.
    @Test(arguments: [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0])
    func quantileKeepsItsBound(fraction: Double) throws {
        var generator = SystemRandomNumberGenerator()
        let histogram = LatencyHistogram()
        var times: [Nanoseconds] = []
        for _ in 0..<60_000 {
            let time = Nanoseconds.random(in: 1...(1 << UInt64.random(in: 0...36)), using: &generator)
            times.append(time)
            histogram.record(time)
        }
        times.sort()
        var sums = LatencySums()
        sums.add(histogram)
        let estimate = Double(try #require(sums.quantile(fraction)))
        let exact = Double(times[max(0, Int((60_000 * fraction).rounded(.up)) - 1)])
        #expect(abs(estimate - exact) <= max(exact * 0.0625, 500), "\(estimate) for \(exact)")
    }

    @Test func quantileBeyondTheLastBucketIsItsEdge() {
        let histogram = LatencyHistogram()
        histogram.record(500_000_000_000)
        var sums = LatencySums()
        sums.add(histogram)
        #expect(sums.quantile(0.5) == 134_217_728_000)
    }
}
