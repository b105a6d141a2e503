// Which protocols go together. Source: docs/elbv2.md, "Which protocols go together".

extension TrafficProtocol {
    /// The kind of load balancer that has such listeners, and whose listeners can forward to such a group.
    public var kind: LoadBalancer.Kind {
        switch self {
        case .http, .https: .application
        case .tcp, .tls, .udp, .tcpUDP, .quic, .tcpQUIC: .network
        }
    }

    /// Whether it is over TLS, for which a listener needs certificates.
    public var hasTLS: Bool {
        switch self {
        case .http, .tcp, .udp, .tcpUDP, .quic, .tcpQUIC: false
        case .https, .tls: true
        }
    }

    /// The protocols of the target groups that such a listener can forward to.
    public var targetProtocols: [TrafficProtocol] {
        switch self {
        case .http, .https: [.http, .https]
        case .tcp: [.tcp, .tcpUDP, .tcpQUIC]
        case .tls: [.tcp, .tls]
        case .udp: [.udp, .tcpUDP]
        case .tcpUDP: [.tcpUDP]
        case .quic: [.quic, .tcpQUIC]
        case .tcpQUIC: [.tcpQUIC]
        }
    }

    /// Whether it takes TCP connections.
    public var hasTCP: Bool { self != .udp && self != .quic }

    /// Whether it takes datagrams, those of QUIC included.
    public var hasUDP: Bool { self == .udp || self == .tcpUDP || hasQUIC }

    /// Whether its datagrams are those of QUIC.
    public var hasQUIC: Bool { self == .quic || self == .tcpQUIC }

    /// Its name with its article, for messages.
    var withArticle: String { self == .http || self == .https ? "an \(rawValue)" : "a \(rawValue)" }
}
