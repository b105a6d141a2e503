import Core

/// What the conditions of rules can look at: a request, or a connection or flow of datagrams that is passed on.
///
/// Shape:  spans of bytes that the request's head, or the connection, owns. Made once for each decision.
/// Limits: what there is not is empty: a connection that is passed on has no host and no path.
public struct RuleFacts: ~Escapable {
    /// The host that the request names, in lower case, without a port and without a dot at its end.
    let host: Span<UInt8>
    /// The path of the request: canonical, and without the query.
    let path: Span<UInt8>
    /// The client's address.
    let client: SocketAddress
    /// The name that the client's TLS asks for, in lower case; empty without one.
    let serverName: Span<UInt8>

    /// The facts of a request of `client`.
    @_lifetime(copy host, copy path)
    public init(host: Span<UInt8>, path: Span<UInt8>, client: SocketAddress) {
        self.host = host
        self.path = path
        self.client = client
        serverName = Span()
    }

    /// The facts of a request whose head has been parsed; `host` is the part of it that names the host.
    @_lifetime(borrow request)
    public init(_ request: borrowing Head, host: ByteRange, client: SocketAddress) {
        self.init(host: request.bytes(host), path: request.bytes(request.path), client: client)
    }

    /// The facts of a connection, or of a flow of datagrams, that is passed on.
    @_lifetime(copy serverName)
    public init(client: SocketAddress, serverName: Span<UInt8>) {
        host = Span()
        path = Span()
        self.client = client
        self.serverName = serverName
    }
}
