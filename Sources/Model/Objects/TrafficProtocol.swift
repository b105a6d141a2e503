/// What is spoken on a listener, or to the targets of a group. Either may be any of them; which goes with which is in
/// `Compatibility`.
public enum TrafficProtocol: String, Hashable, Sendable, CaseIterable {
    /// HTTP without TLS.
    case http = "HTTP"
    /// HTTP over TLS.
    case https = "HTTPS"
    /// Connections of TCP, whose bytes are passed on as they are.
    case tcp = "TCP"
    /// Connections of TLS: a listener ends it and passes on the bytes inside, a target is connected to over it.
    case tls = "TLS"
    /// Datagrams, passed on as they are.
    case udp = "UDP"
    /// Both connections of TCP and datagrams, on one port.
    case tcpUDP = "TCP_UDP"
}
