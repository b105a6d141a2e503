/// An address of ours that a datagram was sent to, and that its reply has to come from.
///
/// Source: ip(7), `IP_PKTINFO`; ipv6(7), `IPV6_PKTINFO`.
public struct LocalAddress: Hashable, Sendable {
    /// The address; its port is 0. For a broadcast, the address that answers it.
    public let address: SocketAddress
    /// The kernel's number of the interface by which it came, where the address means nothing without: on IPv6
    /// link-local addresses. Otherwise 0, so that a reply goes as the routes say, and a client that reaches us by two
    /// interfaces is one client.
    public let interfaceIndex: UInt32

    public init(_ address: SocketAddress, interfaceIndex: UInt32 = 0) {
        self.address = address.with(port: 0)
        self.interfaceIndex = interfaceIndex
    }
}

/// Where a message goes, and where it says it comes from.
public struct DatagramRoute: Equatable, Sendable {
    /// Who gets it; nil on a connected socket, which knows.
    public let destination: SocketAddress?
    /// The address of ours that it comes from; nil for what the kernel chooses.
    public let source: LocalAddress?

    public init(to destination: SocketAddress?, from source: LocalAddress?) {
        self.destination = destination
        self.source = source
    }
}
