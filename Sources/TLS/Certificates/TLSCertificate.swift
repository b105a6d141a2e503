import COpenSSL

/// A certificate of ours with its chain and key: checked, and ready to be served.
///
/// Shape:  immutable once made, by control; a server context takes duplicates of everything, so that no two threads
///         count references to the same object.
/// Errors: `TLSMaterialError` in whole sentences, for whoever configured it.
///
/// `@unchecked Sendable`: the OpenSSL objects are changed by nobody after `init`; other threads only duplicate them.
@safe public final class TLSCertificate: @unchecked Sendable {
    /// Algorithm and size of a key.
    public enum Key: Equatable, Sendable {
        case rsa(bits: Int)
        case ecdsa(Curve)
    }

    /// A curve, its raw value the size of its keys in bits.
    public enum Curve: Int, Sendable {
        case p256 = 256
        case p384 = 384
        case p521 = 521

        /// As in `P-256`.
        public var name: StaticString {
            switch self {
            case .p256: "P-256"
            case .p384: "P-384"
            case .p521: "P-521"
            }
        }
    }

    /// The file's name or whatever else it was configured by, for errors and logs.
    public let name: String
    /// The DNS names it is for, lower-case, wildcards as `*.example.com`.
    public let names: [String]
    /// Seconds since 1970 from which on it is valid.
    public let notBefore: Int
    /// Seconds since 1970 until which it is valid.
    public let notAfter: Int
    /// Algorithm and size of its key.
    public let key: Key
    /// SHA-256 of the certificate's DER.
    public let fingerprint: [UInt8]
    /// The OCSP response to staple, DER; nil if there is none that is good.
    public let ocspResponse: [UInt8]?
    /// Seconds since 1970 until which it may be stapled, if it says so.
    public let ocspNotAfter: Int?
    /// What is wrong with the OCSP response that was handed in. The certificate is served without: clients do not need
    /// one.
    public let ocspProblem: TLSMaterialError?
    /// The chain, the certificate itself first.
    let chain: [OpaquePointer]
    /// The private key.
    let privateKey: OpaquePointer

    /// Reads and checks a certificate.
    ///
    /// - Parameters:
    ///   - chain: PEM, the certificate first, each followed by its issuer; the root may be left out.
    ///   - privateKey: PEM: PKCS#8, PKCS#1 or SEC1, not encrypted.
    ///   - name: for errors and logs.
    ///   - ocspResponse: DER, or nil.
    ///   - now: seconds since 1970.
    public init(
        chain: [UInt8], privateKey: [UInt8], name: String, ocspResponse: [UInt8]? = nil, now: Int
    ) throws(TLSMaterialError) {
        let certificates = unsafe OwnedCertificates(try Self.readChain(chain, name))
        let own = unsafe X509Facts(certificates.pointers[0])
        let key = try Self.checkKey(own, name)
        try Self.checkTimes(own, name, now: now)
        try unsafe Self.checkChain(certificates.pointers, name)
        let owner = try unsafe Self.readKey(privateKey, for: certificates.pointers[0], name)
        self.name = name
        names = own.names
        notBefore = own.notBefore
        notAfter = own.notAfter
        self.key = key
        fingerprint = own.fingerprint
        var ocsp: (response: [UInt8]?, notAfter: Int?, problem: TLSMaterialError?)
        do throws(TLSMaterialError) {
            ocsp.notAfter = try ocspResponse.flatMap { response throws(TLSMaterialError) in
                try unsafe OCSPCheck.check(response, for: certificates.pointers, name, now: now)
            }
            ocsp.response = ocspResponse
        } catch {
            ocsp.problem = error
        }
        (self.ocspResponse, ocspNotAfter, ocspProblem) = ocsp
        unsafe self.privateKey = unsafe owner
        unsafe self.chain = unsafe certificates.take()
    }

    deinit {
        unsafe EVP_PKEY_free(privateKey)
        unsafe chain.forEach { unsafe X509_free($0) }
    }

    /// Bits of the key, and so how strong it is among those of its kind.
    var keyBits: Int {
        switch key {
        case .rsa(let bits): bits
        case .ecdsa(let curve): curve.rawValue
        }
    }

    var isECDSA: Bool { if case .ecdsa = key { true } else { false } }
}

extension TLSCertificate.Key {
    /// The kind of an `EVP_PKEY *`; nil if Apus takes none of the kind.
    init?(_ key: OpaquePointer) {
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA: self = unsafe .rsa(bits: Int(EVP_PKEY_get_bits(key)))
        case EVP_PKEY_EC:
            var text = [CChar](repeating: 0, count: 64)
            var count = 0
            guard unsafe EVP_PKEY_get_group_name(key, &text, text.count, &count) == 1 else { return nil }
            switch String(decoding: text.prefix(count).map(UInt8.init), as: UTF8.self) {
            case "prime256v1", "P-256": self = .ecdsa(.p256)
            case "secp384r1", "P-384": self = .ecdsa(.p384)
            case "secp521r1", "P-521": self = .ecdsa(.p521)
            default: return nil
            }
        default: return nil
        }
    }
}

/// Certificates that are freed unless somebody takes them: what an error in the middle of a check would leave behind.
@safe struct OwnedCertificates: ~Copyable {
    private(set) var pointers: [OpaquePointer]

    init(_ pointers: [OpaquePointer]) { unsafe self.pointers = unsafe pointers }

    deinit { unsafe pointers.forEach { unsafe X509_free($0) } }

    /// Hands them over.
    consuming func take() -> [OpaquePointer] {
        let taken = unsafe pointers
        unsafe pointers = unsafe []
        return unsafe taken
    }
}
