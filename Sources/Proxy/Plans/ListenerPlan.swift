import Core
import Model
import Routing
import TLS

/// What one listener does with requests.
public final class ListenerPlan: Sendable {
    /// Names the listener for as long as its load balancer, address and port stay: what hangs on it survives changes.
    public let id: Int
    /// `app/<load balancer>` or `net/<load balancer>`, as logs name it.
    public let loadBalancer: String
    /// The port that clients connect to.
    public let port: UInt16
    /// The load balancer's attributes that matter here.
    public let settings: ListenerSettings
    /// What it does about TLS; nil for a listener without.
    public let tls: TLSServerConfiguration?
    /// Whether clients must show a certificate that is verified.
    let verifiesClients: Bool
    /// The rules, the one with the lowest priority first.
    public let rules: [RulePlan]
    /// Finds the first of `rules` that applies.
    public let table: RuleTable
    /// What is done when no rule applies.
    public let defaultAction: ActionPlan
    /// How bytes are passed on; nil on a listener of HTTP, whose requests are read.
    public let flows: FlowSettings?

    /// A plan. `table` is that of another plan whose rules have the same conditions; nil to make one.
    public init(
        id: Int, loadBalancer: String, port: UInt16, settings: ListenerSettings, tls: TLSServerConfiguration? = nil,
        flows: FlowSettings? = nil, rules: [RulePlan] = [], table: RuleTable? = nil, defaultAction: ActionPlan
    ) {
        self.id = id
        self.loadBalancer = loadBalancer
        self.port = port
        self.settings = settings
        self.tls = tls
        verifiesClients = tls?.clientAuthentication.mode == .verify
        self.flows = flows
        self.rules = rules
        self.table = table ?? RuleTable(rules.map(\.conditions))
        self.defaultAction = defaultAction
    }

    /// The priority of the rule whose action has this index; nil for the default action, which comes last.
    func priority(ofAction index: Int) -> Int? { index < rules.count ? rules[index].priority : nil }
}

/// One rule of a listener: for whom it is, and what is done.
public struct RulePlan: Sendable {
    /// Its place among the listener's rules, which also names it in logs.
    public let priority: Int
    /// What a request, or a connection that is passed on, must meet: all of them.
    public let conditions: [CompiledCondition]
    /// What is done with it then.
    public let action: ActionPlan

    /// A rule; at most one of `conditions` is a host-header and one a path-pattern.
    public init(priority: Int, conditions: [CompiledCondition], action: ActionPlan) {
        self.priority = priority
        self.conditions = conditions
        self.action = action
    }
}

/// How long a listener of a network load balancer keeps what is silent.
public struct FlowSettings: Sendable, Equatable {
    /// Silence both ways that ends a connection.
    public let idleTimeout: Nanoseconds
    /// Silence both ways that ends a flow of datagrams.
    public let datagramIdleTimeout: Nanoseconds

    /// Timeouts; the default is ELBv2's for datagrams.
    public init(idleTimeout: Nanoseconds, datagramIdleTimeout: Nanoseconds = 120_000_000_000) {
        self.idleTimeout = idleTimeout
        self.datagramIdleTimeout = datagramIdleTimeout
    }
}

extension FlowSettings {
    /// `attributes` in the event loop's units.
    public init(_ attributes: ListenerAttributes) {
        self.init(
            idleTimeout: Nanoseconds(seconds: attributes.tcpIdleTimeoutSeconds),
            datagramIdleTimeout: Nanoseconds(seconds: attributes.udpIdleTimeoutSeconds))
    }
}
