import COpenSSL
import Core

/// Reads facts out of an `X509 *`, which it does not own.
///
/// Shape: a pointer that is valid only during the running call.
@safe struct X509Facts {
    let certificate: OpaquePointer

    init(_ certificate: OpaquePointer) { unsafe self.certificate = unsafe certificate }

    /// Its DER.
    var der: [UInt8] { unsafe derBytes { unsafe i2d_X509(certificate, $0) } }

    /// SHA-256 of its DER.
    var fingerprint: [UInt8] { sha256(der) }

    /// The subject as text, for error messages.
    var subjectText: String { String(decoding: unsafe nameBytes(X509_get_subject_name(certificate)), as: UTF8.self) }

    /// The issuer's name. Source: RFC 2253.
    var issuer: [UInt8] { unsafe nameBytes(X509_get_issuer_name(certificate)) }

    /// The subject's name. Source: RFC 2253.
    var subject: [UInt8] { unsafe nameBytes(X509_get_subject_name(certificate)) }

    /// Upper-case hexadecimal digits, an even number of them.
    var serialNumber: [UInt8] {
        guard let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil) else { return [] }
        defer { unsafe BN_free(number) }
        guard let text = unsafe BN_bn2hex(number) else { return [] }
        defer { unsafe apus_openssl_free(text) }
        return unsafe Array(String(cString: text).utf8)
    }

    /// Seconds since 1970; `Int.min` if it cannot be parsed.
    var notBefore: Int { unsafe seconds(X509_get0_notBefore(certificate)) ?? .min }

    /// Seconds since 1970; `Int.min` if it cannot be parsed.
    var notAfter: Int { unsafe seconds(X509_get0_notAfter(certificate)) ?? .min }

    /// Whether it is self-signed by its names.
    var isSelfSigned: Bool { unsafe X509_get_extension_flags(certificate) & UInt32(EXFLAG_SS) != 0 }

    /// Its public key's algorithm and size; nil if Apus does not accept that kind.
    var key: TLSCertificate.Key? {
        guard let key = unsafe X509_get0_pubkey(certificate) else { return nil }
        return unsafe TLSCertificate.Key(key)
    }

    /// Whether its signature is by SHA-256 or a stronger hash.
    var hasStrongSignature: Bool {
        var digest: Int32 = 0
        guard unsafe X509_get_signature_info(certificate, &digest, nil, nil, nil) == 1 else { return false }
        return [NID_sha256, NID_sha384, NID_sha512].contains(digest)
    }

    /// The DNS names it is for, lower-case: those of subjectAltName; the common name only if there is no such
    /// extension. Source: RFC 6125 §6.4.4.
    var names: [String] {
        guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            return commonName.map { [$0] } ?? []
        }
        let names = OpaquePointer(list)
        defer { unsafe GENERAL_NAMES_free(names) }
        return unsafe (0..<OPENSSL_sk_num(names)).compactMap { index in
            guard let entry = unsafe OPENSSL_sk_value(names, index) else { return nil }
            var kind: Int32 = 0
            let general = unsafe entry.assumingMemoryBound(to: GENERAL_NAME.self)
            guard let value = unsafe GENERAL_NAME_get0_value(general, &kind), kind == GEN_DNS else { return nil }
            return unsafe name(value.assumingMemoryBound(to: ASN1_STRING.self))
        }
    }

    private var commonName: String? {
        guard let subject = unsafe X509_get_subject_name(certificate) else { return nil }
        let index = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = unsafe X509_NAME_get_entry(subject, index) else { return nil }
        return unsafe name(X509_NAME_ENTRY_get_data(entry))
    }

    /// The text as a host name; nil if it has a character that is not allowed in one.
    private func name(_ text: UnsafePointer<ASN1_STRING>?) -> String? {
        guard let start = unsafe ASN1_STRING_get0_data(text) else { return nil }
        let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(text)))
        guard !bytes.isEmpty, unsafe bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return unsafe String(decoding: bytes.map(\.lowercased), as: UTF8.self)
    }
}

/// The output of an `i2d` function of OpenSSL, which is called for the size first. Source: d2i_X509(3).
func derBytes(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
    let count = write(nil)
    guard count > 0 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, written in
        var next = buffer.baseAddress
        unsafe written = Int(write(&next))
    }
}

/// The SHA-256 of `bytes`.
func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    let status = unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
    precondition(status == 1, "tls: OpenSSL has no SHA-256")
    return digest
}

/// Seconds since 1970 of a time in a certificate; nil if it cannot be read.
func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int? {
    guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { return nil }
    defer { unsafe ASN1_STRING_free(epoch) }
    var days: Int32 = 0
    var rest: Int32 = 0
    guard unsafe ASN1_TIME_diff(&days, &rest, epoch, time) == 1 else { return nil }
    return Int(days) * 86_400 + Int(rest)
}

/// A distinguished name. Source: RFC 2253; bytes beyond ASCII are escaped.
private func nameBytes(_ name: OpaquePointer?) -> [UInt8] {
    guard let output = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(output) }
    _ = unsafe X509_NAME_print_ex(output, name, 0, APUS_XN_FLAG_RFC2253)
    return unsafe takeBytes(output)
}

/// All bytes of a memory BIO.
func takeBytes(_ memory: OpaquePointer) -> [UInt8] {
    let count = unsafe BIO_ctrl_pending(memory)
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
        written = unsafe max(0, Int(BIO_read(memory, buffer.baseAddress, Int32(count))))
    }
}
