/// The protocol of a listener, or of the targets of a group. `Compatibility` says which protocols go together.
public enum TrafficProtocol: String, Hashable, Sendable, CaseIterable {
    /// HTTP without TLS.
    case http = "HTTP"
    /// HTTP over TLS.
    case https = "HTTPS"
    /// TCP connections, whose bytes are passed on as they are.
    case tcp = "TCP"
    /// TLS connections: listeners decrypt them, and targets are connected to over TLS.
    case tls = "TLS"
    /// Datagrams, passed on as they are.
    case udp = "UDP"
    /// Both TCP connections and datagrams, on one port.
    case tcpUDP = "TCP_UDP"
    /// Datagrams of QUIC, passed on as they are to the target that their connection IDs name.
    case quic = "QUIC"
    /// Both TCP connections and QUIC, on one port.
    case tcpQUIC = "TCP_QUIC"
}
