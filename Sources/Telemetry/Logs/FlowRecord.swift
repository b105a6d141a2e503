import Core

/// What is remembered about one flow, to be written as one line when it ends.
///
/// Shape: a trivial value; texts are given with it.
public struct FlowRecord {
    /// What was passed on.
    public var kind: FlowKind
    /// When the connection came: time of day, as `WallClock.now()`.
    public let acceptedAt: UInt64
    /// From then to the end.
    public var duration: Nanoseconds = 0
    /// How long the client's TLS handshake took; nil if there was none, or it failed.
    public var handshakeTime: Nanoseconds?
    /// From the first attempt to connect to a target to success; nil without.
    public var connectTime: Nanoseconds?
    /// Who connected, by its own address or by that in its PROXY header.
    public var client: SocketAddress
    /// The address that was connected to.
    public var listener: SocketAddress
    /// Who was connected to; nil if nobody was chosen.
    public var target: SocketAddress?
    /// Bytes from the client.
    public var receivedBytes: UInt64 = 0
    /// Bytes to the client.
    public var sentBytes: UInt64 = 0
    /// How it ended.
    public var ending = FlowEnding.finished
    /// Who ended it.
    public var endedBy = FlowParty.client
    /// What exactly went wrong, as one word; nil if the ending says it all.
    public var reason: StaticString?
    /// The alert that the client has sent (RFC 8446 §6); nil if none.
    public var alert: UInt8?
    /// Names the connection in all logs.
    public var trace: (high: UInt64, low: UInt64)

    public init(
        kind: FlowKind, acceptedAt: UInt64, client: SocketAddress, listener: SocketAddress,
        trace: (high: UInt64, low: UInt64)
    ) {
        self.kind = kind
        self.acceptedAt = acceptedAt
        self.client = client
        self.listener = listener
        self.trace = trace
    }

    /// What TLS has agreed on, lent for the time of writing a line; empty where it has no meaning.
    public struct TLSNames: ~Escapable {
        let certificate: Span<UInt8>
        let cipher: Span<UInt8>
        let version: StaticString
        let keyExchange: Span<UInt8>
        let clientProtocol: StaticString
        let targetProtocol: StaticString
        let offeredProtocols: Span<UInt8>

        /// The certificate that was shown, the cipher, the version as Network Load Balancers write it, the key
        /// exchange; the protocols agreed on by ALPN with the client and with the target, and those that the client has
        /// offered, as it has sent them.
        @_lifetime(copy certificate, copy cipher, copy keyExchange, copy offeredProtocols)
        public init(
            certificate: Span<UInt8>, cipher: Span<UInt8>, version: StaticString, keyExchange: Span<UInt8>,
            clientProtocol: StaticString, targetProtocol: StaticString, offeredProtocols: Span<UInt8>
        ) {
            self.certificate = certificate
            self.cipher = cipher
            self.version = version
            self.keyExchange = keyExchange
            self.clientProtocol = clientProtocol
            self.targetProtocol = targetProtocol
            self.offeredProtocols = offeredProtocols
        }
    }

    /// The names that a line has, lent for the time of writing it; empty where they have no meaning.
    public struct Names: ~Escapable {
        let loadBalancer: Span<UInt8>
        let targetGroup: Span<UInt8>
        let serverName: Span<UInt8>

        /// The load balancer, the target group, and the name that the client's TLS has asked for.
        @_lifetime(copy loadBalancer, copy targetGroup, copy serverName)
        public init(loadBalancer: Span<UInt8>, targetGroup: Span<UInt8>, serverName: Span<UInt8>) {
            self.loadBalancer = loadBalancer
            self.targetGroup = targetGroup
            self.serverName = serverName
        }
    }
}
