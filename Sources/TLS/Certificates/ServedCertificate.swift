import COpenSSL

/// One worker's duplicate of a certificate.
@safe final class ServedCertificate {
    private let certificate: OpaquePointer
    private let privateKey: OpaquePointer
    /// The certificates after the first one, a STACK_OF(X509).
    private let chain: OpaquePointer
    private let ocspResponse: [UInt8]?
    /// The name in logs.
    let name: [UInt8]

    init(_ original: TLSCertificate) {
        guard let certificate = unsafe X509_dup(original.chain[0]),
            let key = unsafe EVP_PKEY_dup(original.privateKey), let chain = unsafe OPENSSL_sk_new_null()
        else { preconditionFailure("tls: OpenSSL is out of memory") }
        unsafe original.chain.dropFirst().forEach { issuer in
            _ = unsafe OPENSSL_sk_push(chain, UnsafeRawPointer(X509_dup(issuer)))
        }
        unsafe self.certificate = unsafe certificate
        unsafe privateKey = unsafe key
        unsafe self.chain = unsafe chain
        ocspResponse = original.ocspResponse
        name = Array(original.name.utf8)
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(privateKey)
        while let issuer = unsafe OPENSSL_sk_pop(chain) { unsafe X509_free(OpaquePointer(issuer)) }
        unsafe OPENSSL_sk_free(chain)
    }

    /// Offers the certificate on all sessions of an `SSL_CTX *`.
    func use(on context: OpaquePointer) {
        let status = unsafe SSL_CTX_use_cert_and_key(context, certificate, privateKey, chain, 1)
        precondition(status == 1, "tls: OpenSSL refused a certificate that was checked: \(takeQueueText())")
    }

    /// Offers the certificate on one session. Returns false if OpenSSL is out of memory.
    func use(onSession ssl: OpaquePointer?) -> Bool {
        unsafe SSL_use_cert_and_key(ssl, certificate, privateKey, chain, 1) == 1
    }

    /// Whether `other`, an `X509 *`, is this certificate.
    func isCertificate(_ other: OpaquePointer?) -> Bool { unsafe certificate == other }

    /// Staples the OCSP response, if there is one. Source: SSL_CTX_set_tlsext_status_cb(3).
    func staple(to ssl: OpaquePointer?) -> Bool {
        guard let ocspResponse, let copy = unsafe apus_openssl_malloc(ocspResponse.count) else { return false }
        unsafe ocspResponse.withUnsafeBytes { bytes in
            unsafe copy.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        }
        unsafe apus_ssl_set_ocsp_response(ssl, copy.assumingMemoryBound(to: UInt8.self), ocspResponse.count)
        return true
    }
}
