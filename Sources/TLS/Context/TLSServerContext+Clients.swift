import COpenSSL

/// Mutual TLS: requests client certificates and verifies them. Source: docs/elbv2.md, "Client certificates";
/// SSL_CTX_set_cert_verify_callback(3).
extension TLSServerContext {
    func setClientAuthentication(_ authentication: TLSServerConfiguration.ClientAuthentication) {
        let pointer = unsafe context.pointer
        unsafe apus_ctx_set_max_cert_list(pointer, Limits.clientCertificateMessageMax)
        switch authentication {
        case .off: return
        case .passthrough:
            unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
            unsafe SSL_CTX_set_cert_verify_callback(
                pointer,
                { verification, _ in
                    unsafe X509_STORE_CTX_set_error(verification, X509_V_OK)
                    return 1
                }, nil)
        case .verify(let store):
            unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
            _ = unsafe apus_ctx_set_client_sigalgs(pointer, clientSignatureAlgorithms)
            unsafe SSL_CTX_set_cert_verify_callback(
                pointer,
                { verification, _ in
                    if unsafe verify(verification) { return 1 }
                    if let leaf = unsafe X509_STORE_CTX_get0_cert(verification) {
                        let refused = unsafe ClientCertificate(leaf: leaf, others: nil)
                        unsafe session(of: verification)?.refusedCertificate = refused
                    }
                    return 0
                }, nil)
            unsafe setTrust(store, pointer)
        }
    }

    private func setTrust(_ trust: TLSTrustStore, _ pointer: OpaquePointer) {
        guard let store = unsafe X509_STORE_new() else { preconditionFailure("tls: OpenSSL is out of memory") }
        unsafe trust.certificates.forEach { certificate in
            guard let copy = unsafe X509_dup(certificate) else { return }
            unsafe X509_STORE_add_cert(store, copy)
            // The list of names copies the name and takes no reference to the certificate.
            if trust.advertisesNames { unsafe SSL_CTX_add_client_CA(pointer, copy) }
            unsafe X509_free(copy)
        }
        unsafe trust.revocationLists.forEach { list in unsafe X509_STORE_add_crl(store, list) }
        // Every CA of the bundle is a trust anchor, root or not.
        var flags = UInt(X509_V_FLAG_PARTIAL_CHAIN)
        if unsafe !trust.revocationLists.isEmpty {
            flags |= UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)
        }
        unsafe X509_STORE_set_flags(store, flags)
        unsafe SSL_CTX_set_cert_store(pointer, store)
        ERR_clear_error()
    }
}

/// SHA-256 or better with RSA or ECDSA. Versions before TLS 1.2 cannot choose.
private let clientSignatureAlgorithms =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    + "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

/// Verifies a client's chain: first our check of the keys, which is cheap, then OpenSSL's verification, whose cost
/// depends on the keys.
private func verify(_ verification: OpaquePointer?) -> Bool {
    guard let parameters = unsafe X509_STORE_CTX_get0_param(verification) else { return false }
    if let verdict = unsafe keyVerdict(X509_STORE_CTX_get0_untrusted(verification)) {
        unsafe X509_STORE_CTX_set_error(verification, verdict)
        return false
    }
    // OpenSSL counts neither the leaf nor the last certificate.
    unsafe X509_VERIFY_PARAM_set_depth(parameters, Int32(Limits.clientChainDepthMax - 1))
    // 112 bits of security: RSA 2048, SHA-256. The session's own level may be 0 because of TLS 1.0.
    unsafe X509_VERIFY_PARAM_set_auth_level(parameters, 2)
    unsafe X509_STORE_CTX_set_verify_cb(verification) { isFine, verification in
        if isFine == 1 { return 1 }
        switch unsafe X509_STORE_CTX_get_error(verification) {
        // A CA without a revocation list has revoked nothing.
        case X509_V_ERR_UNABLE_TO_GET_CRL: break
        case X509_V_ERR_CERT_HAS_EXPIRED where unsafe ignoresExpiry(verification): break
        default: return 0
        }
        unsafe X509_STORE_CTX_set_error(verification, X509_V_OK)
        return 1
    }
    let isTrusted = unsafe X509_verify_cert(verification) == 1
    return unsafe acceptsIdentity(verification, isTrusted: isTrusted) && isTrusted
}

/// Whether the identity filters accept the client; records it if not. Revocation comes after them, so that of a
/// certificate with both faults the filters are told. Source: Network Load Balancer user guide, "Client certificate
/// identity filters".
private func acceptsIdentity(_ verification: OpaquePointer?, isTrusted: Bool) -> Bool {
    guard let filters = unsafe session(of: verification)?.server?.identityFilters, !filters.isEmpty else { return true }
    let verdict = unsafe ClientCertificateFailure(verdict: Int(X509_STORE_CTX_get_error(verification)))
    guard isTrusted || verdict == .crlHit || verdict == .crlProcessingError else { return true }
    if let leaf = unsafe X509_STORE_CTX_get0_cert(verification), unsafe filters.accepts(X509Facts(leaf)) { return true }
    unsafe X509_STORE_CTX_set_error(verification, X509_V_ERR_HOSTNAME_MISMATCH)
    return false
}

private func ignoresExpiry(_ verification: OpaquePointer?) -> Bool {
    unsafe session(of: verification)?.server?.ignoresExpiry == true
}

/// The session whose client chain is being verified.
private func session(of verification: OpaquePointer?) -> TLSSession? {
    let index = SSL_get_ex_data_X509_STORE_CTX_idx()
    guard let ssl = unsafe X509_STORE_CTX_get_ex_data(verification, index) else { return nil }
    return unsafe runningSession(OpaquePointer(ssl))
}

/// The verification error for the keys and signatures of a client's chain; nil if they are acceptable.
private func keyVerdict(_ chain: OpaquePointer?) -> Int32? {
    for index in unsafe 0..<max(0, OPENSSL_sk_num(chain)) {
        guard let entry = unsafe OPENSSL_sk_value(chain, index) else { continue }
        let certificate = unsafe X509Facts(OpaquePointer(entry))
        switch certificate.key {
        case nil: return X509_V_ERR_APPLICATION_VERIFICATION
        case .rsa(let bits) where bits < Limits.rsaBitsMin || bits > Limits.clientRSABitsMax:
            return index == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL
        default: break
        }
        if !certificate.isSelfSigned && !certificate.hasStrongSignature { return X509_V_ERR_CA_MD_TOO_WEAK }
    }
    return nil
}
