/// How an HTTP/1 message tells where its body ends. Source: RFC 9112 §6.
public enum Framing: Equatable, Sendable {
    /// There is no body.
    case none
    /// So many bytes follow; may be zero.
    case length(UInt64)
    /// Chunks follow, the last of them empty, then trailers.
    case chunked
    /// The body ends with the connection. Responses only.
    case untilClose
}

/// What a complete HTTP/1 head said beside what its neutral `Head` tells.
public struct ParsedHead: Equatable, Sendable {
    /// Bytes of input that the head took, its last empty line included.
    public var byteCount: Int
    /// How the body that follows is delimited.
    public var framing: Framing
    /// Whether the sender lets the connection live on: HTTP/1.1 without `close`, or HTTP/1.0 with `keep-alive`,
    /// and a body that ends before the connection does.
    public var isPersistent: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    public var expectsContinue: Bool
    /// How well a request followed the protocol. Responses are not classified.
    public var compliance: Compliance

    public init(
        byteCount: Int, framing: Framing, isPersistent: Bool, expectsContinue: Bool,
        compliance: Compliance = .compliant
    ) {
        self.byteCount = byteCount
        self.framing = framing
        self.isPersistent = isPersistent
        self.expectsContinue = expectsContinue
        self.compliance = compliance
    }
}

/// The outcome of looking for a head.
public enum HeadResult: Equatable, Sendable {
    /// Legal so far. Call again with these bytes and more. The head was reset.
    case needMore
    /// The head is filled.
    case complete(ParsedHead)
    /// Close the connection after the answer. A request's head has its request line, if that could be read and for
    /// logs only; a response's has nothing.
    case refused(Violation)
}

/// The load balancer attributes that change how request heads are read.
public struct RequestOptions: Equatable, Sendable {
    /// `routing.http.drop_invalid_header_fields.enabled`: fields whose name is not `[-A-Za-z0-9]+` are removed.
    public var dropsInvalidNames: Bool
    /// `routing.http.preserve_host_header.enabled`: further Host fields are kept; the first counts.
    public var keepsDuplicateHosts: Bool

    public init(dropsInvalidNames: Bool = false, keepsDuplicateHosts: Bool = false) {
        self.dropsInvalidNames = dropsInvalidNames
        self.keepsDuplicateHosts = keepsDuplicateHosts
    }
}
