import Core
import Testing

@Suite struct TokenTests {
    static let pairs: [(index: Int, generation: UInt32)] = [
        (0, 1), (1, 1), (255, 0x8000_0000), (Int(UInt32.max), 1), (0, .max), (Int(UInt32.max), .max),
    ]

    @Test(arguments: pairs) func keepsBothHalves(index: Int, generation: UInt32) {
        let token = Token(index: index, generation: generation)
        #expect(token.index == index)
        #expect(token.generation == generation)
        #expect(Token(rawValue: token.rawValue) == token)
        #expect(token.rawValue == UInt64(generation) << 32 + UInt64(index))
    }

    @Test func differsInEitherHalf() {
        let token = Token(index: 3, generation: 5)
        #expect(token != Token(index: 4, generation: 5))
        #expect(token != Token(index: 3, generation: 6))
        #expect(token == Token(index: 3, generation: 5))
    }

    @Test func noneIsOfNoGeneration() {
        #expect(Token.none.generation == 0)
        #expect(Token.none.index == 0)
    }
}
