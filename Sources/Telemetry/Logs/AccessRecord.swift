import Core

/// The facts about one exchange that its access log line needs.
///
/// Shape:  a trivial value inside the exchange; texts are not copied into it, but passed to `AccessLog` at the end.
/// Units:  nanoseconds and bytes.
/// Source: docs/elbv2.md, "Access log".
public struct AccessRecord: Sendable {
    /// The kind of exchange, for field 1.
    public enum Kind: Sendable {
        /// A request and its response over HTTP/1.
        case http
        /// A request and its response over HTTP/2.
        case http2
        /// A gRPC call.
        case grpc
        /// A WebSocket, logged once at its end.
        case webSocket
    }

    /// The rule that matched, for field 21.
    public enum MatchedRule: Sendable {
        /// None was evaluated: the request was rejected before.
        case none
        /// The listener's default actions.
        case standard
        /// The rule of this priority.
        case priority(UInt32)
    }

    /// The action that was executed, for field 23.
    public enum Action: Sendable {
        /// None: the request was rejected before, or its action failed.
        case none
        /// Forwarded to a target.
        case forward
        /// A fixed response.
        case fixedResponse
        /// A redirect.
        case redirect
    }

    /// The kind of exchange.
    public var kind = Kind.http
    /// Whether the client's connection uses TLS.
    public var isTLS = false
    /// Whether the request came by HTTP/2.
    public var isHTTP2 = false
    /// The trace id of the client's connection, the same in all logs; 0 if it has none.
    public var connectionTrace: (high: UInt64, low: UInt64) = (0, 0)
    /// When the first byte of the request arrived: time of day, as `WallClock.now()`.
    public let createdAt: UInt64
    /// The time from then to the end of the exchange, by the monotonic clock.
    public var duration: Nanoseconds = 0
    /// The time from the first byte of the request until it was sent to a target; nil if it was not.
    public var requestProcessingTime: Nanoseconds?
    /// The time from then to the first byte of the response; nil if there was none.
    public var targetProcessingTime: Nanoseconds?
    /// The time from then until the response was sent to the client; nil if there was none.
    public var responseProcessingTime: Nanoseconds?
    /// How long it waited until a target took it; nil if it did not.
    public var queueTime: Nanoseconds?
    /// The client's address.
    public var client: SocketAddress
    /// The address that the client connected to.
    public var listener: SocketAddress
    /// The target that responded, or the last one that was tried; nil if there was none.
    public var target: SocketAddress?
    /// The status of the response to the client, 460 if the client had closed the connection before; 0 if there was
    /// none.
    public var status: UInt16 = 0
    /// The status of the target's response; 0 if there was none.
    public var targetStatus: UInt16 = 0
    /// Bytes read from the client, head included.
    public var receivedBytes: UInt64 = 0
    /// Bytes written to the client, head included.
    public var sentBytes: UInt64 = 0
    /// The rule that matched.
    public var matchedRule = MatchedRule.none
    /// The action that was executed.
    public var action = Action.none
    /// The reason code for which Apus rejected or failed the request; nil if it did not. Not in ALB's format, since
    /// programs that read field 25 expect ALB's reasons.
    public var reason: StaticString?
    /// The exact cause, if `reason` covers many causes.
    public var reasonDetail: StaticString?
    /// A code of ALB's for what was wrong with a request that went to a target all the same, for field 25; nil if
    /// nothing was.
    public var errorReason: StaticString?
    /// The class of a request that did not follow RFC 9112 to the letter, for field 28; nil if it did.
    public var classification: StaticString?
    /// What about it did not, for field 29; nil with `classification`.
    public var classificationReason: StaticString?

    /// The host that the target got in place of the request's, in the arena of its head, for field 31; empty if no
    /// transform has made one.
    public var transformedHost = ByteRange.empty
    /// The same for the path and query, for field 32.
    public var transformedURL = ByteRange.empty
    /// What became of the rule's transforms, for field 33; nil if there are none, or none matched.
    public var transformStatus: StaticString?

    /// The record of an exchange that begins now.
    public init(createdAt: UInt64, client: SocketAddress, listener: SocketAddress) {
        self.createdAt = createdAt
        self.client = client
        self.listener = listener
    }

    /// Names from the snapshot and the connection, borrowed while a line is written.
    ///
    /// Shape: each is empty if it does not apply.
    public struct Names: ~Escapable {
        let loadBalancer: Span<UInt8>
        let targetGroup: Span<UInt8>
        let redirectURL: Span<UInt8>
        /// What TLS has negotiated; empty without TLS.
        let cipher: Span<UInt8>
        let tlsVersion: Span<UInt8>
        let serverName: Span<UInt8>
        let certificate: Span<UInt8>

        /// The load balancer, the chosen target group, the URL of a redirect, and the cipher, version, server name
        /// (SNI) and certificate of the client's connection.
        @_lifetime(
            copy loadBalancer, copy targetGroup, copy redirectURL, copy cipher, copy tlsVersion, copy serverName,
            copy certificate)
        public init(
            loadBalancer: Span<UInt8>, targetGroup: Span<UInt8>, redirectURL: Span<UInt8>, cipher: Span<UInt8>,
            tlsVersion: Span<UInt8>, serverName: Span<UInt8>, certificate: Span<UInt8>
        ) {
            self.loadBalancer = loadBalancer
            self.targetGroup = targetGroup
            self.redirectURL = redirectURL
            self.cipher = cipher
            self.tlsVersion = tlsVersion
            self.serverName = serverName
            self.certificate = certificate
        }
    }
}
