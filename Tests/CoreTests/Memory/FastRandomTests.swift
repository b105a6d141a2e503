import Core
import Testing

@Suite struct FastRandomTests {
    @Test func sameSeedSameSequence() {
        var first = FastRandom(seed: 7)
        var second = FastRandom(seed: 7)
        var other = FastRandom(seed: 8)
        let numbers = (0..<100).map { _ in first.next() }
        #expect(numbers == (0..<100).map { _ in second.next() })
        #expect(numbers != (0..<100).map { _ in other.next() })
        #expect(Set(numbers).count == 100)
    }

    /// The published sequence of SplitMix64 for seed 1234567.
    @Test func agreesWithTheReference() {
        var random = FastRandom(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        for number in expected { #expect(random.next() == number) }
    }

    @Test(arguments: [1, 2, 3, 10, 100]) func staysBelowItsBoundEvenly(_ bound: Int) {
        var random = FastRandom(seed: 0)
        var counts = [Int](repeating: 0, count: bound)
        let drawCount = 20_000
        for _ in 0..<drawCount { counts[random.next(below: bound)] += 1 }
        let expected = Double(drawCount) / Double(bound)
        for count in counts { #expect(abs(Double(count) - expected) <= 6 * expected.squareRoot()) }
    }
}
