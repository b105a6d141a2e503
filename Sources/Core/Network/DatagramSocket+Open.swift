import CLinux
import Glibc

extension DatagramSocket {
    /// Opens a socket that receives what is sent to `address`. Each datagram comes with the local address it was sent
    /// to, since a reply must come from there, also where `address` is the wildcard.
    ///
    /// With `joinsDatagrams` the kernel may hand over several datagrams of one sender as one message, which costs less;
    /// without it each comes alone, for those who look into them.
    ///
    /// Limits: queues `Limits.datagramQueueBytes` in either direction, or as much as the kernel allows.
    /// Errors: `SystemError` naming the address, as when another program has the port.
    /// Source: ip(7), `IP_PKTINFO`; ipv6(7), `IPV6_RECVPKTINFO`; socket(7).
    public static func listen(
        on address: SocketAddress, sharesPort: Bool, joinsDatagrams: Bool = true
    ) throws(SystemError) -> DatagramSocket {
        let listener = try open(address, joinsDatagrams: joinsDatagrams)
        // No SO_REUSEADDR: on UDP it would let any other socket that has it take over the port.
        if sharesPort { listener.asSocket.set(SOL_SOCKET, SO_REUSEPORT, 1) }
        if address.family == .ipv6 { listener.asSocket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        listener.prepareToReceive(address.family)
        let bound = unsafe address.withSystemAddress { unsafe apus_bind(listener.descriptor, $0, $1) }
        guard bound == 0 else { throw listener.asSocket.abandon("bind \(address) for datagrams") }
        return listener
    }

    /// Has each datagram come with the address it was sent to, and makes room for bursts.
    func prepareToReceive(_ family: SocketAddress.Family) {
        switch family {
        case .ipv4: asSocket.set(Int32(IPPROTO_IP), IP_PKTINFO, 1)
        case .ipv6: asSocket.set(Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, 1)
        }
        asSocket.set(SOL_SOCKET, SO_RCVBUF, Limits.datagramQueueBytes)
        asSocket.set(SOL_SOCKET, SO_SNDBUF, Limits.datagramQueueBytes)
    }

    /// Has the kernel hand over several datagrams of one sender as one message. Kernels before 5.0 do not have this
    /// option, and deliver each datagram separately.
    func joinDatagrams() { _ = asSocket.trySet(Int32(IPPROTO_UDP), UDP_GRO, 1) }

    /// Opens a socket that sends to `address` and receives only what comes from there. Nothing is sent yet.
    ///
    /// Errors: `SystemError` when the kernel refuses, as with no route or no free port.
    public static func connect(to address: SocketAddress) throws(SystemError) -> DatagramSocket {
        let connection = try open(address, joinsDatagrams: true)
        let status = unsafe address.withSystemAddress { unsafe apus_connect(connection.descriptor, $0, $1) }
        guard status == 0 else { throw connection.asSocket.abandon("connect to \(address) for datagrams") }
        return connection
    }

    private static func open(_ address: SocketAddress, joinsDatagrams: Bool) throws(SystemError) -> DatagramSocket {
        let type = SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(address.domain, Int32(type), 0)
        guard descriptor >= 0 else { throw SystemError("open a socket for datagrams to \(address)") }
        let opened = DatagramSocket(descriptor: descriptor)
        if joinsDatagrams { opened.joinDatagrams() }
        return opened
    }
}
