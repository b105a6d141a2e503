/// What a flow relays between a client and a target.
public enum FlowKind: UInt8, CounterLabel {
    /// The bytes of a TCP connection.
    case tcp
    /// The bytes inside a client's TLS session.
    case tls
    /// Datagrams.
    case udp
    /// Datagrams of QUIC.
    case quic

    /// The value in metrics and logs.
    public var label: StaticString {
        switch self {
        case .tcp: "tcp"
        case .tls: "tls"
        case .udp: "udp"
        case .quic: "quic"
        }
    }
}

/// The side that caused an event.
public enum FlowParty: UInt8, CounterLabel {
    case client, target
    /// Apus itself.
    case apus

    /// The value in metrics and logs.
    public var label: StaticString {
        switch self {
        case .client: "client"
        case .target: "target"
        case .apus: "apus"
        }
    }
}

/// How a flow ended.
public enum FlowEnding: UInt8, CounterLabel {
    /// Both sides ended their directions by FIN.
    case finished
    /// One side reset it or failed.
    case reset
    /// Idle timeout: both sides were silent for too long.
    case idle
    /// No target could be connected to.
    case connectFailed
    /// No target accepted the connection in time.
    case connectTimeout
    /// The group has no target.
    case noTargets
    /// All groups have weight 0.
    case noWeight
    /// The client's TLS session failed, in the handshake or later.
    case clientTLS
    /// The TLS session with the target failed.
    case targetTLS
    /// The client's PROXY header was late, wrong, or came from a network that is not trusted.
    case proxyHeader
    /// The client that the PROXY header tells of is one that the listener's lists of addresses do not allow.
    case denied
    /// The ClientHello was missing, malformed or late.
    case clientHello
    /// The deregistration delay of its target was over.
    case deregistration
    /// Its target failed its health checks.
    case unhealthy
    /// ICMP reported that the target's address or port is unreachable.
    case unreachable
    /// The UDP listener was removed from the configuration.
    case listenerRemoved
    /// Shed: the process was over its memory budget and the flow held the most, or there were too many flows and it was
    /// the most idle.
    case memory
    /// The process is shutting down, and the time for draining was over.
    case shutdown

    /// The value in metrics and logs.
    public var label: StaticString {
        switch self {
        case .finished: "finished"
        case .reset: "reset"
        case .idle: "idle_timeout"
        case .connectFailed: "connect_failed"
        case .connectTimeout: "connect_timeout"
        case .noTargets: "no_targets"
        case .noWeight: "no_weight"
        case .clientTLS: "client_tls"
        case .targetTLS: "target_tls"
        case .proxyHeader: "proxy_header"
        case .denied: "denied_address"
        case .clientHello: "client_hello"
        case .deregistration: "deregistration"
        case .unhealthy: "unhealthy"
        case .unreachable: "unreachable"
        case .listenerRemoved: "listener_removed"
        case .memory: "memory"
        case .shutdown: "shutdown"
        }
    }
}
