/// One port of a load balancer, what is spoken on it, and what becomes of the requests.
public struct Listener: Hashable, Sendable {
    /// What is spoken on a listener.
    public enum `Protocol`: String, Hashable, Sendable, CaseIterable {
        /// HTTP without TLS.
        case http = "HTTP"
    }

    /// What is spoken on it.
    public var `protocol`: `Protocol`
    /// TCP port, 1–65535.
    public var port: Int
    /// What is done when no rule matches: exactly one action.
    public var defaultActions: [Action]
    /// Its rules; the lowest priority that matches decides. Their order here means nothing.
    public var rules: [Rule]

    /// A listener.
    public init(protocol: `Protocol` = .http, port: Int, defaultActions: [Action], rules: [Rule] = []) {
        self.protocol = `protocol`
        self.port = port
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
