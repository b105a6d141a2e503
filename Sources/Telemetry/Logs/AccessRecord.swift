import Core

/// What is remembered about one exchange, to be written as one line of the access log.
///
/// Shape:  a trivial value inside the exchange; texts are not copied into it, but given to `AccessLog` at the end.
/// Units:  nanoseconds and bytes.
/// Source: docs/elbv2.md, "Access log".
public struct AccessRecord: Sendable {
    /// What the exchange was, for field 1.
    public enum Kind: Sendable {
        /// A request and its response over HTTP/1.
        case http
        /// The same over HTTP/2.
        case http2
        /// A call of gRPC.
        case grpc
        /// A tunnel for a WebSocket, logged once at its end.
        case webSocket
    }

    /// Which rule decided, for field 21.
    public enum MatchedRule: Sendable {
        /// None was asked: the request was refused before.
        case none
        /// The listener's default actions.
        case standard
        /// The rule of this priority.
        case priority(UInt32)
    }

    /// What the rule had done, for field 23.
    public enum Action: Sendable {
        /// Nothing: the request was refused before, or its action could not be carried out.
        case none
        /// Sent to a target.
        case forward
        /// Answered with a fixed response.
        case fixedResponse
        /// Answered with a redirect.
        case redirect
    }

    /// What the exchange was.
    public var kind = Kind.http
    /// Whether the client's connection is secure.
    public var isTLS = false
    /// Whether the request came by HTTP/2.
    public var isHTTP2 = false
    /// Names the client's connection in all logs; 0 if it has no name.
    public var connectionTrace: (high: UInt64, low: UInt64) = (0, 0)
    /// When the first byte of the request came: time of day, as `WallClock.now()`.
    public let createdAt: UInt64
    /// From then until the exchange was over, by the monotonic clock.
    public var duration: Nanoseconds = 0
    /// From the first byte of the request until it was sent to a target; nil if it was not.
    public var requestProcessingTime: Nanoseconds?
    /// From then until the first byte of the response; nil if there was none.
    public var targetProcessingTime: Nanoseconds?
    /// From then until the response was sent to the client; nil if there was none.
    public var responseProcessingTime: Nanoseconds?
    /// Who asked.
    public var client: SocketAddress
    /// The address the client connected to.
    public var listener: SocketAddress
    /// Who answered, or was asked last; nil if no target was.
    public var target: SocketAddress?
    /// The status of the response to the client, 460 if the client was gone before; 0 if there was none.
    public var status: UInt16 = 0
    /// The status of the target's response; 0 if there was none.
    public var targetStatus: UInt16 = 0
    /// Bytes read from the client, head included.
    public var receivedBytes: UInt64 = 0
    /// Bytes written to the client, head included.
    public var sentBytes: UInt64 = 0
    /// Which rule decided.
    public var matchedRule = MatchedRule.none
    /// What it had done.
    public var action = Action.none
    /// Why Apus refused or failed the request, in one word; nil if it did not. A word of ours, so ALB's format has no
    /// field for it: programs that read field 25 know ALB's reasons only.
    public var reason: StaticString?
    /// What exactly was wrong, where `reason` stands for many causes.
    public var reasonDetail: StaticString?
    /// The class of a request that did not follow RFC 9112 to the letter, for field 28; nil if it did.
    public var classification: StaticString?
    /// What about it did not, for field 29; nil with `classification`.
    public var classificationReason: StaticString?

    /// A record of an exchange that begins now.
    public init(createdAt: UInt64, client: SocketAddress, listener: SocketAddress) {
        self.createdAt = createdAt
        self.client = client
        self.listener = listener
    }

    /// The names that only the snapshot knows, lent for the time of writing a line.
    ///
    /// Shape: each is empty where it has no meaning. Nothing keeps them.
    public struct Names: ~Escapable {
        let loadBalancer: Span<UInt8>
        let targetGroup: Span<UInt8>
        let redirectURL: Span<UInt8>
        /// What TLS has agreed on; empty without it.
        let cipher: Span<UInt8>
        let tlsVersion: Span<UInt8>
        let serverName: Span<UInt8>
        let certificate: Span<UInt8>

        /// The load balancer that took the request, the target group chosen, where a redirect led, and the cipher,
        /// version, SNI and certificate of the client's connection.
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
