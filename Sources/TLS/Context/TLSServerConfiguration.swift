/// What a listener says about TLS.
public struct TLSServerConfiguration: Equatable, Sendable {
    /// What is asked of clients. Source: docs/elbv2.md, "Client certificates".
    public enum ClientAuthentication: Equatable, Sendable {
        /// Nothing.
        case off
        /// A certificate, which any will do for, or none.
        case passthrough
        /// A certificate that the trust store vouches for.
        case verify(TLSTrustStore)
    }

    /// The kinds of `ClientAuthentication`.
    public enum ClientAuthenticationMode: Sendable { case off, passthrough, verify }

    /// The certificates to choose from by name; the first is the default. At least one.
    public var certificates: [TLSCertificate]
    /// Versions and algorithms.
    public var policy: TLSPolicy
    /// What is asked of clients.
    public var clientAuthentication: ClientAuthentication
    /// What may be spoken inside, the best first. Empty: ALPN is not answered.
    public var applicationProtocols: [ApplicationProtocol]
    /// Whether `TLSSession.offeredProtocols` are kept.
    public var keepsOfferedProtocols = false

    public init(
        certificates: [TLSCertificate], policy: TLSPolicy, clientAuthentication: ClientAuthentication = .off,
        applicationProtocols: [ApplicationProtocol]
    ) {
        self.certificates = certificates
        self.policy = policy
        self.clientAuthentication = clientAuthentication
        self.applicationProtocols = applicationProtocols
    }
}

extension TLSServerConfiguration.ClientAuthentication {
    /// Which kind it is.
    public var mode: TLSServerConfiguration.ClientAuthenticationMode {
        switch self {
        case .off: .off
        case .passthrough: .passthrough
        case .verify: .verify
        }
    }
}

extension TLSCertificate: Equatable {
    /// Whether clients are shown the same, under the same name.
    public static func == (one: TLSCertificate, other: TLSCertificate) -> Bool {
        one === other
            || one.fingerprint == other.fingerprint && one.ocspResponse == other.ocspResponse && one.name == other.name
    }
}

extension TLSTrustStore: Equatable {
    /// Whether the same clients are let in.
    public static func == (one: TLSTrustStore, other: TLSTrustStore) -> Bool { one.digest == other.digest }
}
