import COpenSSL
import Core

/// Checks of a certificate, its key and its chain, before it may be served.
extension TLSCertificate {
    /// The certificates of the chain; the caller frees them.
    static func readChain(_ text: [UInt8], _ name: String) throws(TLSMaterialError) -> [OpaquePointer] {
        guard let read = unsafe PEM.certificates(text) else {
            throw TLSMaterialError(
                "The PEM of certificate \(name) cannot be read (\(takeQueueText())).",
                remedy: "Check that the file is complete and was not changed.")
        }
        let certificates = unsafe OwnedCertificates(read)
        let count = unsafe certificates.pointers.count
        if count == 0 {
            throw TLSMaterialError(
                "There is no certificate in \(name).",
                remedy: "Name a PEM file with the certificate first and the certificates that issued it behind.")
        }
        if count > Limits.chainCertificatesMax {
            throw TLSMaterialError(
                "The chain of certificate \(name) has \(count) certificates, \(Limits.chainCertificatesMax) at most.",
                remedy: "Leave in the file the certificate and those between it and its root.")
        }
        let bytes = unsafe certificates.pointers.reduce(0) { unsafe $0 + X509Facts($1).der.count }
        if bytes > Limits.chainBytesMax {
            throw TLSMaterialError(
                "The chain of certificate \(name) has \(bytes) bytes, \(Limits.chainBytesMax) at most.",
                remedy: "Leave in the file the certificate and those between it and its root.")
        }
        return unsafe certificates.take()
    }

    /// The private key, checked to belong to `certificate`; the caller frees it.
    static func readKey(
        _ text: [UInt8], for certificate: OpaquePointer, _ name: String
    ) throws(TLSMaterialError) -> OpaquePointer {
        if PEM.isEncrypted(text) {
            throw TLSMaterialError(
                "The private key of certificate \(name) is encrypted.",
                remedy: "Decrypt it with \"openssl pkey -in KEY -out PLAIN\" and protect the file by its mode.",
                part: .privateKey)
        }
        guard let key = unsafe PEM.privateKey(text) else {
            throw TLSMaterialError(
                "The private key of certificate \(name) cannot be read (\(takeQueueText())).",
                remedy: "Name a PEM file with one private key: PKCS#8, PKCS#1 or SEC1.", part: .privateKey)
        }
        if unsafe X509_check_private_key(certificate, key) == 1 { return unsafe key }
        unsafe EVP_PKEY_free(key)
        ERR_clear_error()
        throw TLSMaterialError(
            "The private key does not belong to certificate \(name).",
            remedy: "Name the key that the certificate was requested with; the certificate comes first in its file.",
            part: .privateKey)
    }

    static func checkKey(_ certificate: X509Facts, _ name: String) throws(TLSMaterialError) -> Key {
        switch certificate.key {
        case .ecdsa(let curve): return .ecdsa(curve)
        case .rsa(let bits) where bits >= Limits.rsaBitsMin: return .rsa(bits: bits)
        case .rsa(let bits):
            throw TLSMaterialError(
                "The RSA key of certificate \(name) has \(bits) bits, \(Limits.rsaBitsMin) at least.",
                remedy: "Request a certificate for a new key: ECDSA on P-256, or RSA with 2048 bits.")
        case nil:
            ERR_clear_error()
            throw TLSMaterialError(
                "The key of certificate \(name) is neither RSA nor ECDSA on P-256, P-384 or P-521.",
                remedy: "Request a certificate for a new key: ECDSA on P-256, or RSA with 2048 bits.")
        }
    }

    static func checkTimes(_ certificate: X509Facts, _ name: String, now: Int) throws(TLSMaterialError) {
        if now < certificate.notBefore {
            throw TLSMaterialError(
                "Certificate \(name) is not valid yet, but from \(utcText(seconds: certificate.notBefore)) on.",
                remedy: "Check the clock of this machine, or wait.")
        }
        if now > certificate.notAfter {
            throw TLSMaterialError(
                "Certificate \(name) expired at \(utcText(seconds: certificate.notAfter)).", remedy: "Renew it.")
        }
    }

    /// Checks that each certificate was issued by the next one, and that signatures and keys are strong enough.
    static func checkChain(_ chain: [OpaquePointer], _ name: String) throws(TLSMaterialError) {
        for index in unsafe chain.indices {
            let certificate = unsafe X509Facts(chain[index])
            // The signature of a root is not verified by anyone.
            if !certificate.isSelfSigned && !certificate.hasStrongSignature {
                throw TLSMaterialError(
                    "Certificate \(certificate.subjectText) in \(name) has a signature weaker than SHA-256.",
                    remedy: "Request a new one from its issuer.")
            }
            // OpenSSL refuses to serve certificates with less than 112 bits of security, which means RSA keys below
            // 2048 bits.
            if unsafe EVP_PKEY_get_security_bits(X509_get0_pubkey(chain[index])) < 112 {
                throw TLSMaterialError(
                    "Certificate \(certificate.subjectText) in \(name) has a weak key.",
                    remedy: "Leave it out if it is the root, or ask for a certificate by another issuer.")
            }
            guard unsafe index + 1 < chain.count else { return }
            let issuer = unsafe chain[index + 1]
            let isIssued = unsafe X509_check_issued(issuer, chain[index]) == X509_V_OK
            guard isIssued, unsafe X509_verify(chain[index], X509_get0_pubkey(issuer)) == 1 else {
                ERR_clear_error()
                throw TLSMaterialError(
                    "In the chain of \(name), \(certificate.subjectText) was not issued by the certificate behind it, "
                        + "\(unsafe X509Facts(issuer).subjectText).",
                    remedy: "Put the certificate first, and behind each one the certificate that issued it.")
            }
        }
    }
}
