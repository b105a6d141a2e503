/// What is passed on between a client and a target.
public enum FlowKind: UInt8, CounterLabel {
    /// The bytes of a TCP connection.
    case tcp
    /// The bytes inside a client's TLS.
    case tls
    /// Datagrams.
    case udp

    /// As written in metrics and logs.
    public var label: StaticString {
        switch self {
        case .tcp: "tcp"
        case .tls: "tls"
        case .udp: "udp"
        }
    }
}

/// Who did it.
public enum FlowParty: UInt8, CounterLabel {
    case client, target
    /// We did.
    case apus

    /// As written in metrics and logs.
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
    /// Both sides had said all they had to say.
    case finished
    /// One side has reset it, or broke.
    case reset
    /// Both sides were silent for too long.
    case idle
    /// No target could be connected to.
    case connectFailed
    /// No target took the connection in time.
    case connectTimeout
    /// The group has no target.
    case noTargets
    /// All groups have weight 0.
    case noWeight
    /// The client's TLS failed, before or behind the handshake.
    case clientTLS
    /// The target's TLS failed.
    case targetTLS
    /// The client's PROXY header was late, wrong, or came from a network that is not trusted.
    case proxyHeader
    /// What should begin with TLS did not, or not in time.
    case clientHello
    /// The deregistration delay of its target was over.
    case deregistration
    /// Its target failed its health checks.
    case unhealthy
    /// The network says that nobody can be reached at the target's address.
    case unreachable
    /// The listener that took its datagrams is not in the configuration any more.
    case listenerRemoved
    /// The process held too many bytes, and it held the most; or too many flows, and it was the idlest.
    case memory
    /// The process was told to stop, and its time was over.
    case shutdown

    /// As written in metrics and logs.
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
