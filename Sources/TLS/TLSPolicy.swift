import COpenSSL

/// Which versions and ciphers a listener takes: a security policy of ELB's in OpenSSL's terms. Source: elbv2.md §4.1.
public struct TLSPolicy: Hashable, Sendable {
    /// As configured; part of what a session is bound to.
    public let name: String
    /// The oldest version taken.
    public let minimum: TLSVersion
    /// The newest version taken.
    public let maximum: TLSVersion
    /// For TLS 1.2 and before, by OpenSSL's names, in the order the server prefers.
    public let ciphers: [String]
    /// For TLS 1.3, alike.
    public let ciphersuites: [String]
    /// Whether hybrid groups with ML-KEM come first.
    public let hasPostQuantumGroups: Bool

    public init(
        name: String, minimum: TLSVersion, maximum: TLSVersion, ciphers: [String], ciphersuites: [String],
        hasPostQuantumGroups: Bool
    ) {
        self.name = name
        self.minimum = minimum
        self.maximum = maximum
        self.ciphers = ciphers
        self.ciphersuites = ciphersuites
        self.hasPostQuantumGroups = hasPostQuantumGroups
    }

    private static let classicalGroups = "X25519:P-256:P-384:P-521"
    private static let postQuantumGroups = ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"]

    /// The groups for key exchange, in the order the server prefers.
    var groups: String {
        hasPostQuantumGroups
            ? Self.postQuantumGroups.joined(separator: ":") + ":" + Self.classicalGroups : Self.classicalGroups
    }

    /// Why this OpenSSL cannot do what the policy says; nil if it can.
    public func unsupportedReason() -> String? {
        guard let context = unsafe SSL_CTX_new(TLS_method()) else { return "OpenSSL has no memory" }
        defer { unsafe SSL_CTX_free(context) }
        ERR_clear_error()
        if unsafe apus_ctx_set_groups(context, groups) == 1 { return nil }
        ERR_clear_error()
        return "needs the groups \(Self.postQuantumGroups.joined(separator: ", ")), which OpenSSL has since 3.5; "
            + "this is OpenSSL \(TLSLibrary.version)"
    }
}
