extension TargetGroup {
    /// The keys of a target group, those of its health check among them.
    static let description = Description(
        "TargetGroup", "a target group", blank: TargetGroup(name: "", port: 0), keys: keys + healthCheckKeys + lastKeys,
        refused: [
            RefusedKey("ipAddressType", accepted: "ipv4", "ipv6"),
            RefusedKey("healthCheckEnabled", accepted: true), RefusedKey("vpcId"), RefusedKey("targetControlPort"),
            RefusedKey("tags"),
        ],
        withoutEffect: \TargetGroup.withoutEffect,
        adapt: { value, group in
            guard value["protocol"]?.string.flatMap(`Protocol`.init)?.kind == .network else { return }
            group.healthCheck = .ofNetwork(isRequest: value["healthCheckProtocol"]?.string == "HTTP")
        },
        check: { group, findings in
            group.checkMatcher(&findings)
            group.checkTLS(&findings)
            group.checkKind(&findings)
            guard group.healthCheck.timeoutSeconds > group.healthCheck.intervalSeconds else { return }
            let interval = Shape.plain(group.healthCheck.intervalSeconds)
            findings.within(.key("healthCheckTimeoutSeconds")) { findings in
                findings.report(
                    "healthCheckTimeoutSeconds must be at most healthCheckIntervalSeconds, which is \(interval)",
                    found: Shape.plain(group.healthCheck.timeoutSeconds),
                    remedy: "Write healthCheckTimeoutSeconds: \(interval) or less.", code: .invalidConfigurationRequest)
            }
        })

    /// Reports codes of the protocol that the group does not speak.
    private func checkMatcher(_ findings: inout Findings) {
        if `protocol`.kind == .network, protocolVersion != .http1 { return }  // that itself is a mistake: `checkKind`
        let isGRPC = protocolVersion == .grpc
        let wrong: (key: String, right: String)? =
            if isGRPC, healthCheck.matcher.httpCode != HTTPCodes() {
                ("httpCode", "grpcCode")
            } else if !isGRPC, healthCheck.matcher.grpcCode != nil {
                ("grpcCode", "httpCode")
            } else { nil }
        guard let wrong else { return checkHTTPCodes(&findings) }
        findings.within([.key("matcher"), .key(wrong.key)]) { findings in
            findings.report(
                "a group of protocolVersion \(protocolVersion.rawValue) must have \(wrong.right)", found: wrong.key,
                remedy: "Write \(wrong.right) instead.", code: .invalidConfigurationRequest)
        }
    }

    /// Application load balancers take 200 to 499 for an answer, network load balancers 200 to 599.
    private func checkHTTPCodes(_ findings: inout Findings) {
        let codes = healthCheck.matcher.httpCode
        guard `protocol`.kind == .application, codes.ranges.contains(where: { $0.upperBound > 499 }) else { return }
        findings.within([.key("matcher"), .key("httpCode")]) { findings in
            findings.report(
                "httpCode must be status codes from 200 to 499, such as 200, 200,202 or 200-299", found: codes.text,
                remedy: "Write them in quotes, as in \"200-299\".")
        }
    }

    /// Reports what groups of this kind do not have.
    private func checkKind(_ findings: inout Findings) {
        let standard = TargetGroupAttributes()
        let kind = `protocol`.kind
        let ofNetwork: [(key: String, isGiven: Bool)] = [
            ("stickiness.enabled", attributes.stickiness), ("preserve_client_ip.enabled", attributes.preserveClientIP),
            ("proxy_protocol_v2.enabled", attributes.proxyProtocol),
            (
                "deregistration_delay.connection_termination.enabled", attributes.deregistrationConnectionTermination
            ),
            (
                "target_health_state.unhealthy.connection_termination.enabled",
                !attributes.unhealthyConnectionTermination
            ),
            ("target_health_state.unhealthy.draining_interval_seconds", attributes.unhealthyDrainingSeconds != 0),
        ]
        let ofApplication: [(key: String, isGiven: Bool)] = [
            (
                "apus.target_keep_alive.idle_seconds",
                attributes.targetKeepAliveIdleSeconds != standard.targetKeepAliveIdleSeconds
            ),
            (
                "apus.target_keep_alive.connections_max",
                attributes.targetKeepAliveConnectionsMax != standard.targetKeepAliveConnectionsMax
            ),
            (
                "apus.target_unacknowledged.seconds",
                attributes.targetUnacknowledgedSeconds != standard.targetUnacknowledgedSeconds
            ),
            ("apus.retry.budget_percent", attributes.retryBudgetPercent != standard.retryBudgetPercent),
            ("apus.retry.body_bytes_max", attributes.retryBodyBytesMax != standard.retryBodyBytesMax),
            ("apus.retry.on_unhealthy.enabled", !attributes.retryOnUnhealthy),
        ]
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                kind == .application ? ofNetwork : ofApplication,
                belongTo: "groups of \(kind == .application ? "network" : "application") load balancers",
                found: "it in a group of protocol \(`protocol`.rawValue)", remedy: "Remove it.")
            findings.misplaced(
                [
                    ("proxy_protocol_v2.enabled", attributes.proxyProtocol),
                    ("preserve_client_ip.enabled", attributes.preserveClientIP),
                ].filter { _ in `protocol` == .udp }, belongTo: "groups of TCP, TLS and TCP_UDP",
                found: "it in a group of protocol UDP", remedy: "Remove it.")
            if kind == .network, attributes.unhealthyConnectionTermination, attributes.unhealthyDrainingSeconds > 0 {
                findings.within(.key("target_health_state.unhealthy.draining_interval_seconds")) { findings in
                    findings.report(
                        "draining_interval_seconds needs that connections are not reset at once",
                        remedy: "Write target_health_state.unhealthy.connection_termination.enabled: false.",
                        code: .invalidConfigurationRequest)
                }
            }
        }
        if kind == .network {
            findings.misplaced(
                [("protocolVersion", protocolVersion != .http1)], belongTo: "groups of HTTP and HTTPS",
                found: "it in a group of protocol \(`protocol`.rawValue)", remedy: "Remove it.")
        }
    }

    /// Reports attributes of TLS that would be without effect.
    private func checkTLS(_ findings: inout Findings) {
        if `protocol`.hasTLS { return }
        let given: [(key: String, isGiven: Bool)] = [
            ("apus.target_tls.verify", attributes.targetTLSVerify != "off"),
            ("apus.target_tls.server_name", !attributes.targetTLSServerName.isEmpty),
        ]
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                given, belongTo: "groups of protocol HTTPS or TLS", found: "it in a group of \(`protocol`.rawValue)",
                remedy: "Write protocol: \(`protocol` == .http ? "HTTPS" : "TLS"), or remove it.")
        }
    }

    private static let keys: [Key<TargetGroup>] = [
        Key("name", \.name, .text(.name), required: true, "Its name, unique among target groups."),
        Key(
            "targetType", \.targetType, .word(refused: ["lambda", "alb"]),
            "What the ids of its targets are: IP addresses, or instance ids that the registry resolves."),
        Key(
            "protocol", \.protocol,
            .word(
                refused: ["QUIC", "TCP_QUIC", "GENEVE"],
                code: .unsupportedProtocol), required: true, "What is spoken to its targets."),
        Key(
            "protocolVersion", \.protocolVersion, .word(),
            "Which HTTP is spoken to its targets: HTTP/1.1, HTTP/2, or gRPC over HTTP/2."),
        Key("port", \.port, .integer(1...65535), required: true, "Port of the targets that name none."),
    ]

    private static let healthCheckKeys: [Key<TargetGroup>] = [
        Key(
            "healthCheckProtocol", \.healthCheck.protocol, .word(),
            "How a check is made: a request, the same over TLS, or a connection alone, as is usual for groups of "
                + "network load balancers."),
        Key(
            "healthCheckPort", \.healthCheck.port, .healthCheckPort,
            "Where checks connect; traffic-port is where the target takes requests."),
        Key(
            "healthCheckPath", \.healthCheck.path, .text(.healthCheckPath),
            "What a check asks for; in a group of protocolVersion GRPC, / stands for /AWS.ALB/healthcheck."),
        Key(
            "healthCheckIntervalSeconds", \.healthCheck.intervalSeconds, .number(0.05...300, unit: "seconds"),
            "From one check of a target to the next."),
        Key(
            "healthCheckTimeoutSeconds", \.healthCheck.timeoutSeconds, .number(0.01...120, unit: "seconds"),
            "How long a check may take; at most the interval. 10 is usual for groups of network load "
                + "balancers."),
        Key(
            "healthyThresholdCount", \.healthCheck.healthyThresholdCount, .integer(1...10),
            "Passing checks in a row that make an unhealthy target healthy; a new target needs one."),
        Key(
            "unhealthyThresholdCount", \.healthCheck.unhealthyThresholdCount, .integer(1...10),
            "Failing checks in a row that make a target unhealthy."),
        Key(
            "healthCheckGracePeriodSeconds", \.healthCheck.gracePeriodSeconds, .number(0...86400, unit: "seconds"),
            "Time after registration in which failures do not count."),
        Key("matcher", \.healthCheck.matcher, Matcher.description.codec, "Which answers to a check pass."),
    ]

    private static let lastKeys: [Key<TargetGroup>] = [
        Key("attributes", \.attributes, TargetGroupAttributes.description.codec, "Its attributes."),
        Key(
            "targets", \.targets, TargetDescription.listCodec,
            "The registered targets; the same id may stand with several ports."),
    ]
}

extension HealthCheck {
    /// The defaults of network load balancers, which differ for checks that are requests. Source: docs/elbv2.md,
    /// "Health checks".
    fileprivate static func ofNetwork(isRequest: Bool) -> HealthCheck {
        HealthCheck(
            protocol: .tcp, timeoutSeconds: isRequest ? 6 : 10,
            matcher: Matcher(httpCode: HTTPCodes(ranges: [200...399])))
    }
}

extension TargetDescription {
    /// The keys of a target.
    static let description = Description(
        "Target", "a target", blank: TargetDescription(id: ""),
        keys: [
            Key(
                "id", \.id,
                Codec.text(.targetID).converted(to: { text, _ in IPAddress(text)?.description ?? text }, from: { $0 }),
                required: true, "An IP address or an instance id, as the group's target type says."),
            Key(optional: "port", \.port, .integer(1...65535), "Its port; without it the group's."),
        ],
        refused: [RefusedKey("availabilityZone", accepted: "all"), RefusedKey("quicServerId")],
        withoutEffect: \TargetDescription.withoutEffect)

    /// Reads and writes the targets of a group.
    static let listCodec = Codec<[TargetDescription]>.list(
        description.codec, count: 0...Limits.targetsPerGroupMax, code: .tooManyTargets)
}

extension TargetGroupAttributes {
    /// The attributes of a target group.
    static let description = Description(
        "TargetGroupAttributes", "the attributes of a target group", blank: TargetGroupAttributes(), keys: keys,
        refused: [
            RefusedKey("stickiness.type", accepted: "lb_cookie", "source_ip"),
            RefusedKey("stickiness.lb_cookie.duration_seconds", accepted: 86400, of: .application),
            RefusedKey("stickiness.app_cookie.cookie_name", accepted: "", of: .application),
            RefusedKey("stickiness.app_cookie.duration_seconds", accepted: 86400, of: .application),
            RefusedKey("slow_start.duration_seconds", accepted: 0, of: .application),
            RefusedKey("load_balancing.algorithm.anomaly_mitigation", accepted: "off", of: .application),
            RefusedKey("load_balancing.cross_zone.enabled", accepted: "use_load_balancer_configuration", true),
            RefusedKey("target_group_health.dns_failover.minimum_healthy_targets.count", accepted: 1),
            RefusedKey("target_group_health.dns_failover.minimum_healthy_targets.percentage", accepted: "off"),
            RefusedKey("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", accepted: 1),
            RefusedKey(
                "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", accepted: "off"),
            RefusedKey("lambda.multi_value_headers.enabled", accepted: false, of: .application),
            RefusedKey("target_failover.on_deregistration"), RefusedKey("target_failover.on_unhealthy"),
        ], withoutEffect: \TargetGroupAttributes.withoutEffect)

    private static let keys: [Key<TargetGroupAttributes>] = [
        Key(
            "deregistration_delay.timeout_seconds", \.deregistrationDelaySeconds, .number(0...3600, unit: "seconds"),
            "Time that the exchanges of a deregistered target have to finish; then they are cut."),
        Key(
            "deregistration_delay.connection_termination.enabled", \.deregistrationConnectionTermination, .bool,
            "Whether connections through a network load balancer are reset at that time; otherwise they live on."),
        Key(
            "stickiness.enabled", \.stickiness, .bool,
            "Whether all connections from one address go to one target, in groups of network load balancers."),
        Key(
            "preserve_client_ip.enabled", \.preserveClientIP, .bool,
            "Whether targets of TCP or TLS see the client's own address; needs CAP_NET_ADMIN, and routes by which "
                + "their answers come back here."),
        Key(
            "proxy_protocol_v2.enabled", \.proxyProtocol, .bool,
            "Whether connections to targets begin with a PROXY header that names the client; not for requests."),
        Key(
            "target_health_state.unhealthy.connection_termination.enabled", \.unhealthyConnectionTermination, .bool,
            "Whether connections through a network load balancer are reset when their target fails its checks."),
        Key(
            "target_health_state.unhealthy.draining_interval_seconds", \.unhealthyDrainingSeconds,
            .number(0...360_000, unit: "seconds"),
            "Where they are not: time after which they are; 0 leaves them alone."),
        Key(
            "load_balancing.algorithm.type", \.algorithm,
            .word(refused: ["least_outstanding_requests", "weighted_random"]),
            "How the target of a request is chosen."),
        Key(
            "apus.target_keep_alive.idle_seconds", \.targetKeepAliveIdleSeconds, .number(0...3600, unit: "seconds"),
            "How long an idle connection to a target is kept; less than the target keeps it, and 0 keeps none."),
        Key(
            "apus.target_keep_alive.connections_max", \.targetKeepAliveConnectionsMax,
            .integer(0...65536, unit: "connections"), "Idle connections kept per target and worker."),
        Key(
            "apus.target_connect_timeout.seconds", \.targetConnectTimeoutSeconds, .number(0.01...300, unit: "seconds"),
            "Time that connecting to a target may take."),
        Key(
            "apus.target_connect_race.seconds", \.targetConnectRaceSeconds, .number(0...300, unit: "seconds"),
            "Head start of a target that is being connected to: after it another one is connected to as well, and the "
                + "first that is connected is used. 0 for no race."),
        Key(
            "apus.target_unacknowledged.seconds", \.targetUnacknowledgedSeconds, .number(0.1...300, unit: "seconds"),
            "Time for which the host of a target may acknowledge nothing of what was sent. Then requests that may be "
                + "repeated go elsewhere; the others get 504 after ten times that."),
        Key(
            "apus.retry.budget_percent", \.retryBudgetPercent, .integer(0...100, unit: "percent"),
            "Requests that may be sent again, in percent of those of the last ten seconds, and ten at least; 0 for "
                + "none."
        ),
        Key(
            "apus.retry.body_bytes_max", \.retryBodyBytesMax, .integer(0...Limits.retryBodyBytesMax, unit: "bytes"),
            "Bytes of a request's body that are kept until its answer begins, so that it can be sent again."),
        Key(
            "apus.retry.on_unhealthy.enabled", \.retryOnUnhealthy, .bool,
            "Whether GET, HEAD and OPTIONS requests leave a target that turns unhealthy before it has begun to "
                + "answer."),
        Key(
            "apus.target_tls.verify", \.targetTLSVerify, .text(.materialPath),
            "Whether targets of an HTTPS or TLS group must show a good certificate: off, system (this system's "
                + "roots), or a PEM file of roots."
        ),
        Key(
            "apus.target_tls.server_name", \.targetTLSServerName, .text(.serverName),
            "The name that targets of an HTTPS or TLS group are asked for and are verified by; empty is the Host "
                + "field's, or what the client has asked for."
        ),
    ]
}

extension Matcher {
    /// The keys of a matcher.
    static let description = Description(
        "Matcher", "a matcher", blank: Matcher(),
        keys: [
            Key(
                "httpCode", \.httpCode, codes(httpRule, HTTPCodes.init, \.text),
                "The status codes that pass: up to 499 in groups of application load balancers. 200-399 is usual for "
                    + "groups of network load balancers."),
            Key(
                optional: "grpcCode", \.grpcCode, codes(grpcRule, GRPCCodes.init, \.text),
                "The gRPC status codes that pass, in a group of protocolVersion GRPC; without it 12, or 0 where the "
                    + "path is the standard health service's."),
        ])

    /// Reads and writes a set of codes, as text or as one number.
    private static func codes<Codes: Sendable>(
        _ rule: TextRule, _ read: @escaping @Sendable (String) -> Codes?, _ write: @escaping @Sendable (Codes) -> String
    ) -> Codec<Codes> {
        Codec<Codes>(
            shape: .text(rule),
            decode: { value, findings in
                let text = value.int.map(String.init) ?? value.string
                if let codes = text.flatMap(read) { return codes }
                findings.report(
                    "\(findings.subject) must be \(rule.expected)", found: value.brief, at: value.location,
                    remedy: rule.remedy)
                return nil
            },
            encode: { .string(write($0)) })
    }

    private static let httpRule = TextRule(
        "status codes from 200 to 599, such as 200, 200,202 or 200-299", length: 3...1024,
        pattern: "^[2-5][0-9][0-9](-[2-5][0-9][0-9])?(,[2-5][0-9][0-9](-[2-5][0-9][0-9])?)*$",
        remedy: "Write them in quotes, as in \"200-299\".")

    private static let grpcRule = TextRule(
        "gRPC status codes from 0 to 99, such as 12, 0,12 or 0-5", length: 1...1024,
        pattern: "^[0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2}(-[0-9]{1,2})?)*$",
        remedy: "Write them in quotes, as in \"0-5\".")
}

extension Codec where Model == HealthCheck.Port {
    /// `traffic-port`, or a port as text or number.
    static let healthCheckPort = Codec(
        shape: .either(.word(["traffic-port"]), Codec<Int>.digits(1...65535).shape),
        decode: { value, findings in
            if value.string == "traffic-port" { return .traffic }
            let number = value.int ?? value.string.flatMap { Int($0) }
            if let number, (1...65535).contains(number) { return .number(number) }
            findings.report(
                "healthCheckPort must be traffic-port or an integer from 1 to 65535", found: value.brief,
                at: value.location, remedy: "Write traffic-port, or a port such as 8080.")
            return nil
        },
        encode: { port in
            switch port {
            case .traffic: "traffic-port"
            case .number(let number): .int(number)
            }
        })
}
