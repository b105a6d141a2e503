import Testing

@testable import Model

/// What a load balancer of type network may say, and how its ports meet others.
@Suite struct LoadBalancerNetworkTests {
    static let ofApplication = [
        ("idle_timeout.timeout_seconds", "61"), ("client_keep_alive.seconds", "60"),
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
        ("routing.http.preserve_host_header.enabled", "true"), ("routing.http.xff_client_port.enabled", "true"),
        ("routing.http.xff_header_processing.mode", "remove"), ("routing.http.desync_mitigation_mode", "monitor"),
        ("routing.http2.enabled", "false"),
        ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "true"), ("apus.h2c.enabled", "true"),
        ("routing.http.x_amzn_tls_kx.enabled", "true"),
        ("apus.reason_header.enabled", "false"), ("apus.first_byte_timeout.seconds", "5"),
        ("apus.head_timeout.seconds", "5"),
        ("apus.min_body_rate.bytes_per_second", "0"), ("apus.min_body_rate.window_seconds", "5"),
    ]

    static let ofBoth = [
        ("apus.tls_handshake_timeout.seconds", "5"), ("apus.proxy_protocol.trusted", "[10.0.0.0/8]"),
        ("apus.proxy_protocol.timeout_seconds", "1"),
    ]

    /// Shown only where it is written, since its default depends on the kind. Tried in Document+ZonesTests.
    static let optional = ["load_balancing.cross_zone.enabled"]

    @Test func everyAttributeIsTried() {
        let tried = (Self.ofApplication + Self.ofBoth).map(\.0) + Self.optional
        #expect(tried.sorted() == LoadBalancerAttributes.description.keys.map(\.name).sorted())
    }

    @Test(arguments: ofApplication) func attributesOfHTTPAreRefused(_ key: String, _ value: String) {
        let attributes = "{ \(key): \(value) }"
        #expect(
            NetworkSample.mistake(in: NetworkSample.file(.tcp, attributes: attributes))
                == "edge.yaml:4:\(21 + key.count): \(key) belongs to application load balancers, but found it in a "
                + "network load balancer. Remove it, or write type: application.")
        #expect(NetworkSample.mistake(in: NetworkSample.file(.http, attributes: attributes)) == nil)
    }

    @Test(arguments: ofBoth) func otherAttributesAreForBothKinds(_ key: String, _ value: String) {
        for listener in [TrafficProtocol.tcp, .http] {
            let file = NetworkSample.file(listener, attributes: "{ \(key): \(value) }")
            #expect(NetworkSample.mistake(in: file) == nil)
        }
    }

    /// What is shown of a load balancer has every attribute, those of HTTP too, and may be put back.
    @Test(arguments: TrafficProtocol.allCases) func defaultsAreAcceptedEverywhere(_ listener: TrafficProtocol) throws {
        let document = try Document.load(yaml: NetworkSample.file(listener), file: "edge.yaml")
        let shown = document.loadBalancers[0].encoded()
        let always = LoadBalancerAttributes.description.keys.count - Self.optional.count
        #expect(shown["attributes"]?.members?.count == always)
        #expect(try LoadBalancer(shown) == document.loadBalancers[0])
    }

    static let ofNetwork: [TrafficProtocol] = [.tcp, .tls, .udp, .tcpUDP, .quic, .tcpQUIC]

    static let answers = [
        ("fixed-response", "fixedResponseConfig: { statusCode: 200 }"),
        ("redirect", "redirectConfig: { statusCode: HTTP_301, host: a.example.com }"),
    ]

    @Test(arguments: ofNetwork, answers) func listenersOnlyForward(
        _ listener: TrafficProtocol, _ answer: (String, String)
    ) {
        let message =
            "an action of a \(listener.rawValue) listener must be of type forward, but found \(answer.0). "
            + "Write type: forward."
        let action = "{ type: \(answer.0), \(answer.1) }"
        let asDefault = NetworkSample.file(listener, action: action)
        #expect(NetworkSample.mistake(in: asDefault) == "edge.yaml:8:34: " + message)
        let rule =
            "{ priority: 1, conditions: [{ field: source-ip, values: [10.0.0.0/8] }], actions: [\(action)] }"
        let asRule = NetworkSample.file(listener, more: "rules:\n          - \(rule)")
        #expect(NetworkSample.mistake(in: asRule) == "edge.yaml:10:104: " + message)
    }

    /// Datagrams begin with no PROXY header, so that nobody would vouch for who their client is.
    @Test(arguments: TrafficProtocol.allCases)
    func datagramsComeWithoutProxies(_ listener: TrafficProtocol) {
        let file = NetworkSample.file(listener, attributes: "{ apus.proxy_protocol.trusted: [10.0.0.0/8] }")
        let isRefused = [.udp, .tcpUDP, .quic, .tcpQUIC].contains(listener)
        let message =
            "edge.yaml:6:19: datagrams cannot come behind PROXY headers, which apus.proxy_protocol.trusted expects, "
            + "but found \(listener.rawValue). Put the listener into a load balancer without that attribute."
        #expect(NetworkSample.mistake(in: file) == (isRefused ? message : nil))
    }

    static func bothRemedy(_ protocol: String) -> String {
        "Write one listener of protocol \(`protocol`) for both, or choose another port or another address."
    }
    static let otherRemedy = "Choose another port or another address."

    /// What to do when the second meets the first.
    static func remedy(_ first: TrafficProtocol, _ second: TrafficProtocol) -> String {
        switch (first, second) {
        case (.tcp, .udp), (.udp, .tcp): bothRemedy("TCP_UDP")
        case (.tcp, .quic), (.quic, .tcp): bothRemedy("TCP_QUIC")
        default: otherRemedy
        }
    }

    /// A listener in one line.
    static func listener(_ listener: TrafficProtocol, port: Int) -> String {
        let action = NetworkSample.forward(NetworkSample.name(NetworkSample.fitting(listener)))
        let certificate = listener == .https || listener == .tls ? ", \(NetworkSample.certificate)" : ""
        return "{ port: \(port), protocol: \(listener.rawValue), defaultActions: [\(action)]\(certificate) }"
    }

    /// A load balancer in a line of its own.
    static func balancer(_ name: String, _ kind: LoadBalancer.Kind, _ addresses: String, _ lines: [String]) -> String {
        "  - { name: \(name), addresses: [\(addresses)], listeners: [\(lines.joined(separator: ", "))], "
            + "type: \(kind.rawValue) }"
    }

    static func file(_ balancers: [String]) -> String {
        let groups = TrafficProtocol.allCases
            .map { "  - { name: \(NetworkSample.name($0)), protocol: \($0.rawValue), port: 80 }" }
        return (["loadBalancers:"] + balancers + ["targetGroups:"] + groups).joined(separator: "\n")
    }

    /// One socket could be bound for TCP and one for datagrams, but a listener is known by its port alone.
    @Test(arguments: ofNetwork, ofNetwork)
    func aPortHasOneListener(_ first: TrafficProtocol, _ second: TrafficProtocol) {
        let line = Self.balancer(
            "a", .network, "10.0.0.1", [Self.listener(first, port: 53), Self.listener(second, port: 53)])
        let column = line.ranges(of: "port: 53").last.map { line[..<$0.lowerBound].count + 7 } ?? 0
        #expect(
            NetworkSample.mistake(in: Self.file([line]))
                == "edge.yaml:2:\(column): a port must be bound once on an address, but found 10.0.0.1 port 53 in load "
                + "balancer a too. " + Self.remedy(first, second))
        let apart = Self.balancer(
            "a", .network, "10.0.0.1", [Self.listener(first, port: 53), Self.listener(second, port: 54)])
        #expect(NetworkSample.mistake(in: Self.file([apart])) == nil)
    }

    @Test(arguments: TrafficProtocol.allCases, TrafficProtocol.allCases)
    func twoLoadBalancersShareNoPortOfAnAddress(_ first: TrafficProtocol, _ second: TrafficProtocol) {
        func file(_ addresses: String) -> String {
            Self.file([
                Self.balancer("a", first.kind, "10.0.0.1, 10.0.0.2", [Self.listener(first, port: 53)]),
                Self.balancer("b", second.kind, addresses, [Self.listener(second, port: 53)]),
            ])
        }
        #expect(
            NetworkSample.mistake(in: file("10.0.0.3, 10.0.0.2"))
                == "edge.yaml:3:69: a port must be bound once on an address, but found 10.0.0.2 port 53 in load "
                + "balancer a too. " + Self.remedy(first, second))
        #expect(NetworkSample.mistake(in: file("10.0.0.3, 10.0.0.4")) == nil)
    }

    @Test(arguments: TrafficProtocol.allCases, TrafficProtocol.allCases)
    func runTimeChangesShareNoPortEither(_ first: TrafficProtocol, _ second: TrafficProtocol) throws {
        func listener(_ protocol: TrafficProtocol) -> Listener {
            let group = NetworkSample.name(NetworkSample.fitting(`protocol`))
            return Listener(protocol: `protocol`, port: 53, defaultActions: [Sample.forward([group: 1])])
        }
        var document = NetworkSample.document(first.kind)
        document.loadBalancers[0].listeners = [listener(first)]
        document.loadBalancers.append(LoadBalancer(name: "b", type: second.kind))
        let changes: [(String, Change)] = [
            ("port: ", .putListener(loadBalancer: "b", listener(second))),
            (
                "listeners[0].port: ",
                .putLoadBalancer(LoadBalancer(name: "b", type: second.kind, listeners: [listener(second)]))
            ),
        ]
        for (place, change) in changes {
            let error = #expect(throws: ConfigErrors.self) { try document.applying(change) }
            #expect(error?.first.code == .duplicateListener)
            #expect(
                error?.description
                    == "\(place)a port must be bound once on an address, but found 0.0.0.0 port 53 in load balancer "
                    + "edge too. " + Self.remedy(first, second))
        }
        document.loadBalancers[1].addresses = ["::1"]
        #expect(throws: Never.self) { try document.applying(changes[0].1) }
    }
}
