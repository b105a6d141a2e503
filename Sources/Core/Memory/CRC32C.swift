/// The checksum CRC-32C (Castagnoli) of bytes that come in any number of pieces.
///
/// Shape:  four bytes; a value is begun, updated and asked for its `value`, which may be asked in between too.
/// Limits: finds accidents, not forgeries. One table look-up per byte: meant for headers, not for bodies.
/// Source: RFC 4960 Appendix B, RFC 7143 §13.1. They differ in how its four bytes are sent; this is the number alone.
public struct CRC32C: Sendable {
    private var register = UInt32.max

    /// Begins with no bytes.
    public init() {}

    /// The checksum of all bytes so far: 0 if there were none.
    public var value: UInt32 { ~register }

    /// Adds `bytes` to what is summed up.
    public mutating func update(_ bytes: Span<UInt8>) {
        for index in 0..<bytes.count {
            let row = UInt8(truncatingIfNeeded: register) ^ bytes[index]
            register = Self.table[Int(row)] ^ register >> 8
        }
    }

    /// What each byte that leaves the register does to the rest of it.
    private static let table = InlineArray<256, UInt32> { index in
        var row = UInt32(index)
        for _ in 0..<8 { row = row & 1 == 1 ? row >> 1 ^ polynomial : row >> 1 }
        return row
    }

    /// 0x1EDC6F41 with its lowest bit first, as bytes go over the wire.
    private static let polynomial: UInt32 = 0x82F6_3B78
}
