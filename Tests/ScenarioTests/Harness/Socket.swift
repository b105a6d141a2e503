import Glibc

/// One blocking socket with deadlines: the only file of the harness that makes socket calls.
///
/// Shape:  owns its descriptor, closed by `close()` or `deinit`. One thread reads and one thread writes at a time;
///         `shutDown` may be called by a third, which makes both return.
/// Errors: `SocketError`, naming the call and errno.
final class Socket: Sendable {
    /// The file descriptor.
    let descriptor: Int32
    private let closed = Locked(false)

    /// What a read found.
    enum Arrival: Equatable, Sendable {
        case bytes([UInt8])
        case endOfStream
        /// The connection was aborted (RST).
        case reset
        /// The deadline passed without data.
        case silence
    }

    /// Takes over a descriptor that is open.
    init(adopting descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close() }

    /// Listens on `host`, an address of this machine; `port` 0 lets the kernel choose.
    static func listening(port: UInt16 = 0, host: String = loopback, backlog: Int32 = 1_024) throws -> Socket {
        let address = InternetAddress(host, port: port)
        let socket = Socket(adopting: try check("socket", Glibc.socket(address.family, streamType, 0)))
        try socket.set(SO_REUSEADDR, 1)
        try check("bind to \(host) port \(port)", unsafe address.withBytes { unsafe bind(socket.descriptor, $0, $1) })
        try check("listen", Glibc.listen(socket.descriptor, backlog))
        return socket
    }

    /// Connects to `host`, from `source` and `sourcePort` where they are given. `receiveBuffer` in bytes makes a slow
    /// reader felt early.
    static func connected(
        port: UInt16, host: String = loopback, receiveBuffer: Int32? = nil, source: String? = nil,
        sourcePort: UInt16 = 0
    ) throws -> Socket {
        let address = InternetAddress(host, port: port)
        let socket = Socket(adopting: try check("socket", Glibc.socket(address.family, streamType, 0)))
        if let receiveBuffer { try socket.set(SO_RCVBUF, receiveBuffer) }
        if let source {
            try socket.set(SO_REUSEADDR, 1)
            let own = InternetAddress(source, port: sourcePort)
            let bound = unsafe own.withBytes { unsafe bind(socket.descriptor, $0, $1) }
            try check("bind to \(source) port \(sourcePort)", bound)
        }
        let outcome = unsafe address.withBytes { unsafe connect(socket.descriptor, $0, $1) }
        try check("connect to \(host) port \(port)", outcome)
        try socket.sendWithoutDelay()
        return socket
    }

    /// Connects to a Unix socket.
    static func connected(path: String) throws -> Socket {
        let socket = Socket(adopting: try check("socket", Glibc.socket(AF_UNIX, streamType, 0)))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        precondition(path.utf8.count < 108, "a Unix socket's path has less than 108 bytes: \(path)")
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let outcome = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe Glibc.connect(socket.descriptor, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try check("connect to \(path)", outcome)
        return socket
    }

    /// The port that this end has.
    func localPort() throws -> UInt16 { try Self.port(of: descriptor) }

    /// The port that a socket is bound to.
    static func port(of descriptor: Int32) throws -> UInt16 {
        // The port lies at the same place in an IPv4 and an IPv6 address.
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let outcome = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe getsockname(descriptor, generic, &length)
            }
        }
        try check("getsockname", outcome)
        return UInt16(bigEndian: address.sin6_port)
    }

    /// The next connection of a listening socket; `nil` at the deadline or after `shutDown`.
    func accept(by deadline: Deadline) -> Socket? {
        guard waits(for: Int16(POLLIN), by: deadline) else { return nil }
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        let socket = Socket(adopting: accepted)
        try? socket.sendWithoutDelay()
        return socket
    }

    /// The next bytes, at most `most`.
    func read(most: Int = 65_536, by deadline: Deadline) -> Arrival {
        guard waits(for: Int16(POLLIN), by: deadline) else { return .silence }
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            let got = unsafe recv(descriptor, buffer.baseAddress, most, 0)
            failure = got < 0 ? errno : 0
            count = max(0, got)
        }
        if failure != 0 { return failure == ECONNRESET ? .reset : .endOfStream }
        return bytes.isEmpty ? .endOfStream : .bytes(bytes)
    }

    /// Reads up to `scratch.count` bytes over and over into the same place: for bodies too large to keep.
    /// `nil` at the end, a reset or the deadline.
    func discard(into scratch: inout [UInt8], by deadline: Deadline) -> Int? {
        guard waits(for: Int16(POLLIN), by: deadline) else { return nil }
        let got = unsafe scratch.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        return got > 0 ? got : nil
    }

    /// Sends all of `bytes`, waiting for room; throws when the other side is gone or `deadline` passes.
    func write(_ bytes: [UInt8], by deadline: Deadline) throws {
        var sent = 0
        while sent < bytes.count {
            guard waits(for: Int16(POLLOUT), by: deadline) else { throw SocketError(call: "send", code: ETIMEDOUT) }
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(descriptor, all.baseAddress! + sent, all.count - sent, sendFlags)
            }
            if count < 0 && (errno == EAGAIN || errno == EINTR) { continue }
            sent += try Self.check("send", count)
        }
    }

    /// Sends FIN: no more bytes will come from this side.
    func endWriting() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both directions without giving the descriptor back, so that a thread blocked in it returns.
    func shutDown() {
        closed.withLock { if !$0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }

    /// Aborts the connection: the other side reads RST.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    /// Keeps what is sent until the connection is closed, so that it leaves with the end, in one segment.
    func cork() throws {
        var one: Int32 = 1
        try Self.check("setsockopt", unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &one, 4))
    }

    /// Gives the descriptor back. Only for the thread that reads: another would close a number already reused.
    func close() {
        closed.withLock { closed in
            if !closed { _ = Glibc.close(descriptor) }
            closed = true
        }
    }

    private func waits(for events: Int16, by deadline: Deadline) -> Bool {
        while true {
            var request = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = unsafe poll(&request, 1, deadline.millisecondsLeft)
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }

    private func sendWithoutDelay() throws {
        var one: Int32 = 1
        try Self.check("setsockopt", unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4))
    }

    private func set(_ option: Int32, _ value: Int32) throws {
        var value = value
        try Self.check("setsockopt", unsafe setsockopt(descriptor, SOL_SOCKET, option, &value, 4))
    }

    private let sendFlags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
    private static let streamType = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    /// Where everything listens that does not say otherwise.
    static let loopback = "127.0.0.1"

    @discardableResult
    private static func check<Result: BinaryInteger>(_ call: String, _ result: Result) throws -> Result {
        guard result >= 0 else { throw SocketError(call: call, code: errno) }
        return result
    }
}

/// An IPv4 or IPv6 address and a port, as socket calls take them.
struct InternetAddress {
    private var storage = sockaddr_storage()
    private let length: Int

    /// An address spelt in figures; anything else is a mistake of the scenario.
    init(_ host: String, port: UInt16) {
        let isIPv6 = host.contains(":")
        length = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        let isAddress = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            if isIPv6 {
                return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    unsafe address.pointee.sin6_family = sa_family_t(AF_INET6)
                    unsafe address.pointee.sin6_port = port.bigEndian
                    return unsafe inet_pton(AF_INET6, host, &address.pointee.sin6_addr) == 1
                }
            }
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                unsafe address.pointee.sin_family = sa_family_t(AF_INET)
                unsafe address.pointee.sin_port = port.bigEndian
                return unsafe inet_pton(AF_INET, host, &address.pointee.sin_addr) == 1
            }
        }
        precondition(isAddress, "not an address: \(host)")
    }

    /// An address that the kernel has told.
    init(_ storage: sockaddr_storage) {
        self.storage = storage
        let isIPv6 = Int32(storage.ss_family) == AF_INET6
        length = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// As logs have it: `127.0.0.1:53`.
    var text: String {
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 8)
        let flags = Int32(NI_NUMERICHOST | NI_NUMERICSERV)
        _ = unsafe withBytes { unsafe getnameinfo($0, $1, &host, 64, &port, 8, flags) }
        let name = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        let number = String(decoding: port.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        return family == AF_INET6 ? "[\(name)]:\(number)" : "\(name):\(number)"
    }

    /// Calls `body` with the address and its length.
    func withBytes(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(length)) }
        }
    }
}

/// A socket call that failed: which one, and errno.
struct SocketError: Error, CustomStringConvertible {
    /// What was being done.
    let call: String
    /// errno.
    let code: Int32
    var description: String { unsafe "\(call): \(String(cString: strerror(code)))" }
}
