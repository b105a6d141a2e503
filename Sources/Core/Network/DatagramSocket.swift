import Glibc

/// A non-blocking UDP socket: one descriptor. `DatagramBatch` receives from it and sends over it.
///
/// Shape:  a trivial value; its owner closes it, once.
/// Source: udp(7).
public struct DatagramSocket: Equatable, Sendable {
    /// The kernel's number for it.
    public let descriptor: Int32

    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// The address on our side. Source: getsockname(2).
    public var localAddress: SocketAddress? { asSocket.localAddress }

    /// Closes the descriptor, which also removes it from the poller.
    public func close() { asSocket.close() }

    /// What it does as any socket does: its options, and its end.
    var asSocket: Socket { Socket(descriptor: descriptor) }
}
