/// Targets that do the same work, how their health is checked, and how requests are spread over them.
public struct TargetGroup: Hashable, Sendable {
    /// What the ids of its targets are.
    public enum TargetType: String, Hashable, Sendable, CaseIterable {
        /// Instance ids, which the registry turns into addresses.
        case instance
        /// IPv4 or IPv6 addresses.
        case ip
    }

    /// Which HTTP is spoken to its targets.
    public enum ProtocolVersion: String, Hashable, Sendable, CaseIterable {
        /// HTTP/1.1.
        case http1 = "HTTP1"
        /// HTTP/2.
        case http2 = "HTTP2"
        /// gRPC, over HTTP/2.
        case grpc = "GRPC"
    }

    /// Its name, unique among target groups.
    public var name: String
    /// What the ids of its targets are.
    public var targetType: TargetType
    /// The protocol that is spoken to its targets.
    public var `protocol`: TrafficProtocol
    /// Which HTTP is spoken to its targets.
    public var protocolVersion: ProtocolVersion
    /// Port of the targets that have none of their own, 1–65535.
    public var port: Int
    /// How health is checked.
    public var healthCheck: HealthCheck
    /// Its attributes.
    public var attributes: TargetGroupAttributes
    /// The registered targets. The same id may be there with several ports.
    public var targets: [TargetDescription]
    /// Where other targets are found; nil for nowhere.
    public var discovery: Discovery?
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// A target group.
    public init(
        name: String,
        targetType: TargetType = .instance,
        protocol: TrafficProtocol = .http,
        protocolVersion: ProtocolVersion = .http1,
        port: Int,
        healthCheck: HealthCheck = HealthCheck(),
        attributes: TargetGroupAttributes = TargetGroupAttributes(),
        targets: [TargetDescription] = []
    ) {
        self.name = name
        self.targetType = targetType
        self.protocol = `protocol`
        self.protocolVersion = protocolVersion
        self.port = port
        self.healthCheck = healthCheck
        self.attributes = attributes
        self.targets = targets
    }

    /// What a check asks for. A gRPC group that names no path asks for ELB's.
    public var healthCheckPath: String {
        protocolVersion == .grpc && healthCheck.path == "/" ? "/AWS.ALB/healthcheck" : healthCheck.path
    }

    /// Whether flows to a deregistered target are ended when its deregistration delay is over. Source: Network Load
    /// Balancer user guide, "Edit target group attributes": true for groups of UDP and TCP_UDP unless they say
    /// otherwise.
    public var endsFlowsWhenDrained: Bool {
        attributes.deregistrationConnectionTermination ?? `protocol`.hasUDP
    }

    /// The port at which `target` is reached: its own, or else the group's.
    public func effectivePort(of target: TargetDescription) -> Int {
        target.port ?? port
    }
}

/// A registered target, as it was written. Its identity in the group is its id and its effective port.
public struct TargetDescription: Hashable, Sendable {
    /// An IP address or an instance id, as the group's target type says.
    public var id: String
    /// Overrides the port of the group, 1–65535.
    public var port: Int?
    /// Its share beside those of the other targets, 0–256; 1 if it is not given. 0 is for a target that gets no new
    /// requests.
    public var weight: Int?
    /// The zone that it is in; nil, or `all`, for one that every zone may use.
    public var zone: String?
    /// What its server puts into connection IDs; in groups of QUIC, and there always.
    public var quicServerID: QUICServerID?
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// A target.
    public init(
        id: String, port: Int? = nil, weight: Int? = nil, zone: String? = nil, quicServerID: QUICServerID? = nil
    ) {
        self.id = id
        self.port = port
        self.weight = weight
        self.zone = zone
        self.quicServerID = quicServerID
    }
}

/// How the health of a group's targets is checked. In the file its keys stand in the group itself.
///
/// Units:  seconds; fractions are allowed.
/// Source: ELBv2 CreateTargetGroup.
public struct HealthCheck: Hashable, Sendable {
    /// How one check is made.
    public enum `Protocol`: String, Hashable, Sendable, CaseIterable {
        /// A request, whose status the matcher judges.
        case http = "HTTP"
        /// The same over TLS.
        case https = "HTTPS"
        /// A connection that is accepted.
        case tcp = "TCP"
    }

    /// Where checks connect.
    public enum Port: Hashable, Sendable {
        /// `traffic-port`: where the target takes requests.
        case traffic
        /// This port on every target.
        case number(Int)
    }

    /// Whether checks are made; without them targets are used as if they were healthy.
    public var isEnabled: Bool
    /// How a check is made.
    public var `protocol`: `Protocol`
    /// Where it connects.
    public var port: Port
    /// What it asks for.
    public var path: String
    /// Time from one check of a target to the next.
    public var intervalSeconds: Double
    /// How long a check may take.
    public var timeoutSeconds: Double
    /// Passing checks in a row that make an unhealthy target healthy.
    public var healthyThresholdCount: Int
    /// Failing checks in a row that make a healthy target unhealthy.
    public var unhealthyThresholdCount: Int
    /// Time after registration in which failures do not count.
    public var gracePeriodSeconds: Double
    /// Which answers pass.
    public var matcher: Matcher

    /// A health check; without arguments, every default.
    public init(
        isEnabled: Bool = true,
        protocol: `Protocol` = .http,
        port: Port = .traffic,
        path: String = "/",
        intervalSeconds: Double = 30,
        timeoutSeconds: Double = 5,
        healthyThresholdCount: Int = 5,
        unhealthyThresholdCount: Int = 2,
        gracePeriodSeconds: Double = 0,
        matcher: Matcher = Matcher()
    ) {
        self.isEnabled = isEnabled
        self.protocol = `protocol`
        self.port = port
        self.path = path
        self.intervalSeconds = intervalSeconds
        self.timeoutSeconds = timeoutSeconds
        self.healthyThresholdCount = healthyThresholdCount
        self.unhealthyThresholdCount = unhealthyThresholdCount
        self.gracePeriodSeconds = gracePeriodSeconds
        self.matcher = matcher
    }
}
