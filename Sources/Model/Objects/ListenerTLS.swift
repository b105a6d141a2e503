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

/// The attributes of a listener: under which names targets are told about TLS, and how long a connection may be silent.
/// Source: ELBv2 ModifyListenerAttributes.
public struct ListenerAttributes: Hashable, Sendable {
    /// `routing.http.request.x_amzn_mtls_clientcert.header_name` and so on.
    public var clientCertificate: String
    /// The same for its serial number.
    public var clientCertificateSerialNumber: String
    /// The same for who signed it.
    public var clientCertificateIssuer: String
    /// The same for whose it is.
    public var clientCertificateSubject: String
    /// The same for when it is valid.
    public var clientCertificateValidity: String
    /// The same for the certificate alone.
    public var clientCertificateLeaf: String
    /// `routing.http.request.x_amzn_tls_version.header_name`.
    public var tlsVersion: String
    /// `routing.http.request.x_amzn_tls_cipher_suite.header_name`.
    public var tlsCipherSuite: String
    /// `tcp.idle_timeout.seconds`: silence both ways after which a connection is reset. Of TCP and TLS listeners.
    public var tcpIdleTimeoutSeconds: Double
    /// `apus.udp_idle_timeout.seconds`: silence both ways after which a flow of datagrams is forgotten.
    public var udpIdleTimeoutSeconds: Double
    /// Words of ELBv2 that say what is done anyway, as they were written: kept for whoever wrote them, without effect.
    public var withoutEffect: [String: Value] = [:]

    /// Without arguments, ELBv2's names.
    public init(
        clientCertificate: String = "X-Amzn-Mtls-Clientcert",
        clientCertificateSerialNumber: String = "X-Amzn-Mtls-Clientcert-Serial-Number",
        clientCertificateIssuer: String = "X-Amzn-Mtls-Clientcert-Issuer",
        clientCertificateSubject: String = "X-Amzn-Mtls-Clientcert-Subject",
        clientCertificateValidity: String = "X-Amzn-Mtls-Clientcert-Validity",
        clientCertificateLeaf: String = "X-Amzn-Mtls-Clientcert-Leaf", tlsVersion: String = "X-Amzn-Tls-Version",
        tlsCipherSuite: String = "X-Amzn-Tls-Cipher-Suite", tcpIdleTimeoutSeconds: Double = 350,
        udpIdleTimeoutSeconds: Double = 120
    ) {
        self.clientCertificate = clientCertificate
        self.clientCertificateSerialNumber = clientCertificateSerialNumber
        self.clientCertificateIssuer = clientCertificateIssuer
        self.clientCertificateSubject = clientCertificateSubject
        self.clientCertificateValidity = clientCertificateValidity
        self.clientCertificateLeaf = clientCertificateLeaf
        self.tlsVersion = tlsVersion
        self.tlsCipherSuite = tlsCipherSuite
        self.tcpIdleTimeoutSeconds = tcpIdleTimeoutSeconds
        self.udpIdleTimeoutSeconds = udpIdleTimeoutSeconds
    }
}
