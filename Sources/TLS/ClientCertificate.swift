import COpenSSL

/// What targets and logs are told about a client's certificate. Source: elbv2.md §3.2, §4.3.
public struct ClientCertificate: Sendable {
    /// Hexadecimal, upper case.
    public let serialNumber: [UInt8]
    /// Distinguished names as RFC 2253 writes them.
    public let issuer: [UInt8]
    /// The owner, as RFC 2253 writes it.
    public let subject: [UInt8]
    /// `NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z`.
    public let validity: [UInt8]
    /// PEM, URL-encoded with `+`, `=` and `/` as they are.
    public let leaf: [UInt8]
    /// The leaf and what the client has sent with it, alike.
    public let chain: [UInt8]

    init(leaf certificate: OpaquePointer, chain stack: OpaquePointer?) {
        serialNumber = unsafe Self.serialNumber(certificate)
        issuer = unsafe Self.text(X509_get_issuer_name(certificate))
        subject = unsafe Self.text(X509_get_subject_name(certificate))
        let reader = unsafe X509Reader(certificate)
        let from = UTCDate(reader.notBefore).timestamp
        validity = Array("NotBefore=\(from);NotAfter=\(UTCDate(reader.notAfter).timestamp)".utf8)
        leaf = unsafe Self.encodedPEM(certificate)
        var chain = leaf
        // In the role of a server OpenSSL leaves the leaf out of this stack: SSL_get_peer_cert_chain(3).
        for index in unsafe 0..<max(0, apus_x509_count(stack)) {
            chain += unsafe Self.encodedPEM(apus_x509_at(stack, index))
        }
        self.chain = chain
    }

    private static func serialNumber(_ certificate: OpaquePointer) -> [UInt8] {
        let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil)
        defer { unsafe BN_free(number) }
        guard let text = unsafe BN_bn2hex(number) else { return [] }
        defer { unsafe CRYPTO_free(text, "", 0) }
        return unsafe Array(String(cString: text).utf8)
    }

    private static func text(_ name: OpaquePointer?) -> [UInt8] {
        unsafe written { bio in _ = unsafe X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253_apus) }
    }

    private static func encodedPEM(_ certificate: OpaquePointer?) -> [UInt8] {
        let pem = unsafe written { bio in _ = unsafe PEM_write_bio_X509(bio, certificate) }
        var encoded: [UInt8] = []
        encoded.reserveCapacity(pem.count + 64)
        for octet in pem {
            switch octet {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "="),
                UInt8(ascii: "/"):
                encoded.append(octet)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                encoded += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return encoded
    }

    /// What `write` writes.
    private static func written(_ write: (OpaquePointer?) -> Void) -> [UInt8] {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        unsafe write(bio)
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe apus_memory_count(bio, &start)
        return unsafe UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
    }
}

/// Why a client's certificate was not accepted, in ALB's words. Source: elbv2.md §3.2.
public enum ClientCertificateFailure: Sendable, CaseIterable {
    case maxChainDepthExceeded, crlHit, crlProcessingError, untrusted, notYetValid, expired, typeUnsupported, invalid
    case purposeInvalid, rejected

    /// As the connection log writes it.
    public var code: StaticString {
        switch self {
        case .maxChainDepthExceeded: "ClientCertMaxChainDepthExceeded"
        case .crlHit: "ClientCertCrlHit"
        case .crlProcessingError: "ClientCertCrlProcessingError"
        case .untrusted: "ClientCertUntrusted"
        case .notYetValid: "ClientCertNotYetValid"
        case .expired: "ClientCertExpired"
        case .typeUnsupported: "ClientCertTypeUnsupported"
        case .invalid: "ClientCertInvalid"
        case .purposeInvalid: "ClientCertPurposeInvalid"
        case .rejected: "ClientCertRejected"
        }
    }

    init(verifyCode: Int32) {
        switch verifyCode {
        case X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_V_ERR_PATH_LENGTH_EXCEEDED: self = .maxChainDepthExceeded
        case X509_V_ERR_CERT_REVOKED: self = .crlHit
        case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_CRL_SIGNATURE_FAILURE, X509_V_ERR_CRL_NOT_YET_VALID,
            X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD,
            X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
            self = .crlProcessingError
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_UNTRUSTED:
            self = .untrusted
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK:
            self = .typeUnsupported
        case X509_V_ERR_INVALID_PURPOSE: self = .purposeInvalid
        case X509_V_ERR_CERT_REJECTED: self = .rejected
        default: self = .invalid
        }
    }
}
