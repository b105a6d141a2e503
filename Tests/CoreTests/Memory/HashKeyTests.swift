import Testing

@testable import Core

@Suite struct HashKeyTests {
    private static func hashes(_ key: HashKey) -> [UInt64] {
        (0..<200).flatMap { host in
            (0..<50).compactMap { port in
                SocketAddress(literal: "192.0.2.\(host)", port: UInt16(1024 + port))?.hash(by: key)
            }
        }
    }

    /// Tables look at low bits: neighbours must not meet there more often than by chance.
    @Test func neighboursAreSpread() {
        let hashes = Self.hashes(HashKey.ofProcess)
        #expect(hashes.count == 10_000 && Set(hashes).count == hashes.count)
        for shift in [0, 16, 48] {
            let places = Set(hashes.map { $0 >> UInt64(shift) & 0xFFFF })
            // By chance 10,000 of 65,536 places are hit 9,276 times on average, give or take 25.
            #expect(places.count > 9_000, "\(places.count) places at bit \(shift)")
        }
    }

    @Test func anotherKeySaysSomethingElse() {
        let one = Self.hashes(HashKey(first: 0x1234_5678_9ABC_DEF1, second: 0xFEDC_BA98_7654_3211))
        let other = Self.hashes(HashKey(first: 0x1234_5678_9ABC_DEF1, second: 0xFEDC_BA98_7654_3213))
        #expect(zip(one, other).allSatisfy { $0 != $1 })
    }
}
