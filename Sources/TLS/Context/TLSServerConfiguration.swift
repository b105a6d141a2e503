/// The TLS configuration of a listener.
public struct TLSServerConfiguration: Equatable, Sendable {
    /// Whether clients are asked for a certificate (mutual TLS), and whether it is verified. Source: docs/elbv2.md,
    /// "Client certificates".
    public enum ClientAuthentication: Equatable, Sendable {
        /// No certificate is requested.
        case off
        /// A certificate is requested; any is accepted, and so is none.
        case passthrough
        /// A certificate is required and verified against the trust store.
        case verify(TLSTrustStore)
    }

    /// The kinds of `ClientAuthentication`.
    public enum ClientAuthenticationMode: Sendable { case off, passthrough, verify }

    /// The certificates, chosen by server name (SNI); the first is the default. At least one.
    public var certificates: [TLSCertificate]
    /// Versions and algorithms.
    public var policy: TLSPolicy
    /// Whether clients are asked for a certificate (mutual TLS), and whether it is verified.
    public var clientAuthentication: ClientAuthentication
    /// The protocols for ALPN, the preferred one first. Empty: ALPN is not answered.
    public var applicationProtocols: [ApplicationProtocol]
    /// Whether a client that offers protocols by ALPN, but none of ours, is refused by an alert, as RFC 7301 §3.2
    /// demands. Otherwise the handshake continues without ALPN.
    public var requiresSharedProtocol = true
    /// Whether `TLSSession.offeredProtocols` is recorded.
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
    /// The kind, without the trust store.
    public var mode: TLSServerConfiguration.ClientAuthenticationMode {
        switch self {
        case .off: .off
        case .passthrough: .passthrough
        case .verify: .verify
        }
    }
}

extension TLSCertificate: Equatable {
    /// Whether both have the same content and the same name.
    public static func == (one: TLSCertificate, other: TLSCertificate) -> Bool {
        one === other
            || one.fingerprint == other.fingerprint && one.ocspResponse == other.ocspResponse && one.name == other.name
    }
}

extension TLSTrustStore: Equatable {
    /// Whether both accept the same clients.
    public static func == (one: TLSTrustStore, other: TLSTrustStore) -> Bool { one.digest == other.digest }
}
