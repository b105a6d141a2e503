import COpenSSL

/// The CAs that client certificates must lead to (mutual TLS), and their revocation lists. Source: docs/elbv2.md,
/// "Client certificates".
///
/// Shape:  immutable; created by control. Each server context duplicates the CAs; revocation lists, which may be large,
///         are shared.
/// Errors: `TLSMaterialError`, in sentences for the operator.
///
/// `@unchecked Sendable`: the OpenSSL objects do not change after `init`, except that OpenSSL sorts a revocation list
/// when it is first searched, under a lock of its own.
@safe public final class TLSTrustStore: @unchecked Sendable {
    /// Whether expired client certificates are accepted.
    public let ignoresExpiry: Bool
    /// Whether the names of the CAs are sent to clients, to help them choose among their certificates.
    public let advertisesNames: Bool
    /// Which of the clients with a trusted certificate are accepted.
    public let identityFilters: IdentityFilters
    /// SHA-256 of the whole content.
    public let digest: [UInt8]
    let certificates: [OpaquePointer]
    let revocationLists: [OpaquePointer]

    /// Reads a trust store.
    ///
    /// - Parameters: - caBundle: PEM of the CAs; each is a trust anchor, root or not. - crls: PEM, one or more lists in
    ///   each. - identityFilters: of the clients whose certificate is trusted, those who are accepted.
    public init(
        caBundle: [UInt8], crls: [[UInt8]], ignoresExpiry: Bool, advertisesNames: Bool,
        identityFilters: IdentityFilters = IdentityFilters()
    ) throws(TLSMaterialError) {
        let read = unsafe OwnedCertificates(try Self.readBundle(caBundle, advertisesNames: advertisesNames))
        let lists = try unsafe Self.readLists(crls)
        var content = unsafe read.pointers.flatMap { unsafe X509Facts($0).fingerprint }
        unsafe lists.forEach { list in content += unsafe sha256(derBytes { unsafe i2d_X509_CRL(list, $0) }) }
        digest = sha256(content + [ignoresExpiry ? 1 : 0, advertisesNames ? 1 : 0] + identityFilters.content)
        self.identityFilters = identityFilters
        self.ignoresExpiry = ignoresExpiry
        self.advertisesNames = advertisesNames
        unsafe certificates = unsafe read.take()
        unsafe revocationLists = unsafe lists
    }

    deinit {
        unsafe certificates.forEach { unsafe X509_free($0) }
        unsafe revocationLists.forEach { unsafe X509_CRL_free($0) }
    }

    private static func readBundle(
        _ text: [UInt8], advertisesNames: Bool
    ) throws(TLSMaterialError) -> [OpaquePointer] {
        guard let pointers = unsafe PEM.certificates(text) else {
            throw TLSMaterialError(
                "The PEM of the CA bundle cannot be read (\(takeQueueText())).",
                remedy: "Check that the file is complete and was not changed.")
        }
        let read = unsafe OwnedCertificates(pointers)
        let count = unsafe pointers.count
        if count == 0 {
            throw TLSMaterialError(
                "There is no certificate in the CA bundle.", remedy: "Name a PEM file with the CAs to trust.")
        }
        if count > Limits.trustedCertificatesMax {
            throw TLSMaterialError(
                "The CA bundle has \(count) certificates, \(Limits.trustedCertificatesMax) at most.",
                remedy: "Leave in it the CAs that issue your clients' certificates.")
        }
        var namesBytes = 0
        for index in unsafe pointers.indices {
            let facts = unsafe X509Facts(pointers[index])
            if facts.der.count > Limits.trustedCertificateBytesMax {
                throw TLSMaterialError(
                    "CA \(facts.subjectText) has more than \(Limits.trustedCertificateBytesMax) bytes.",
                    remedy: "Leave it out of the bundle.")
            }
            namesBytes += unsafe derBytes { unsafe i2d_X509_NAME(X509_get_subject_name(facts.certificate), $0) }.count
        }
        if advertisesNames && namesBytes > Limits.advertisedNamesBytesMax {
            throw TLSMaterialError(
                "The names of the CAs have \(namesBytes) bytes, \(Limits.advertisedNamesBytesMax) at most.",
                remedy: "Do not advertise the names, or leave CAs out of the bundle.")
        }
        return unsafe read.take()
    }

    private static func readLists(_ texts: [[UInt8]]) throws(TLSMaterialError) -> [OpaquePointer] {
        var lists: [OpaquePointer] = unsafe []
        var problem: TLSMaterialError?
        for (index, text) in texts.enumerated() where problem == nil {
            if text.count > Limits.revocationListBytesMax {
                problem = TLSMaterialError(
                    "A revocation list has \(text.count) bytes, \(Limits.revocationListBytesMax) at most.",
                    remedy: "Have the CA split the list.", part: .revocationList(index))
            } else if let read = unsafe PEM.revocationLists(text), unsafe !read.isEmpty {
                unsafe lists += read
            } else {
                problem = TLSMaterialError(
                    "The PEM of a revocation list cannot be read (\(takeQueueText())).",
                    remedy: "Name a PEM file with \"BEGIN X509 CRL\" in it.",
                    part: .revocationList(index))
            }
        }
        if unsafe lists.count > Limits.revocationListsMax {
            problem = TLSMaterialError(
                "There are more than \(Limits.revocationListsMax) revocation lists.",
                remedy: "Leave out those of CAs that are not in the bundle.")
        }
        guard let problem else { return unsafe lists }
        unsafe lists.forEach { unsafe X509_CRL_free($0) }
        throw problem
    }
}
