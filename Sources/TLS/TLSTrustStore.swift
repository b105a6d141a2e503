import COpenSSL

/// The authorities whose client certificates a listener accepts, and what they have revoked. Source: elbv2.md §4.3.
///
/// Shape:  immutable; contexts take references to what is in here.
/// It is Sendable since what it points to is never changed, and OpenSSL counts references atomically.
@safe public final class TLSTrustStore: @unchecked Sendable {
    let certificates: [OpaquePointer]
    let revocationLists: [OpaquePointer]
    /// Whether a certificate that has expired, or is not valid yet, is accepted.
    public let ignoresExpiry: Bool
    /// Whether clients are told the authorities' names, so that they can choose a certificate.
    public let advertisesNames: Bool
    /// Tells apart trust stores of different content.
    let fingerprint: [UInt8]

    /// Reads the authorities from a PEM bundle, and revocation lists from PEM files.
    public init(bundle: [UInt8], ignoresExpiry: Bool, advertisesNames: Bool, revocationLists files: [[UInt8]])
        throws(TLSMaterialError)
    {
        let certificates = try unsafe PEM.certificates(bundle)
        guard unsafe certificates.count <= Limits.trustStoreCertificatesMax else {
            for index in unsafe certificates.indices { unsafe X509_free(certificates[index]) }
            throw TLSMaterialError(
                unsafe "holds \(certificates.count) certificates, \(Limits.trustStoreCertificatesMax) at most",
                remedy: "Keep the authorities that sign your clients' certificates.")
        }
        var lists: [OpaquePointer] = unsafe []
        for file in files { unsafe lists += try PEM.revocationLists(file) }
        unsafe self.certificates = certificates
        unsafe revocationLists = lists
        self.ignoresExpiry = ignoresExpiry
        self.advertisesNames = advertisesNames
        fingerprint = bundle + files.flatMap { $0 }
    }

    deinit {
        for index in unsafe certificates.indices { unsafe X509_free(certificates[index]) }
        for index in unsafe revocationLists.indices { unsafe X509_CRL_free(revocationLists[index]) }
    }

    /// Has `context` verify by this store. Source: SSL_CTX_get_cert_store(3).
    func apply(to context: OpaquePointer) {
        let store = unsafe SSL_CTX_get_cert_store(context)
        for index in unsafe certificates.indices { _ = unsafe X509_STORE_add_cert(store, certificates[index]) }
        for index in unsafe revocationLists.indices { _ = unsafe X509_STORE_add_crl(store, revocationLists[index]) }
        if unsafe !revocationLists.isEmpty {
            _ = unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK))
        }
        unsafe SSL_CTX_set_verify_depth(context, Limits.clientChainDepthMax)
        if advertisesNames {
            let names = unsafe apus_name_stack()
            for index in unsafe certificates.indices {
                let certificate = unsafe certificates[index]
                _ = unsafe apus_name_push(names, X509_NAME_dup(X509_get_subject_name(certificate)))
            }
            unsafe SSL_CTX_set_client_CA_list(context, names)
        }
    }
}
