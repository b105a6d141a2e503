import CLinux
import Core
import Glibc
import Testing

/// The other side of the tests: plain UDP sockets without GRO and GSO, and plain system calls.
enum Datagrams {
    /// A listening socket on a port of the kernel's choice.
    static func listen(_ host: String) throws -> (socket: DatagramSocket, address: SocketAddress) {
        let anyPort = try #require(SocketAddress(literal: host, port: 0))
        let listener = try DatagramSocket.listen(on: anyPort, sharesPort: false)
        return (listener, try #require(listener.localAddress))
    }

    /// A socket that receives each datagram separately (without GRO), and its address.
    static func listenPlainly(_ host: String) throws -> (socket: DatagramSocket, address: SocketAddress) {
        let listener = try listen(host)
        try #require(set(listener.socket, Int32(IPPROTO_UDP), UDP_GRO, 0))
        return listener
    }

    static func set(_ socket: DatagramSocket, _ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
        var value = value
        return unsafe setsockopt(socket.descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    static func option(_ socket: DatagramSocket, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        let status = unsafe getsockopt(socket.descriptor, level, name, &value, &length)
        return status == 0 ? value : -1
    }

    /// Sends one datagram over a connected socket. Returns whether it was sent.
    static func send(_ bytes: [UInt8], over socket: DatagramSocket) -> Bool {
        unsafe Glibc.send(socket.descriptor, bytes, bytes.count, 0) == bytes.count
    }

    /// Sends datagrams of `segmentSize` bytes, the last with the rest, in one call (GSO). Returns whether they were
    /// sent.
    static func send(_ bytes: [UInt8], segmentSize: Int, over socket: DatagramSocket) -> Bool {
        guard set(socket, Int32(IPPROTO_UDP), UDP_SEGMENT, Int32(segmentSize)) else { return false }
        defer { _ = set(socket, Int32(IPPROTO_UDP), UDP_SEGMENT, 0) }
        return send(bytes, over: socket)
    }

    /// Receives `datagramCount` datagrams from a plain socket, waiting for each; fewer if they do not arrive.
    static func receive(_ datagramCount: Int, from socket: DatagramSocket) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        while datagrams.count < datagramCount, let datagram = receiveOne(from: socket) { datagrams.append(datagram) }
        return datagrams
    }

    /// The next datagram; nil if none arrives.
    static func receiveOne(from socket: DatagramSocket) -> [UInt8]? {
        guard awaitReadable(socket.descriptor) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(socket.descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    /// Whether no datagram is waiting.
    static func isSilent(_ socket: DatagramSocket) -> Bool {
        var byte: UInt8 = 0
        return unsafe recv(socket.descriptor, &byte, 1, Int32(MSG_PEEK)) < 0 && errno == EAGAIN
    }

    /// Both ends of a Unix datagram socket, whose queue is short and is emptied only by the test.
    static func unixPair() throws -> (first: DatagramSocket, second: DatagramSocket) {
        var descriptors: [Int32] = [-1, -1]
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &descriptors) == 0)
        return (DatagramSocket(descriptor: descriptors[0]), DatagramSocket(descriptor: descriptors[1]))
    }

    /// Bytes of the longest datagram: 65,535 minus the headers of UDP and, on IPv4, of IP. Source: RFC 768, RFC 791.
    static func longest(_ host: String) -> Int { host == Loopback.ipv6 ? 65_527 : 65_507 }

    /// `bytes` in pieces of `size`, the last with the rest.
    static func split(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }
}

extension DatagramBatch {
    /// Waits at most ten seconds until something has arrived, and receives it. Over loopback it arrives at once.
    func receiveSoon(from socket: DatagramSocket) -> ReceiveResult {
        awaitReadable(socket.descriptor) ? receive(from: socket) : .wouldBlock
    }

    /// The bytes of the `index`-th message.
    func content(_ index: Int) -> [UInt8] { copyBytes(bytes(index)) }
}
