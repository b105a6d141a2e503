import COpenSSL

/// Why a client's certificate was rejected. Source: docs/elbv2.md, "Connection log", for the reason codes.
public enum ClientCertificateFailure: UInt8, Sendable {
    case maxChainDepthExceeded, maxSizeExceeded, crlHit, crlProcessingError, untrusted, notYetValid, expired
    case typeUnsupported, invalid, purposeInvalid, rejected, incompatible, unmapped
    /// It is valid, and none of the identity filters accepts it. The code is ours: ELBv2 documents none.
    case identityNotAccepted

    /// The code in the connection log.
    public var reasonCode: StaticString {
        switch self {
        case .maxChainDepthExceeded: "ClientCertMaxChainDepthExceeded"
        case .maxSizeExceeded: "ClientCertMaxSizeExceeded"
        case .crlHit: "ClientCertCrlHit"
        case .crlProcessingError: "ClientCertCrlProcessingError"
        case .untrusted: "ClientCertUntrusted"
        case .notYetValid: "ClientCertNotYetValid"
        case .expired: "ClientCertExpired"
        case .typeUnsupported: "ClientCertTypeUnsupported"
        case .invalid: "ClientCertInvalid"
        case .purposeInvalid: "ClientCertPurposeInvalid"
        case .rejected: "ClientCertRejected"
        case .incompatible: "ClientCertIncompatible"
        case .unmapped: "UnmappedConnectionError"
        case .identityNotAccepted: "ClientCertIdentityNotAccepted"
        }
    }

    /// The failure for OpenSSL's result of a verification; nil if the certificate is valid. Source:
    /// X509_STORE_CTX_get_error(3).
    init?(verdict: Int) {
        switch Int32(truncatingIfNeeded: verdict) {
        case X509_V_OK: return nil
        case X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_V_ERR_PATH_LENGTH_EXCEEDED: self = .maxChainDepthExceeded
        case X509_V_ERR_CERT_REVOKED: self = .crlHit
        case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, X509_V_ERR_CRL_SIGNATURE_FAILURE,
            X509_V_ERR_CRL_NOT_YET_VALID, X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD,
            X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
            X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION,
            X509_V_ERR_DIFFERENT_CRL_SCOPE, X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
            self = .crlProcessingError
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .untrusted
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        // Names of clients are not verified otherwise: the result of the identity filters.
        case X509_V_ERR_HOSTNAME_MISMATCH: self = .identityNotAccepted
        // The result of our own check of algorithms.
        case X509_V_ERR_APPLICATION_VERIFICATION: self = .typeUnsupported
        case X509_V_ERR_INVALID_PURPOSE: self = .purposeInvalid
        case X509_V_ERR_CERT_REJECTED: self = .rejected
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: self = .incompatible
        case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
            X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
            X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, X509_V_ERR_INVALID_CA, X509_V_ERR_INVALID_NON_CA,
            X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, X509_V_ERR_INVALID_EXTENSION,
            X509_V_ERR_SUBJECT_ISSUER_MISMATCH, X509_V_ERR_AKID_SKID_MISMATCH:
            self = .invalid
        default: self = .unmapped
        }
    }
}
