/// The two files of a certificate. Relative paths begin at the configuration file's folder.
public struct CertificateFiles: Hashable, Sendable {
    /// The certificate, followed by its intermediate certificates, in PEM. An OCSP response in a file of the same name
    /// with `.ocsp` appended is stapled.
    public var certificateFile: String
    /// Its private key, in PEM, not encrypted.
    public var privateKeyFile: String

    /// A certificate in these files.
    public init(certificateFile: String, privateKeyFile: String) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }
}

/// How clients of a listener authenticate with certificates. Source: ELBv2 MutualAuthenticationAttributes.
public struct MutualAuthentication: Hashable, Sendable {
    /// What is done with client certificates.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// No certificate is requested.
        case off
        /// A certificate is requested and passed on to targets without being verified.
        case passthrough
        /// A certificate signed by an authority of the trust store is required.
        case verify
    }

    /// What is done with client certificates.
    public var mode: Mode
    /// PEM certificates of the authorities. With mode verify, and only then.
    public var trustStoreFile: String?
    /// Revocation lists of these authorities, in PEM.
    public var crlFiles: [String]
    /// Whether a certificate that has expired is accepted.
    public var ignoreClientCertificateExpiry: Bool
    /// Whether clients are told the authorities' names.
    public var advertiseTrustStoreCaNames: Switch

    /// Without arguments: off.
    public init(
        mode: Mode = .off, trustStoreFile: String? = nil, crlFiles: [String] = [],
        ignoreClientCertificateExpiry: Bool = false, advertiseTrustStoreCaNames: Switch = .off
    ) {
        self.mode = mode
        self.trustStoreFile = trustStoreFile
        self.crlFiles = crlFiles
        self.ignoreClientCertificateExpiry = ignoreClientCertificateExpiry
        self.advertiseTrustStoreCaNames = advertiseTrustStoreCaNames
    }
}
