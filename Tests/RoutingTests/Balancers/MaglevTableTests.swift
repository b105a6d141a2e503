import Testing

@testable import Routing

/// The properties in the paper: equal shares, and few flows that move when a target is added or removed.
@Suite struct MaglevTableTests {
    private static let places = 0..<UInt64(MaglevTable.placesCount)

    private func key(_ number: Int) -> UInt64 {
        var hash = FlowHash()
        hash.add(UInt64(number))
        return hash.value
    }

    @Test func withoutTargetsFindsNone() {
        #expect(MaglevTable(keys: [])[17] == nil)
        let one = MaglevTable(keys: [key(1)])
        #expect(Self.places.allSatisfy { one[$0] == 0 })
    }

    /// All shares are nearly equal, since targets take turns in filling the table.
    @Test(arguments: [2, 3, 10, 100, 655]) func sharesAreEqual(count: Int) {
        let table = MaglevTable(keys: (0..<count).map(key))
        var shares = [Int](repeating: 0, count: count)
        for place in Self.places { shares[table[place] ?? 0] += 1 }
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }

    @Test func sharesFollowWeights() {
        let weights = [1, 2, 0, 5, 256]
        let table = MaglevTable(keys: weights.indices.map(key), weights: weights)
        var shares = weights.map { _ in 0 }
        for place in Self.places { shares[table[place] ?? 2] += 1 }
        for (share, weight) in zip(shares, weights) {
            #expect(abs(share - MaglevTable.placesCount * weight / 264) <= 2, "\(shares)")
        }
        #expect(MaglevTable(keys: [1, 2], weights: [0, 0])[5] == nil)
    }

    /// A weight that changes moves about as many flows as it must.
    @Test func aWeightMovesFewFlows() {
        let keys = (0..<10).map(key)
        let before = MaglevTable(keys: keys)
        let after = MaglevTable(keys: keys, weights: [2] + Array(repeating: 1, count: 9))
        let moved = Self.places.count { before[$0] != after[$0] }
        // From a tenth to two elevenths are 8 %.
        #expect(Double(moved) / Double(MaglevTable.placesCount) < 0.16, "\(moved) moved")
    }

    /// The flows of a removed target are distributed; of the others fewer than 2 % move with 100 targets, as the paper
    /// measured for a table of this size.
    @Test(arguments: [3, 10, 100]) func removingATargetMovesFewOtherFlows(count: Int) {
        let before = MaglevTable(keys: (0..<count).map(key))
        let gone = count / 2
        let rest = (0..<count).filter { $0 != gone }
        let after = MaglevTable(keys: rest.map(key))
        var moved = 0
        for place in Self.places {
            guard let old = before[place], let new = after[place], old != gone else { continue }
            if rest[new] != old { moved += 1 }
        }
        #expect(Double(moved) / Double(MaglevTable.placesCount) < 0.02, "\(moved) moved")
    }

    /// An added target gets its share equally from all others.
    @Test func addedTargetGetsItsShare() {
        let before = MaglevTable(keys: (0..<10).map(key))
        let after = MaglevTable(keys: (0...10).map(key))
        var taken = 0, moved = 0
        for place in Self.places {
            if after[place] == 10 { taken += 1 } else if after[place] != before[place] { moved += 1 }
        }
        #expect(abs(taken - MaglevTable.placesCount / 11) <= 1)
        #expect(Double(moved) / Double(MaglevTable.placesCount) < 0.02, "\(moved) moved")
    }

    @Test func copyIsEqual() {
        let table = MaglevTable(keys: (0..<7).map(key))
        let copy = table.copy()
        #expect(Self.places.allSatisfy { copy[$0] == table[$0] })
        #expect(MaglevTable(keys: []).copy()[17] == nil)
    }

    /// The order of targets has no effect, so two load balancers with the same targets agree.
    @Test func theOrderDoesNotMatter() {
        let keys = (0..<20).map(key)
        let one = MaglevTable(keys: keys), other = MaglevTable(keys: keys.reversed())
        let different = Self.places.count { keys.count - 1 - (other[$0] ?? 0) != one[$0] ?? 0 }
        #expect(different == 0)
    }

    /// Consecutive addresses and ports, as real clients have, are distributed as well as random ones.
    @Test func neighboursAreSpread() {
        let table = MaglevTable(keys: (0..<8).map(key))
        var shares = [Int](repeating: 0, count: 8)
        for port in 32_768..<(32_768 + 8_000) {
            var hash = FlowHash()
            hash.add(0x7F00_0001)
            hash.add(UInt64(port))
            shares[table[hash.value] ?? 0] += 1
        }
        #expect(shares.allSatisfy { (850...1150).contains($0) }, "\(shares)")
    }
}
