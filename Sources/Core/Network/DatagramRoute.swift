/// A local address to which a datagram was sent, and from which its reply has to come.
///
/// Source: ip(7), `IP_PKTINFO`; ipv6(7), `IPV6_PKTINFO`.
public struct LocalAddress: Hashable, Sendable {
    /// The address; its port is 0. For a broadcast, the address that a reply comes from.
    public let address: SocketAddress
    /// The index of the interface it came in by, for IPv6 link-local addresses, which are ambiguous without it.
    /// Otherwise 0, so that a reply follows the routing table, and a client that reaches us by two interfaces is one
    /// client.
    public let interfaceIndex: UInt32

    public init(_ address: SocketAddress, interfaceIndex: UInt32 = 0) {
        self.address = address.with(port: 0)
        self.interfaceIndex = interfaceIndex
    }
}

/// The destination of a message, and its source address.
public struct DatagramRoute: Equatable, Sendable {
    /// Where it is sent; nil on a connected socket, which has a destination.
    public let destination: SocketAddress?
    /// The local address it comes from; nil lets the kernel choose.
    public let source: LocalAddress?

    public init(to destination: SocketAddress?, from source: LocalAddress?) {
        self.destination = destination
        self.source = source
    }
}
