/// Why a session failed. A trivial value; the alert, if there is one to send, is in `TLSWire.outgoing` already.
///
/// Errors: whichever it is, the caller writes what is in `outgoing` and closes; nothing more is to be had.
public enum TLSFailure: Equatable, Sendable {
    /// No version that both sides speak.
    case unsupportedVersion
    /// No cipher suite, group or signature algorithm that both sides have.
    case noSharedCipher
    /// The client offered protocols by ALPN, and none of ours.
    case noSharedProtocol
    /// The client's certificate was refused; `TLSSession.verifyFailure` says why.
    case badCertificate
    /// A certificate was asked for and the client has none.
    case noClientCertificate
    /// The other side refused with this alert. Source: RFC 8446 §6.
    case alertReceived(UInt8)
    /// What came is not TLS as the RFC has it, or was changed on its way.
    case malformed
    /// An HTTP request came where a ClientHello should have. No alert: the caller may answer in plain HTTP.
    case plainHTTP
    /// More KeyUpdates, or other handshake records after the handshake, than `Limits` lets in.
    case keyUpdateFlood
    /// The same below TLS 1.3: the other side insists on a new handshake.
    case renegotiation
    /// The target's certificate leads to no root we trust, is expired, or the like.
    case untrustedTarget
    /// The target's certificate is for another name.
    case nameMismatch
    /// Anything else, as OpenSSL being out of memory.
    case other
}
