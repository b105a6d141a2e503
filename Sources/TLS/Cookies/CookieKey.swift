import COpenSSL

/// A key that encrypts and authenticates cookies. A secret: who has it can make cookies that Apus takes for its own.
///
/// Shape: for AES-256-GCM; the same for all workers. Control makes one per period, and keeps it on disk.
public struct CookieKey: Equatable, Sendable {
    /// Bytes of `secret`.
    public static let secretCount = 32

    /// Names it in the cookies that it has sealed; public.
    public let id: UInt32
    /// The key.
    public let secret: [UInt8]
    /// When it was made: seconds since 1970.
    public let createdAt: UInt64

    /// A key that was kept; nil if `secret` has another length.
    public init?(id: UInt32, secret: [UInt8], createdAt: UInt64) {
        guard secret.count == Self.secretCount else { return nil }
        self.id = id
        self.secret = secret
        self.createdAt = createdAt
    }

    /// A new random key, whose id is none of `taken`.
    public static func random(createdAt: UInt64, besides taken: [CookieKey] = []) -> CookieKey {
        while true {
            let bytes = randomBytes(4 + secretCount)
            let id = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if taken.contains(where: { $0.id == id }) { continue }
            guard let key = CookieKey(id: id, secret: Array(bytes.dropFirst(4)), createdAt: createdAt) else { continue }
            return key
        }
    }
}

/// So many bytes that nobody can guess.
func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    precondition(unsafe RAND_bytes(&bytes, Int32(count)) == 1, "tls: OpenSSL has no random numbers")
    return bytes
}
