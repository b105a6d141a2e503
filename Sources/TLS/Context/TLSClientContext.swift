import COpenSSL

/// The context of all TLS sessions with the targets of one group on one worker. TLS 1.2 and 1.3.
///
/// `@unchecked Sendable`: control creates it and passes it to exactly one worker, the only user afterwards.
@safe public final class TLSClientContext: @unchecked Sendable {
    /// How a target's certificate is verified.
    public enum Verification: Equatable, Sendable {
        /// Not at all, as an Application Load Balancer does.
        case off
        /// By the system's trusted roots, for the requested name.
        case systemRoots
        /// By these roots, PEM, for the requested name.
        case roots([UInt8])
    }

    let context: TLSContext
    private let verifies: Bool

    /// Creates a context for one worker. `applicationProtocols` are offered by ALPN, the preferred one first; empty: no
    /// ALPN.
    ///
    /// Errors: the roots cannot be parsed.
    public init(
        verification: Verification, applicationProtocols: [ApplicationProtocol]
    ) throws(TLSMaterialError) {
        context = unsafe TLSContext(TLS_client_method())
        verifies = verification != .off
        let pointer = unsafe context.pointer
        // Without verification, weak signature algorithms do no harm; with it, 112 bits of security are required.
        unsafe SSL_CTX_set_security_level(pointer, verifies ? 2 : 0)
        unsafe apus_ctx_set_min_version(pointer, TLSVersion.tls12.number)
        unsafe apus_ctx_set_max_version(pointer, TLSVersion.tls13.number)
        unsafe SSL_CTX_set_verify(pointer, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        unsafe apus_ctx_set_max_cert_list(pointer, Limits.targetCertificateMessageMax)
        switch verification {
        case .off: break
        case .systemRoots: unsafe SSL_CTX_set_default_verify_paths(pointer)
        case .roots(let text): try trust(text)
        }
        let list = ApplicationProtocol.list(applicationProtocols)
        if !list.isEmpty { unsafe SSL_CTX_set_alpn_protos(pointer, list, UInt32(list.count)) }
        // New tickets are given to the session that received them; OpenSSL's session cache is not used.
        unsafe apus_ctx_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(pointer) { ssl, ticket in
            guard let session = unsafe runningSession(ssl), let client = session.client, let ticket = unsafe ticket
            else { return 0 }
            session.resumption = unsafe TLSResumption(ticket, context: client, name: session.name)
            return 1
        }
        ERR_clear_error()
    }

    private func trust(_ roots: [UInt8]) throws(TLSMaterialError) {
        guard let certificates = unsafe PEM.certificates(roots), unsafe !certificates.isEmpty else {
            throw TLSMaterialError(
                "The roots that targets are verified by cannot be read (\(takeQueueText())).",
                remedy: "Name a PEM file with at least one certificate.")
        }
        let store = unsafe SSL_CTX_get_cert_store(context.pointer)
        unsafe certificates.forEach { certificate in
            unsafe X509_STORE_add_cert(store, certificate)
            unsafe X509_free(certificate)
        }
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    /// Sets the requested name (SNI), which has to be in the target's certificate. Source: RFC 6066 §3: no IP addresses
    /// in SNI; SSL_set1_host(3).
    func setName(_ name: [UInt8], on ssl: OpaquePointer) {
        precondition(!verifies || !name.isEmpty, "tls: a target is verified by its name, and there is none")
        if name.isEmpty { return }
        let text = String(decoding: name, as: UTF8.self)
        if let address = unsafe a2i_IPADDRESS(text) {
            unsafe ASN1_OCTET_STRING_free(address)
            if verifies { unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text) }
            return
        }
        _ = unsafe apus_ssl_set_server_name(ssl, text)
        guard verifies else { return }
        unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        let status = unsafe SSL_set1_host(ssl, text)
        precondition(status == 1, "tls: a name that cannot be verified")
    }
}
