import Core

/// The HTTP version of a first line. Source: RFC 9112 §2.3.
struct Version {
    /// Bytes of `HTTP/d.d`.
    static let byteCount = 8
    private static let http11: UInt64 = 0x312E_312F_5054_5448

    let major: UInt8
    let minor: UInt8

    /// The minor version as `Head` counts it: every minor version above 0 counts as 1. Source: RFC 9110 §6.2.
    var headMinorVersion: UInt8 { minor == 0 ? 0 : 1 }

    /// Parses the eight bytes at `index`; nil if they are not a version.
    @inline(__always)
    init?(_ input: Span<UInt8>, at index: Int) {
        let word = input.eightBytes(at: index)
        if word == Self.http11 {
            major = 1
            minor = 1
            return
        }
        guard Self.firstInvalidByte(input, at: index) == nil else { return nil }
        major = input[index + 5] &- 0x30
        minor = input[index + 7] &- 0x30
    }

    /// The first byte from `index` on that cannot be part of `HTTP/d.d`; nil if all that have arrived can.
    static func firstInvalidByte(_ input: Span<UInt8>, at index: Int) -> Int? {
        for offset in 0..<min(byteCount, input.count - index) {
            let byte = input[index + offset]
            let expected = UInt8(truncatingIfNeeded: http11 >> UInt64(offset * 8))
            guard byte == expected || byte.isDigit && expected.isDigit else { return index + offset }
        }
        return nil
    }
}
