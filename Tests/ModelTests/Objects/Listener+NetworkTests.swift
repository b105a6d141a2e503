import Testing

@testable import Model

/// What listeners of network load balancers may say: TLS, attributes, conditions, and how they forward.
@Suite struct ListenerNetworkTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String, listeners: [TrafficProtocol], more: String, message: @Sendable (TrafficProtocol) -> String
        var testDescription: String { why }
    }

    static let withoutTLS: [TrafficProtocol] = [.tcp, .udp, .tcpUDP, .quic, .tcpQUIC]
    static let policies = "HTTP1Only, HTTP2Only, HTTP2Optional, HTTP2Preferred or None"

    static let cases = [
        Case(
            why: "certificates without TLS", listeners: withoutTLS, more: NetworkSample.certificate,
            message: {
                "9:23: certificates belongs to HTTPS or TLS listeners, but found it on a \($0.rawValue) listener. "
                    + "Write protocol: HTTPS or TLS, or remove it."
            }),
        Case(
            why: "a security policy without TLS", listeners: withoutTLS, more: "sslPolicy: ELBSecurityPolicy-2016-08",
            message: {
                "9:20: sslPolicy belongs to HTTPS or TLS listeners, but found it on a \($0.rawValue) listener. "
                    + "Write protocol: HTTPS or TLS, or remove it."
            }),
        Case(
            why: "certificates of clients without TLS", listeners: withoutTLS,
            more: "mutualAuthentication: { mode: passthrough }",
            message: {
                "9:31: mutualAuthentication belongs to HTTPS or TLS listeners, but found it on a \($0.rawValue) "
                    + "listener. Write protocol: HTTPS or TLS, or remove it."
            }),
        Case(
            why: "certificates of clients, which no field could tell targets", listeners: [.tls],
            more: "mutualAuthentication: { mode: passthrough }",
            message: { _ in
                "9:39: mode passthrough belongs to HTTPS listeners, but found it on a TLS listener. "
                    + "Write mode: verify, or off."
            }),
        Case(
            why: "a policy for ALPN without TLS", listeners: withoutTLS + [.http], more: "alpnPolicy: [HTTP2Only]",
            message: {
                "9:21: alpnPolicy belongs to TLS listeners, but found it on \($0.withArticle) listener. "
                    + "Write protocol: TLS, or remove it."
            }),
        Case(
            why: "a policy for ALPN with HTTPS, which has its own", listeners: [.https], more: "alpnPolicy: [None]",
            message: { _ in
                "9:21: alpnPolicy belongs to TLS listeners, but found it on an HTTPS listener. "
                    + "Write protocol: TLS, or remove it."
            }),
        Case(
            why: "no policy for ALPN", listeners: [.tls], more: "alpnPolicy: []",
            message: { _ in
                "9:21: alpnPolicy must be a list of exactly one, \(policies), but found an empty list. "
                    + "Add what is missing."
            }),
        Case(
            why: "two policies for ALPN", listeners: [.tls], more: "alpnPolicy: [HTTP2Only, None]",
            message: { _ in "9:21: alpnPolicy must be a list of exactly one, \(policies), but found 2. Remove some." }),
        Case(
            why: "a policy for ALPN that is no list", listeners: [.tls], more: "alpnPolicy: None",
            message: { _ in
                "9:21: alpnPolicy must be a list of exactly one, \(policies), but found \"None\". "
                    + "Write a list, even of one: [ … ]."
            }),
        Case(
            why: "a policy for ALPN that there is not", listeners: [.tls], more: "alpnPolicy: [http2only]",
            message: { _ in
                "9:22: alpnPolicy[0] must be \(policies), but found \"http2only\". Did you mean HTTP2Only?"
            }),
    ]

    @Test(arguments: cases) func saysWhatToDo(_ test: Case) {
        for listener in test.listeners {
            let file = NetworkSample.file(listener, more: test.more)
            #expect(NetworkSample.mistake(in: file) == "edge.yaml:" + test.message(listener))
        }
    }

    @Test func listenersWithTLSNeedACertificate() {
        #expect(
            NetworkSample.mistake(in: NetworkSample.file(.tls, hasCertificate: false))
                == "edge.yaml:6:9: a TLS listener must have a certificate. "
                + "Add certificates: [{certificateFile: …, privateKeyFile: …}].")
    }

    @Test(arguments: Listener.AlpnPolicy.allCases)
    func aPolicyForALPNIsAListOfOne(_ policy: Listener.AlpnPolicy) throws {
        let listener = try NetworkSample.listener(
            in: NetworkSample.file(.tls, more: "alpnPolicy: [\(policy.rawValue)]"))
        #expect(listener.alpnPolicy == policy)
        #expect(listener.encoded()["alpnPolicy"] == [.string(policy.rawValue)])
        #expect(try NetworkSample.listener(in: NetworkSample.file(.tls)).alpnPolicy == nil)
    }

    static let fieldNames = ListenerAttributes.description.keys.map(\.name)
        .filter { $0.hasPrefix("routing.http.request.") }

    static let responseFields = ListenerAttributes.description.keys.map(\.name)
        .filter { $0.hasPrefix("routing.http.response.") }

    @Test(arguments: responseFields) func networkListenersSetNoResponseFields(_ key: String) {
        let value = key.hasSuffix(".enabled") ? "false" : "DENY"
        for listener in Self.withoutTLS + [.tls] {
            let file = NetworkSample.file(listener, more: "attributes: { \(key): \(value) }")
            #expect(
                NetworkSample.mistake(in: file)
                    == "edge.yaml:9:\(25 + key.count): \(key) belongs to HTTP and HTTPS listeners, but found it on a "
                    + "listener that passes bytes on. Remove it.")
        }
        let file = NetworkSample.file(.https, more: "attributes: { \(key): \(value) }")
        #expect(NetworkSample.mistake(in: file) == nil)
    }

    @Test(arguments: ["caf\u{E9}", "a\"b", " a", String(repeating: "a", count: 1025)])
    func valuesOfResponseFieldsAreCheckedForBadBytes(_ value: String) {
        let key = "routing.http.response.x_frame_options.header_value"
        let quoted = value.replacing("\"", with: "\\\"")
        let file = NetworkSample.file(.https, more: "attributes: { \(key): \"\(quoted)\" }")
        let mistake = NetworkSample.mistake(in: file)
        #expect(mistake?.contains("at most 1024 letters, digits, spaces and") == true, "\(mistake ?? "accepted")")
        #expect(mistake?.contains("Write a value such as max-age=31536000.") == true)
    }

    @Test(arguments: fieldNames) func networkListenersHaveNoFieldNames(_ key: String) {
        for listener in Self.withoutTLS + [.tls] {
            let file = NetworkSample.file(listener, more: "attributes: { \(key): X-Other }")
            #expect(
                NetworkSample.mistake(in: file)
                    == "edge.yaml:9:\(25 + key.count): \(key) belongs to HTTPS listeners, but found it on a listener "
                    + "that passes bytes on. Remove it.")
        }
        #expect(NetworkSample.mistake(in: NetworkSample.file(.https, more: "attributes: { \(key): X-Other }")) == nil)
    }

    static let timeouts: [(String, fitting: [TrafficProtocol], inWords: String)] = [
        ("tcp.idle_timeout.seconds", [.tcp, .tls, .tcpUDP, .tcpQUIC], "TCP, TLS, TCP_UDP or TCP_QUIC"),
        (
            "apus.udp_idle_timeout.seconds", [.udp, .tcpUDP, .quic, .tcpQUIC], "UDP, TCP_UDP, QUIC or TCP_QUIC"
        ),
    ]

    @Test(arguments: timeouts, TrafficProtocol.allCases)
    func idleTimeoutsBelongToTheirProtocols(
        _ timeout: (String, fitting: [TrafficProtocol], inWords: String), _ listener: TrafficProtocol
    ) throws {
        let key = timeout.0
        let file = NetworkSample.file(listener, more: "attributes: { \(key): 60 }")
        if timeout.fitting.contains(listener) {
            let attributes = try #require(try NetworkSample.listener(in: file).attributes)
            #expect(attributes.tcpIdleTimeoutSeconds == (key.hasPrefix("tcp") ? 60 : 350))
            #expect(attributes.udpIdleTimeoutSeconds == (key.hasPrefix("tcp") ? 120 : 60))
            return
        }
        let remedy =
            listener.kind == .network
            ? "Remove it." : "Write idle_timeout.timeout_seconds in the load balancer's attributes."
        #expect(
            NetworkSample.mistake(in: file)
                == "edge.yaml:9:\(25 + key.count): \(key) belongs to \(timeout.inWords) listeners, "
                + "but found it on \(listener.withArticle) listener. \(remedy)")
    }

    /// A rule to the group of the listener, of which its conditions begin in line 10, column 41.
    static func ruled(_ listener: TrafficProtocol, _ conditions: String) -> String {
        let action = NetworkSample.forward(NetworkSample.name(NetworkSample.fitting(listener)))
        let rule = "{ priority: 1, conditions: [\(conditions)], actions: [\(action)] }"
        return NetworkSample.file(listener, more: "rules:\n          - \(rule)")
    }

    @Test func sourceIPHasTwoForms() throws {
        let networks = "[10.0.0.0/8, \"2001:DB8::/32\"]"
        let short = try NetworkSample.listener(in: Self.ruled(.udp, "{ field: source-ip, values: \(networks) }"))
        let long = try NetworkSample.listener(
            in: Self.ruled(.udp, "{ field: source-ip, sourceIpConfig: { values: \(networks) } }"))
        #expect(short == long)
        let blocks = ["10.0.0.0/8", "2001:db8::/32"].compactMap(AddressBlock.init)
        #expect(short.rules[0].conditions == [.sourceIP(blocks)])
    }

    @Test func aRuleMayAskForNetworkAndName() throws {
        let name = "*.Example.com"
        let listener = try NetworkSample.listener(
            in: Self.ruled(
                .tcp, "{ field: source-ip, values: [10.1.2.3/32] }, { field: sni, values: [\"\(name)\", a-b_c?] }"))
        let block = try #require(AddressBlock("10.1.2.3/32"))
        #expect(listener.rules[0].conditions == [.sourceIP([block]), .serverName([name, "a-b_c?"])])
    }

    static let networkRule =
        "must be a network such as 10.0.0.0/8 or 2001:db8::/32, without a bit set behind its prefix"
    static let networkRemedy =
        "Write the network's first address and the length of its prefix; one address is 10.1.2.3/32."

    static let conditions: [(String, String)] = [
        (
            "{ field: source-ip, values: [10.0.0.0/8, 10.0.0.1] }",
            "10:82: values[1] \(networkRule), but found \"10.0.0.1\". \(networkRemedy)"
        ),
        (
            "{ field: source-ip, sourceIpConfig: { values: [10.0.0.1/8] } }",
            "10:88: values[0] \(networkRule), but found \"10.0.0.1/8\". \(networkRemedy)"
        ),
        (
            "{ field: source-ip, values: [10.0.0.0/8], sourceIpConfig: { values: [10.0.0.0/8] } }",
            "10:69: a condition must have values or sourceIpConfig, not both. Remove one of the two."
        ),
        (
            "{ field: source-ip }", "10:41: a condition must have values. Add values: a list of patterns."
        ),
        (
            "{ field: source-ip, sourceIpConfig: { ipAddressType: ipv4, values: [10.0.0.0/8] } }",
            "10:77: a condition must have values or ipAddressType, not both. Remove one of the two."
        ),
        (
            "{ field: sni, sourceIpConfig: { values: [10.0.0.0/8] } }",
            "10:71: sourceIpConfig does not belong to the field apus.sni. Remove it."
        ),
        (
            "{ field: sni, values: [a.com] }, { field: sni, values: [b.com] }",
            "10:74: a rule must have at most one condition of this field, but found a second apus.sni. "
                + "Put all values into one condition: any of them may match."
        ),
    ]

    @Test(arguments: conditions) func saysWhatConditionsMayBe(_ conditions: String, _ message: String) {
        #expect(NetworkSample.mistake(in: Self.ruled(.tcp, conditions)) == "edge.yaml:" + message)
    }

    @Test(arguments: ["a b", "a/b", "a.com:443", "a.com,b.com", "[a]", "bücher.example"])
    func namesAreOfLettersAndWildcards(_ value: String) {
        #expect(
            NetworkSample.mistake(in: Self.ruled(.tcp, "{ field: sni, values: [\"*\", \"\(value)\"] }"))
                == "edge.yaml:10:69: values[1] must be a name of 1 to 128 letters, digits, hyphens, underscores and "
                + "dots, in which * and ? may stand, but found \"\(value)\". "
                + "Write a name such as db.example.com or *.example.com.")
    }

    @Test(arguments: [(0, false), (1, true), (128, true), (129, false)])
    func namesHaveALength(_ count: Int, _ isRight: Bool) {
        let name = String(repeating: "a", count: count)
        let mistake = NetworkSample.mistake(in: Self.ruled(.tcp, "{ field: sni, values: [\"\(name)\"] }"))
        #expect((mistake == nil) == isRight)
    }

    @Test func namesOfTLSAreNotForHTTP() {
        #expect(
            NetworkSample.mistake(in: Self.ruled(.https, "{ field: sni, values: [a.com] }"))
                == "edge.yaml:10:50: a rule of an HTTPS listener must look at host-header, path-pattern, http-header, "
                + "http-request-method, query-string or source-ip, but found apus.sni. "
                + "Remove the condition, or the rule.")
    }

    /// A forward action to these groups, whose list of groups stands from column 74 on.
    static func weighted(_ groups: [String], more: String = "") -> String {
        let list = groups.map { "{ targetGroupName: \($0) }" }.joined(separator: ", ")
        return "{ type: forward, forwardConfig: { targetGroups: [\(list)]\(more) } }"
    }

    @Test func aTLSListenerForwardsToTCPOrTLSNotToBoth() throws {
        let mixed = NetworkSample.file(.tls, action: Self.weighted(["tcp", "tls"]))
        #expect(
            NetworkSample.mistake(in: mixed)
                == "edge.yaml:8:74: the target groups of one action on a TLS listener must be all of TCP or all of "
                + "TLS, but found both. Remove one kind.")
        let rule = "{ priority: 1, conditions: [{ field: source-ip, values: [10.0.0.0/8] }], actions: "
        let inRule = NetworkSample.file(
            .tls, action: Self.weighted(["tls"]),
            more: "rules:\n          - \(rule)[\(Self.weighted(["tls", "tcp"]))] }")
        #expect(NetworkSample.mistake(in: inRule)?.contains("must be all of TCP or all of TLS") == true)
        let apart = NetworkSample.file(
            .tls, action: Self.weighted(["tls"]), more: "rules:\n          - \(rule)[\(Self.weighted(["tcp"]))] }")
        #expect(try NetworkSample.listener(in: apart).rules.count == 1)
        let mixedTCP = NetworkSample.file(.tcp, action: Self.weighted(["tcp", "tcp-udp"]))
        #expect(NetworkSample.mistake(in: mixedTCP) == nil)
    }

    @Test(arguments: TrafficProtocol.allCases)
    func stickinessHasADurationOnApplicationLoadBalancers(_ listener: TrafficProtocol) throws {
        let group = NetworkSample.name(NetworkSample.fitting(listener))
        func file(_ config: String) -> String {
            NetworkSample.file(
                listener, action: Self.weighted([group], more: ", targetGroupStickinessConfig: \(config)"))
        }
        func stickiness(_ config: String) throws -> TargetGroupStickiness? {
            guard case .forward(let forward)? = try NetworkSample.listener(in: file(config)).defaultActions.first
            else { return nil }
            return forward.stickiness
        }
        #expect(try stickiness("{ enabled: false }") == .init() && stickiness("{}") == .init())
        let (without, with) = ("{ enabled: true }", "{ enabled: true, durationSeconds: 60 }")
        if listener.kind == .network {
            #expect(try stickiness(without) == .init(isEnabled: true))
            let mistake = NetworkSample.mistake(in: file(with))
            #expect(
                mistake?.hasSuffix(
                    ": durationSeconds belongs to application load balancers: here clients stay by their address, "
                        + "but found 60. Remove it.") == true, "\(mistake ?? "-")")
        } else {
            #expect(try stickiness(with) == .init(isEnabled: true, durationSeconds: 60))
            let mistake = NetworkSample.mistake(in: file(without))
            #expect(
                mistake?.hasSuffix(
                    ": stickiness on an application load balancer must have the key durationSeconds, but found none. "
                        + "Add durationSeconds: a whole number of seconds from 1 to 604800, such as 3600.") == true,
                "\(mistake ?? "-")")
        }
    }
}
