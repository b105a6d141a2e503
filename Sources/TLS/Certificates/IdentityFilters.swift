import COpenSSL
import Core

/// Which identities in a client's certificate are accepted, once the certificate itself is trusted.
///
/// Shape:  compiled once for each trust store: exact values in a set, so that a certificate with many names costs one
///         look-up each, and prefixes in a list. Immutable.
/// Limits: of a certificate the first `Limits.identityValuesMax` values of each field are compared; what stands behind
///         them accepts nobody.
/// Source: Network Load Balancer user guide, "Client certificate identity filters".
public struct IdentityFilters: Equatable, Sendable {
    /// A part of a certificate that names its owner.
    public enum Field: UInt8, Sendable, CaseIterable {
        /// The common names of the subject.
        case commonName
        /// The organizational units of the subject.
        case organizationalUnit
        /// The DNS names of subjectAltName.
        case dnsName
        /// The URIs of subjectAltName.
        case uri
    }

    /// A value that is accepted in a field.
    public struct Filter: Equatable, Sendable {
        let field: Field
        let isPrefix: Bool
        let value: [UInt8]

        /// Accepts `value`, or with `isPrefix` whatever begins with it, in `field`.
        public init(_ field: Field, _ value: [UInt8], isPrefix: Bool) {
            self.field = field
            self.isPrefix = isPrefix
            self.value = value
        }
    }

    /// By the raw value of `Field`, in the case in which they are compared.
    private var exactValues = [Set<[UInt8]>](repeating: [], count: Field.allCases.count)
    private var prefixes = [[[UInt8]]](repeating: [], count: Field.allCases.count)

    /// Without filters every identity is accepted.
    public init(_ filters: [Filter] = []) {
        for filter in filters {
            let value = Self.comparable(filter.value, in: filter.field)
            let index = Int(filter.field.rawValue)
            if filter.isPrefix { prefixes[index].append(value) } else { exactValues[index].insert(value) }
        }
    }

    /// Whether every identity is accepted.
    var isEmpty: Bool { Field.allCases.allSatisfy { !concerns($0) } }

    /// Everything that decides, for the digest of the trust store.
    var content: [UInt8] {
        var content: [UInt8] = []
        for field in Field.allCases {
            let index = Int(field.rawValue)
            let exact = exactValues[index].sorted { $0.lexicographicallyPrecedes($1) }
            for (kind, values) in [(UInt8(0), exact), (1, prefixes[index])] {
                for value in values {
                    content += [field.rawValue, kind, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
                }
            }
        }
        return content
    }

    /// Whether any of the filters accepts any value of the certificate.
    func accepts(_ certificate: X509Facts) -> Bool {
        if isEmpty { return true }
        var isAccepted = false
        for field in Field.allCases where concerns(field) && !isAccepted {
            certificate.forEachValue(of: field, max: Limits.identityValuesMax) { value in
                isAccepted = accepts(value, in: field)
                return !isAccepted
            }
        }
        return isAccepted
    }

    private func concerns(_ field: Field) -> Bool {
        let index = Int(field.rawValue)
        return !exactValues[index].isEmpty || !prefixes[index].isEmpty
    }

    /// Whether a filter accepts this value. One with a control character is none: programs differ in what they make of
    /// it, and some end a name at its first zero byte.
    private func accepts(_ value: [UInt8], in field: Field) -> Bool {
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return false }
        let value = Self.comparable(value, in: field)
        let index = Int(field.rawValue)
        return exactValues[index].contains(value) || prefixes[index].contains { value.starts(with: $0) }
    }

    private static let atSign = UInt8(ascii: "@")

    /// A value in the case in which it is compared: of URIs the scheme and the host ignore case, and all of the others.
    private static func comparable(_ value: [UInt8], in field: Field) -> [UInt8] {
        guard field == .uri else { return value.map(\.lowercased) }
        var uri = value
        guard let colon = uri.firstIndex(of: .colon) else { return value.map(\.lowercased) }
        for index in 0..<colon { uri[index] = uri[index].lowercased }
        guard uri[(colon + 1)...].starts(with: [.slash, .slash]) else { return uri }
        let start = colon + 3
        let end = uri[start...].firstIndex { $0 == .slash || $0 == .questionMark || $0 == .numberSign } ?? uri.count
        // Before an `@` stands a user's name, which has a case.
        let host = uri[start..<end].lastIndex(of: Self.atSign).map { $0 + 1 } ?? start
        for index in host..<end { uri[index] = uri[index].lowercased }
        return uri
    }
}

extension X509Facts {
    /// Calls `body` with the values of a field as UTF-8, the first `max` at most, until it returns false.
    fileprivate func forEachValue(of field: IdentityFilters.Field, max: Int, _ body: ([UInt8]) -> Bool) {
        switch field {
        case .commonName: forEachSubjectValue(NID_commonName, max: max, body)
        case .organizationalUnit: forEachSubjectValue(NID_organizationalUnitName, max: max, body)
        case .dnsName: forEachAlternativeName(GEN_DNS, max: max, body)
        case .uri: forEachAlternativeName(GEN_URI, max: max, body)
        }
    }

    /// Of the entries of the subject, those of this kind. Source: X509_NAME_get_index_by_NID(3).
    private func forEachSubjectValue(_ kind: Int32, max: Int, _ body: ([UInt8]) -> Bool) {
        guard let subject = unsafe X509_get_subject_name(certificate) else { return }
        var index: Int32 = -1
        for _ in 0..<max {
            index = unsafe X509_NAME_get_index_by_NID(subject, kind, index)
            guard index >= 0, let entry = unsafe X509_NAME_get_entry(subject, index) else { return }
            // What is not text in any of ASN.1's encodings is no name.
            guard let value = unsafe utf8(X509_NAME_ENTRY_get_data(entry)) else { continue }
            if !body(value) { return }
        }
    }

    /// Of the names in subjectAltName, those of this kind. With two such extensions, which RFC 5280 §4.2 forbids,
    /// OpenSSL finds none.
    private func forEachAlternativeName(_ kind: Int32, max: Int, _ body: ([UInt8]) -> Bool) {
        guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return }
        let names = OpaquePointer(list)
        defer { unsafe GENERAL_NAMES_free(names) }
        for index in unsafe 0..<min(OPENSSL_sk_num(names), Int32(max)) {
            guard let entry = unsafe OPENSSL_sk_value(names, index) else { return }
            var found: Int32 = 0
            let general = unsafe entry.assumingMemoryBound(to: GENERAL_NAME.self)
            guard let value = unsafe GENERAL_NAME_get0_value(general, &found), found == kind else { continue }
            let text = unsafe value.assumingMemoryBound(to: ASN1_STRING.self)
            guard let start = unsafe ASN1_STRING_get0_data(text) else { continue }
            let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(text))))
            if !body(bytes) { return }
        }
    }

    /// A text of a distinguished name as UTF-8; nil if it is none. Source: ASN1_STRING_to_UTF8(3).
    private func utf8(_ text: UnsafePointer<ASN1_STRING>?) -> [UInt8]? {
        guard let text = unsafe text else { return nil }
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&start, text)
        guard count >= 0, let start = unsafe start else {
            ERR_clear_error()
            return nil
        }
        defer { unsafe apus_openssl_free(start) }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }
}
