import Testing

@testable import HTTP2

@Suite struct StreamGapsTests {
    /// Those of `numbers` that are rejected when heads arrive on them in this order.
    private func refused(_ numbers: [UInt32]) -> [UInt32] {
        var gaps = StreamGaps()
        return numbers.filter { !gaps.admit($0) }
    }

    @Test func skippedNumberIsRejected() {
        #expect(refused([1, 9, 3, 5, 7, 11]) == [3, 5, 7])
    }

    @Test func usedNumberMayArriveLate() {
        #expect(refused([3, 5, 9, 5, 3, 9, 11]).isEmpty)
        #expect(refused([3, 5, 9, 5, 1, 7]) == [1, 7])
    }

    @Test func theLastFourGapsAreKnown() {
        #expect(refused([5, 9, 13, 17, 21, 3, 7, 11, 15, 19]) == [7, 11, 15, 19])
    }

    @Test func evenNumbersAreIgnored() {
        #expect(refused([0, 8, 1, 2]).isEmpty)
    }
}
