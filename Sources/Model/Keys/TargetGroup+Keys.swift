extension TargetGroup {
    /// The keys of a target group, those of its health check among them.
    static let description = Description(
        "TargetGroup", "a target group", blank: TargetGroup(name: "", port: 0),
        keys: [nameKey] + keys + healthCheckKeys + [attributesKey, targetsKey, discoveryKey],
        refused: refused,
        withoutEffect: \TargetGroup.withoutEffect,
        adapt: { value, group in
            guard value["protocol"]?.string.flatMap(TrafficProtocol.init)?.kind == .network else { return }
            group.healthCheck = .ofNetwork(isRequest: value["healthCheckProtocol"]?.string == "HTTP")
        },
        check: { group, findings in
            group.checkMatcher(&findings)
            group.checkTLS(&findings)
            group.checkKind(&findings)
            group.checkQUIC(&findings)
            group.checkDiscovery(&findings)
            findings.within(.key("attributes")) { findings in
                group.attributes.balancing.check(&findings)
                group.attributes.health.check(&findings)
                group.checkStickiness(&findings)
                group.attributes.limits.check(&findings)
            }
            guard group.healthCheck.timeoutSeconds > group.healthCheck.intervalSeconds else { return }
            let interval = Shape.plain(group.healthCheck.intervalSeconds)
            findings.within(.key("healthCheckTimeoutSeconds")) { findings in
                findings.report(
                    "healthCheckTimeoutSeconds must be at most healthCheckIntervalSeconds, which is \(interval)",
                    found: Shape.plain(group.healthCheck.timeoutSeconds),
                    remedy: "Write healthCheckTimeoutSeconds: \(interval) or less.", code: .invalidConfigurationRequest)
            }
        })

    /// The keys that `defaults` may have for target groups: all but name, targets and discovery.
    static let defaultsDescription = Description(
        "TargetGroupDefaults", "the defaults of target groups", blank: TargetGroup(name: "", port: 0),
        keys: (keys + healthCheckKeys + [attributesKey]).map { $0.optional() }, refused: refused,
        withoutEffect: \TargetGroup.withoutEffect)

    /// Reports HTTP codes in a gRPC group, and gRPC codes in any other.
    private func checkMatcher(_ findings: inout Findings) {
        if `protocol`.kind == .network, protocolVersion != .http1 { return }  // `checkKind` reports the version
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

    /// Reports codes that health checks of this kind cannot accept: application load balancers allow 200 to 499,
    /// network load balancers 200 to 599.
    private func checkHTTPCodes(_ findings: inout Findings) {
        let codes = healthCheck.matcher.httpCode
        guard `protocol`.kind == .application, codes.ranges.contains(where: { $0.upperBound > 499 }) else { return }
        findings.within([.key("matcher"), .key("httpCode")]) { findings in
            findings.report(
                "httpCode must be status codes from 200 to 499, such as 200, 200,202 or 200-299", found: codes.text,
                remedy: "Write them in quotes, as in \"200-299\".")
        }
    }

    /// Reports keys and attributes that groups of this kind do not have.
    private func checkKind(_ findings: inout Findings) {
        let kind = `protocol`.kind
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                TargetGroupAttributes.description.misplaced(in: attributes, of: kind),
                belongTo: "groups of \(kind == .application ? "network" : "application") load balancers",
                found: "it in a group of protocol \(`protocol`.rawValue)", remedy: "Remove it.")
            findings.misplaced(
                [
                    ("proxy_protocol_v2.enabled", attributes.proxyProtocol),
                    ("preserve_client_ip.enabled", attributes.preserveClientIP),
                ].filter { _ in !`protocol`.hasTCP }, belongTo: "groups of TCP, TLS, TCP_UDP and TCP_QUIC",
                found: "it in a group of protocol \(`protocol`.rawValue)", remedy: "Remove it.")
            if kind == .network, attributes.unhealthyConnectionTermination, attributes.unhealthyDrainingSeconds > 0 {
                findings.within(.key("target_health_state.unhealthy.draining_interval_seconds")) { findings in
                    findings.report(
                        "draining_interval_seconds has no effect while connections are reset at once",
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

    /// Reports TLS attributes in a group without TLS.
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

    private static let refused = [
        RefusedKey("ipAddressType", accepted: "ipv4", "ipv6"), RefusedKey("vpcId"), RefusedKey("targetControlPort"),
        RefusedKey("tags"),
    ]

    private static let nameKey = Key<TargetGroup>(
        "name", \.name, .text(.name), required: true, "Its name, unique among target groups.")

    private static let keys: [Key<TargetGroup>] = [
        Key(
            "targetType", \.targetType, .word(refused: ["lambda", "alb"]),
            "What the ids of its targets are: IP addresses, or instance ids that the registry resolves."),
        Key(
            "protocol", \.protocol,
            .word(refused: ["GENEVE"], code: .unsupportedProtocol), required: true,
            "The protocol that is spoken to its targets."),
        Key(
            "protocolVersion", \.protocolVersion, .word(),
            "Which HTTP is spoken to its targets: HTTP/1.1, HTTP/2, or gRPC over HTTP/2."),
        Key("port", \.port, .integer(1...65535), required: true, "Port of the targets that have none of their own."),
    ]

    private static let healthCheckKeys: [Key<TargetGroup>] = [
        Key(
            "healthCheckEnabled", \.healthCheck.isEnabled, .bool,
            "Whether health is checked; without checks all targets are used as if they were healthy."),
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
            "Time from one check of a target to the next."),
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

    private static let attributesKey = Key<TargetGroup>(
        "attributes", \.attributes, TargetGroupAttributes.description.codec, "Its attributes.")

    private static let targetsKey = Key<TargetGroup>(
        "targets", \.targets, TargetDescription.listCodec,
        "The registered targets; the same id may be registered with several ports.")

    private static let discoveryKey = Key<TargetGroup>(
        optional: "discovery", \.discovery, Discovery.description.codec,
        "Where other targets are found, beside those that are registered.")
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
            Key(optional: "port", \.port, .integer(1...65535), "Its port; without it the port of the group."),
            Key(
                optional: "apus.weight", \.weight, .integer(0...Limits.targetWeightMax),
                "Its share beside those of the other targets, whatever the algorithm; 0 for no requests, 1 without "
                    + "it."),
            Key(
                optional: "availabilityZone", \.zone, .text(.zone),
                "The zone that it is in; all, or nothing, for a target of every zone."),
            Key(
                optional: "quicServerId", \.quicServerID, .quicServerID,
                "The id that its server puts into the connection IDs of QUIC; required in groups of QUIC and TCP_QUIC, "
                    + "and unique among the targets of a listener."),
        ],
        withoutEffect: \TargetDescription.withoutEffect)

    /// Reads and writes the targets of a group.
    static let listCodec = Codec<[TargetDescription]>.list(
        description.codec, count: 0...Limits.targetsPerGroupMax, code: .tooManyTargets)
}

extension Matcher {
    /// The keys of a matcher.
    static let description = Description(
        "Matcher", "a matcher", blank: Matcher(),
        keys: [
            Key(
                "httpCode", \.httpCode, httpCodes,
                "The status codes that pass: up to 499 in groups of application load balancers. 200-399 is usual for "
                    + "groups of network load balancers."),
            Key(
                optional: "grpcCode", \.grpcCode, grpcCodes,
                "The gRPC status codes that pass, in a group of protocolVersion GRPC; without it 12, or 0 where the "
                    + "path is the standard health service's."),
        ])

    /// Reads and writes status codes.
    static let httpCodes = codes(httpRule, HTTPCodes.init, \.text)

    /// Reads and writes gRPC status codes.
    static let grpcCodes = codes(grpcRule, GRPCCodes.init, \.text)

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

extension Codec where Model == QUICServerID {
    /// An id as ELBv2 writes it.
    static let quicServerID = Codec<String>.text(.quicServerID)
        .converted(to: { text, _ in QUICServerID(text) }, from: { $0.description })
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
                "\(findings.subject) must be traffic-port or an integer from 1 to 65535", found: value.brief,
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
