import Core
import Testing

@testable import Telemetry

@Suite struct LatencyHistogramTests {
    /// The lower edge of a bucket, in microseconds; also the upper edge of the one before it.
    private func lowerEdgeMicroseconds(_ bucket: Int) -> UInt64 {
        if bucket < 8 { return UInt64(bucket) }
        return UInt64(8 + bucket % 8) << UInt64(bucket / 8 - 1)
    }

    @Test func bucketsFollowEachOtherWithoutGap() {
        for bucket in 1..<LatencyHistogram.bucketCount {
            let edge = lowerEdgeMicroseconds(bucket)
            #expect(edge > lowerEdgeMicroseconds(bucket - 1))
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
}
