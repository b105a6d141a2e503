import Testing

@testable import Model

/// Every key of the vocabulary: its default, and both ends of its range.
@Suite struct DescriptionTests {
    /// What ELBv2 does when nothing is said, and what we do where ELBv2 says nothing. Written out, so that no default
    /// changes by accident.
    static let defaults: [String: Value] = [
        "Admin.socket": "/run/apus/admin.sock", "Admin.mode": "0660", "ReadOnlySocket.mode": "0660",
        "AdminRoles.read": [], "AdminRoles.targets": [], "AdminRoles.all": [],
        "Runtime.workers": "auto", "Runtime.stateDirectory": "/var/lib/apus", "Runtime.memoryBytes": 1_073_741_824,
        "Runtime.connections": "auto", "Runtime.shutdownGraceSeconds": 30,
        "Runtime.ticketKeyRotationSeconds": 43200, "Runtime.cookieKeyRotationSeconds": 86400,
        "ConnectionLog.path": "off", "ConnectionLog.format": "alb",
        "HealthLog.path": "off", "HealthLog.format": "alb",
        "AccessLog.path": "stdout", "AccessLog.format": "alb",
        "LoadBalancer.type": "application", "LoadBalancer.addresses": ["0.0.0.0"], "LoadBalancer.listeners": [],
        "LoadBalancerAttributes.idle_timeout.timeout_seconds": 60,
        "LoadBalancerAttributes.client_keep_alive.seconds": 3600,
        "LoadBalancerAttributes.routing.http.drop_invalid_header_fields.enabled": false,
        "LoadBalancerAttributes.routing.http.preserve_host_header.enabled": false,
        "LoadBalancerAttributes.routing.http.xff_client_port.enabled": false,
        "LoadBalancerAttributes.routing.http.xff_header_processing.mode": "append",
        "LoadBalancerAttributes.routing.http.desync_mitigation_mode": "defensive",
        "LoadBalancerAttributes.routing.http2.enabled": true,
        "LoadBalancerAttributes.routing.http.x_amzn_tls_version_and_cipher_suite.enabled": false,
        "LoadBalancerAttributes.routing.http.x_amzn_tls_kx.enabled": false,
        "LoadBalancerAttributes.apus.h2c.enabled": false,
        "LoadBalancerAttributes.apus.tls_handshake_timeout.seconds": 10,
        "LoadBalancerAttributes.apus.proxy_protocol.trusted": [],
        "LoadBalancerAttributes.apus.proxy_protocol.timeout_seconds": 5,
        "LoadBalancerAttributes.apus.reason_header.enabled": true,
        "LoadBalancerAttributes.apus.first_byte_timeout.seconds": 30,
        "LoadBalancerAttributes.apus.head_timeout.seconds": 10,
        "LoadBalancerAttributes.apus.min_body_rate.bytes_per_second": 100,
        "LoadBalancerAttributes.apus.min_body_rate.window_seconds": 20,
        "Listener.certificates": [], "MutualAuthentication.mode": "off", "MutualAuthentication.crlFiles": [],
        "MutualAuthentication.ignoreClientCertificateExpiry": false,
        "MutualAuthentication.clientCertificateIdentityFilters": [],
        "MutualAuthentication.advertiseTrustStoreCaNames": "off",
        "ListenerAttributes.routing.http.request.x_amzn_mtls_clientcert.header_name": "X-Amzn-Mtls-Clientcert",
        "ListenerAttributes.routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name":
            "X-Amzn-Mtls-Clientcert-Serial-Number",
        "ListenerAttributes.routing.http.request.x_amzn_mtls_clientcert_issuer.header_name":
            "X-Amzn-Mtls-Clientcert-Issuer",
        "ListenerAttributes.routing.http.request.x_amzn_mtls_clientcert_subject.header_name":
            "X-Amzn-Mtls-Clientcert-Subject",
        "ListenerAttributes.routing.http.request.x_amzn_mtls_clientcert_validity.header_name":
            "X-Amzn-Mtls-Clientcert-Validity",
        "ListenerAttributes.routing.http.request.x_amzn_mtls_clientcert_leaf.header_name":
            "X-Amzn-Mtls-Clientcert-Leaf",
        "ListenerAttributes.routing.http.request.x_amzn_tls_version.header_name": "X-Amzn-Tls-Version",
        "ListenerAttributes.routing.http.request.x_amzn_tls_cipher_suite.header_name": "X-Amzn-Tls-Cipher-Suite",
        "ListenerAttributes.routing.http.response.strict_transport_security.header_value": "",
        "ListenerAttributes.routing.http.response.access_control_allow_origin.header_value": "",
        "ListenerAttributes.routing.http.response.access_control_allow_methods.header_value": "",
        "ListenerAttributes.routing.http.response.access_control_allow_headers.header_value": "",
        "ListenerAttributes.routing.http.response.access_control_allow_credentials.header_value": "",
        "ListenerAttributes.routing.http.response.access_control_expose_headers.header_value": "",
        "ListenerAttributes.routing.http.response.access_control_max_age.header_value": "",
        "ListenerAttributes.routing.http.response.content_security_policy.header_value": "",
        "ListenerAttributes.routing.http.response.x_content_type_options.header_value": "",
        "ListenerAttributes.routing.http.response.x_frame_options.header_value": "",
        "ListenerAttributes.routing.http.response.server.enabled": true,
        "ListenerAttributes.tcp.idle_timeout.seconds": 350, "ListenerAttributes.apus.udp_idle_timeout.seconds": 120,
        "Listener.rules": [], "Rule.transforms": [], "Rule.apus.requestHeaders": [], "Rule.apus.responseHeaders": [],
        "RateLimit.key": "source-ip", "Cohorts.key": "source-ip", "Cohorts.salt": "", "Cohorts.pins": [:],
        "WeightedTargetGroup.weight": 1,
        "TargetGroupStickinessConfig.enabled": false,
        "RedirectConfig.protocol": "#{protocol}", "RedirectConfig.host": "#{host}", "RedirectConfig.port": "#{port}",
        "RedirectConfig.path": "/#{path}", "RedirectConfig.query": "#{query}",
        "TargetGroup.targetType": "instance", "TargetGroup.protocolVersion": "HTTP1", "Matcher.httpCode": "200",
        "TargetGroup.healthCheckEnabled": true, "TargetGroup.healthCheckProtocol": "HTTP",
        "TargetGroup.healthCheckPort": "traffic-port", "TargetGroup.healthCheckPath": "/",
        "TargetGroup.healthCheckIntervalSeconds": 30, "TargetGroup.healthCheckTimeoutSeconds": 5,
        "TargetGroup.healthyThresholdCount": 5, "TargetGroup.unhealthyThresholdCount": 2,
        "TargetGroup.healthCheckGracePeriodSeconds": 0, "TargetGroup.matcher": ["httpCode": "200"],
        "TargetGroup.targets": [], "DNSDiscovery.type": "A", "DNSDiscovery.resolvers": [],
        "DNSDiscovery.ttlSecondsMin": 1, "DNSDiscovery.ttlSecondsMax": 60,
        "DockerDiscovery.socket": "/var/run/docker.sock", "DockerDiscovery.labels": [:],
        "DockerDiscovery.address": "container", "LabelDiscovery.socket": "/var/run/docker.sock",
        "LabelDiscovery.address": "container", "HTTPDiscovery.intervalSeconds": 5,
        "HTTPDiscovery.headers": [:],
        "TargetGroupAttributes.deregistration_delay.timeout_seconds": 300,
        "TargetGroupAttributes.stickiness.enabled": false,
        "TargetGroupAttributes.stickiness.lb_cookie.duration_seconds": 86400,
        "TargetGroupAttributes.stickiness.app_cookie.cookie_name": "",
        "TargetGroupAttributes.stickiness.app_cookie.duration_seconds": 86400,
        "TargetGroupAttributes.preserve_client_ip.enabled": false,
        "TargetGroupAttributes.proxy_protocol_v2.enabled": false,
        "TargetGroupAttributes.target_health_state.unhealthy.connection_termination.enabled": true,
        "TargetGroupAttributes.target_health_state.unhealthy.draining_interval_seconds": 0,
        "TargetGroupAttributes.load_balancing.algorithm.type": "round_robin",
        "TargetGroupAttributes.load_balancing.algorithm.anomaly_mitigation": "off",
        "TargetGroupAttributes.slow_start.duration_seconds": 0,
        "TargetGroupAttributes.apus.consistent_hash.key": "source-ip",
        "TargetGroupAttributes.apus.consistent_hash.bound_percent": 125,
        "TargetGroupAttributes.target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": 1,
        "TargetGroupAttributes.target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
        "TargetGroupAttributes.target_group_health.dns_failover.minimum_healthy_targets.count": 1,
        "TargetGroupAttributes.target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
        "TargetGroupAttributes.load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "TargetGroupAttributes.apus.own_zone_first.enabled": false,
        "TargetGroupAttributes.apus.own_zone_first.minimum_healthy_percent": 50,
        "TargetGroupAttributes.apus.target.max_requests": 0,
        "TargetGroupAttributes.apus.target.queue_max": 1024,
        "TargetGroupAttributes.apus.target.queue_timeout_seconds": 10,
        "TargetGroupAttributes.apus.health.max_removals_percent": 100,
        "TargetGroupAttributes.apus.health.trust_traffic.enabled": false,
        "TargetGroupAttributes.apus.outlier.consecutive_failures": 0,
        "TargetGroupAttributes.apus.outlier.error_margin_percent": 0,
        "TargetGroupAttributes.apus.outlier.ejection_seconds": 30,
        "TargetGroupAttributes.apus.outlier.ejection_seconds_max": 300,
        "TargetGroupAttributes.apus.outlier.max_ejected_percent": 50,
        "TargetGroupAttributes.apus.target_keep_alive.idle_seconds": 4,
        "TargetGroupAttributes.apus.target_keep_alive.connections_max": 2048,
        "TargetGroupAttributes.apus.target_connect_timeout.seconds": 10,
        "TargetGroupAttributes.apus.target_connect_race.seconds": 0.25,
        "TargetGroupAttributes.apus.target_unacknowledged.seconds": 1,
        "TargetGroupAttributes.apus.retry.budget_percent": 20,
        "TargetGroupAttributes.apus.retry.body_bytes_max": 65_536,
        "TargetGroupAttributes.apus.retry.on_unhealthy.enabled": true,
        "TargetGroupAttributes.routing.http2.rst_stream_error_forwarding.enabled": false,
        "TargetGroupAttributes.apus.target_tls.verify": "off", "TargetGroupAttributes.apus.target_tls.server_name": "",
        "Configuration.instances": [], "Configuration.prefixLists": [], "Configuration.loadBalancers": [],
        "Configuration.targetGroups": [],
    ]

    @Test func defaultsAreAsWritten() {
        var left = Self.defaults
        for key in ReferenceWalker.allKeys {
            if case .object = key.shape.shape, key.id != "TargetGroup.matcher" { continue }  // made of other defaults
            #expect(key.shape.defaultValue == left.removeValue(forKey: key.id), "\(key.id)")
        }
        #expect(left.isEmpty)
    }

    /// The objects in which numbers stand, each right by itself, so that one key at a time can be changed.
    static let bases: [String: (Value, @Sendable (Value) throws -> Void)] = [
        "Admin": ([:], { _ = try Admin.description.codec.read($0) }),
        "ReadOnlySocket": (["path": "/a"], { _ = try ReadOnlySocket.description.codec.read($0) }),
        "Runtime": ([:], { _ = try Runtime.description.codec.read($0) }),
        "LoadBalancerAttributes": ([:], { _ = try LoadBalancerAttributes.description.codec.read($0) }),
        "ListenerAttributes": ([:], { _ = try ListenerAttributes.description.codec.read($0) }),
        "TargetGroupAttributes": ([:], { _ = try TargetGroupAttributes.description.codec.read($0) }),
        "TargetGroup": (
            ["name": "a", "protocol": "HTTP", "port": 80, "healthCheckTimeoutSeconds": 0.01],
            { _ = try TargetGroup($0) }
        ),
        "Listener": (
            ["protocol": "HTTP", "port": 80, "defaultActions": [["type": "forward", "targetGroupName": "a"]]],
            { _ = try Listener($0) }
        ),
        "Rule": (
            [
                "priority": 1, "conditions": [["field": "host-header", "values": ["a"]]],
                "actions": [["type": "forward", "targetGroupName": "a"]],
            ], { _ = try Rule($0) }
        ),
        "Target": (["id": "10.0.0.1"], { _ = try TargetDescription.list([$0]) }),
        "WeightedTargetGroup": (
            ["targetGroupName": "a"], { _ = try WeightedTargetGroup.description.codec.read($0) }
        ),
        "DNSDiscovery": (
            ["name": "a.test", "ttlSecondsMin": 0.1, "ttlSecondsMax": 86400],
            { _ = try DNSDiscovery.description.codec.read($0) }
        ),
        "DockerDiscovery": (["composeService": "a"], { _ = try DockerDiscovery.description.codec.read($0) }),
        "HTTPDiscovery": (["url": "http://127.0.0.1/"], { _ = try HTTPDiscovery.description.codec.read($0) }),
        "RateLimit": (["requestsPerSecond": 1], { _ = try RateLimit.description.codec.read($0) }),
        "TargetGroupStickinessConfig": (
            ["enabled": true], { _ = try TargetGroupStickiness.description.codec.read($0) }
        ),
        "Action": (["type": "forward", "targetGroupName": "a"], { _ = try Action.codec.read($0) }),
        "FixedResponseConfig": (["statusCode": 200], { _ = try FixedResponse.description.codec.read($0) }),
        "RedirectConfig": (
            ["statusCode": "HTTP_301", "host": "a.com"], { _ = try Redirect.description.codec.read($0) }
        ),
    ]

    /// Ends of ranges that another rule narrows: a check must fit into its interval.
    static let coupled = ["TargetGroup.healthCheckTimeoutSeconds"]

    @Test func rangesEndWhereTheySay() throws {
        var tried = 0
        for key in ReferenceWalker.allKeys where !Self.coupled.contains(key.id) {
            guard let (low, high, below, above) = Self.ends(of: key.shape.shape) else { continue }
            let (base, read) = try #require(Self.bases[key.object], "\(key.object) has a number: add it to bases")
            for end in [low, high] {
                var value = base
                value[key.shape.name] = end
                #expect(throws: Never.self, "\(key.id): \(end.json())") { try read(value) }
            }
            for end in [below, above] {
                var value = base
                value[key.shape.name] = end
                let error = #expect(throws: ConfigErrors.self, "\(key.id): \(end.json())") { try read(value) }
                #expect(error?.first.expected.contains(key.shape.name) == true)
                #expect(error?.first.found == end.json())
            }
            tried += 1
        }
        #expect(tried == 66)
    }

    /// The ends of a range, and what lies just outside.
    static func ends(of shape: Shape) -> (low: Value, high: Value, below: Value, above: Value)? {
        switch shape {
        case .integer(let range, _):
            (.int(range.lowerBound), .int(range.upperBound), .int(range.lowerBound - 1), .int(range.upperBound + 1))
        case .number(let range, _):
            (
                .number(range.lowerBound), .number(range.upperBound), .number(range.lowerBound - 0.001),
                .number(range.upperBound + 0.001)
            )
        case .either(let first, let second): ends(of: first) ?? ends(of: second)
        default: nil
        }
    }

    @Test(arguments: [
        ("lambda.multi_value_headers.enabled", Value(false), true),
        ("lambda.multi_value_headers.enabled", true, false), ("target_failover.on_unhealthy", "no_rebalance", false),
    ])
    func keysOfELBv2AreAcceptedOnlyWithTheValueThatIsInEffect(_ key: String, _ value: Value, _ isAccepted: Bool) {
        let attributes = Value.object([Value.Member(key, value)])
        do {
            let read = try TargetGroupAttributes.description.codec.read(attributes)
            var standard = TargetGroupAttributes()
            standard.withoutEffect[key] = value
            #expect(isAccepted && read == standard)
        } catch {
            #expect(!isAccepted && error.description.contains("this version"))
        }
    }
}
