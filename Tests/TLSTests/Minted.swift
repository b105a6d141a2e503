import COpenSSL
import Glibc
import TLS

/// A certificate and its key, created for a test.
@safe final class Minted: @unchecked Sendable {
    enum KeyKind: Hashable {
        case p256, p384, p521, secp256k1, ed25519
        case rsa(Int)
    }

    let certificate: OpaquePointer
    let key: OpaquePointer
    private let issuer: Minted?

    /// Seconds since 1970. OpenSSL uses the real clock.
    static let now = time(nil)
    static let day = 86_400

    /// A further entry of the subject: its field, its type in ASN.1, and its bytes as they are.
    struct Entry: Sendable {
        var field: String
        var type = MBSTRING_UTF8
        var bytes: [UInt8]
    }

    /// `names` is written as in openssl.cnf, `alternativeNames` is the DER of an extension of the same kind.
    init(
        _ subject: String, kind: KeyKind = .p256, by issuer: Minted? = nil, names: String? = nil, isCA: Bool = false,
        usage: String? = nil, from: Int = -day, to: Int = 30 * day, digest digestName: String = "SHA256",
        serial: Int? = nil, entries: [Entry] = [], alternativeNames: [UInt8]? = nil
    ) {
        self.issuer = issuer
        unsafe key = unsafe Self.makeKey(kind)
        unsafe certificate = unsafe X509_new()
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial ?? Int.random(in: 1...(1 << 40)))
        unsafe X509_time_adj_ex(X509_getm_notBefore(certificate), 0, from, nil)
        unsafe X509_time_adj_ex(X509_getm_notAfter(certificate), 0, to, nil)
        unsafe X509_set_pubkey(certificate, key)
        let name = unsafe X509_NAME_new()
        unsafe X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, "Apus tests", -1, -1, 0)
        unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, subject, -1, -1, 0)
        for entry in entries {
            let count = Int32(entry.bytes.count)
            unsafe X509_NAME_add_entry_by_txt(name, entry.field, entry.type, entry.bytes, count, -1, 0)
        }
        unsafe X509_set_subject_name(certificate, name)
        unsafe X509_set_issuer_name(certificate, issuer.map { unsafe X509_get_subject_name($0.certificate) } ?? name)
        unsafe X509_NAME_free(name)
        add(NID_basic_constraints, isCA ? "critical,CA:TRUE" : "critical,CA:FALSE")
        if let names { add(NID_subject_alt_name, names) }
        if let alternativeNames { add(NID_subject_alt_name, der: alternativeNames) }
        if let usage { add(NID_ext_key_usage, usage) }
        let signsItself = kind == .ed25519 && issuer == nil
        let digest = unsafe signsItself ? nil : EVP_get_digestbyname(digestName)
        precondition(unsafe X509_sign(certificate, issuer?.key ?? key, digest) > 0, "cannot sign \(subject)")
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    private func add(_ nid: Int32, _ value: String) {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer?.certificate ?? certificate, certificate, nil, nil, 0)
        guard let added = unsafe X509V3_EXT_conf_nid(nil, &context, nid, value) else {
            preconditionFailure("no such extension: \(value)")
        }
        unsafe X509_add_ext(certificate, added, -1)
        unsafe X509_EXTENSION_free(added)
    }

    private func add(_ nid: Int32, der: [UInt8]) {
        let content = unsafe ASN1_STRING_type_new(V_ASN1_OCTET_STRING)
        defer { unsafe ASN1_STRING_free(content) }
        unsafe ASN1_STRING_set(content, der, Int32(der.count))
        guard let added = unsafe X509_EXTENSION_create_by_NID(nil, nid, 0, content) else {
            preconditionFailure("no such extension")
        }
        unsafe X509_add_ext(certificate, added, -1)
        unsafe X509_EXTENSION_free(added)
    }

    private static func makeKey(_ kind: KeyKind) -> OpaquePointer {
        let (algorithm, group, bits): (String, String?, Int) =
            switch kind {
            case .p256: ("EC", "P-256", 0)
            case .p384: ("EC", "P-384", 0)
            case .p521: ("EC", "P-521", 0)
            case .secp256k1: ("EC", "secp256k1", 0)
            case .ed25519: ("ED25519", nil, 0)
            case .rsa(let bits): ("RSA", nil, bits)
            }
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, algorithm, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        unsafe EVP_PKEY_keygen_init(context)
        if let group { unsafe EVP_PKEY_CTX_set_group_name(context, group) }
        if bits > 0 { unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) }
        var key: OpaquePointer?
        precondition(unsafe EVP_PKEY_generate(context, &key) == 1, "no key")
        return unsafe key!
    }

    /// The certificate as PEM.
    var pem: [UInt8] { unsafe text { unsafe PEM_write_bio_X509($0, certificate) } }
    /// The certificate and its issuers without the root.
    var chainPEM: [UInt8] {
        guard let issuer, issuer.issuer != nil else { return pem }
        return pem + issuer.chainPEM
    }
    /// The key as PKCS#8.
    var keyPEM: [UInt8] { unsafe text { unsafe PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) } }
    /// The key as PKCS#1 or SEC1.
    var traditionalKeyPEM: [UInt8] {
        unsafe text { unsafe PEM_write_bio_PrivateKey_traditional($0, key, nil, nil, 0, nil, nil) }
    }
    /// The key, encrypted with a password.
    var encryptedKeyPEM: [UInt8] {
        unsafe text { unsafe PEM_write_bio_PKCS8PrivateKey($0, key, EVP_aes_128_cbc(), "secret", 6, nil, nil) }
    }

    /// A CRL of this CA, with the certificates it revoked.
    func revoking(_ certificates: [Minted], nextUpdate: Int = 10 * day, by signer: Minted? = nil) -> [UInt8] {
        let list = unsafe X509_CRL_new()
        defer { unsafe X509_CRL_free(list) }
        unsafe X509_CRL_set_version(list, 1)
        unsafe X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate))
        let time = unsafe X509_time_adj_ex(nil, 0, -2 * Self.day, nil)
        unsafe X509_CRL_set1_lastUpdate(list, time)
        unsafe X509_time_adj_ex(time, 0, nextUpdate, nil)
        unsafe X509_CRL_set1_nextUpdate(list, time)
        for revoked in certificates {
            let entry = unsafe X509_REVOKED_new()
            unsafe X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked.certificate))
            unsafe X509_REVOKED_set_revocationDate(entry, time)
            unsafe X509_CRL_add0_revoked(list, entry)
        }
        unsafe ASN1_STRING_free(time)
        unsafe X509_CRL_sort(list)
        unsafe X509_CRL_sign(list, (signer ?? self).key, EVP_sha256())
        return unsafe text { unsafe PEM_write_bio_X509_CRL($0, list) }
    }

    /// An OCSP response of this CA about `certificate`, DER.
    func answer(about certificate: Minted, status: Int32 = V_OCSP_CERTSTATUS_GOOD, nextUpdate: Int = day) -> [UInt8] {
        let basic = unsafe OCSP_BASICRESP_new()
        let id = unsafe OCSP_cert_to_id(EVP_sha1(), certificate.certificate, self.certificate)
        let this = unsafe X509_time_adj_ex(nil, 0, -2 * Self.day, nil)
        let next = unsafe X509_time_adj_ex(nil, 0, nextUpdate, nil)
        let revoked = unsafe status == V_OCSP_CERTSTATUS_REVOKED ? this : nil
        unsafe OCSP_basic_add1_status(basic, id, status, 0, revoked, this, next)
        unsafe OCSP_basic_sign(basic, self.certificate, key, EVP_sha256(), nil, 0)
        let response = unsafe OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
        defer {
            unsafe OCSP_CERTID_free(id)
            unsafe OCSP_BASICRESP_free(basic)
            unsafe OCSP_RESPONSE_free(response)
            unsafe ASN1_STRING_free(this)
            unsafe ASN1_STRING_free(next)
        }
        let memory = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(memory) }
        let count = unsafe i2d_OCSP_RESPONSE(response, nil)
        var der = [UInt8](repeating: 0, count: Int(count))
        unsafe der.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            unsafe i2d_OCSP_RESPONSE(response, &next)
        }
        return der
    }

    /// Ready to be served.
    func served(_ name: String = "test.pem", ocsp: [UInt8]? = nil) -> TLSCertificate {
        do throws(TLSMaterialError) {
            return try TLSCertificate(
                chain: chainPEM, privateKey: keyPEM, name: name, ocspResponse: ocsp, now: Self.now)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}

/// The output of an OpenSSL function that writes to a memory BIO.
func text(_ write: (OpaquePointer?) -> Int32) -> [UInt8] {
    let memory = unsafe BIO_new(BIO_s_mem())
    defer { unsafe BIO_free(memory) }
    precondition(unsafe write(memory) == 1, "nothing written")
    var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(memory))
    unsafe BIO_read(memory, &bytes, Int32(bytes.count))
    return bytes
}

/// Certificates that many tests share.
enum Mint {
    static let root = Minted("Root", isCA: true)
    static let intermediate = Minted("Intermediate", by: root, isCA: true)
    static let other = Minted("Another root", isCA: true)
    static let rsa = Minted(
        "rsa", kind: .rsa(2048), by: intermediate, names: "DNS:a.example.com,DNS:localhost,DNS:*.wild.example.com")
    static let ecdsa = Minted(
        "ecdsa", by: intermediate, names: "DNS:a.example.com,DNS:localhost,IP:127.0.0.1,DNS:*.wild.example.com")
}
