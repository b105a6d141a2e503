import Core
import Model
import Routing
import TLS

/// A target group's configuration as workers use it. A group's plans are replaced when it differs.
public struct GroupSettings: Sendable, Equatable {
    /// Which version of HTTP is spoken with its targets.
    public var version: TargetGroup.ProtocolVersion
    /// The TLS settings of connections to its targets; nil without TLS.
    public var tls: TargetTLS?
    /// How client connections are passed on to its targets; nil for a group that serves requests.
    public var flows: FlowGroupPlan?
    /// How the target of a request is chosen.
    public var balancing = BalancingAttributes()
    /// What is counted of attempts on its targets.
    public var watch = AttemptWatch()
    /// What of a request its target is found by; nil unless the algorithm is one of hashing.
    var hashKey: RequestHashKey?
    /// How clients stay with a target; nil if they do not.
    var stickiness: TargetStickiness?
    /// How many requests a target may have at once, and how many may wait for that.
    public var limits = TargetLimits()
    /// Whether a client's stream is reset with the code with which a target has reset its own.
    var forwardsStreamErrors = false
    /// How long connecting to a target may take.
    public var connectTimeout: Nanoseconds
    /// How long an idle connection to a target is kept.
    public var poolIdleTimeout: Nanoseconds
    /// Idle connections kept per target.
    public var poolConnectionsMax: Int
    /// How attempts on its targets are raced, abandoned and repeated.
    public var attempts: AttemptSettings

    /// Settings; without `attempts`, the defaults of attempts.
    public init(
        version: TargetGroup.ProtocolVersion = .http1, tls: TargetTLS? = nil, flows: FlowGroupPlan? = nil,
        connectTimeout: Nanoseconds, poolIdleTimeout: Nanoseconds, poolConnectionsMax: Int,
        attempts: AttemptSettings = AttemptSettings()
    ) {
        self.version = version
        self.tls = tls
        self.flows = flows
        self.connectTimeout = connectTimeout
        self.poolIdleTimeout = poolIdleTimeout
        self.poolConnectionsMax = poolConnectionsMax
        self.attempts = attempts
    }

    /// `group` in the event loop's units; `tls` has the roots that it names.
    public init(_ group: TargetGroup, tls: TargetTLS?) {
        let attributes = group.attributes
        self.init(
            version: group.protocolVersion, tls: tls, flows: FlowGroupPlan(group),
            connectTimeout: Nanoseconds(seconds: attributes.targetConnectTimeoutSeconds),
            poolIdleTimeout: Nanoseconds(seconds: attributes.targetKeepAliveIdleSeconds),
            poolConnectionsMax: attributes.targetKeepAliveConnectionsMax, attempts: AttemptSettings(attributes))
        balancing = attributes.balancing
        limits = TargetLimits(attributes.limits)
        forwardsStreamErrors = attributes.forwardsStreamErrors
        watch = AttemptWatch(attributes.health)
        if flows == nil, balancing.algorithm == .consistentHash { hashKey = RequestHashKey(balancing.hashKey) }
        stickiness = TargetStickiness(group)
    }
}

/// How clients stay with a target of a group.
struct TargetStickiness: Sendable, Equatable {
    /// What tells that a client has a target.
    enum Kind: Sendable, Equatable {
        /// A cookie of ours, which every response carries.
        case loadBalancerCookie
        /// The same, as long as the client has a cookie of this name, which the application sets.
        case applicationCookie([UInt8])
    }

    /// What tells that a client has a target.
    let kind: Kind
    /// For how many seconds after its last response.
    let seconds: UInt32
}

/// How attempts on a group's targets are raced, abandoned and repeated. Defaults: `Model.TargetGroupAttributes`.
public struct AttemptSettings: Sendable, Equatable {
    /// Retries in percent of the group's requests of the last ten seconds; 0 for none.
    public var budgetPercent = 20
    /// Bytes of a request's body that are kept until its answer begins; 0 for none.
    public var bodyBytesMax = 65_536
    /// Time after which another target is connected to as well if the first has not answered.
    public var raceDelay: Nanoseconds = 250_000_000
    /// For how long a target's kernel may leave all sent data unacknowledged.
    public var unacknowledgedMax: Nanoseconds = 1_000_000_000
    /// Whether safe requests go to another target when theirs turns unhealthy before it answers.
    public var leavesUnhealthy = true

    /// The defaults.
    public init() {}
}

/// How many requests a target may have at once, and how many may wait for that. Defaults:
/// `Model.TargetLimitAttributes`.
public struct TargetLimits: Sendable, Equatable {
    /// Requests in flight on one target, over all workers; 0 for any number.
    public var requestsMax = 0
    /// Requests that wait for a target of the group, over all workers.
    public var queueMax = 1024
    /// How long one may wait.
    public var queueTimeout: Nanoseconds = 10_000_000_000

    /// No limit.
    public init() {}
}

/// How client connections are passed on to a group's targets.
public struct FlowGroupPlan: Sendable, Equatable {
    /// Whether all connections from one address go to one target.
    public var isSticky: Bool
    /// Whether connections to targets begin with a PROXY header.
    public var sendsProxyHeader: Bool
    /// Whether connections to targets come from the client's address, where that is possible.
    public var preservesClientIP: Bool

    public init(isSticky: Bool = false, sendsProxyHeader: Bool = false, preservesClientIP: Bool = false) {
        self.isSticky = isSticky
        self.sendsProxyHeader = sendsProxyHeader
        self.preservesClientIP = preservesClientIP
    }
}

/// The TLS settings of connections to targets.
public struct TargetTLS: Sendable, Equatable {
    /// How their certificates are verified.
    public let verification: TLSClientContext.Verification
    /// The server name that is sent and verified; empty uses the Host field's.
    public let serverName: String

    public init(verification: TLSClientContext.Verification, serverName: String) {
        self.verification = verification
        self.serverName = serverName
    }
}

extension TargetStickiness {
    /// What the attributes of `group` say; nil if its clients stay with no target, or are connections.
    fileprivate init?(_ group: TargetGroup) {
        let attributes = group.attributes.stickiness
        guard group.protocol.kind == .application, attributes.isEnabled else { return nil }
        switch attributes.type {
        case .applicationCookie:
            kind = .applicationCookie(Array(attributes.cookieName.utf8))
            seconds = UInt32(attributes.applicationCookieSeconds)
        case .loadBalancerCookie, .sourceIP, nil:
            kind = .loadBalancerCookie
            seconds = UInt32(attributes.loadBalancerCookieSeconds)
        }
    }
}

extension FlowGroupPlan {
    /// How client connections are passed on to `group`; nil if it serves requests.
    fileprivate init?(_ group: TargetGroup) {
        guard group.protocol.kind == .network else { return nil }
        self.init(
            isSticky: group.attributes.stickiness.isEnabled, sendsProxyHeader: group.attributes.proxyProtocol,
            preservesClientIP: group.attributes.preserveClientIP)
    }
}

extension TargetLimits {
    /// `attributes` in the event loop's units.
    fileprivate init(_ attributes: TargetLimitAttributes) {
        self.init()
        requestsMax = attributes.requestsMax
        queueMax = attributes.queueMax
        queueTimeout = Nanoseconds(seconds: attributes.queueTimeoutSeconds)
    }
}

extension AttemptSettings {
    /// `attributes` in the event loop's units.
    fileprivate init(_ attributes: TargetGroupAttributes) {
        self.init()
        budgetPercent = attributes.retryBudgetPercent
        bodyBytesMax = attributes.retryBodyBytesMax
        raceDelay = Nanoseconds(seconds: attributes.targetConnectRaceSeconds)
        unacknowledgedMax = Nanoseconds(seconds: attributes.targetUnacknowledgedSeconds)
        leavesUnhealthy = attributes.retryOnUnhealthy
    }
}

extension AttemptWatch {
    /// What these attributes look at.
    fileprivate init(_ attributes: HealthAttributes) {
        self.init()
        failuresInARow = attributes.outlier.failuresInARow
        countsAttempts = attributes.trustsTraffic || failuresInARow > 0 || attributes.outlier.marginPercent > 0
    }
}
