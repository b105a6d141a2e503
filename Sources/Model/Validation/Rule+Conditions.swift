// Which conditions a rule may have, and on which listeners.

extension Condition.Field {
    /// The protocols of listeners whose rules can test it.
    fileprivate var protocols: [TrafficProtocol] {
        switch self {
        case .hostHeader, .pathPattern, .httpHeader, .requestMethod, .queryString: [.http, .https]
        case .sourceIP: [.http, .https, .tcp, .tls, .udp, .tcpUDP, .quic, .tcpQUIC]
        case .serverName: [.tcp]
        }
    }

    /// Whether a rule may have several conditions of it, all of which must hold. Source: ELBv2 RuleCondition.
    fileprivate var isRepeatable: Bool { self == .httpHeader || self == .queryString }
}

extension TrafficProtocol {
    /// The properties that rules of such a listener can test.
    var conditionFields: [Condition.Field] { Condition.Field.allCases.filter { $0.protocols.contains(self) } }
}

extension Rule {
    /// Reports conditions of one field that a rule may not have twice, and those that must stand alone.
    func checkConditions(_ findings: inout Findings) {
        var seen: Set<Condition.Field> = []
        for (index, condition) in conditions.enumerated() {
            let field = condition.field
            if !field.isRepeatable, !seen.insert(field).inserted {
                findings.within([.key("conditions"), .index(index)]) { findings in
                    findings.report(
                        "a rule must have at most one condition of this field", found: "a second \(field.rawValue)",
                        remedy: "Put all values into one condition: any of them may match.")
                }
            } else if case .sourceFamily = condition, conditions.count > 1 {
                findings.within([.key("conditions"), .index(index)]) { findings in
                    findings.report(
                        "a condition with ipAddressType must be the only one of its rule",
                        found: "\(conditions.count) conditions", remedy: "Remove the others.")
                }
            }
        }
    }

    /// Reports conditions that test what clients of `listener` do not send.
    func checkConditions(on listener: Listener, of loadBalancer: LoadBalancer, _ findings: inout Findings) {
        let fields = listener.protocol.conditionFields
        for (index, condition) in conditions.enumerated() {
            if !fields.contains(condition.field) {
                findings.within([.key("conditions"), .index(index), .key("field")]) { findings in
                    findings.report(
                        "a rule of \(listener.protocol.withArticle) listener must look at "
                            + Shape.alternatives(fields.map(\.rawValue)),
                        found: condition.field.rawValue, remedy: "Remove the condition, or the rule.",
                        code: .invalidConfigurationRequest)
                }
            } else if case .sourceFamily = condition, !loadBalancer.isDualStack || loadBalancer.type != .network {
                let steps: [Findings.Step] = [
                    .key("conditions"), .index(index), .key("sourceIpConfig"), .key("ipAddressType"),
                ]
                findings.within(steps) { findings in
                    findings.report(
                        "ipAddressType belongs to network load balancers with addresses of IPv4 and of IPv6",
                        found: loadBalancer.type == .network
                            ? "addresses of one family" : "an \(loadBalancer.type.rawValue) load balancer",
                        remedy: loadBalancer.type == .network
                            ? "Add an address of the other family, such as \"::\", or remove the rule."
                            : "Write values: [\"0.0.0.0/0\"] for IPv4, or values: [\"::/0\"] for IPv6.",
                        code: .invalidConfigurationRequest)
                }
            }
        }
    }
}

extension LoadBalancer {
    /// Whether clients of both families can connect to it.
    fileprivate var isDualStack: Bool {
        let families = Set(addresses.compactMap { IPAddress($0)?.isIPv4 })
        return families.count == 2
    }
}
