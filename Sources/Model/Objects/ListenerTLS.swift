/// The two files of a certificate. Relative paths begin at the configuration file's folder.
public struct CertificateFiles: Hashable, Sendable {
    /// The certificate, then what leads towards a root: PEM. An OCSP response beside it, under the same name with
    /// `.ocsp` behind, is stapled.
    public var certificateFile: String
    /// Its private key: PEM, not encrypted.
    public var privateKeyFile: String

    /// A certificate in these files.
    public init(certificateFile: String, privateKeyFile: String) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }
}

/// How clients of a listener show who they are. Source: ELBv2 MutualAuthenticationAttributes.
public struct MutualAuthentication: Hashable, Sendable {
    /// What is done with client certificates.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// None is asked for.
        case off
        /// One is asked for, and targets see what came, verified or not.
        case passthrough
        /// One by an authority of the trust store must come.
        case verify
    }

    /// Yes or no, in ELBv2's words.
    public enum Switch: String, Hashable, Sendable, CaseIterable {
        case off, on
    }

    /// What is done with client certificates.
    public var mode: Mode
    /// PEM certificates of the authorities. With mode verify, and only then.
    public var trustStoreFile: String?
    /// PEM revocation lists of theirs.
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
