/// Why a session failed. A trivial value; the alert to send, if any, is in `TLSWire.outgoing` already.
///
/// Errors: after any of them, the caller writes what is in `outgoing` and closes the connection.
public enum TLSFailure: Equatable, Sendable {
    /// The two sides have no version in common.
    case unsupportedVersion
    /// The two sides have no cipher suite, group or signature algorithm in common.
    case noSharedCipher
    /// The client offered only protocols by ALPN that the listener does not have.
    case noSharedProtocol
    /// The client's certificate was rejected; `TLSSession.verifyFailure` tells why.
    case badCertificate
    /// The client's certificate is valid, and none of the identity filters accepts it.
    case identityNotAccepted
    /// A certificate is required and the client presented none.
    case noClientCertificate
    /// The other side sent this alert. Source: RFC 8446 §6.
    case alertReceived(UInt8)
    /// The received bytes are not valid TLS, or were altered.
    case malformed
    /// The client sent an HTTP request instead of a ClientHello. No alert is sent: the caller may answer in plain HTTP.
    case plainHTTP
    /// More KeyUpdates or other handshake records after the handshake than `Limits` allows.
    case keyUpdateFlood
    /// The same before TLS 1.3: repeated attempts to renegotiate.
    case renegotiation
    /// The target's certificate is not trusted: unknown root, expired, or the like.
    case untrustedTarget
    /// The target's certificate is for another name.
    case nameMismatch
    /// Anything else, such as OpenSSL being out of memory.
    case other
}
