import COpenSSL

/// A certificate with its chain and its private key, as read from two files and found good.
///
/// Shape:  immutable. Contexts make copies of their own of what is in here, so that no reference count is shared.
/// It is Sendable since what it points to is never changed, and OpenSSL counts references atomically.
@safe public final class TLSCertificate: @unchecked Sendable {
    /// What the key can sign.
    public enum Key: Equatable, Sendable {
        /// Bits of the modulus.
        case rsa(Int)
        /// Bits of the curve's order.
        case ecdsa(Int)

        /// Whether a client must know ECDSA.
        var isECDSA: Bool {
            if case .ecdsa = self { return true }
            return false
        }

        /// What decides between certificates of one kind.
        var bits: Int {
            switch self {
            case .rsa(let bits), .ecdsa(let bits): bits
            }
        }
    }

    /// The name of its file, as given; for logs.
    public let name: String
    /// The DNS names it is for, in lower case: those of subjectAltName, or the common name of a certificate without.
    public let names: [String]
    /// Seconds since 1970.
    public let notBefore: Int
    /// Seconds since 1970.
    public let notAfter: Int
    /// What its key can sign.
    public let key: Key
    /// SHA-256 of the leaf.
    public let fingerprint: [UInt8]
    /// What is stapled for clients that ask, DER; empty if there is nothing.
    public let ocspResponse: [UInt8]

    /// The leaf, then what leads towards a root.
    let chain: [OpaquePointer]
    let privateKey: OpaquePointer

    /// Reads and checks both files. `now` is in seconds since 1970.
    ///
    /// Errors: `TLSMaterialError` names the file by `problem`'s beginning: "certificate" or "key" is left to the
    ///         caller, which knows both names; `isAboutKey` says which one is meant.
    public init(
        name: String, chain chainOctets: [UInt8], privateKey keyOctets: [UInt8], ocspResponse: [UInt8] = [], now: Int
    ) throws(TLSMaterialFailure) {
        let chain: [OpaquePointer]
        do { unsafe chain = try unsafe PEM.certificates(chainOctets) } catch { throw .certificate(error) }
        let privateKey: OpaquePointer
        do { unsafe privateKey = try unsafe PEM.privateKey(keyOctets) } catch {
            for index in unsafe chain.indices { unsafe X509_free(chain[index]) }
            throw .privateKey(error)
        }
        unsafe self.chain = chain
        unsafe self.privateKey = privateKey
        self.name = name
        let leaf = unsafe X509Reader(chain[0])
        names = leaf.names
        notBefore = leaf.notBefore
        notAfter = leaf.notAfter
        fingerprint = leaf.fingerprint
        key = leaf.key ?? .rsa(0)
        self.ocspResponse = ocspResponse
        do { try check(leaf, now: now) } catch { throw .certificate(error) }
        if unsafe X509_check_private_key(chain[0], privateKey) != 1 {
            ERR_clear_error()
            throw .privateKey(
                TLSMaterialError(
                    "does not belong to the certificate in \(name)",
                    remedy: "Give the key the certificate was made for."))
        }
        if !ocspResponse.isEmpty {
            do { try unsafe OCSPResponse.check(ocspResponse, leaf: chain[0], issuer: issuer, now: now) } catch {
                throw .ocspResponse(error)
            }
        }
    }

    deinit {
        for index in unsafe chain.indices { unsafe X509_free(chain[index]) }
        unsafe EVP_PKEY_free(privateKey)
    }

    private var issuer: OpaquePointer { unsafe chain.count > 1 ? chain[1] : chain[0] }

    private func check(_ leaf: X509Reader, now: Int) throws(TLSMaterialError) {
        if notAfter <= now {
            throw TLSMaterialError("has expired on \(UTCDate(notAfter))", remedy: "Renew the certificate.")
        }
        if notBefore > now {
            throw TLSMaterialError(
                "is not valid before \(UTCDate(notBefore))", remedy: "Wait, or check this machine's clock.")
        }
        guard let key = leaf.key else {
            throw TLSMaterialError(
                "has a key of type \(leaf.keyTypeName)", remedy: "Use RSA of at least 2048 bits, P-256, P-384 or P-521."
            )
        }
        if case .rsa(let bits) = key, bits < 2048 {
            throw TLSMaterialError(
                "has a weak key: RSA of \(bits) bits", remedy: "Use RSA of at least 2048 bits, P-256, P-384 or P-521.")
        }
        if leaf.hasWeakSignature {
            throw TLSMaterialError(
                "is signed with \(leaf.signatureName)", remedy: "Have it signed with SHA-256 or better.")
        }
        guard unsafe chain.count <= Limits.chainLengthMax else {
            throw TLSMaterialError(
                "holds \(unsafe chain.count) certificates, \(Limits.chainLengthMax) at most",
                remedy: "Leave out what clients have: the root and other chains.")
        }
        for index in unsafe 1..<max(1, chain.count)
        where unsafe X509_check_issued(chain[index], chain[index - 1]) != X509_V_OK {
            throw TLSMaterialError(
                "holds a chain in which certificate \(index + 1) did not sign certificate \(index)",
                remedy: "Put the leaf first, then each one's issuer.")
        }
    }
}

/// Which of the files is meant.
public enum TLSMaterialFailure: Error, Equatable, Sendable {
    case certificate(TLSMaterialError)
    case privateKey(TLSMaterialError)
    case ocspResponse(TLSMaterialError)
}
