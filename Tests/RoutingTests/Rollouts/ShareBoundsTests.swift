import Testing

@testable import Routing

/// Bounds of shares that hold at every time.
@Suite struct ShareBoundsTests {
    @Test func ofNothingNothingIsKnown() {
        let bounds = ShareBounds(ShareCounts(), error: 0.05)
        #expect(bounds.lower == 0 && bounds.upper == 1)
    }

    @Test(arguments: [(0, 10), (0, 1000), (1, 1000), (500, 1000), (1000, 1000), (37, 100_000)] as [(UInt64, UInt64)])
    func theShareThatWasSeenIsWithin(hits: UInt64, total: UInt64) {
        let counts = ShareCounts(hits: hits, of: total)
        let bounds = ShareBounds(counts, error: 0.05)
        #expect(bounds.lower <= counts.share && counts.share <= bounds.upper)
        #expect(bounds.lower >= 0 && bounds.upper <= 1 && bounds.lower < bounds.upper)
        // A share on either bound is just excluded, one a little within is not.
        let limit = 2.995_732
        if bounds.upper < 1 {
            #expect(abs(ShareBounds.evidence(against: bounds.upper, counts) - limit) < 1e-3)
        }
        if bounds.lower > 0 {
            #expect(abs(ShareBounds.evidence(against: bounds.lower, counts) - limit) < 1e-3)
        }
    }

    @Test func boundsCloseInWithMoreRequests() {
        var last = 1.0
        for exponent in 1...6 {
            let total = UInt64(10 << (exponent * 3))
            let bounds = ShareBounds(ShareCounts(hits: total / 10, of: total), error: 0.05)
            #expect(bounds.upper - bounds.lower < last)
            last = bounds.upper - bounds.lower
        }
        #expect(last < 0.01)
    }

    @Test func hitsOfAShareAreAroundWhatIsExpected() {
        for total in [0, 1, 10, 1000, 100_000] as [UInt64] {
            let range = ShareBounds.hits(of: total, share: 0.99, error: 0.05)
            let expected = UInt64((Double(total) * 0.99).rounded())
            #expect(range.contains(expected) && range.upperBound <= total)
            for hits in [range.lowerBound, range.upperBound] {
                #expect(ShareBounds.evidence(against: 0.99, ShareCounts(hits: hits, of: total)) < 2.995_733)
            }
        }
    }

    /// Each true share is excluded at some time with a probability of 5 % at most.
    @Test(arguments: [0.001, 0.05, 0.5]) func theTrueShareIsHardlyEverExcluded(share: Double) {
        var random = SplitMix(state: 7)
        var excluded = 0
        for _ in 0..<200 {
            var counts = ShareCounts()
            for _ in 0..<100 {
                var hits: UInt64 = 0
                for _ in 0..<10 where random.unit() < share { hits += 1 }
                counts += ShareCounts(hits: hits, of: 10)
                if ShareBounds.evidence(against: share, counts) >= 2.995_732 {
                    excluded += 1
                    break
                }
            }
        }
        #expect(excluded <= 14, "\(excluded) of 200")
    }
}
