/// The id by which a target of QUIC is found: its server puts it into the connection IDs that it gives to clients.
///
/// Source: ELBv2 TargetDescription.QuicServerId; draft-ietf-quic-load-balancers §4.1 (the plaintext algorithm).
public struct QUICServerID: Hashable, Sendable, CustomStringConvertible {
    /// Its eight bytes, the first of them the most significant.
    public let value: UInt64

    /// The id with these bytes.
    public init(_ value: UInt64) { self.value = value }

    /// Reads `0x` and 16 hexadecimal digits in lower case; nil if `text` is something else.
    public init?(_ text: String) {
        let digits = text.utf8.dropFirst(2)
        guard text.hasPrefix("0x"), digits.count == 16,
            digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let value = UInt64(text.dropFirst(2), radix: 16)
        else { return nil }
        self.value = value
    }

    /// `0x` and 16 hexadecimal digits in lower case.
    public var description: String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
