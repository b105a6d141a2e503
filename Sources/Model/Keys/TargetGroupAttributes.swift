// An attribute is two entries here: a property with its default, and a key with its codec, its meaning and the kinds of
// load balancer that have it. Reading, writing, the schema and what is reported as misplaced follow from them.

/// The attributes of a target group.
///
/// Source: ELBv2 ModifyTargetGroupAttributes; the names that begin with `apus.` are ours.
public struct TargetGroupAttributes: Hashable, Sendable {
    /// `deregistration_delay.timeout_seconds`: time that exchanges of a deregistered target have to finish.
    public var deregistrationDelaySeconds: Double = 300
    /// `deregistration_delay.connection_termination.enabled`: flows of a deregistered target are ended when that time
    /// is over. Of network load balancers; nil is the default of the group's protocol
    /// (`TargetGroup.endsFlowsWhenDrained`).
    public var deregistrationConnectionTermination: Bool?
    /// How clients stay with a target.
    public var stickiness = StickinessAttributes()
    /// `preserve_client_ip.enabled`: targets see the client's own address. Of network load balancers.
    public var preserveClientIP: Bool = false
    /// `proxy_protocol_v2.enabled`: connections to targets begin with a header that names the client. Of network load
    /// balancers.
    public var proxyProtocol: Bool = false
    /// `target_health_state.unhealthy.connection_termination.enabled`: connections of a target that fails its checks
    /// are reset. Of network load balancers.
    public var unhealthyConnectionTermination: Bool = true
    /// `target_health_state.unhealthy.draining_interval_seconds`: time for which such connections are kept where they
    /// are not reset at once. Of network load balancers.
    public var unhealthyDrainingSeconds: Double = 0
    /// How the target of a request is chosen.
    public var balancing = BalancingAttributes()
    /// What the health of targets decides.
    public var health = HealthAttributes()
    /// How much a target has to do at once.
    public var limits = TargetLimitAttributes()
    /// `apus.target_keep_alive.idle_seconds`: how long an idle connection to a target is kept.
    public var targetKeepAliveIdleSeconds: Double = 4
    /// `apus.target_keep_alive.connections_max`: idle connections kept per target and worker.
    public var targetKeepAliveConnectionsMax: Int = 2048
    /// `apus.target_connect_timeout.seconds`: time that connecting to a target may take.
    public var targetConnectTimeoutSeconds: Double = 10
    /// `apus.target_connect_race.seconds`: time after which another target is connected to as well if the first has not
    /// answered; 0 for no race.
    public var targetConnectRaceSeconds: Double = 0.25
    /// `apus.target_unacknowledged.seconds`: time for which a target's host may leave all sent data unacknowledged.
    public var targetUnacknowledgedSeconds: Double = 1
    /// `apus.retry.budget_percent`: retries, in percent of the requests of the last ten seconds, but at least ten; 0
    /// for none.
    public var retryBudgetPercent: Int = 20
    /// `apus.retry.body_bytes_max`: bytes of a request's body that are kept until its response begins.
    public var retryBodyBytesMax: Int = 65_536
    /// `apus.retry.on_unhealthy.enabled`: safe requests are sent to another target when theirs turns unhealthy before
    /// it answers.
    public var retryOnUnhealthy: Bool = true
    /// `routing.http2.rst_stream_error_forwarding.enabled`: whether a client's HTTP/2 stream is reset with the code
    /// with which the target has reset its own; otherwise the client gets 502.
    public var forwardsStreamErrors: Bool = false
    /// `apus.target_tls.verify`: `off`, `system`, or a PEM file of roots by which targets' certificates are verified.
    public var targetTLSVerify: String = "off"
    /// `apus.target_tls.server_name`: the name that targets' certificates are verified for; empty uses the Host
    /// field's.
    public var targetTLSServerName: String = ""
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// Every default.
    public init() {}
}

extension TargetGroupAttributes {
    /// The attributes of a target group.
    static let description = Description(
        "TargetGroupAttributes", "the attributes of a target group", blank: TargetGroupAttributes(), keys: keys,
        refused: [
            RefusedKey("lambda.multi_value_headers.enabled", accepted: false, of: .application),
            RefusedKey("waf.http2.traffic_inspection_behavior", accepted: "inspect_immediately", of: .application),
            RefusedKey("send_tcp_reset.on_unhealthy.enabled", accepted: false),
            RefusedKey("send_tcp_reset.on_deregistration.enabled", accepted: false),
            RefusedKey("target_failover.on_deregistration"), RefusedKey("target_failover.on_unhealthy"),
        ], withoutEffect: \TargetGroupAttributes.withoutEffect)

    private static let keys = firstKeys + stickinessKeys + balancingKeys + healthKeys + limitKeys + lastKeys

    private static let firstKeys: [Key<TargetGroupAttributes>] = [
        Key(
            "deregistration_delay.timeout_seconds", \.deregistrationDelaySeconds, .number(0...3600, unit: "seconds"),
            "Time that the exchanges of a deregistered target have to finish; then they are cut."),
        Key(
            optional: "deregistration_delay.connection_termination.enabled", \.deregistrationConnectionTermination,
            .bool,
            "Whether connections and flows of datagrams through a network load balancer are ended when the "
                + "deregistration delay is over; otherwise they continue. Without it, true in groups of UDP and "
                + "TCP_UDP, and false in others; those of QUIC always end."
        ).of(.network, neutral: false),
        Key(
            "preserve_client_ip.enabled", \.preserveClientIP, .bool,
            "Whether targets of TCP or TLS see the client's own address; needs CAP_NET_ADMIN, and routes that bring "
                + "their replies back to this host."
        ).of(.network),
        Key(
            "proxy_protocol_v2.enabled", \.proxyProtocol, .bool,
            "Whether connections to targets begin with a PROXY header that names the client; not for requests."
        ).of(.network),
        Key(
            "target_health_state.unhealthy.connection_termination.enabled", \.unhealthyConnectionTermination, .bool,
            "Whether connections through a network load balancer are reset when their target fails its checks."
        ).of(.network),
        Key(
            "target_health_state.unhealthy.draining_interval_seconds", \.unhealthyDrainingSeconds,
            .number(0...360_000, unit: "seconds"),
            "Time after which connections to an unhealthy target are reset, if they are not reset at once; 0 never "
                + "resets them."
        ).of(.network),
    ]

    private static let lastKeys: [Key<TargetGroupAttributes>] = [
        Key(
            "apus.target_keep_alive.idle_seconds", \.targetKeepAliveIdleSeconds, .number(0...3600, unit: "seconds"),
            "How long an idle connection to a target is kept, which should be shorter than the target keeps it; 0 "
                + "keeps none."
        ).of(.application),
        Key(
            "apus.target_keep_alive.connections_max", \.targetKeepAliveConnectionsMax,
            .integer(0...65536, unit: "connections"), "Idle connections kept per target and worker."
        ).of(.application),
        Key(
            "apus.target_connect_timeout.seconds", \.targetConnectTimeoutSeconds, .number(0.01...300, unit: "seconds"),
            "Time that connecting to a target may take."),
        Key(
            "apus.target_connect_race.seconds", \.targetConnectRaceSeconds, .number(0...300, unit: "seconds"),
            "Time after which a second target is connected to as well if the first has not answered; the connection "
                + "that is made first is used. 0 for no race."),
        Key(
            "apus.target_unacknowledged.seconds", \.targetUnacknowledgedSeconds, .number(0.1...300, unit: "seconds"),
            "Time for which a target's host may leave all sent data unacknowledged. Then requests that may be "
                + "repeated are sent to another target; the others get 504 after ten times that."
        ).of(.application),
        Key(
            "apus.retry.budget_percent", \.retryBudgetPercent, .integer(0...100, unit: "percent"),
            "Retries, in percent of the requests of the last ten seconds, but at least ten; 0 for none."
        ).of(.application),
        Key(
            "apus.retry.body_bytes_max", \.retryBodyBytesMax, .integer(0...Limits.retryBodyBytesMax, unit: "bytes"),
            "Bytes of a request's body that are kept until its response begins, so that it can be sent again."
        ).of(.application),
        Key(
            "apus.retry.on_unhealthy.enabled", \.retryOnUnhealthy, .bool,
            "Whether GET, HEAD and OPTIONS requests are sent to another target when theirs turns unhealthy before "
                + "it has begun to answer."
        ).of(.application),
        Key(
            "routing.http2.rst_stream_error_forwarding.enabled", \.forwardsStreamErrors, .bool,
            "Whether a client's HTTP/2 stream is reset with the code with which a target of an HTTP2 or GRPC group has "
                + "reset its own; otherwise the client gets 502."
        ).of(.application),
        Key(
            "apus.target_tls.verify", \.targetTLSVerify, .text(.materialPath),
            "Whether the certificates of targets of an HTTPS or TLS group are verified: off, system (with this "
                + "system's roots), or a PEM file of roots."
        ),
        Key(
            "apus.target_tls.server_name", \.targetTLSServerName, .text(.serverName),
            "The server name that targets of an HTTPS or TLS group are asked for, and that their certificates must "
                + "have; empty is the name in the Host field, or the one that the client asked for."
        ),
    ]
}
