import Testing

@testable import Model

/// What may be changed at run time in network load balancers, and next to them.
@Suite struct DocumentApplyNetworkTests {
    typealias Refusal = DocumentApplyTests.Refusal

    static func listener(
        _ listener: TrafficProtocol, _ port: Int, _ groups: [String], isSticky: Bool = false, rules: [Rule] = []
    ) -> Listener {
        Listener(protocol: listener, port: port, defaultActions: [forward(groups, isSticky: isSticky)], rules: rules)
    }

    static func forward(_ groups: [String], isSticky: Bool = false) -> Action {
        let weighted = groups.map { WeightedTargetGroup(targetGroupName: $0) }
        return .forward(
            ForwardAction(targetGroups: weighted, stickiness: TargetGroupStickiness(isEnabled: isSticky)))
    }

    static func rule(_ condition: Condition, _ action: Action) -> Rule {
        Rule(priority: 1, conditions: [condition], actions: [action])
    }

    static let anywhere = Condition.sourceIP(["0.0.0.0/0"].compactMap(AddressBlock.init))
    static let somePath = Condition.pathPattern(["/a"])
    static let someName = Condition.serverName(["a.example.com"])

    /// `edge` passes bytes on, `web` does not; and there is a group of each protocol.
    static let base: Document = {
        var document = NetworkSample.document(.network)
        document.loadBalancers[0].listeners = [
            listener(.tcp, 5432, ["tcp"]), listener(.tls, 8883, ["tls"]), listener(.udp, 514, ["udp"]),
            listener(.tcpUDP, 53, ["tcp-udp"]),
        ]
        let web = LoadBalancer(
            name: "web", listeners: [listener(.http, 80, ["http"]), listener(.https, 443, ["https"])])
        document.loadBalancers.append(web)
        return document
    }()

    static let refusals = [
        Refusal(
            change: .putTargetGroup(TargetGroup(name: "tcp", targetType: .ip, protocol: .udp, port: 80)),
            code: .invalidConfigurationRequest,
            message: "protocol of target group tcp must stay TCP, but found UDP. "
                + "Put a group with another name, or delete this one first."),
        Refusal(
            change: .putListener(loadBalancer: "edge", listener(.http, 81, ["http"])),
            code: .invalidConfigurationRequest,
            message: "protocol must be TCP, TLS, UDP, TCP_UDP, QUIC or TCP_QUIC on a network load balancer, but "
                + "found HTTP. "
                + "Write one of them, or type: application for the load balancer."),
        Refusal(
            change: .putListener(loadBalancer: "web", listener(.udp, 81, ["udp"])),
            code: .invalidConfigurationRequest,
            message: "protocol must be HTTP or HTTPS on an application load balancer, but found UDP. "
                + "Write one of them, or type: network for the load balancer."),
        Refusal(
            change: .putListener(loadBalancer: "edge", listener(.tls, 8883, ["tcp", "tls"])),
            code: .incompatibleProtocols,
            message: "defaultActions[0].forwardConfig.targetGroups: the target groups of one action on a TLS listener "
                + "must be all of TCP or all of TLS, but found both. Remove one kind."),
        Refusal(
            change: .putListener(loadBalancer: "web", listener(.http, 80, ["http"], isSticky: true)),
            code: .invalidConfigurationRequest,
            message: "defaultActions[0].forwardConfig.targetGroupStickinessConfig: stickiness on an application load "
                + "balancer must have the key durationSeconds, but found none. "
                + "Add durationSeconds: a whole number of seconds from 1 to 604800, such as 3600."),
        Refusal(
            change: .putListener(
                loadBalancer: "edge", listener(.udp, 514, ["udp"], rules: [rule(someName, forward(["udp"]))])),
            code: .invalidConfigurationRequest,
            message: "rules[0].conditions[0].field: a rule of a UDP listener must look at source-ip, but found "
                + "apus.sni. Remove the condition, or the rule."),
    ]

    static let ruleRefusals = [
        Refusal(
            change: .putRule(loadBalancer: "edge", port: 5432, rule(somePath, forward(["tcp"]))),
            code: .invalidConfigurationRequest,
            message: "conditions[0].field: a rule of a TCP listener must look at source-ip or apus.sni, "
                + "but found path-pattern. Remove the condition, or the rule."),
        Refusal(
            change: .putRule(loadBalancer: "edge", port: 8883, rule(someName, forward(["tls"]))),
            code: .invalidConfigurationRequest,
            message: "conditions[0].field: a rule of a TLS listener must look at source-ip, but found apus.sni. "
                + "Remove the condition, or the rule."),
        Refusal(
            change: .putRule(loadBalancer: "web", port: 80, rule(someName, forward(["http"]))),
            code: .invalidConfigurationRequest,
            message: "conditions[0].field: a rule of an HTTP listener must look at host-header, path-pattern, "
                + "http-header, http-request-method, query-string or source-ip, "
                + "but found apus.sni. Remove the condition, or the rule."),
        Refusal(
            change: .putRule(loadBalancer: "edge", port: 514, rule(anywhere, Sample.answer(200))),
            code: .invalidLoadBalancerAction,
            message: "actions[0].type: an action of a UDP listener must be of type forward, but found fixed-response. "
                + "Write type: forward."),
        Refusal(
            change: .putRule(loadBalancer: "edge", port: 53, rule(anywhere, forward(["udp"]))),
            code: .incompatibleProtocols,
            message: "actions[0].forwardConfig.targetGroups[0].targetGroupName: a TCP_UDP listener must forward to "
                + "target groups of protocol TCP_UDP, but found udp, which is of protocol UDP. "
                + "Name a group of one of these protocols, or change the group's."),
        Refusal(
            change: .putRule(loadBalancer: "edge", port: 8883, rule(anywhere, forward(["tls", "tcp"]))),
            code: .incompatibleProtocols,
            message: "actions[0].forwardConfig.targetGroups: the target groups of one action on a TLS listener must be "
                + "all of TCP or all of TLS, but found both. Remove one kind."),
        Refusal(
            change: .putRule(loadBalancer: "web", port: 80, rule(somePath, forward(["http"], isSticky: true))),
            code: .invalidConfigurationRequest,
            message:
                "actions[0].forwardConfig.targetGroupStickinessConfig: stickiness on an application load balancer "
                + "must have the key durationSeconds, but found none. "
                + "Add durationSeconds: a whole number of seconds from 1 to 604800, such as 3600."),
        Refusal(
            change: .putRule(
                loadBalancer: "web", port: 443,
                rule(somePath, .redirect(Redirect(statusCode: .found, protocol: "HTTP", host: "a.example.com")))),
            code: .invalidLoadBalancerAction,
            message: "actions[0].redirectConfig.protocol: a redirect must not lead from HTTPS to HTTP, "
                + "but found HTTP on an HTTPS listener. Write HTTPS or #{protocol}."),
        Refusal(
            change: .putRule(
                loadBalancer: "web", port: 443, rule(somePath, .redirect(Redirect(statusCode: .found, port: "443")))),
            code: .invalidLoadBalancerAction,
            message: "actions[0].redirectConfig: a redirect must change the protocol, the host, the port or the path, "
                + "but found one to this very listener. Change one of them, or clients would come back forever."),
    ]

    @Test func theBaseDocumentIsValid() { #expect(Self.base.validate() == []) }

    @Test(arguments: refusals + ruleRefusals) func refusesWithAMessage(_ test: Refusal) {
        let error = #expect(throws: ConfigErrors.self) { try Self.base.applying(test.change) }
        #expect(error?.first.code == test.code)
        #expect(error?.description == test.message)
    }

    /// A load balancer that becomes one of another type is told about each of its listeners.
    @Test func theTypeFitsTheListeners() {
        var edge = Self.base.loadBalancers[0]
        edge.type = .application
        let error = #expect(throws: ConfigErrors.self) { try Self.base.applying(.putLoadBalancer(edge)) }
        #expect(error?.all.map(\.path) == (0..<4).map { "listeners[\($0)].protocol" })
        edge.listeners = [Self.listener(.http, 81, ["http"])]
        #expect(throws: Never.self) { try Self.base.applying(.putLoadBalancer(edge)) }
    }

    @Test func validChangesAreApplied() throws {
        let action = Self.forward(["tcp", "tcp-udp"], isSticky: true)
        let rule = Rule(priority: 7, conditions: [Self.anywhere, Self.someName], actions: [action])
        var document = try Self.base.applying(.putRule(loadBalancer: "edge", port: 5432, rule))
        #expect(document.loadBalancers[0].listeners[0].rules == [rule])
        try document.apply(.setWeights(loadBalancer: "edge", port: 5432, priority: 7, ["tcp": 0]))
        try document.apply(.registerTargets(group: "udp", [TargetDescription(id: "10.0.0.1")]))
        try document.apply(.putListener(loadBalancer: "edge", Self.listener(.tls, 8883, ["tcp"])))
        try document.apply(.putListener(loadBalancer: "edge", Self.listener(.tcp, 514, ["tcp"])))
        #expect(document.loadBalancers[0].listeners.map(\.protocol) == [.tcp, .tls, .tcp, .tcpUDP])
        try document.apply(.deleteTargetGroup(name: "udp"))
        #expect(document.validate() == [])
    }

    /// Two groups of one action on a TLS listener cannot part, nor can what speaks HTTP/1 be forwarded to HTTP/2.
    @Test func aGroupStaysCompatibleWithItsListeners() throws {
        var document = Self.base
        document.targetGroups.append(TargetGroup(name: "tls-2", protocol: .tls, port: 80))
        try document.apply(.putListener(loadBalancer: "edge", Self.listener(.tls, 8883, ["tls", "tls-2"])))
        let tcp = TargetGroup(name: "tls-2", protocol: .tcp, port: 80)
        let http2 = TargetGroup(name: "http", protocolVersion: .http2, port: 80)
        let messages: [(TargetGroup, String)] = [
            (
                tcp,
                "protocol: edge:8883 forwards to target group tls-2, and the target groups of one action on a TLS "
                    + "listener must be all of TCP or all of TLS, but found both. "
            ),
            (
                http2,
                "protocolVersion: web:80 forwards to target group http, and target groups of HTTP/2 and gRPC take only "
                    + "requests that came by HTTP/2, but found http behind a listener that does not speak it. "
            ),
        ]
        for (group, message) in messages {
            let error = #expect(throws: ConfigErrors.self) { try document.apply(.putTargetGroup(group)) }
            #expect(
                error?.description
                    == message + "Take it out of that listener first, or put a group with another name.")
        }
        try document.apply(.putListener(loadBalancer: "edge", Self.listener(.tls, 8883, ["tls-2"])))
        try document.apply(.putTargetGroup(tcp))
        #expect(document.validate() == [])
    }
}
