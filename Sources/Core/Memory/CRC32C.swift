/// The checksum CRC-32C (Castagnoli) of bytes that come in any number of pieces.
///
/// Shape:  four bytes; create it, `update` it with bytes, read `value` at any time.
/// Limits: detects accidental damage, not forgery. One table look-up per byte, so for headers and not for bodies.
/// Source: RFC 4960 Appendix B, RFC 7143 §13.1. The two differ in the byte order on the wire; this is the number alone.
public struct CRC32C: Sendable {
    private var register = UInt32.max

    /// The checksum of no bytes.
    public init() {}

    /// The checksum of all bytes so far: 0 if there were none.
    public var value: UInt32 { ~register }

    /// Adds `bytes` to the checksum.
    public mutating func update(_ bytes: Span<UInt8>) {
        for index in 0..<bytes.count {
            let row = UInt8(truncatingIfNeeded: register) ^ bytes[index]
            register = Self.table[Int(row)] ^ register >> 8
        }
    }

    /// For each value of the byte that is shifted out, what the register is XORed with.
    private static let table = InlineArray<256, UInt32> { index in
        var row = UInt32(index)
        for _ in 0..<8 { row = row & 1 == 1 ? row >> 1 ^ polynomial : row >> 1 }
        return row
    }

    /// 0x1EDC6F41 with its bits reversed, since bytes are processed lowest bit first.
    private static let polynomial: UInt32 = 0x82F6_3B78
}
