import COpenSSL

/// Why a TLS session failed.
public enum TLSFailure: UInt8, Sendable, CaseIterable {
    /// The other side's versions are all too old or too new.
    case unsupportedVersion
    /// No cipher, group or signature algorithm that both sides have.
    case noSharedCipher
    /// ALPN: the client offered protocols of which we have none.
    case noSharedProtocol
    /// The client's certificate was not accepted: `TLSSession.clientCertificateFailure` says why.
    case clientCertificate
    /// The client has sent no certificate though one is asked for.
    case noClientCertificate
    /// The other side has refused: it trusts us not, or liked something else not.
    case alertReceived
    /// What came is not TLS, or breaks its rules.
    case malformed
    /// What came is HTTP without TLS.
    case plainHTTP
    /// Too many handshake messages after the handshake.
    case keyUpdateFlood
    /// Client role: the target's certificate is not by a trusted root, or expired.
    case untrustedTarget
    /// Client role: the target's certificate is for another name.
    case nameMismatch
    /// Something inside OpenSSL.
    case other

    /// For logs.
    public var word: StaticString {
        switch self {
        case .unsupportedVersion: "UnsupportedTLSVersion"
        case .noSharedCipher: "NoSharedCipher"
        case .noSharedProtocol: "NoSharedProtocol"
        case .clientCertificate: "ClientCertificateRejected"
        case .noClientCertificate: "NoClientCertificate"
        case .alertReceived: "TLSAlertReceived"
        case .malformed: "MalformedTLS"
        case .plainHTTP: "PlainHTTPOnTLSPort"
        case .keyUpdateFlood: "KeyUpdateFlood"
        case .untrustedTarget: "UntrustedTargetCertificate"
        case .nameMismatch: "TargetCertificateNameMismatch"
        case .other: "TLSError"
        }
    }

    /// What OpenSSL's error queue of this thread says, which is emptied.
    static func takeFromQueue() -> TLSFailure {
        var failure = TLSFailure.other
        while true {
            let code = ERR_get_error()
            if code == 0 { return failure }
            // ERR_GET_REASON for errors that are not the system's. Source: ERR_GET_LIB(3).
            if failure == .other { failure = TLSFailure(reason: Int32(truncatingIfNeeded: code & 0x7F_FFFF)) }
        }
    }

    private init(reason: Int32) {
        switch reason {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION, SSL_R_UNKNOWN_PROTOCOL,
            SSL_R_VERSION_TOO_HIGH, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
            self = .unsupportedVersion
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_WRONG_SIGNATURE_TYPE:
            self = .noSharedCipher
        case SSL_R_NO_APPLICATION_PROTOCOL: self = .noSharedProtocol
        case SSL_R_CERTIFICATE_VERIFY_FAILED: self = .clientCertificate
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: self = .noClientCertificate
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: self = .plainHTTP
        case SSL_AD_REASON_OFFSET..<SSL_AD_REASON_OFFSET + 256: self = .alertReceived
        case Int32(ERR_R_MALLOC_FAILURE), Int32(ERR_R_INTERNAL_ERROR): self = .other
        default: self = .malformed
        }
    }
}
