import Core
import Routing
import TLS
import Telemetry

/// One target group as a worker needs it.
public final class GroupPlan: Sendable {
    /// Names the group while it is there; small and dense, as workers index by it.
    public let id: Int
    /// As configured, for logs.
    public let name: String
    /// Its registered targets that take requests: draining and unresolved ones are not here.
    public let targets: [TargetPlan]
    /// Which HTTP is spoken with its targets.
    public let version: TargetVersion
    /// How connections to its targets are made secure; nil if they are not.
    public let tls: TargetTLS?
    /// How connections of clients are passed on to its targets; nil where requests are.
    public let flows: FlowGroupPlan?
    /// How one of `targets` is picked.
    public let balancing: BalancingAlgorithm
    /// Says when the health of one of them has changed.
    public let cell: GroupCell
    /// This worker's statistics of the group.
    public let counters: TargetGroupCounters
    /// How long connecting to a target may take.
    public let connectTimeout: Nanoseconds
    /// How long an idle connection to a target is kept.
    public let poolIdleTimeout: Nanoseconds
    /// Idle connections kept per target.
    public let poolConnectionsMax: Int
    /// How attempts on its targets are raced, given up and repeated.
    public let attempts: AttemptSettings

    public init(
        id: Int, name: String, targets: [TargetPlan], version: TargetVersion = .http1, tls: TargetTLS? = nil,
        flows: FlowGroupPlan? = nil, balancing: BalancingAlgorithm = .roundRobin, cell: GroupCell,
        counters: TargetGroupCounters, connectTimeout: Nanoseconds, poolIdleTimeout: Nanoseconds,
        poolConnectionsMax: Int, attempts: AttemptSettings = AttemptSettings()
    ) {
        self.id = id
        self.name = name
        self.targets = targets
        self.version = version
        self.tls = tls
        self.flows = flows
        self.balancing = balancing
        self.cell = cell
        self.counters = counters
        self.connectTimeout = connectTimeout
        self.poolIdleTimeout = poolIdleTimeout
        self.poolConnectionsMax = poolConnectionsMax
        self.attempts = attempts
    }
}

/// How attempts on a group's targets are raced, given up and repeated. Defaults: `Model.TargetGroupAttributes`.
public struct AttemptSettings: Sendable, Equatable {
    /// Retries in percent of the group's requests of the last ten seconds; 0 for none.
    public var budgetPercent = 20
    /// Bytes of a request's body that are kept until its answer begins; 0 for none.
    public var bodyBytesMax = 65_536
    /// Head start of one target before another one is connected to as well.
    public var raceDelay: Nanoseconds = 250_000_000
    /// For how long a target's kernel may acknowledge nothing of what was sent.
    public var unacknowledgedMax: Nanoseconds = 1_000_000_000
    /// Whether safe requests leave a target that turns unhealthy before it answers.
    public var leavesUnhealthy = true

    /// The defaults.
    public init() {}
}

/// How connections of clients are passed on to a group's targets.
public struct FlowGroupPlan: Sendable, Equatable {
    /// Whether all connections from one address go to one target.
    public var isSticky: Bool
    /// Whether connections to targets begin with a PROXY header.
    public var sendsProxyHeader: Bool
    /// Whether connections to targets have the client's address, where they can.
    public var preservesClientIP: Bool

    public init(isSticky: Bool = false, sendsProxyHeader: Bool = false, preservesClientIP: Bool = false) {
        self.isSticky = isSticky
        self.sendsProxyHeader = sendsProxyHeader
        self.preservesClientIP = preservesClientIP
    }
}

/// Which HTTP is spoken with targets. Source: ELBv2 ProtocolVersion.
public enum TargetVersion: Sendable {
    case http1, http2
    /// HTTP/2, for calls of gRPC alone.
    case grpc
}

/// How connections to targets are made secure.
public struct TargetTLS: Sendable, Equatable {
    /// What their certificates are held to.
    public let verification: TLSClientContext.Verification
    /// The name that is asked for and verified; empty is the Host field's.
    public let serverName: String

    public init(verification: TLSClientContext.Verification, serverName: String) {
        self.verification = verification
        self.serverName = serverName
    }
}

/// One registered target. A target that is registered anew after it was deregistered gets a new `id`.
public struct TargetPlan: Sendable {
    /// Names this registration until it is drained on every worker; small and dense, as workers index by it.
    public let id: Int
    /// Where it takes requests.
    public let address: SocketAddress
    /// Its health.
    public let cell: TargetCell

    public init(id: Int, address: SocketAddress, cell: TargetCell) {
        self.id = id
        self.address = address
        self.cell = cell
    }

    /// What tells it apart from others in a `MaglevTable`, on every worker and in every process.
    public var flowKey: UInt64 {
        var hash = FlowHash()
        hash.add(address)
        hash.add(UInt64(address.port))
        return hash.value
    }
}
