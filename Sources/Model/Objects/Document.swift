/// Everything a configuration says: the file, with what was changed at run time on top of it.
///
/// Shape:  a plain value. It is what `GET /v1/config` shows and what a snapshot is compiled from.
/// Limits: `Limits`; names are unique per kind, see `Document.validate()`.
public struct Document: Hashable, Sendable {
    /// The admin socket, and who may do what with it.
    public var admin: Admin
    /// How the process runs.
    public var runtime: Runtime
    /// Where log records go.
    public var logs: Logs
    /// What is found rather than written.
    public var discovery: DocumentDiscovery?
    /// The registry that gives targets of type `instance` their addresses.
    public var instances: [Instance]
    /// Networks under names, by which listeners allow or deny clients.
    public var prefixLists: [PrefixList]
    /// What clients connect to.
    public var loadBalancers: [LoadBalancer]
    /// What requests are forwarded to.
    public var targetGroups: [TargetGroup]

    /// A document with these parts; without arguments, an empty one with every default.
    public init(
        admin: Admin = Admin(),
        runtime: Runtime = Runtime(),
        logs: Logs = Logs(),
        instances: [Instance] = [],
        prefixLists: [PrefixList] = [],
        loadBalancers: [LoadBalancer] = [],
        targetGroups: [TargetGroup] = []
    ) {
        self.admin = admin
        self.runtime = runtime
        self.logs = logs
        self.instances = instances
        self.prefixLists = prefixLists
        self.loadBalancers = loadBalancers
        self.targetGroups = targetGroups
    }
}

/// How the process runs.
public struct Runtime: Hashable, Sendable {
    /// Number of data-plane threads; nil is one per core.
    public var workers: Int?
    /// The folder that keeps what was changed at run time.
    public var stateDirectory: String
    /// The user to become once the sockets are open; nil keeps the user that started the process.
    public var user: String?
    /// The zone in which this process runs; nil if it is in none, so that it uses the targets of all.
    public var availabilityZone: String?
    /// Budget of the process for buffers, in bytes. When it is used up, new connections are refused.
    public var memoryBytes: Int
    /// Cap on client connections of the process; nil takes it from the descriptor limit.
    public var connections: Int?
    /// Seconds that a shutdown waits for exchanges to finish.
    public var shutdownGraceSeconds: Double
    /// How often the keys that encrypt TLS session tickets are replaced; the last two are kept.
    public var ticketKeyRotationSeconds: Double
    /// How often the key of cookies of stickiness is replaced; older ones are kept until their cookies have expired.
    public var cookieKeyRotationSeconds: Double

    /// Settings of the process.
    public init(
        workers: Int? = nil,
        stateDirectory: String = "/var/lib/apus",
        user: String? = nil,
        availabilityZone: String? = nil,
        memoryBytes: Int = 1 << 30,
        connections: Int? = nil,
        shutdownGraceSeconds: Double = 30,
        ticketKeyRotationSeconds: Double = 43200,
        cookieKeyRotationSeconds: Double = 86400
    ) {
        self.workers = workers
        self.stateDirectory = stateDirectory
        self.user = user
        self.availabilityZone = availabilityZone
        self.memoryBytes = memoryBytes
        self.connections = connections
        self.shutdownGraceSeconds = shutdownGraceSeconds
        self.ticketKeyRotationSeconds = ticketKeyRotationSeconds
        self.cookieKeyRotationSeconds = cookieKeyRotationSeconds
    }
}

/// Where log records go.
public struct Logs: Hashable, Sendable {
    /// The access log.
    public var access: LogSettings
    /// The connection log: one record for each connection of an HTTPS listener, and for each flow.
    public var connection: LogSettings
    /// The health check log: one record for each check.
    public var health: LogSettings

    /// Settings of all logs.
    public init(
        access: LogSettings = LogSettings(), connection: LogSettings = LogSettings(destination: .off),
        health: LogSettings = LogSettings(destination: .off)
    ) {
        self.access = access
        self.connection = connection
        self.health = health
    }
}

/// A log: where its records go and how they look.
public struct LogSettings: Hashable, Sendable {
    /// Where the records go.
    public enum Destination: Hashable, Sendable {
        /// The standard output of the process.
        case stdout
        /// Nowhere.
        case off
        /// Appended to the file at this path, which is reopened on SIGUSR1.
        case file(String)
    }

    /// How one record looks.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// The fields of an Application Load Balancer's access log, separated by spaces.
        case alb
        /// One JSON object on a line.
        case json
    }

    /// Where the records go. The key is `path`.
    public var destination: Destination
    /// How one record looks.
    public var format: Format

    /// Settings of a log.
    public init(destination: Destination = .stdout, format: Format = .alb) {
        self.destination = destination
        self.format = format
    }
}

/// One entry of the instance registry: an id and the address at which that instance is reached.
public struct Instance: Hashable, Sendable {
    /// The instance id, as in `i-0a1b2c3d`.
    public var id: String
    /// An IPv4 or IPv6 address.
    public var address: String

    /// An entry of the registry.
    public init(id: String, address: String) {
        self.id = id
        self.address = address
    }
}
