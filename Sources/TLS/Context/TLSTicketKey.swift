/// The key that encrypts session tickets. A secret: with it, every session whose ticket it encrypted can be decrypted.
///
/// Shape:  three byte strings, the same for all workers. Control creates one per period and keeps the previous one.
/// Source: RFC 5077 §4; docs/threats.md, "TLS".
public struct TLSTicketKey: Equatable, Sendable {
    static let nameCount = 16
    static let keyCount = 32

    /// Identifies tickets of this key; public.
    let name: [UInt8]
    /// For AES-256-CBC.
    let encryptionKey: [UInt8]
    /// For HMAC-SHA-256.
    let authenticationKey: [UInt8]

    /// A new random key.
    public static func random() -> TLSTicketKey {
        TLSTicketKey(
            name: randomBytes(nameCount), encryptionKey: randomBytes(keyCount),
            authenticationKey: randomBytes(keyCount))
    }
}
