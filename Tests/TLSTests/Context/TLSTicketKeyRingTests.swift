import Testing

@testable import TLS

@Suite struct TLSTicketKeyRingTests {
    @Test(arguments: [(0, 1), (1, 1), (3600, 3600), (604_800, 604_800), (1_000_000, 604_800)])
    func lifetimeIsLimited(asked: Int, kept: Int) {
        #expect(TLSTicketKeyRing(current: .random(), lifetime: asked).lifetime == kept)
    }

    @Test func keysAreReplacedTogether() {
        let keys = (0..<2).map { _ in TLSTicketKey.random() }
        let ring = TLSTicketKeyRing(current: keys[0], lifetime: 60)
        #expect(ring.previous == nil)
        ring.adopt(current: keys[1], previous: keys[0])
        #expect(ring.current == keys[1] && ring.previous == keys[0])
    }
}
