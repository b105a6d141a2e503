import Core
import Glibc
import Testing

/// The loopback addresses that this machine has: IPv6 is off in some containers.
enum Loopback {
    static let ipv4 = "127.0.0.1"
    static let ipv6 = "::1"
    static let hosts = [ipv4] + (canListen(ipv6) ? [ipv6] : [])

    private static func canListen(_ host: String) -> Bool {
        guard let address = SocketAddress(literal: host, port: 0),
            let listener = try? Socket.listen(on: address, sharesPort: false)
        else { return false }
        listener.close()
        return true
    }

    /// A listening socket on a port of the kernel's choice.
    static func listen(_ host: String, sharesPort: Bool = false) throws -> (socket: Socket, address: SocketAddress) {
        let anyPort = try #require(SocketAddress(literal: host, port: 0))
        let listener = try Socket.listen(on: anyPort, sharesPort: sharesPort)
        return (listener, try #require(listener.localAddress))
    }

    /// Both ends of a TCP connection, established.
    static func connect(_ host: String) throws -> (client: Socket, server: Socket) {
        let listener = try listen(host)
        defer { listener.socket.close() }
        let client = try Socket.connect(to: listener.address)
        return (client, try accept(from: listener.socket))
    }

    /// Waits for the next connection.
    static func accept(from listener: Socket) throws -> Socket {
        try #require(awaitReadable(listener.descriptor))
        guard case .accepted(let socket, _) = listener.accept() else {
            throw Unexpected("a connection that can be accepted, and is not")
        }
        return socket
    }
}

/// Waits at most ten seconds until `descriptor` is readable. Returns whether it is.
func awaitReadable(_ descriptor: Int32) -> Bool { awaitEvents(descriptor, POLLIN) }

/// Waits at most ten seconds until `descriptor` is writable, or its connection attempt has succeeded or failed.
func awaitWritable(_ descriptor: Int32) -> Bool { awaitEvents(descriptor, POLLOUT) }

private func awaitEvents(_ descriptor: Int32, _ events: Int32) -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return unsafe poll(&watched, 1, 10_000) == 1
}

/// Reads until the result is not bytes, waiting each time. Returns the bytes and the last result.
func readAll(_ socket: Socket) -> (content: [UInt8], end: Socket.ReadResult) {
    let buffer = Buffer(capacity: 64 * 1024)
    var content: [UInt8] = []
    while true {
        guard awaitReadable(socket.descriptor) else { return (content, .wouldBlock) }
        let result = socket.read(into: buffer)
        guard case .bytes = result else { return (content, result) }
        content += copyBytes(buffer.bytes)
        buffer.removeAll()
    }
}

/// A full buffer that holds `content`.
func buffer(_ content: [UInt8]) -> Buffer {
    let buffer = Buffer(capacity: content.count)
    buffer.append(content.span)
    return buffer
}

/// Pseudorandom bytes; the same for the same seed.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = FastRandom(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}
