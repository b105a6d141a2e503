/// What the TLS module caps, why, and what happens at the cap; in bytes unless named otherwise.
public enum Limits {
    /// Bytes of a client's ALPN list that are recorded for logs. The figure of ELBv2.
    static let offeredProtocolBytesMax = 256
    /// Plaintext per `TLSSession.seal`: four full records, so that one system call writes as much as it can of a large
    /// body. More traps; the caller has to split.
    public static let sealedBytesMax = 64 * 1024
    /// Space that `TLSSession.seal` may need in `TLSWire.outgoing` beyond the plaintext: header, nonce, MAC, padding
    /// and tag of each record, and the empty record that TLS 1.0 sends before each. Less space traps.
    static let sealOverheadMax = 8 * (5 + 16 + 64 + 256)
    /// Space that any other call may need in `TLSWire.outgoing`: the largest flight of a handshake, bounded by
    /// `chainBytesMax`, `advertisedNamesBytesMax` and `ocspResponseBytesMax`; it fits a large buffer. Less traps.
    public static let flightBytesMax = 72 * 1024
    /// `TLSWire.outgoing`, one per thread: room for one flight and one `seal`.
    static let outgoingBytes = flightBytesMax + sealedBytesMax + sealOverheadMax

    /// Content of one record, with what TLS 1.2 allows for expansion. Source: RFC 5246 §6.2.3. Beyond: `malformed`.
    static let recordContentMax = 16 * 1024 + 2048
    /// Handshake records after the handshake (KeyUpdate, tickets, attempts to renegotiate) that the other side may send
    /// in a burst, since each costs us a key derivation or a response. Beyond: `keyUpdateFlood` or `renegotiation`.
    static let postHandshakeRecordsMax: Int32 = 32
    /// Bytes of received data that allow the other side one more of them. OpenSSL itself renews keys far less often.
    static let bytesPerPostHandshakeRecord = 1024 * 1024
    /// A client's Certificate message. Source: docs/elbv2.md, "Client certificates". Beyond: `badCertificate`,
    /// ClientCertMaxSizeExceeded.
    static let clientCertificateMessageMax = 64 * 1024
    /// A target's Certificate message; OpenSSL's own default. Beyond: `malformed`.
    static let targetCertificateMessageMax = 100 * 1024
    /// Position of the last certificate above a client's own, which has position 0. Source: docs/elbv2.md, "Client
    /// certificates". Beyond: `badCertificate`, ClientCertMaxChainDepthExceeded.
    static let clientChainDepthMax = 4
    /// Bits of an RSA key in a client's chain: a longer one makes verification expensive. Beyond:
    /// ClientCertIncompatible.
    static let clientRSABitsMax = 8192
    /// Common names, organizational units, and names of subjectAltName of a client's certificate that identity filters
    /// look at, each. A real certificate has a few; 64 KiB have room for 10,000. Beyond: as if they were not there.
    static let identityValuesMax = 1000

    /// Certificates in the chain of one of our certificates. Beyond: `TLSMaterialError`.
    static let chainCertificatesMax = 10
    /// DER of such a chain, which is sent with each full handshake. Beyond: `TLSMaterialError`.
    static let chainBytesMax = 40 * 1024
    /// An OCSP response, which is sent with each full handshake that requests it. Beyond: `TLSMaterialError`.
    static let ocspResponseBytesMax = 8 * 1024
    /// DER of the names of CAs, if they are sent with each CertificateRequest. Beyond: `TLSMaterialError`.
    static let advertisedNamesBytesMax = 16 * 1024
    /// CAs of a trust store. ALB allows 25. Beyond: `TLSMaterialError`.
    static let trustedCertificatesMax = 1000
    /// One CA's DER. Source: docs/elbv2.md, "Client certificates". Beyond: `TLSMaterialError`.
    static let trustedCertificateBytesMax = 16 * 1024
    /// CRLs of a trust store. Source: docs/elbv2.md, "Client certificates", as the next. Beyond: `TLSMaterialError`.
    static let revocationListsMax = 30
    /// One CRL as PEM. Beyond: `TLSMaterialError`.
    static let revocationListBytesMax = 50 * 1024 * 1024
    /// Bits of an RSA key, ours or in a client's chain. Fewer: `TLSMaterialError`, ClientCertIncompatible.
    static let rsaBitsMin = 2048
    /// Seconds during which a ticket may be used. Source: RFC 8446 §4.6.1. More is reduced to this.
    public static let ticketLifetimeMax = 604_800
}
