import COpenSSL

/// The key that session tickets are sealed with. A secret: whoever has it can read every session it was used in.
///
/// Shape:  three byte strings, the same for all workers. Control makes one per period and keeps the one before.
/// Source: RFC 5077 §4; docs/threats.md, "TLS".
public struct TLSTicketKey: Equatable, Sendable {
    static let nameCount = 16
    static let keyCount = 32

    /// Tells tickets of this key from others; public.
    let name: [UInt8]
    /// For AES-256-CBC.
    let encryptionKey: [UInt8]
    /// For HMAC-SHA-256.
    let authenticationKey: [UInt8]

    /// A key that nobody else has.
    public static func random() -> TLSTicketKey {
        TLSTicketKey(
            name: randomBytes(nameCount), encryptionKey: randomBytes(keyCount),
            authenticationKey: randomBytes(keyCount))
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(unsafe RAND_bytes(&bytes, Int32(count)) == 1, "tls: OpenSSL has no random numbers")
        return bytes
    }
}
