import Testing

@testable import Model

/// Which protocols go together, each row written out. Source: docs/elbv2.md, "Which protocols go together".
@Suite struct CompatibilityTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let listener: TrafficProtocol, kind: LoadBalancer.Kind, isNamed: String
        let groups: [TrafficProtocol], areGroups: String
        let fields: [Condition.Field], areFields: String
        var testDescription: String { listener.rawValue }
    }

    static let ofRequests: [Condition.Field] = [
        .hostHeader, .pathPattern, .httpHeader, .requestMethod, .queryString, .sourceIP,
    ]
    static let areOfRequests =
        "host-header, path-pattern, http-header, http-request-method, query-string or source-ip"

    static let rows = [
        Row(
            listener: .http, kind: .application, isNamed: "an HTTP listener", groups: [.http, .https],
            areGroups: "HTTP or HTTPS", fields: ofRequests, areFields: areOfRequests),
        Row(
            listener: .https, kind: .application, isNamed: "an HTTPS listener", groups: [.http, .https],
            areGroups: "HTTP or HTTPS", fields: ofRequests, areFields: areOfRequests),
        Row(
            listener: .tcp, kind: .network, isNamed: "a TCP listener", groups: [.tcp, .tcpUDP, .tcpQUIC],
            areGroups: "TCP, TCP_UDP or TCP_QUIC", fields: [.sourceIP, .serverName],
            areFields: "source-ip or apus.sni"),
        Row(
            listener: .tls, kind: .network, isNamed: "a TLS listener", groups: [.tcp, .tls],
            areGroups: "TCP or TLS", fields: [.sourceIP], areFields: "source-ip"),
        Row(
            listener: .udp, kind: .network, isNamed: "a UDP listener", groups: [.udp, .tcpUDP],
            areGroups: "UDP or TCP_UDP", fields: [.sourceIP], areFields: "source-ip"),
        Row(
            listener: .tcpUDP, kind: .network, isNamed: "a TCP_UDP listener", groups: [.tcpUDP],
            areGroups: "TCP_UDP", fields: [.sourceIP], areFields: "source-ip"),
        Row(
            listener: .quic, kind: .network, isNamed: "a QUIC listener", groups: [.quic, .tcpQUIC],
            areGroups: "QUIC or TCP_QUIC", fields: [.sourceIP], areFields: "source-ip"),
        Row(
            listener: .tcpQUIC, kind: .network, isNamed: "a TCP_QUIC listener", groups: [.tcpQUIC],
            areGroups: "TCP_QUIC", fields: [.sourceIP], areFields: "source-ip"),
    ]

    @Test func everyProtocolHasARow() {
        #expect(Self.rows.map(\.listener) == TrafficProtocol.allCases)
        #expect(Self.rows.map(\.kind) == Self.rows.map(\.listener.kind))
        for row in Self.rows { #expect(row.groups.allSatisfy { $0.kind == row.kind }) }
    }

    @Test func someProtocolsUseTLS() {
        #expect(TrafficProtocol.allCases.filter(\.hasTLS) == [.https, .tls])
    }

    @Test func eachTakesConnectionsOrDatagramsOrBoth() {
        #expect(TrafficProtocol.allCases.filter { !$0.hasTCP } == [.udp, .quic])
        #expect(TrafficProtocol.allCases.filter(\.hasUDP) == [.udp, .tcpUDP, .quic, .tcpQUIC])
        #expect(TrafficProtocol.allCases.filter(\.hasQUIC) == [.quic, .tcpQUIC])
    }

    static func condition(_ field: Condition.Field) -> String {
        let values =
            switch field {
            case .hostHeader, .serverName: "values: [a.example.com]"
            case .pathPattern: "values: [/a]"
            case .httpHeader: "httpHeaderConfig: { httpHeaderName: X-A, values: [a] }"
            case .requestMethod: "httpRequestMethodConfig: { values: [GET] }"
            case .queryString: "queryStringConfig: { values: [{ value: a }] }"
            case .sourceIP: "values: [10.0.0.0/8]"
            }
        return "{ field: \(field.rawValue), \(values) }"
    }

    static func unfitting(_ row: Row, _ group: TrafficProtocol) -> String {
        "\(row.isNamed) must forward to target groups of protocol \(row.areGroups), but found "
            + "\(NetworkSample.name(group)), which is of protocol \(group.rawValue). "
            + "Name a group of one of these protocols, or change the group's."
    }

    @Test(arguments: rows, TrafficProtocol.allCases)
    func aListenerForwardsToGroupsThatFit(_ row: Row, _ group: TrafficProtocol) {
        let file = NetworkSample.file(row.listener, action: NetworkSample.forward(NetworkSample.name(group)))
        let message = row.groups.contains(group) ? nil : "edge.yaml:8:60: " + Self.unfitting(row, group)
        #expect(NetworkSample.mistake(in: file) == message)
    }

    @Test(arguments: rows, TrafficProtocol.allCases)
    func itsRulesForwardToGroupsThatFit(_ row: Row, _ group: TrafficProtocol) {
        let action =
            "{ type: forward, forwardConfig: { targetGroups: [{ targetGroupName: \(NetworkSample.name(group)) }] } }"
        let rule = "{ priority: 1, conditions: [\(Self.condition(row.fields[0]))], actions: [\(action)] }"
        let file = NetworkSample.file(row.listener, more: "rules:\n          - \(rule)")
        guard !row.groups.contains(group) else { return #expect(NetworkSample.mistake(in: file) == nil) }
        let column = 13 + (rule.firstRange(of: "targetGroupName: ").map { rule[..<$0.upperBound].count } ?? 0)
        #expect(NetworkSample.mistake(in: file) == "edge.yaml:10:\(column): " + Self.unfitting(row, group))
    }

    @Test(arguments: rows, TrafficProtocol.allCases)
    func listenersMadeAtRunTimeForwardToGroupsThatFit(_ row: Row, _ group: TrafficProtocol) {
        let action = Sample.forward([NetworkSample.name(group): 1])
        let listener = Listener(protocol: row.listener, port: 443, defaultActions: [action])
        let change = Change.putListener(loadBalancer: "edge", listener)
        let document = NetworkSample.document(row.kind)
        guard !row.groups.contains(group) else {
            #expect(throws: Never.self) { try document.applying(change) }
            return
        }
        let error = #expect(throws: ConfigErrors.self) { try document.applying(change) }
        #expect(error?.first.code == .incompatibleProtocols)
        #expect(
            error?.description
                == "defaultActions[0].forwardConfig.targetGroups[0].targetGroupName: " + Self.unfitting(row, group))
    }

    /// A change that was made over another file may put a group whose protocol its users in this file do not have.
    @Test(arguments: rows, TrafficProtocol.allCases)
    func aGroupFitsThoseThatForwardToIt(_ row: Row, _ group: TrafficProtocol) throws {
        var document = NetworkSample.document(row.kind)
        document.targetGroups.append(TargetGroup(name: "blue", protocol: row.groups[0], port: 80))
        document.loadBalancers[0].listeners = [
            Listener(protocol: row.listener, port: 443, defaultActions: [Sample.forward(["blue": 1])])
        ]
        let change = Change.putTargetGroup(TargetGroup(name: "blue", protocol: group, port: 80))
        guard !row.groups.contains(group) else { return try document.apply(change) }
        let error = #expect(throws: ConfigErrors.self) { try document.apply(change) }
        #expect(error?.first.code == .incompatibleProtocols)
        #expect(
            error?.description
                == "protocol: edge:443 forwards to target group blue, and \(row.isNamed) must forward to target groups "
                + "of protocol \(row.areGroups), but found blue, which is of protocol \(group.rawValue). "
                + "Take it out of that listener first, or put a group with another name.")
    }

    @Test(arguments: rows, LoadBalancer.Kind.allCases)
    func aLoadBalancerHasListenersOfItsType(_ row: Row, _ kind: LoadBalancer.Kind) {
        let (article, protocols) =
            switch kind {
            case .application: ("an", "HTTP or HTTPS")
            case .network: ("a", "TCP, TLS, UDP, TCP_UDP, QUIC or TCP_QUIC")
            }
        let message =
            "edge.yaml:6:19: protocol must be \(protocols) on \(article) \(kind.rawValue) load balancer, but found "
            + "\(row.listener.rawValue). Write one of them, or type: \(row.kind.rawValue) for the load balancer."
        let mistake = NetworkSample.mistake(in: NetworkSample.file(row.listener, type: kind))
        #expect(mistake == (row.kind == kind ? nil : message))
    }

    @Test(arguments: rows, Condition.Field.allCases)
    func conditionsFitTheProtocol(_ row: Row, _ field: Condition.Field) {
        let action = NetworkSample.forward(NetworkSample.name(row.groups[0]))
        let rule = "{ priority: 1, conditions: [\(Self.condition(field))], actions: [\(action)] }"
        let message =
            "edge.yaml:10:50: a rule of \(row.isNamed) must look at \(row.areFields), but found \(field.rawValue). "
            + "Remove the condition, or the rule."
        let mistake = NetworkSample.mistake(in: NetworkSample.file(row.listener, more: "rules:\n          - \(rule)"))
        #expect(mistake == (row.fields.contains(field) ? nil : message))
    }
}
