import Core

/// The facts about one flow that its log line needs, which is written when the flow ends.
///
/// Shape: a trivial value; texts are passed beside it.
public struct FlowRecord {
    /// What was relayed.
    public var kind: FlowKind
    /// When the connection was accepted: time of day, as `WallClock.now()`.
    public let acceptedAt: UInt64
    /// The time from then to the end.
    public var duration: Nanoseconds = 0
    /// How long the client's TLS handshake took; nil if there was none, or it failed.
    public var handshakeTime: Nanoseconds?
    /// The time from the first attempt to connect to a target until one succeeded; nil if none did.
    public var connectTime: Nanoseconds?
    /// The client's address: the one in its PROXY header if there is one, else its own.
    public var client: SocketAddress
    /// The address that the client connected to.
    public var listener: SocketAddress
    /// The chosen target; nil if none was.
    public var target: SocketAddress?
    /// Bytes from the client.
    public var receivedBytes: UInt64 = 0
    /// Bytes to the client.
    public var sentBytes: UInt64 = 0
    /// How it ended.
    public var ending = FlowEnding.finished
    /// The side that ended it.
    public var endedBy = FlowParty.client
    /// The reason code; nil if `ending` says everything.
    public var reason: StaticString?
    /// The TLS alert that the client sent (RFC 8446 §6); nil if none.
    public var alert: UInt8?
    /// The trace id of the connection, the same in all logs.
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

    /// What TLS has negotiated, borrowed while a line is written; empty where it does not apply.
    public struct TLSNames: ~Escapable {
        let certificate: Span<UInt8>
        let cipher: Span<UInt8>
        let version: StaticString
        let keyExchange: Span<UInt8>
        let clientProtocol: StaticString
        let targetProtocol: StaticString
        let offeredProtocols: Span<UInt8>

        /// The certificate that was presented, the cipher, the version in the form of Network Load Balancers, the key
        /// exchange; the ALPN protocols negotiated with the client and with the target, and the client's ALPN list as
        /// sent.
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

    /// The names in a line, borrowed while it is written; empty where they do not apply.
    public struct Names: ~Escapable {
        let loadBalancer: Span<UInt8>
        let targetGroup: Span<UInt8>
        let serverName: Span<UInt8>

        /// The load balancer, the target group, and the client's server name (SNI).
        @_lifetime(copy loadBalancer, copy targetGroup, copy serverName)
        public init(loadBalancer: Span<UInt8>, targetGroup: Span<UInt8>, serverName: Span<UInt8>) {
            self.loadBalancer = loadBalancer
            self.targetGroup = targetGroup
            self.serverName = serverName
        }
    }
}
