import COpenSSL

/// A server certificate with its chain and private key, checked and ready to be served.
///
/// Shape:  immutable; created by control. A server context duplicates everything, so that no two threads count
///         references to the same object.
/// Errors: `TLSMaterialError` in whole sentences, for the operator.
///
/// `@unchecked Sendable`: the OpenSSL objects do not change after `init`; other threads only duplicate them.
@safe public final class TLSCertificate: @unchecked Sendable {
    /// Algorithm and size of a key.
    public enum Key: Equatable, Sendable {
        case rsa(bits: Int)
        case ecdsa(Curve)
    }

    /// An elliptic curve; the raw value is the size of its keys in bits.
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

    /// The name of the file or object that configured it, for errors and logs.
    public let name: String
    /// The DNS names it is for, lower-case, wildcards as `*.example.com`.
    public let names: [String]
    /// Start of its validity, in seconds since 1970.
    public let notBefore: Int
    /// End of its validity, in seconds since 1970.
    public let notAfter: Int
    /// Algorithm and size of its key.
    public let key: Key
    /// SHA-256 of the certificate's DER.
    public let fingerprint: [UInt8]
    /// The OCSP response to staple, DER; nil if there is no valid one.
    public let ocspResponse: [UInt8]?
    /// The time in seconds since 1970 until which the response may be stapled, if it names one.
    public let ocspNotAfter: Int?
    /// What is wrong with the configured OCSP response. The certificate is served without it, since clients do not need
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

    /// Bits of the key, to compare it with keys of the same kind.
    var keyBits: Int {
        switch key {
        case .rsa(let bits): bits
        case .ecdsa(let curve): curve.rawValue
        }
    }

    var isECDSA: Bool { if case .ecdsa = key { true } else { false } }
}

extension TLSCertificate.Key {
    /// The kind of an `EVP_PKEY *`; nil if Apus does not accept it.
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

/// Owns certificates and frees them unless they are taken, so that an error in the middle of a check leaks nothing.
@safe struct OwnedCertificates: ~Copyable {
    private(set) var pointers: [OpaquePointer]

    init(_ pointers: [OpaquePointer]) { unsafe self.pointers = unsafe pointers }

    deinit { unsafe pointers.forEach { unsafe X509_free($0) } }

    /// Returns the certificates, which the caller then owns.
    consuming func take() -> [OpaquePointer] {
        let taken = unsafe pointers
        unsafe pointers = unsafe []
        return unsafe taken
    }
}
