import Testing

@testable import Model

/// Files and documents for tests of network load balancers: one load balancer, and a target group of each protocol.
enum NetworkSample {
    /// The name of the group of this protocol.
    static func name(_ group: TrafficProtocol) -> String {
        group.rawValue.lowercased().replacing("_", with: "-")
    }

    /// A group that a listener of this protocol can forward to.
    static func fitting(_ listener: TrafficProtocol) -> TrafficProtocol {
        switch listener {
        case .http, .https: .http
        case .tcp, .tls: .tcp
        case .udp: .udp
        case .tcpUDP: .tcpUDP
        case .quic: .quic
        case .tcpQUIC: .tcpQUIC
        }
    }

    /// A forward action to the group of this name, as a file has it.
    static func forward(_ group: String) -> String { "{ type: forward, targetGroupName: \(group) }" }

    /// A certificate, as a listener in a file has it.
    static let certificate = "certificates: [{ certificateFile: a.pem, privateKeyFile: a.key }]"

    /// A file whose listener has its action in line 8 from column 26 on, and more keys in line 9 from column 9 on. Its
    /// certificate, if it needs one, stands behind them.
    static func file(
        _ listener: TrafficProtocol, type: LoadBalancer.Kind? = nil, attributes: String = "{}",
        action: String? = nil, more: String = "", hasCertificate: Bool? = nil
    ) -> String {
        let hasCertificate = hasCertificate ?? (listener == .https || listener == .tls)
        let groups = TrafficProtocol.allCases
            .map { "  - { name: \(name($0)), protocol: \($0.rawValue), port: 80 }" }
        return """
            loadBalancers:
              - name: edge
                type: \((type ?? listener.kind).rawValue)
                attributes: \(attributes)
                listeners:
                  - protocol: \(listener.rawValue)
                    port: 443
                    defaultActions: [\(action ?? forward(name(fitting(listener))))]
                    \(more)
                    \(hasCertificate ? certificate : "")
            targetGroups:
            \(groups.joined(separator: "\n"))
            """
    }

    /// What is said about a file; nil if it is accepted.
    static func mistake(in yaml: String) -> String? {
        do throws(ConfigErrors) {
            _ = try Document.load(yaml: yaml, file: "edge.yaml")
            return nil
        } catch { return error.description }
    }

    /// The only listener of a file that is right.
    static func listener(in yaml: String) throws -> Listener {
        let document = try Document.load(yaml: yaml, file: "edge.yaml")
        #expect(try Document(document.encoded()) == document, "what is written is read as something else")
        return document.loadBalancers[0].listeners[0]
    }

    /// The file as a document, without its listener.
    static func document(_ kind: LoadBalancer.Kind) -> Document {
        Document(
            loadBalancers: [LoadBalancer(name: "edge", type: kind)],
            targetGroups: TrafficProtocol.allCases.map {
                TargetGroup(name: name($0), targetType: .ip, protocol: $0, port: 80)
            })
    }
}
