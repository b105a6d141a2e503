import COpenSSL

/// A security policy: the versions and algorithms that a listener allows. Source: docs/elbv2.md, "Security policies".
public struct TLSPolicy: Equatable, Sendable {
    /// As in `ELBSecurityPolicy-TLS13-1-2-Res-2021-06`.
    public var name: String
    /// The oldest version that is allowed.
    public var minimum: TLSVersion
    /// The newest version that is allowed.
    public var maximum: TLSVersion
    /// OpenSSL's names of the cipher suites up to TLS 1.2, in order of preference.
    public var ciphers: [String]
    /// OpenSSL's names of the cipher suites of TLS 1.3, in order of preference.
    public var ciphersuites: [String]
    /// Whether hybrid groups with ML-KEM are preferred to the classical ones.
    public var postQuantumGroups: Bool

    public init(
        name: String, minimum: TLSVersion, maximum: TLSVersion, ciphers: [String], ciphersuites: [String],
        postQuantumGroups: Bool
    ) {
        self.name = name
        self.minimum = minimum
        self.maximum = maximum
        self.ciphers = ciphers
        self.ciphersuites = ciphersuites
        self.postQuantumGroups = postQuantumGroups
    }

    /// Why the loaded OpenSSL does not support the policy, as a sentence; nil if it does.
    public func unsupportedReason() -> String? {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { return "OpenSSL is out of memory." }
        defer { unsafe SSL_CTX_free(context) }
        unsafe SSL_CTX_set_security_level(context, securityLevel)
        if minimum > maximum { return "Policy \(name) ends with an older version than it begins with." }
        for cipher in ciphers where unsafe SSL_CTX_set_cipher_list(context, cipher) != 1 {
            return "OpenSSL \(TLSLibrary.version) has no cipher \(cipher), which policy \(name) names."
        }
        for suite in ciphersuites where unsafe SSL_CTX_set_ciphersuites(context, suite) != 1 {
            return "OpenSSL \(TLSLibrary.version) has no cipher suite \(suite), which policy \(name) names."
        }
        if minimum < .tls13 && ciphers.isEmpty || maximum == .tls13 && ciphersuites.isEmpty {
            return "Policy \(name) allows a version of TLS without a cipher for it."
        }
        for group in groups where unsafe apus_ctx_set_groups(context, group) != 1 {
            return "OpenSSL \(TLSLibrary.version) has no group \(group), which policy \(name) needs; 3.5 has it."
        }
        ERR_clear_error()
        return nil
    }

    /// The groups for key exchange, in order of preference.
    var groups: [String] {
        let classical = ["X25519", "P-256", "P-384", "P-521"]
        return postQuantumGroups
            ? ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"] + classical : classical
    }

    /// OpenSSL's security level. TLS 1.0 and 1.1 sign with SHA-1 and need level 0; level 2 requires 112 bits of
    /// security.
    /// Source: SSL_CTX_set_security_level(3).
    var securityLevel: Int32 { minimum < .tls12 ? 0 : 2 }

    /// The whole policy as bytes, for the digest that keeps a session from being resumed under another policy.
    var content: [UInt8] {
        let lists = [ciphers, ciphersuites, groups].map { $0.joined(separator: ":") }.joined(separator: "|")
        return Array("\(name)|\(minimum.name)|\(maximum.name)|\(lists)".utf8)
    }
}
