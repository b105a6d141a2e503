import Testing

@testable import Core

@Suite struct CRC32CTests {
    private func checksum(_ octets: [UInt8]) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(octets.span)
        return checksum.value
    }

    /// The checksum by its definition, bit by bit.
    private func slowChecksum(_ octets: [UInt8]) -> UInt32 {
        var register = UInt32.max
        for octet in octets {
            register ^= UInt32(octet)
            for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0x82F6_3B78 : register >> 1 }
        }
        return ~register
    }

    /// The check value of the catalogues, and the vectors of RFC 7143 §A.4 (iSCSI).
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xE306_9283), ([], 0), (Array("a".utf8), 0xC1D0_4330),
            (Array(repeating: 0, count: 32), 0x8A91_36AA), (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E), (Array((0..<32).reversed()), 0x113F_DB5C),
        ] as [([UInt8], UInt32)]) func knownOctetsHaveTheirChecksum(octets: [UInt8], value: UInt32)
    {
        #expect(checksum(octets) == value)
    }

    @Test func everyOctetCounts() {
        for octet in UInt8.min...UInt8.max { #expect(checksum([octet]) == slowChecksum([octet])) }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func piecesAreTheWhole(seed: UInt64) {
        var random = FastRandom(seed: seed)
        for _ in 0..<50 {
            let octets = (0..<random.next(below: 200)).map { _ in UInt8(random.next(below: 256)) }
            var pieces = CRC32C()
            var index = 0
            while index < octets.count {
                #expect(pieces.value == slowChecksum(Array(octets[..<index])), "asking on the way changes nothing")
                let next = min(octets.count, index + random.next(below: 60))
                pieces.update(octets.span.extracting(index..<next))
                index = next
            }
            #expect(pieces.value == slowChecksum(octets))
        }
    }

    @Test func aFlippedBitIsSeen() {
        let octets = Array("PROXY".utf8)
        for bit in 0..<octets.count * 8 {
            var other = octets
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(checksum(other) != checksum(octets))
        }
    }
}
