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

    /// All of it, to be told to the process that takes over.
    public var bytes: [UInt8] { name + encryptionKey + authenticationKey }

    /// The key whose `bytes` these are; nil for anything else.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.nameCount + 2 * Self.keyCount else { return nil }
        self.init(
            name: Array(bytes.prefix(Self.nameCount)),
            encryptionKey: Array(bytes.dropFirst(Self.nameCount).prefix(Self.keyCount)),
            authenticationKey: Array(bytes.suffix(Self.keyCount)))
    }

    private init(name: [UInt8], encryptionKey: [UInt8], authenticationKey: [UInt8]) {
        self.name = name
        self.encryptionKey = encryptionKey
        self.authenticationKey = authenticationKey
    }
}
