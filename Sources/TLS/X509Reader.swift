import COpenSSL

/// What is read from a certificate. Borrows it: the certificate outlives the reader.
@safe struct X509Reader {
    private let certificate: OpaquePointer

    init(_ certificate: OpaquePointer) { unsafe self.certificate = certificate }

    /// The DNS names in lower case. The common name counts only where there is no subjectAltName. Source: RFC 9525 §2.
    var names: [String] {
        guard let stack = unsafe apus_alternative_names(certificate) else { return commonName.map { [$0] } ?? [] }
        defer { unsafe GENERAL_NAMES_free(stack) }
        return unsafe (0..<apus_name_count(stack)).compactMap { index in
            guard let name = unsafe apus_dns_name(apus_name_at(stack, index)) else { return nil }
            return unsafe Self.text(name).lowercased()
        }
    }

    private var commonName: String? {
        let subject = unsafe X509_get_subject_name(certificate)
        let index = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0 else { return nil }
        return unsafe Self.text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))).lowercased()
    }

    private static func text(_ string: UnsafePointer<ASN1_STRING>?) -> String {
        let octets = unsafe UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
        return unsafe String(decoding: octets, as: UTF8.self)
    }

    /// Seconds since 1970.
    var notBefore: Int { unsafe Self.seconds(X509_get0_notBefore(certificate)) }
    var notAfter: Int { unsafe Self.seconds(X509_get0_notAfter(certificate)) }

    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int {
        // The difference to the epoch: no time zone of this machine has a say.
        guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { return 0 }
        defer { unsafe ASN1_STRING_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return 0 }
        return Int(days) * 86_400 + Int(seconds)
    }

    /// What its key can sign; nil for what no listener takes.
    var key: TLSCertificate.Key? {
        let key = unsafe X509_get0_pubkey(certificate)
        let bits = unsafe Int(EVP_PKEY_get_bits(key))
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS: return .rsa(bits)
        case EVP_PKEY_EC: return unsafe Self.curves.contains(groupName(key)) ? .ecdsa(bits) : nil
        default: return nil
        }
    }

    private static let curves: Set<String> = ["prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521"]

    /// As people call it, when `key` is nil.
    var keyTypeName: String {
        let key = unsafe X509_get0_pubkey(certificate)
        if unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_EC { return unsafe "EC on \(groupName(key))" }
        return unsafe OBJ_nid2sn(EVP_PKEY_get_base_id(key)).map { unsafe String(cString: $0) } ?? "unknown"
    }

    private func groupName(_ key: OpaquePointer?) -> String {
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else { return "an unknown curve" }
        return String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var hasWeakSignature: Bool {
        var digest: Int32 = 0
        guard unsafe X509_get_signature_info(certificate, &digest, nil, nil, nil) == 1 else { return false }
        return digest == NID_md5 || digest == NID_sha1 || digest == NID_md5_sha1
    }

    var signatureName: String {
        unsafe OBJ_nid2sn(X509_get_signature_nid(certificate)).map { unsafe String(cString: $0) }
            ?? "an unknown algorithm"
    }

    /// SHA-256 of the whole certificate.
    var fingerprint: [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        _ = unsafe X509_digest(certificate, EVP_sha256(), &digest, &count)
        return digest
    }
}

/// A moment as people read it: `2026-11-25 13:00 UTC`. Days are counted after H. Hinnant, "chrono-compatible low-level
/// date algorithms".
struct UTCDate: CustomStringConvertible {
    private let seconds: Int

    init(_ seconds: Int) { self.seconds = seconds }

    var description: String {
        let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - day * 86_400
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(year)-\(two(month))-\(two(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1))"
        return "\(date) \(two(rest / 3600)):\(two(rest / 60 % 60)) UTC"
    }

    /// The same as RFC 3339 writes it: `2026-11-25T13:00:00Z`.
    var timestamp: String {
        let parts = description.split(separator: " ")
        let rest = ((seconds % 60) + 60) % 60
        return "\(parts[0])T\(parts[1]):\(two(rest))Z"
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
