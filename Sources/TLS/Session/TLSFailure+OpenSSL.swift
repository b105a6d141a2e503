import COpenSSL

extension TLSFailure {
    /// The failure that OpenSSL's error queue reports for the call that just failed, and OpenSSL's TLS reason code, or
    /// 0. Empties the queue.
    ///
    /// The oldest entry of OpenSSL's TLS library is the cause; later ones are consequences, and those of its other
    /// libraries are details. Source: ERR_get_error(3), <openssl/sslerr.h>.
    static func takeFromQueue(alert: UInt8?) -> (failure: TLSFailure, reason: Int32) {
        defer { ERR_clear_error() }
        if let alert { return (.alertReceived(alert), 0) }
        let first = ERR_peek_error()
        var code = ERR_get_error()
        while code != 0 && ERR_GET_LIB(code) != ERR_LIB_SSL { code = ERR_get_error() }
        if code != 0 && ERR_FATAL_ERROR(code) == 0 {
            return (TLSFailure(reason: ERR_GET_REASON(code)), ERR_GET_REASON(code))
        }
        // Keys and certificates of the other side are decoded by OpenSSL's other libraries.
        return (code != 0 || first == 0 || ERR_FATAL_ERROR(first) != 0 ? .other : .malformed, 0)
    }

    /// The failure for a TLS reason code of OpenSSL.
    init(reason: Int32) {
        switch reason {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH,
            SSL_R_UNKNOWN_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_INAPPROPRIATE_FALLBACK:
            self = .unsupportedVersion
        // Despite its name, a record that is not TLS at all, since versions are negotiated inside records.
        case SSL_R_WRONG_VERSION_NUMBER: self = .malformed
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SUITABLE_KEY_SHARE,
            SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
            SSL_R_NO_CIPHERS_SPECIFIED, SSL_R_NO_CIPHERS_AVAILABLE:
            self = .noSharedCipher
        case SSL_R_NO_APPLICATION_PROTOCOL: self = .noSharedProtocol
        case SSL_R_CERTIFICATE_VERIFY_FAILED: self = .badCertificate
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: self = .noClientCertificate
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: self = .plainHTTP
        case SSL_R_NO_RENEGOTIATION: self = .renegotiation
        // In TLS 1.3 every alert ends the session, whatever its level.
        case SSL_AD_REASON_OFFSET...(SSL_AD_REASON_OFFSET + 255):
            self = .alertReceived(UInt8(reason - SSL_AD_REASON_OFFSET))
        default: self = .malformed
        }
    }
}
