/// A certificate and its private key. Relative paths begin at the configuration file's folder.
public struct CertificateFiles: Hashable, Sendable {
    /// The certificate, followed by its intermediate certificates, in PEM. An OCSP response in a file of the same name
    /// with `.ocsp` appended is stapled.
    public var certificateFile: String
    /// The file of its private key, in PEM, not encrypted; nil if `privateKey` says where that is.
    public var privateKeyFile: String?
    /// Where its private key is; nil for `privateKeyFile`.
    public var privateKey: SecretReference?

    /// A certificate in these files.
    public init(certificateFile: String, privateKeyFile: String) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }

    /// A certificate with a key that is kept elsewhere.
    public init(certificateFile: String, privateKey: SecretReference) {
        self.certificateFile = certificateFile
        self.privateKey = privateKey
    }

    /// What a certificate is before it was read.
    init() { certificateFile = "" }

    /// Where its private key is, in whichever form that is written.
    public var keySource: SecretReference { privateKey ?? SecretReference(.file(privateKeyFile ?? "")) }
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
    /// Of the clients whose certificate the authorities vouch for, those who are accepted: who fits any of the filters.
    /// Empty accepts all of them. At most 100.
    public var clientCertificateIdentityFilters: [ClientCertificateIdentityFilter]

    /// Without arguments: off.
    public init(
        mode: Mode = .off, trustStoreFile: String? = nil, crlFiles: [String] = [],
        ignoreClientCertificateExpiry: Bool = false, advertiseTrustStoreCaNames: Switch = .off,
        clientCertificateIdentityFilters: [ClientCertificateIdentityFilter] = []
    ) {
        self.mode = mode
        self.trustStoreFile = trustStoreFile
        self.crlFiles = crlFiles
        self.ignoreClientCertificateExpiry = ignoreClientCertificateExpiry
        self.advertiseTrustStoreCaNames = advertiseTrustStoreCaNames
        self.clientCertificateIdentityFilters = clientCertificateIdentityFilters
    }
}

/// An identity in a client's certificate that is accepted. Source: ELBv2 ClientCertificateIdentityFilter.
public struct ClientCertificateIdentityFilter: Hashable, Sendable {
    /// The part of the certificate that is compared. If it has several values, any of them may fit.
    public enum Field: String, Hashable, Sendable, CaseIterable {
        /// The common name of the subject, in any case.
        case subjectCN = "subject-cn"
        /// The organizational unit of the subject, in any case.
        case subjectOU = "subject-ou"
        /// A DNS name of subjectAltName, in any case.
        case sanDNS = "san-dns"
        /// A URI of subjectAltName: scheme and host in any case, the rest in the same.
        case sanURI = "san-uri"
    }

    /// How much of it is compared.
    public enum MatchType: String, Hashable, Sendable, CaseIterable {
        /// All of it.
        case exact
        /// Its beginning.
        case prefix
    }

    /// What is done with a client that fits.
    public enum Action: String, Hashable, Sendable, CaseIterable {
        /// It is let in.
        case accept
    }

    /// The part of the certificate that is compared.
    public var field: Field
    /// How much of it is compared.
    public var matchType: MatchType
    /// What is done with a client that fits.
    public var action: Action
    /// What it is compared with: 1–256 printable ASCII characters.
    public var value: String

    /// A filter.
    public init(field: Field, matchType: MatchType, action: Action = .accept, value: String) {
        self.field = field
        self.matchType = matchType
        self.action = action
        self.value = value
    }
}
