import COpenSSL

/// Whether a target must show who it is. Source: elbv2.md §4.2: ELB never validates.
public enum TargetVerification: Hashable, Sendable {
    /// Any certificate will do.
    case off
    /// By the roots of this system.
    case systemRoots
    /// By the roots in this PEM file's content.
    case roots([UInt8])
}

/// How connections to the targets of one group are made secure, on one worker: TLS 1.2 or 1.3.
@safe public final class TLSClientContext {
    let context: OpaquePointer

    /// Errors: `TLSMaterialError` if the roots cannot be read.
    public init(verification: TargetVerification, applicationProtocol: ApplicationProtocol) throws(TLSMaterialError) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { preconditionFailure("TLS: no memory") }
        unsafe self.context = context
        _ = unsafe apus_ctx_set_versions(context, TLSVersion.tls12.number, TLSVersion.tls13.number)
        unsafe SSL_CTX_set_options(context, UInt64(SSL_OP_NO_COMPRESSION_apus) | UInt64(SSL_OP_NO_RENEGOTIATION_apus))
        _ = unsafe apus_ctx_set_mode(context, SSL_MODE_RELEASE_BUFFERS_apus)
        unsafe apus_ctx_set_read_ahead(context)
        _ = unsafe apus_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(context, TLSSession.keepSession)
        unsafe SSL_CTX_set_info_callback(context, TLSSession.noteMessage)
        let name = applicationProtocol.name
        var offer: [UInt8] = [UInt8(name.utf8CodeUnitCount)]
        for index in 0..<name.utf8CodeUnitCount { offer.append(unsafe name.utf8Start[index]) }
        unsafe SSL_CTX_set_alpn_protos(context, offer, UInt32(offer.count))
        switch verification {
        case .off: unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        case .systemRoots:
            _ = unsafe SSL_CTX_set_default_verify_paths(context)
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, Self.verify)
        case .roots(let bundle):
            let store = unsafe SSL_CTX_get_cert_store(context)
            let certificates = try unsafe PEM.certificates(bundle)
            for index in unsafe certificates.indices {
                let certificate = unsafe certificates[index]
                _ = unsafe X509_STORE_add_cert(store, certificate)
                unsafe X509_free(certificate)
            }
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, Self.verify)
        }
        ERR_clear_error()
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// Notes what is wrong with a target's certificate.
    private static let verify: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isGood, chain in
        if isGood == 1 { return 1 }
        let handle = unsafe X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx())
        unsafe TLSSession.of(handle.map { OpaquePointer($0) })?.verifyCode = unsafe X509_STORE_CTX_get_error(chain)
        return 0
    }
}
