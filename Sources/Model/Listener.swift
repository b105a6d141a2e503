/// One port of a load balancer, what is spoken on it, and what becomes of the requests.
public struct Listener: Hashable, Sendable {
    /// What is spoken on a listener.
    public enum `Protocol`: String, Hashable, Sendable, CaseIterable {
        /// HTTP without TLS.
        case http = "HTTP"
        /// HTTP over TLS.
        case https = "HTTPS"
    }

    /// What is spoken on it.
    public var `protocol`: `Protocol`
    /// TCP port, 1–65535.
    public var port: Int
    /// Its certificates; the first is for clients that name none of our names. Only with HTTPS, then at least one.
    public var certificates: [CertificateFiles]
    /// Which versions and ciphers it takes. Only with HTTPS; nil is `SecurityPolicy.standard`.
    public var sslPolicy: SecurityPolicy?
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
        protocol: `Protocol` = .http, port: Int, certificates: [CertificateFiles] = [],
        sslPolicy: SecurityPolicy? = nil, mutualAuthentication: MutualAuthentication? = nil,
        attributes: ListenerAttributes? = nil, defaultActions: [Action], rules: [Rule] = []
    ) {
        self.protocol = `protocol`
        self.port = port
        self.certificates = certificates
        self.sslPolicy = sslPolicy
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

/// What a request must be for a rule to apply. It holds when any of its patterns matches.
///
/// Shape:  in a pattern `*` stands for any characters, also none, and `?` for exactly one.
/// Source: ELBv2 RuleCondition.
public enum Condition: Hashable, Sendable {
    /// `host-header`: the name of the Host field, without regard to case.
    case hostHeader([String])
    /// `path-pattern`: the path, without the query, with regard to case.
    case pathPattern([String])
}
