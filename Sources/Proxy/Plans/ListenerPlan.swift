import Core
import Model
import Routing
import TLS

/// One listener as a worker needs it.
public final class ListenerPlan: Sendable {
    /// Identifies the listener as long as its load balancer, address and port stay the same, so that its state survives
    /// other changes.
    public let id: Int
    /// `app/<load balancer>` or `net/<load balancer>`, as logs name it.
    public let loadBalancer: String
    /// The port that clients connect to.
    public let port: UInt16
    /// The attributes of the load balancer and the listener.
    public let settings: ListenerSettings
    /// Its TLS configuration; nil without TLS.
    public let tls: TLSServerConfiguration?
    /// Whether clients must show a certificate that is verified.
    let verifiesClients: Bool
    /// The rules, the one with the lowest priority first.
    public let rules: [RulePlan]
    /// Whether any of `rules` changes what targets get.
    let hasTransforms: Bool
    /// Whether any of `rules` changes fields.
    let hasFieldChanges: Bool
    /// The rate limit of each of `rules`; empty if none has one.
    let rateLimits: [RateLimitPlan?]
    /// Finds the first of `rules` that applies.
    public let table: RuleTable
    /// What is done when no rule applies.
    public let defaultAction: ActionPlan
    /// How connections and datagrams are passed on; nil on an HTTP listener, whose requests are read.
    public let flows: FlowSettings?
    /// Which clients are taken, by their addresses; nil for all.
    public let access: AccessPlan?

    /// A plan. `table` is that of another plan whose rules have the same conditions; nil to make one.
    public init(
        id: Int, loadBalancer: String, port: UInt16, settings: ListenerSettings, tls: TLSServerConfiguration? = nil,
        flows: FlowSettings? = nil, access: AccessPlan? = nil, rules: [RulePlan] = [], table: RuleTable? = nil,
        defaultAction: ActionPlan
    ) {
        self.access = access
        self.id = id
        self.loadBalancer = loadBalancer
        self.port = port
        self.settings = settings
        self.tls = tls
        verifiesClients = tls?.clientAuthentication.mode == .verify
        self.flows = flows
        self.rules = rules
        hasTransforms = rules.contains { $0.transforms != nil }
        hasFieldChanges = rules.contains { $0.fieldChanges != nil }
        rateLimits = rules.contains { $0.rateLimit != nil } ? rules.map(\.rateLimit) : []
        self.table = table ?? RuleTable(rules.map(\.conditions))
        self.defaultAction = defaultAction
    }

    /// The priority of the rule whose action has this index; nil for the default action, which comes last.
    func priority(ofAction index: Int) -> Int? { index < rules.count ? rules[index].priority : nil }
}

/// One rule of a listener: its conditions and its action.
public struct RulePlan: Sendable {
    /// Its place among the listener's rules, by which logs name it.
    public let priority: Int
    /// The conditions that a request or a flow must meet, all of them.
    public let conditions: [CompiledCondition]
    /// What is done when they hold.
    public let action: ActionPlan
    /// What is changed before it is sent to a target; nil if nothing is.
    public let transforms: TransformPlan?
    /// What is done to the fields of requests and responses; nil if nothing is.
    public let fieldChanges: FieldChangesPlan?
    /// How many requests are admitted; nil for all.
    public let rateLimit: RateLimitPlan?

    /// A rule; at most one of `conditions` is a host-header and one a path-pattern.
    public init(
        priority: Int, conditions: [CompiledCondition], action: ActionPlan, transforms: TransformPlan? = nil,
        fieldChanges: FieldChangesPlan? = nil,
        rateLimit: RateLimitPlan? = nil
    ) {
        self.priority = priority
        self.conditions = conditions
        self.action = action
        self.transforms = transforms
        self.fieldChanges = fieldChanges
        self.rateLimit = rateLimit
    }
}

/// How a listener of a network load balancer passes on what comes to it.
public struct FlowSettings: Sendable, Equatable {
    /// Time without bytes in either direction after which a connection is reset.
    public let idleTimeout: Nanoseconds
    /// Time without datagrams in either direction after which a flow ends.
    public let datagramIdleTimeout: Nanoseconds
    /// Whether its datagrams are those of QUIC, whose connection IDs name targets.
    public let isQUIC: Bool

    /// Timeouts; the default is ELBv2's for datagrams.
    public init(idleTimeout: Nanoseconds, datagramIdleTimeout: Nanoseconds = 120_000_000_000, isQUIC: Bool = false) {
        self.idleTimeout = idleTimeout
        self.datagramIdleTimeout = datagramIdleTimeout
        self.isQUIC = isQUIC
    }
}

extension FlowSettings {
    /// What `listener` says, in the event loop's units.
    public init(_ listener: Listener) {
        let attributes = listener.attributes ?? ListenerAttributes()
        self.init(
            idleTimeout: Nanoseconds(seconds: attributes.tcpIdleTimeoutSeconds),
            datagramIdleTimeout: Nanoseconds(seconds: attributes.udpIdleTimeoutSeconds),
            isQUIC: listener.protocol.hasQUIC)
    }
}
