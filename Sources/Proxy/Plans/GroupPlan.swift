import Core
import Model
import Routing
import TLS
import Telemetry

/// One target group as a worker needs it.
public final class GroupPlan: Sendable {
    /// Identifies the group as long as it exists. Ids are small and dense, because workers index arrays by them.
    public let id: Int
    /// The configured name, for logs.
    public let name: String
    /// Its registered targets that take requests, without draining and unresolved ones.
    public let targets: [TargetPlan]
    /// Its configuration.
    public let settings: GroupSettings
    /// How one of `targets` is picked.
    public let balancing: BalancingAlgorithm
    /// Its epoch changes when the health of a target has changed.
    public let cell: GroupCell
    /// This worker's statistics of the group.
    public let counters: TargetGroupCounters

    /// A plan for one worker.
    public init(
        id: Int, name: String, targets: [TargetPlan], settings: GroupSettings,
        balancing: BalancingAlgorithm = .roundRobin(slowStart: 0), cell: GroupCell, counters: TargetGroupCounters
    ) {
        self.id = id
        self.name = name
        self.targets = targets
        self.settings = settings
        self.balancing = balancing
        self.cell = cell
        self.counters = counters
    }

    /// Which version of HTTP is spoken with its targets.
    var version: TargetGroup.ProtocolVersion { settings.version }
    /// The TLS settings of connections to its targets; nil without TLS.
    var tls: TargetTLS? { settings.tls }
    /// How client connections are passed on to its targets; nil for a group that serves requests.
    public var flows: FlowGroupPlan? { settings.flows }
    /// How long connecting to a target may take.
    public var connectTimeout: Nanoseconds { settings.connectTimeout }
    /// How long an idle connection to a target is kept.
    var poolIdleTimeout: Nanoseconds { settings.poolIdleTimeout }
    /// Idle connections kept per target.
    var poolConnectionsMax: Int { settings.poolConnectionsMax }
    /// How attempts on its targets are raced, abandoned and repeated.
    public var attempts: AttemptSettings { settings.attempts }
}

/// One registered target. A target that is registered again after it was deregistered gets a new `id`.
public struct TargetPlan: Sendable, Equatable {
    /// Identifies this registration until it is drained on every worker. Ids are small and dense, because workers index
    /// arrays by them.
    public let id: Int
    /// Where it takes requests.
    public let address: SocketAddress
    /// Its share beside those of the other targets; 0 for no requests.
    public let weight: Int
    /// Whether it is in another zone, and those of this zone come first.
    public let isInOtherZone: Bool
    /// What its server puts into the connection IDs of QUIC; nil in a group that is not one of QUIC.
    public let serverID: UInt64?
    /// Its health.
    public let cell: TargetCell
    /// The hash of its id and port, by which cookies name it: the same in every process, whatever its address.
    public let nameHash: UInt64
    /// Whether those whose cookie names it stay while its weight is 0: not where the weight is 0 since the target is in
    /// another zone.
    public let keepsClients: Bool

    /// A registration. `name` is its id and port; without one its address stands for it.
    public init(
        id: Int, address: SocketAddress, weight: Int = 1, isInOtherZone: Bool = false, serverID: UInt64? = nil,
        cell: TargetCell, name: String? = nil, keepsClients: Bool = true
    ) {
        self.id = id
        self.address = address
        self.weight = weight
        self.isInOtherZone = isInOtherZone
        self.serverID = serverID
        self.cell = cell
        self.keepsClients = keepsClients
        nameHash = cookieName(name ?? "\(address)")
    }

    /// Whether it is the same registration at the same address, with the same weight, and as near.
    public static func == (first: TargetPlan, second: TargetPlan) -> Bool {
        first.id == second.id && first.address == second.address && first.weight == second.weight
            && first.isInOtherZone == second.isInOtherZone && first.keepsClients == second.keepsClients
            && first.serverID == second.serverID
            && first.cell === second.cell
    }

    /// Its key in a `MaglevTable`, the same on every worker and in every process.
    public var flowKey: UInt64 {
        var hash = FlowHash()
        hash.add(address)
        hash.add(UInt64(address.port))
        return hash.value
    }
}

/// The hash by which cookies name a target, a group or a load balancer.
func cookieName(_ text: String) -> UInt64 {
    var hash = FlowHash()
    hash.add(Array(text.utf8).span)
    return hash.value
}
