import CLinux
import Glibc

/// A bound socket that was open when this process began: a service manager has opened it, and keeps it when this
/// process ends (socket activation).
///
/// Shape:  a trivial value. The descriptor stays open as long as the process; who uses the socket gets a duplicate,
///         which has the same queue of connections or datagrams.
/// Source: sd_listen_fds(3), systemd.socket(5).
public struct PassedSocket: Equatable, Sendable {
    /// What it carries.
    public enum Carries: Equatable, Sendable { case connections, datagrams }

    /// The number of the first passed descriptor. Source: sd_listen_fds(3), `SD_LISTEN_FDS_START`.
    public static let firstDescriptor: Int32 = 3

    /// Where it is bound.
    public let address: SocketAddress
    /// Whether it listens for TCP connections, or receives UDP datagrams.
    public let carries: Carries
    /// What the service manager calls it.
    public let name: String
    /// The kernel's number for it. To be sent to another process, and not to be closed.
    public let descriptor: Int32

    /// The socket with this descriptor, which from now on is non-blocking and, like one that is refused, not passed on
    /// to other programs.
    ///
    /// Errors: `SystemError` for anything but a TCP socket that listens, or a UDP socket, on one family of addresses.
    public init(descriptor: Int32, name: String) throws(SystemError) {
        _ = apus_set_close_on_exec(descriptor)
        let socket = Socket(descriptor: descriptor)
        let operation = "use descriptor \(descriptor) (\(name)), which was passed"
        func refusal(_ reason: String) -> SystemError { SystemError(operation, code: EINVAL, reason: reason) }
        guard let type = socket.option(SOL_SOCKET, SO_TYPE), let address = socket.localAddress, address.port > 0 else {
            throw refusal("it is no socket that is bound to an address and a port")
        }
        switch type {
        case Int32(SOCK_STREAM.rawValue) where socket.option(SOL_SOCKET, SO_ACCEPTCONN) == 1: carries = .connections
        case Int32(SOCK_DGRAM.rawValue): carries = .datagrams
        default: throw refusal("it neither listens for connections nor receives datagrams; is Accept=no?")
        }
        if address.family == .ipv6, socket.option(Int32(IPPROTO_IPV6), IPV6_V6ONLY) != 1 {
            throw refusal("it takes IPv4 as well; write BindIPv6Only=ipv6-only, and the IPv4 address beside it")
        }
        _ = apus_set_nonblocking(descriptor)
        self.address = address
        self.name = name
        self.descriptor = descriptor
    }

    /// A duplicate that accepts connections, which go to whoever accepts first.
    public func accepting() throws(SystemError) -> Socket {
        let socket = Socket(descriptor: try duplicate())
        socket.prepareToAccept()
        return socket
    }

    /// A duplicate that receives datagrams, joined as `DatagramSocket.listen` says.
    public func receiving(joinsDatagrams: Bool) throws(SystemError) -> DatagramSocket {
        let socket = DatagramSocket(descriptor: try duplicate())
        socket.prepareToReceive(address.family)
        if joinsDatagrams { socket.joinDatagrams() }
        return socket
    }

    private func duplicate() throws(SystemError) -> Int32 {
        let duplicate = apus_duplicate(descriptor)
        guard duplicate >= 0 else { throw SystemError("duplicate the socket that was passed for \(address)") }
        return duplicate
    }
}
