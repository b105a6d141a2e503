import Testing

@testable import Model

/// What target groups of network load balancers may say, and what holds in them when they say nothing.
@Suite struct TargetGroupNetworkTests {
    static let ofApplication: [TrafficProtocol] = [.http, .https]
    static let ofNetwork: [TrafficProtocol] = [.tcp, .tls, .udp, .tcpUDP, .quic, .tcpQUIC]
    static let ofQUIC: [TrafficProtocol] = [.quic, .tcpQUIC]

    /// A file with one group, of which `keys` stand in line 5 from column 5 on.
    static func file(_ group: TrafficProtocol, _ keys: String) -> String {
        "targetGroups:\n  - name: blue\n    protocol: \(group.rawValue)\n    port: 80\n    \(keys)"
    }

    static func group(_ group: TrafficProtocol, _ keys: String) throws -> TargetGroup {
        let document = try Document.load(yaml: file(group, keys), file: "edge.yaml")
        #expect(try Document(document.encoded()) == document, "what is written is read as something else")
        return document.targetGroups[0]
    }

    static let networkAttributes = [("target_health_state.unhealthy.connection_termination.enabled", "false")]

    /// What groups of QUIC do not have, and what they are told about it.
    static let flowAttributes = [
        (
            "stickiness.enabled", "true",
            "Remove it: the server ids of targets bind a connection to one of them."
        ),
        (
            "deregistration_delay.connection_termination.enabled", "true",
            "Remove it: flows of QUIC end with the deregistration delay."
        ),
    ]

    static let connectionAttributes = [("preserve_client_ip.enabled", "true"), ("proxy_protocol_v2.enabled", "true")]

    static let applicationAttributes = [
        ("apus.target_keep_alive.idle_seconds", "5"), ("apus.target_keep_alive.connections_max", "5"),
        ("apus.target_unacknowledged.seconds", "5"), ("apus.retry.budget_percent", "5"),
        ("apus.retry.body_bytes_max", "5"), ("apus.retry.on_unhealthy.enabled", "false"),
        ("routing.http2.rst_stream_error_forwarding.enabled", "true"),
        ("stickiness.lb_cookie.duration_seconds", "5"), ("stickiness.app_cookie.cookie_name", "SESSION"),
        ("stickiness.app_cookie.duration_seconds", "5"),
        ("load_balancing.algorithm.type", "apus.least_latency"), ("slow_start.duration_seconds", "30"),
        ("apus.target.max_requests", "5"),
    ]

    static let tlsAttributes = [("apus.target_tls.verify", "system"), ("apus.target_tls.server_name", "a.example.com")]

    static let commonAttributes = [
        ("deregistration_delay.timeout_seconds", "5"),
        ("apus.target_connect_timeout.seconds", "5"), ("apus.target_connect_race.seconds", "5"),
    ]

    @Test func everyAttributeIsTried() {
        let ofKinds =
            Self.networkAttributes + Self.flowAttributes.map { ($0.0, $0.1) } + Self.connectionAttributes
            + Self.applicationAttributes
        let tried =
            (ofKinds + Self.tlsAttributes + Self.commonAttributes).map(\.0)
            + ["target_health_state.unhealthy.draining_interval_seconds"]
            // HealthAttributesTests and Document+ZonesTests.
            + TargetGroupAttributes.description.keys.map(\.name).filter { name in
                ["target_group_health.", "apus.own_zone_first.", "apus.health.", "apus.outlier."].contains {
                    name.hasPrefix($0)
                }
            }
            + ["load_balancing.cross_zone.enabled"]
            // With the types that there are: StickinessAttributesTests.
            + ["stickiness.type"]
            // With the algorithms that have them: BalancingAttributesTests; with a limit: TargetLimitAttributesTests.
            + [
                "load_balancing.algorithm.anomaly_mitigation", "apus.consistent_hash.key",
                "apus.consistent_hash.bound_percent", "apus.target.queue_max",
                "apus.target.queue_timeout_seconds",
            ]
        #expect(tried.sorted() == TargetGroupAttributes.description.keys.map(\.name).sorted())
    }

    /// Tries an attribute in groups that have it and in groups that do not, which are told the rest of `message`.
    static func tryAttribute(
        _ attribute: (key: String, value: String), fitting: [TrafficProtocol], message: (TrafficProtocol) -> String
    ) {
        for group in TrafficProtocol.allCases {
            let mistake = NetworkSample.mistake(
                in: file(group, "attributes: { \(attribute.key): \(attribute.value) }"))
            let expected = "edge.yaml:5:\(21 + attribute.key.count): \(attribute.key) belongs to \(message(group))"
            #expect(mistake == (fitting.contains(group) ? nil : expected), "\(group)")
        }
    }

    @Test(arguments: networkAttributes) func groupsOfHTTPHaveNoneOfNetwork(_ key: String, _ value: String) {
        Self.tryAttribute((key, value), fitting: Self.ofNetwork) { group in
            "groups of network load balancers, but found it in a group of protocol \(group.rawValue). Remove it."
        }
    }

    @Test(arguments: flowAttributes) func groupsOfQUICAreBoundByServerIDs(
        _ key: String, _ value: String, _ remedy: String
    ) {
        let ofHTTP = key.hasPrefix("stickiness") ? Self.ofApplication : []
        Self.tryAttribute((key, value), fitting: [.tcp, .tls, .udp, .tcpUDP] + ofHTTP) { group in
            let (owners, remedy) =
                group.kind == .network
                ? ("TCP, TLS, UDP and TCP_UDP", remedy) : ("network load balancers", "Remove it.")
            return "groups of \(owners), but found it in a group of protocol \(group.rawValue). \(remedy)"
        }
    }

    /// A header, or an address of another, stands at the beginning of a connection.
    @Test(arguments: connectionAttributes) func groupsOfDatagramsAloneHaveNoneOfConnections(
        _ key: String, _ value: String
    ) {
        Self.tryAttribute((key, value), fitting: [.tcp, .tls, .tcpUDP, .tcpQUIC]) { group in
            let owners = group.kind == .network ? "TCP, TLS, TCP_UDP and TCP_QUIC" : "network load balancers"
            return "groups of \(owners), but found it in a group of protocol \(group.rawValue). Remove it."
        }
    }

    @Test(arguments: applicationAttributes) func groupsOfNetworkHaveNoneOfHTTP(_ key: String, _ value: String) {
        Self.tryAttribute((key, value), fitting: Self.ofApplication) { group in
            "groups of application load balancers, but found it in a group of protocol \(group.rawValue). Remove it."
        }
    }

    @Test(arguments: tlsAttributes) func groupsWithoutTLSHaveNoneOfTLS(_ key: String, _ value: String) {
        Self.tryAttribute((key, value), fitting: [.https, .tls]) { group in
            "groups of protocol HTTPS or TLS, but found it in a group of \(group.rawValue). "
                + "Write protocol: \(group == .http ? "HTTPS" : "TLS"), or remove it."
        }
    }

    @Test(arguments: commonAttributes) func otherAttributesAreForBothKinds(_ key: String, _ value: String) {
        Self.tryAttribute((key, value), fitting: TrafficProtocol.allCases) { _ in "" }
    }

    @Test(arguments: TrafficProtocol.allCases) func defaultsAreAcceptedEverywhere(_ group: TrafficProtocol) throws {
        let read = try Self.group(group, "targetType: ip")
        #expect(try TargetGroup(read.encoded()) == read)
        #expect(read.attributes == TargetGroupAttributes())
    }

    /// False asks for nothing, so that it may stand in groups of HTTP too.
    @Test func flowsOfDatagramsEndWithTheDelayUnlessTheGroupSaysOtherwise() throws {
        let key = "deregistration_delay.connection_termination.enabled"
        for group in TrafficProtocol.allCases {
            #expect(try Self.group(group, "targetType: ip").endsFlowsWhenDrained == group.hasUDP, "\(group)")
            if group.hasQUIC { continue }
            let kept = try Self.group(group, "attributes: { \(key): false }")
            #expect(!kept.endsFlowsWhenDrained && kept.attributes.deregistrationConnectionTermination == false)
        }
        for group in Self.ofNetwork where !group.hasQUIC {
            #expect(try Self.group(group, "attributes: { \(key): true }").endsFlowsWhenDrained, "\(group)")
        }
    }

    @Test(arguments: ofNetwork) func aDrainingIntervalExcludesResetsAtOnce(_ group: TrafficProtocol) throws {
        let interval = "target_health_state.unhealthy.draining_interval_seconds: 60"
        let termination = "target_health_state.unhealthy.connection_termination.enabled"
        for keys in [interval, "\(termination): true, \(interval)"] {
            let error = #expect(throws: ConfigErrors.self) {
                try Self.group(group, "attributes: { \(keys) }")
            }
            #expect(error?.first.code == .invalidConfigurationRequest)
            #expect(
                error?.description
                    == "edge.yaml:5:\(17 + keys.count): draining_interval_seconds has no effect while connections "
                    + "are reset at once. Write \(termination): false.")
        }
        let right = try Self.group(group, "attributes: { \(interval), \(termination): false }").attributes
        #expect(right.unhealthyDrainingSeconds == 60 && !right.unhealthyConnectionTermination)
    }

    /// It is told once, and not how to come to it in a group of another kind.
    @Test(arguments: ofApplication) func groupsOfHTTPHaveNoIntervalForDraining(_ group: TrafficProtocol) {
        let key = "target_health_state.unhealthy.draining_interval_seconds"
        Self.tryAttribute((key, "0"), fitting: TrafficProtocol.allCases) { _ in "" }
        #expect(
            NetworkSample.mistake(in: Self.file(group, "attributes: { \(key): 60 }"))
                == "edge.yaml:5:\(21 + key.count): \(key) belongs to groups of network load balancers, "
                + "but found it in a group of protocol \(group.rawValue). Remove it.")
    }

    @Test(arguments: ofNetwork, ["HTTP2", "GRPC"])
    func groupsOfNetworkHaveNoVersionOfHTTP(_ group: TrafficProtocol, _ version: String) throws {
        #expect(
            NetworkSample.mistake(in: Self.file(group, "protocolVersion: \(version)"))
                == "edge.yaml:5:22: protocolVersion belongs to groups of HTTP and HTTPS, but found it in a group of "
                + "protocol \(group.rawValue). Remove it.")
        #expect(try Self.group(group, "protocolVersion: HTTP1").protocolVersion == .http1)
    }

    struct Check: Sendable, CustomTestStringConvertible {
        let groups: [TrafficProtocol], keys: String
        let isMade: HealthCheck.`Protocol`, seconds: Double, passes: String
        var testDescription: String { "\(groups) \(keys)" }
    }

    static let checks = [
        Check(groups: ofApplication, keys: "", isMade: .http, seconds: 5, passes: "200"),
        Check(groups: ofApplication, keys: "healthCheckProtocol: TCP", isMade: .tcp, seconds: 5, passes: "200"),
        Check(groups: ofNetwork, keys: "", isMade: .tcp, seconds: 10, passes: "200-399"),
        Check(groups: ofNetwork, keys: "healthCheckProtocol: TCP", isMade: .tcp, seconds: 10, passes: "200-399"),
        Check(groups: ofNetwork, keys: "healthCheckProtocol: HTTP", isMade: .http, seconds: 6, passes: "200-399"),
        Check(groups: ofNetwork, keys: "healthCheckProtocol: HTTPS", isMade: .https, seconds: 10, passes: "200-399"),
        Check(groups: ofNetwork, keys: "healthCheckTimeoutSeconds: 3", isMade: .tcp, seconds: 3, passes: "200-399"),
        Check(
            groups: ofNetwork, keys: "matcher: { httpCode: 204 }\n    healthCheckProtocol: HTTP", isMade: .http,
            seconds: 6,
            passes: "204"),
    ]

    @Test(arguments: checks) func healthCheckDefaultsDependOnTheKind(_ test: Check) throws {
        for group in test.groups {
            let check = try Self.group(group, test.keys).healthCheck
            #expect(check.protocol == test.isMade && check.timeoutSeconds == test.seconds)
            #expect(check.matcher.httpCode.text == test.passes)
            #expect(check.intervalSeconds == 30 && check.healthyThresholdCount == 5 && check.path == "/")
            #expect(check.unhealthyThresholdCount == 2 && check.port == .traffic)
        }
    }

    /// The defaults that follow from the protocol do so wherever it stands.
    @Test func theOrderOfKeysDoesNotMatter() throws {
        let yaml = "targetGroups: [{ healthCheckProtocol: HTTP, port: 53, name: a, protocol: UDP }]"
        let check = try Document.load(yaml: yaml, file: "").targetGroups[0].healthCheck
        #expect(check.timeoutSeconds == 6 && check.matcher.httpCode.text == "200-399")
    }

    static let codes: [(String, inHTTP: Bool, inNetwork: Bool)] = [
        ("200", true, true), ("\"499\"", true, true), ("200-499", true, true), ("500", false, true),
        ("200-599", false, true), ("\"404,500-503\"", false, true), ("599", false, true), ("600", false, false),
        ("199", false, false),
    ]

    @Test(arguments: codes) func onlyNetworkGroupsAcceptStatus5xx(_ test: (String, Bool, Bool)) throws {
        for group in TrafficProtocol.allCases {
            let isRight = Self.ofApplication.contains(group) ? test.1 : test.2
            let mistake = NetworkSample.mistake(in: Self.file(group, "matcher: { httpCode: \(test.0) }"))
            #expect((mistake == nil) == isRight, "\(group): \(mistake ?? "")")
        }
    }

    @Test func messagesShowTheCodesOfTheKind() {
        func mistake(_ group: TrafficProtocol, _ keys: String) -> String? {
            NetworkSample.mistake(in: Self.file(group, keys))
        }
        #expect(
            mistake(.http, "matcher: { httpCode: 500 }")
                == "edge.yaml:5:26: httpCode must be status codes from 200 to 499, such as 200, 200,202 or 200-299, "
                + "but found 500. Write them in quotes, as in \"200-299\".")
        #expect(
            mistake(.tcp, "matcher: { httpCode: 600 }")
                == "edge.yaml:5:26: httpCode must be status codes from 200 to 599, such as 200, 200,202 or 200-299, "
                + "but found 600. Write them in quotes, as in \"200-299\".")
        #expect(
            mistake(.tcp, "matcher: { grpcCode: 12 }")
                == "edge.yaml:5:26: a group of protocolVersion HTTP1 must have httpCode, but found grpcCode. "
                + "Write httpCode instead.")
    }
}
