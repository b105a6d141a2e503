/// One port of a load balancer, what is spoken on it, and what becomes of the requests.
public struct Listener: Hashable, Sendable {
    /// Which protocol inside TLS a TLS listener agrees on with clients that name some (ALPN). Source: ELBv2 AlpnPolicy.
    public enum AlpnPolicy: String, Hashable, Sendable, CaseIterable {
        /// `http/1.1` and `http/1.0`.
        case http1Only = "HTTP1Only"
        /// `h2`.
        case http2Only = "HTTP2Only"
        /// Those of HTTP/1 before `h2`.
        case http2Optional = "HTTP2Optional"
        /// `h2` before those of HTTP/1.
        case http2Preferred = "HTTP2Preferred"
        /// None: clients are not answered about it.
        case none = "None"
    }

    /// What is spoken on it.
    public var `protocol`: TrafficProtocol
    /// Its port, 1–65535.
    public var port: Int
    /// Its certificates; the first is for clients that name none of our names. Only with HTTPS and TLS, then at least
    /// one.
    public var certificates: [CertificateFiles]
    /// Which versions and ciphers it takes. Only with HTTPS and TLS; nil is `SecurityPolicy.standard`.
    public var sslPolicy: SecurityPolicy?
    /// What is agreed on inside TLS. Only with TLS; nil is `none`.
    public var alpnPolicy: AlpnPolicy?
    /// How clients show who they are. Only with HTTPS; nil is not at all.
    public var mutualAuthentication: MutualAuthentication?
    /// Its attributes; nil is every default.
    public var attributes: ListenerAttributes?
    /// What is done when no rule matches: exactly one action.
    public var defaultActions: [Action]
    /// Its rules; the lowest priority that matches decides. Their order here means nothing.
    public var rules: [Rule]

    /// A listener.
    public init(
        protocol: TrafficProtocol = .http, port: Int, certificates: [CertificateFiles] = [],
        sslPolicy: SecurityPolicy? = nil, alpnPolicy: AlpnPolicy? = nil,
        mutualAuthentication: MutualAuthentication? = nil,
        attributes: ListenerAttributes? = nil, defaultActions: [Action], rules: [Rule] = []
    ) {
        self.protocol = `protocol`
        self.port = port
        self.certificates = certificates
        self.sslPolicy = sslPolicy
        self.alpnPolicy = alpnPolicy
        self.mutualAuthentication = mutualAuthentication
        self.attributes = attributes
        self.defaultActions = defaultActions
        self.rules = rules
    }
}

/// What is done with the requests that meet all of its conditions.
public struct Rule: Hashable, Sendable {
    /// 1–50000, unique in its listener. Lower comes first.
    public var priority: Int
    /// All must hold. At most one of each kind.
    public var conditions: [Condition]
    /// Exactly one action.
    public var actions: [Action]

    /// A rule.
    public init(priority: Int, conditions: [Condition], actions: [Action]) {
        self.priority = priority
        self.conditions = conditions
        self.actions = actions
    }
}
