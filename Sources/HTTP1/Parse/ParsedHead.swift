/// How an HTTP/1 message delimits its body. Source: RFC 9112 §6.
public enum Framing: Equatable, Sendable {
    /// There is no body.
    case none
    /// Content-Length: this many bytes follow; may be zero.
    case length(UInt64)
    /// Transfer-Encoding: chunks follow, the last of them empty, then trailers.
    case chunked
    /// The body ends with the connection. Responses only.
    case untilClose
}

/// What a complete HTTP/1 head says beyond its neutral `Head`.
public struct ParsedHead: Equatable, Sendable {
    /// Bytes of input that the head occupies, its final empty line included.
    public var byteCount: Int
    /// How the body that follows is delimited.
    public var framing: Framing
    /// Whether the sender keeps the connection open (keep-alive): HTTP/1.1 without `close`, or HTTP/1.0 with
    /// `keep-alive`, and a body that ends before the connection does.
    public var isPersistent: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    public var expectsContinue: Bool
    /// How well a request followed the protocol. Responses are not classified.
    public var compliance: Compliance
    /// Whether the request could be read only after it was written anew; see `parseMonitoredRequestHead`.
    public var isRewritten = false

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

/// The outcome of parsing a head.
public enum HeadResult: Equatable, Sendable {
    /// Valid so far, but incomplete. Call again with these bytes and more. The head was reset.
    case needMore
    /// The head is filled.
    case complete(ParsedHead)
    /// Rejected: close the connection after the answer. A request's head has its request line, for logs only, if that
    /// could be parsed; a response's head is empty.
    case refused(Violation)
}

/// The load balancer attributes that change how request heads are parsed.
public struct RequestOptions: Equatable, Sendable {
    /// `routing.http.drop_invalid_header_fields.enabled`: fields whose name is not `[-A-Za-z0-9]+` are removed.
    public var dropsInvalidNames: Bool
    /// `routing.http.preserve_host_header.enabled`: further Host fields are kept; the first counts.
    public var keepsDuplicateHosts: Bool
    /// `routing.http.desync_mitigation_mode` is `strictest`: whatever is not `Compliance.compliant` is refused.
    public var refusesNonCompliant: Bool

    public init(
        dropsInvalidNames: Bool = false, keepsDuplicateHosts: Bool = false, refusesNonCompliant: Bool = false
    ) {
        self.dropsInvalidNames = dropsInvalidNames
        self.keepsDuplicateHosts = keepsDuplicateHosts
        self.refusesNonCompliant = refusesNonCompliant
    }
}
