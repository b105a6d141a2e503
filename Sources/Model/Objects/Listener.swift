/// One port of a load balancer: its protocol, and what is done with the requests that arrive there.
public struct Listener: Hashable, Sendable {
    /// Which application protocol a TLS listener negotiates with clients that offer some (ALPN). Source: ELBv2
    /// AlpnPolicy.
    public enum AlpnPolicy: String, Hashable, Sendable, CaseIterable {
        /// `http/1.1` and `http/1.0`.
        case http1Only = "HTTP1Only"
        /// `h2`.
        case http2Only = "HTTP2Only"
        /// `http/1.1` and `http/1.0`, preferred to `h2`.
        case http2Optional = "HTTP2Optional"
        /// `h2`, preferred to `http/1.1` and `http/1.0`.
        case http2Preferred = "HTTP2Preferred"
        /// No application protocol is negotiated.
        case none = "None"
    }

    /// Its protocol.
    public var `protocol`: TrafficProtocol
    /// Its port, 1–65535.
    public var port: Int
    /// Its certificates. The first is the default, for clients that ask for no name or for one that no certificate has.
    /// Only with HTTPS and TLS, where there must be at least one.
    public var certificates: [CertificateFiles]
    /// Which TLS versions and ciphers it accepts. Only with HTTPS and TLS; nil is `SecurityPolicy.standard`.
    public var sslPolicy: SecurityPolicy?
    /// Which application protocol is negotiated (ALPN). Only with TLS; nil is `none`.
    public var alpnPolicy: AlpnPolicy?
    /// How clients authenticate with certificates. Only with HTTPS and TLS; nil requests no certificate.
    public var mutualAuthentication: MutualAuthentication?
    /// Its attributes; nil is every default.
    public var attributes: ListenerAttributes?
    /// `apus.allow`: the clients that it takes, by their addresses; nil for all.
    public var allow: [AddressEntry]?
    /// `apus.deny`: the clients that it does not take, though `allow` may have them; nil for none.
    public var deny: [AddressEntry]?
    /// What is done when no rule matches: exactly one action.
    public var defaultActions: [Action]
    /// Its rules; of those that match, the one with the lowest priority decides. Their order here has no effect.
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
    /// All conditions must hold. Several of `httpHeader` and `queryString`, at most one of each other field.
    public var conditions: [Condition]
    /// Exactly one action.
    public var actions: [Action]
    /// What is changed of what the target gets: at most one transform of each kind. On application load balancers.
    public var transforms: [Transform]
    /// `apus.requestHeaders`: what is done to the fields that the target gets, one after the other. On application load
    /// balancers.
    public var requestHeaders: [FieldChange]
    /// `apus.responseHeaders`: what is done to the fields that the client gets. On application load balancers.
    public var responseHeaders: [FieldChange]
    /// How many requests each client may bring by it; nil for any number. On application load balancers.
    public var rateLimit: RateLimit?

    /// A rule.
    public init(
        priority: Int, conditions: [Condition], actions: [Action], transforms: [Transform] = [],
        requestHeaders: [FieldChange] = [], responseHeaders: [FieldChange] = []
    ) {
        self.priority = priority
        self.conditions = conditions
        self.actions = actions
        self.transforms = transforms
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
    }
}

extension Listener {
    /// The groups that its actions forward to.
    public var groupNames: Set<String> {
        var names: Set<String> = []
        for action in defaultActions + rules.flatMap(\.actions) {
            guard case .forward(let forward) = action else { continue }
            names.formUnion(forward.targetGroups.map(\.targetGroupName))
        }
        return names
    }
}
