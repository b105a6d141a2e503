import Testing

@testable import Core

@Suite struct CRC32CTests {
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(bytes.span)
        return checksum.value
    }

    /// The checksum by its definition, bit by bit.
    private func slowChecksum(_ bytes: [UInt8]) -> UInt32 {
        var register = UInt32.max
        for byte in bytes {
            register ^= UInt32(byte)
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
        ] as [([UInt8], UInt32)]) func knownBytesHaveTheirChecksum(bytes: [UInt8], value: UInt32)
    {
        #expect(checksum(bytes) == value)
    }

    @Test func everyByteCounts() {
        for byte in UInt8.min...UInt8.max { #expect(checksum([byte]) == slowChecksum([byte])) }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func piecesGiveTheSameChecksum(seed: UInt64) {
        var random = FastRandom(seed: seed)
        for _ in 0..<50 {
            let bytes = (0..<random.next(below: 200)).map { _ in UInt8(random.next(below: 256)) }
            var pieces = CRC32C()
            var index = 0
            while index < bytes.count {
                #expect(
                    pieces.value == slowChecksum(Array(bytes[..<index])), "reading the value in between changes nothing"
                )
                let next = min(bytes.count, index + random.next(below: 60))
                pieces.update(bytes.span.extracting(index..<next))
                index = next
            }
            #expect(pieces.value == slowChecksum(bytes))
        }
    }

    @Test func aFlippedBitIsSeen() {
        let bytes = Array("PROXY".utf8)
        for bit in 0..<bytes.count * 8 {
            var other = bytes
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(checksum(other) != checksum(bytes))
        }
    }
}
