import Core

/// What the conditions of rules can look at: a request, or a connection or flow of datagrams that is passed on.
///
/// Shape:  spans of bytes that the request's head, or the connection, owns. Made once for each decision, of spans that
///         the head has anyway: a fact that no rule looks at costs nothing.
/// Limits: what there is not is empty: a connection that is passed on has no host and no path.
public struct RuleFacts: ~Escapable {
    /// The host that the request names, in lower case, without a port and without a dot at its end.
    let host: Span<UInt8>
    /// The path of the request: canonical, and without the query.
    private(set) var path: Span<UInt8>
    /// The client's address: that of its connection, or of its PROXY header; never of X-Forwarded-For.
    let client: SocketAddress
    /// The name that the client's TLS asks for, in lower case; empty without one.
    let serverName: Span<UInt8>
    /// The bytes of the request's head, in which the following lie.
    let bytes: Span<UInt8>
    /// The request's header fields.
    let fields: Span<Field>
    /// The request's method.
    let method: ByteRange
    /// The request's query, with its question mark.
    let query: ByteRange

    /// The facts of a request of `client` of which nothing but host and path is known.
    @_lifetime(copy host, copy path)
    public init(host: Span<UInt8>, path: Span<UInt8>, client: SocketAddress) {
        self.host = host
        self.path = path
        self.client = client
        serverName = Span()
        bytes = Span()
        fields = Span()
        method = .empty
        query = .empty
    }

    /// The facts of a request whose head has been parsed; `host` is the part of it that names the host.
    @_lifetime(borrow request)
    public init(_ request: borrowing Head, host: ByteRange, client: SocketAddress) {
        self.host = request.bytes(host)
        path = request.bytes(request.path)
        self.client = client
        serverName = Span()
        bytes = request.bytes
        fields = request.fields
        method = request.method
        query = request.query
    }

    /// The facts of a connection, or of a flow of datagrams, that is passed on.
    @_lifetime(copy serverName)
    public init(client: SocketAddress, serverName: Span<UInt8>) {
        host = Span()
        path = Span()
        self.client = client
        self.serverName = serverName
        bytes = Span()
        fields = Span()
        method = .empty
        query = .empty
    }

    /// The same facts, of a request that asks for `path`.
    @_lifetime(copy self, copy path)
    func with(path: Span<UInt8>) -> RuleFacts {
        var facts = copy self
        facts.path = path
        return facts
    }
}
