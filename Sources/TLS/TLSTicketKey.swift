import COpenSSL

/// A key that session tickets are sealed with: whoever has it can read sessions that began under it.
public struct TLSTicketKey: Sendable, Equatable {
    /// Tells keys apart: in the open on every ticket.
    let name: [UInt8]
    let encryption: [UInt8]
    let authentication: [UInt8]

    /// A new one, from the system's random numbers.
    public static func random() -> TLSTicketKey {
        TLSTicketKey(name: octets(16), encryption: octets(32), authentication: octets(32))
    }

    private static func octets(_ count: Int) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        let status = unsafe RAND_bytes(&octets, Int32(count))
        precondition(status == 1, "RAND_bytes: no random numbers")
        return octets
    }
}

/// The ticket keys of one worker, which all its contexts use: the current one seals, the one before still opens.
///
/// All workers are given the same keys, so that a client resumes whichever worker it comes to.
/// Source: SSL_CTX_set_tlsext_ticket_key_evp_cb(3); RFC 5077 §4.
@safe public final class TLSTicketKeyRing {
    private var current: TLSTicketKey
    private var previous: TLSTicketKey?
    private let cipher: OpaquePointer

    public init(current: TLSTicketKey, previous: TLSTicketKey? = nil) {
        self.current = current
        self.previous = previous
        guard let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil) else {
            preconditionFailure("OpenSSL has no AES-256-CBC")
        }
        unsafe self.cipher = cipher
    }

    deinit { unsafe EVP_CIPHER_free(cipher) }

    /// Uses these keys from now on.
    public func adopt(current: TLSTicketKey, previous: TLSTicketKey?) {
        self.current = current
        self.previous = previous
    }

    /// Prepares sealing a ticket. 1 as the callback's answer, negative on failure.
    func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipherContext: OpaquePointer,
        _ macContext: OpaquePointer
    ) -> Int32 {
        for index in 0..<16 { unsafe name[index] = current.name[index] }
        guard unsafe RAND_bytes(vector, 16) == 1 else { return -1 }
        let encryption = current.encryption
        guard unsafe EVP_EncryptInit_ex2(cipherContext, cipher, encryption, vector, nil) == 1 else { return -1 }
        return unsafe authenticate(macContext, current.authentication)
    }

    /// Prepares opening a ticket: 1, or 2 when the ticket should be renewed; 0 for a ticket of nobody's.
    func open(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipherContext: OpaquePointer,
        _ macContext: OpaquePointer
    ) -> Int32 {
        let isCurrent = unsafe isNamed(name, current)
        guard let key = isCurrent ? current : previous, unsafe isNamed(name, key) else { return 0 }
        let encryption = key.encryption
        guard unsafe EVP_DecryptInit_ex2(cipherContext, cipher, encryption, vector, nil) == 1 else { return -1 }
        guard unsafe authenticate(macContext, key.authentication) == 1 else { return -1 }
        return isCurrent ? 1 : 2
    }

    private func isNamed(_ name: UnsafeMutablePointer<UInt8>, _ key: TLSTicketKey) -> Bool {
        for index in 0..<16 where unsafe name[index] != key.name[index] { return false }
        return true
    }

    private func authenticate(_ context: OpaquePointer, _ key: [UInt8]) -> Int32 {
        unsafe apus_mac_set_key(context, key, key.count) == 1 ? 1 : -1
    }
}
