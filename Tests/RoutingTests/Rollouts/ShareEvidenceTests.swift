import Core
import Testing

@testable import Routing

/// Evidence for a larger share of hits at the new group.
@Suite struct ShareEvidenceTests {
    private func evidence(_ intervals: (new: ShareCounts, old: ShareCounts)...) -> Double {
        var evidence = ShareEvidence()
        for interval in intervals { evidence.add(new: interval.new, old: interval.old) }
        return evidence.logarithm
    }

    @Test func nothingSaysNothing() {
        #expect(abs(evidence()) < 1e-12)
        let none = ShareCounts(of: 100)
        #expect(abs(evidence((none, none))) < 1e-12)
        // Without requests of the other group there is nothing to compare with.
        #expect(abs(evidence((ShareCounts(hits: 9, of: 9), ShareCounts()))) < 1e-12)
    }

    @Test func hitsOfTheNewGroupSpeakAgainstIt() {
        let old = ShareCounts(of: 900)
        var last = 0.0
        for hits in 1...6 {
            let now = evidence((ShareCounts(hits: UInt64(hits), of: 100), old))
            #expect(now > last)
            last = now
        }
        // Five failures in a row that all fall to the tenth of the requests.
        #expect(evidence((ShareCounts(hits: 5, of: 100), old)) > 6)
    }

    @Test func hitsAtBothSpeakForIt() {
        #expect(evidence((ShareCounts(hits: 10, of: 100), ShareCounts(hits: 90, of: 900))) < 0)
        #expect(evidence((ShareCounts(of: 100), ShareCounts(hits: 20, of: 900))) < 0)
    }

    /// What an interval brings is at most 1 in the mean, if hits fall to requests by chance: by every split of them.
    @Test(arguments: [(1, 9, 3), (5, 5, 4), (9, 1, 2), (3, 17, 6)] as [(UInt64, UInt64, UInt64)])
    func theMeanIsAtMostOne(new: UInt64, old: UInt64, hits: UInt64) {
        func choose(_ n: UInt64, _ k: UInt64) -> Double {
            k > n ? 0 : (0..<k).reduce(1.0) { $0 * Double(n - $1) / Double($1 + 1) }
        }
        var mean = 0.0
        for newHits in 0...hits where newHits <= new && hits - newHits <= old {
            let probability = choose(new, newHits) * choose(old, hits - newHits) / choose(new + old, hits)
            mean +=
                probability
                * evidence((ShareCounts(hits: newHits, of: new), ShareCounts(hits: hits - newHits, of: old)))
                .exponential
        }
        #expect(mean <= 1 + 1e-9 && mean > 0.1, "\(mean)")
    }
}
