import Core
import Routing
import TLS
import Telemetry

/// One immutable compiled configuration, made by control for one worker.
///
/// Shape:  each worker gets plans of its own, so that no reference count is shared between threads while requests
///         run. A plan whose part of the configuration did not change is the same object as in the last snapshot, and
///         the worker leaves everything that hangs on it alone.
public struct Snapshot: Sendable {
    /// Grows by one with every change that control publishes.
    public let generation: UInt64
    /// The listeners, in no particular order.
    public let listeners: [ListenerPlan]
    /// The target groups; `ForwardPlan` names them by `GroupPlan.id`.
    public let groups: [GroupPlan]
    /// Whether and how finished exchanges are logged.
    /// Nil if they are not.
    public let accessLog: AccessLog.Format?
    /// Whether and how connections of HTTPS listeners and flows are logged. Nil if they are not.
    public let connectionLog: AccessLog.Format?

    public init(
        generation: UInt64, listeners: [ListenerPlan], groups: [GroupPlan], accessLog: AccessLog.Format?,
        connectionLog: AccessLog.Format? = nil
    ) {
        self.generation = generation
        self.accessLog = accessLog
        self.connectionLog = connectionLog
        self.listeners = listeners
        self.groups = groups
    }
}

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
    /// Finds the rule of a request.
    public let rules: RuleTable
    /// What each rule does, by the rule's index in `rules`.
    public let actions: [ActionPlan]
    /// The priority of each rule, for logs.
    public let priorities: [Int]
    /// What is done when no rule matches.
    public let defaultAction: ActionPlan
    /// How bytes are passed on; nil on a listener of HTTP, whose requests are read.
    public let flows: FlowPlan?

    public init(
        id: Int, loadBalancer: String, port: UInt16, settings: ListenerSettings, tls: TLSServerConfiguration? = nil,
        flows: FlowPlan? = nil,
        rules: RuleTable, actions: [ActionPlan], priorities: [Int], defaultAction: ActionPlan
    ) {
        precondition(actions.count == priorities.count, "listener plan: an action for every rule")
        self.id = id
        self.loadBalancer = loadBalancer
        self.port = port
        self.settings = settings
        self.tls = tls
        self.flows = flows
        self.rules = rules
        self.actions = actions
        self.priorities = priorities
        self.defaultAction = defaultAction
    }

    /// The priority of the rule whose action has this index; nil for the default action, which comes last.
    func priority(ofAction index: Int) -> Int? { index < priorities.count ? priorities[index] : nil }
}

/// What a listener of a network load balancer does with connections.
public final class FlowPlan: Sendable {
    /// Finds the rule of a connection, as `ListenerPlan.rules` that of a request.
    public let rules: FlowRules
    /// Silence both ways that ends a connection.
    public let idleTimeout: Nanoseconds
    /// Silence both ways that ends a flow of datagrams.
    public let datagramIdleTimeout: Nanoseconds

    public init(rules: FlowRules, idleTimeout: Nanoseconds, datagramIdleTimeout: Nanoseconds = 120_000_000_000) {
        self.rules = rules
        self.idleTimeout = idleTimeout
        self.datagramIdleTimeout = datagramIdleTimeout
    }
}

/// A load balancer's attributes as the event loop uses them. Names and defaults: `Model.LoadBalancerAttributes`.
public struct ListenerSettings: Sendable, Equatable {
    /// What becomes of the X-Forwarded-For field.
    public enum ForwardedForMode: Sendable { case append, preserve, remove }

    /// Silence either way that ends a connection.
    public var idleTimeout: Nanoseconds
    /// Age at which a client connection takes its last request.
    public var clientKeepAlive: Nanoseconds
    /// Time for the first byte of the first request.
    public var firstByteTimeout: Nanoseconds
    /// Time for a whole request head, from its first byte.
    public var headTimeout: Nanoseconds
    /// The window over which the least rate of bodies is measured.
    public var bodyRateWindow: Nanoseconds
    /// Bytes that must pass in a window; 0 switches the check off.
    public var bodyRateWindowBytes: UInt64
    /// Whether fields with names beyond `[-A-Za-z0-9]+` are left out.
    public var dropsInvalidNames: Bool
    /// Whether the Host field goes on as it came.
    public var preservesHost: Bool
    /// What becomes of X-Forwarded-For.
    public var forwardedForMode: ForwardedForMode
    /// Whether X-Forwarded-For tells the client's port too.
    public var addsClientPort: Bool
    /// Whether answers made here carry Apus-Reason.
    public var addsReason: Bool
    /// Whether HTTP/2 is spoken with clients that begin with it, on a listener without TLS.
    public var speaksH2C = false
    /// How long a TLS handshake may take.
    public var handshakeTimeout: Nanoseconds = 10_000_000_000
    /// The networks whose connections begin with a PROXY header. Empty: none does.
    public var trustedProxies: [AddressRange] = []
    /// How long that header may take.
    public var proxyHeaderTimeout: Nanoseconds = 5_000_000_000
    /// Whether targets are told the client's TLS version and cipher.
    public var tellsTLS = false
    /// Under which names targets are told about TLS.
    public var fieldNames = TLSFieldNames()

    /// How long a client may be idle, which has begun a request before or not.
    func patience(hasAsked: Bool) -> (duration: Nanoseconds, isFirstByte: Bool) {
        !hasAsked && firstByteTimeout < idleTimeout ? (firstByteTimeout, true) : (idleTimeout, false)
    }

    public init(
        idleTimeout: Nanoseconds, clientKeepAlive: Nanoseconds, firstByteTimeout: Nanoseconds,
        headTimeout: Nanoseconds,
        bodyRateWindow: Nanoseconds, bodyRateWindowBytes: UInt64, dropsInvalidNames: Bool, preservesHost: Bool,
        forwardedForMode: ForwardedForMode, addsClientPort: Bool, addsReason: Bool
    ) {
        self.idleTimeout = idleTimeout
        self.clientKeepAlive = clientKeepAlive
        self.firstByteTimeout = firstByteTimeout
        self.headTimeout = headTimeout
        self.bodyRateWindow = bodyRateWindow
        self.bodyRateWindowBytes = bodyRateWindowBytes
        self.dropsInvalidNames = dropsInvalidNames
        self.preservesHost = preservesHost
        self.forwardedForMode = forwardedForMode
        self.addsClientPort = addsClientPort
        self.addsReason = addsReason
    }
}

/// Under which names targets are told about TLS. Source: docs/elbv2.md, "Listener attributes" and "Client
/// certificates".
public struct TLSFieldNames: Sendable, Equatable {
    /// The client's certificate and chain.
    public var certificate = Array("X-Amzn-Mtls-Clientcert".utf8)
    /// Its serial number.
    public var serialNumber = Array("X-Amzn-Mtls-Clientcert-Serial-Number".utf8)
    /// Who signed it.
    public var issuer = Array("X-Amzn-Mtls-Clientcert-Issuer".utf8)
    /// Whose it is.
    public var subject = Array("X-Amzn-Mtls-Clientcert-Subject".utf8)
    /// When it is valid.
    public var validity = Array("X-Amzn-Mtls-Clientcert-Validity".utf8)
    /// The certificate alone.
    public var leaf = Array("X-Amzn-Mtls-Clientcert-Leaf".utf8)
    /// The version of TLS.
    public var version = Array("X-Amzn-Tls-Version".utf8)
    /// The cipher.
    public var cipherSuite = Array("X-Amzn-Tls-Cipher-Suite".utf8)

    /// ELBv2's names.
    public init() {}

    /// All of them: a client that sends one would speak in our name.
    var all: [[UInt8]] {
        [certificate, serialNumber, issuer, subject, validity, leaf, version, cipherSuite]
    }
}

/// What is done with a request that a rule, or the default, has caught.
public enum ActionPlan: Sendable {
    case forward(ForwardPlan)
    case fixedResponse(FixedResponsePlan)
    case redirect(RedirectPlan)
}

/// The target groups among which requests are divided.
public struct ForwardPlan: Sendable, Equatable {
    /// `GroupPlan.id` of each.
    public let groups: [Int]
    /// The weight of each, 0–999.
    public let weights: [Int]
    /// Whether a client's address decides, and not whose turn it is.
    public let isSticky: Bool

    public init(groups: [Int], weights: [Int], isSticky: Bool = false) {
        precondition(groups.count == weights.count && !groups.isEmpty, "forward plan: a weight for every group")
        self.groups = groups
        self.weights = weights
        self.isSticky = isSticky
    }
}

/// Where the configuration sends the client.
public final class RedirectPlan: Sendable {
    /// 301 or 302.
    public let status: UInt16
    /// Makes the Location.
    public let template: RedirectTemplate

    public init(status: UInt16, template: RedirectTemplate) {
        self.status = status
        self.template = template
    }
}

/// An answer that the configuration periods out.
public final class FixedResponsePlan: Sendable {
    /// 2xx, 4xx or 5xx.
    public let status: UInt16
    /// Empty means no Content-Type field.
    public let contentType: [UInt8]
    /// At most 1024 bytes.
    public let body: [UInt8]

    public init(status: UInt16, contentType: [UInt8], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

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
    /// Finds among `targets` the one of a flow, by its hash; empty where requests are passed on.
    public let table: MaglevTable
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
        flows: FlowGroupPlan? = nil, table: MaglevTable = MaglevTable(keys: []), cell: GroupCell,
        counters: TargetGroupCounters, connectTimeout: Nanoseconds, poolIdleTimeout: Nanoseconds,
        poolConnectionsMax: Int, attempts: AttemptSettings = AttemptSettings()
    ) {
        self.id = id
        self.name = name
        self.targets = targets
        self.version = version
        self.tls = tls
        self.flows = flows
        self.table = table
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
