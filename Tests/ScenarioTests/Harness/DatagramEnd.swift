import Glibc

/// One UDP socket with deadlines, of a client or a target.
///
/// Shape:  owns its descriptor. One thread receives and one sends at a time.
/// Errors: `SocketError`, naming the call and errno; what the network says of an earlier datagram comes so too.
final class DatagramEnd: Sendable {
    /// Where it is bound.
    let host: String
    let port: UInt16
    private let descriptor: Int32
    private let closed = Locked(false)
    private let shut = Locked(false)

    /// One datagram, and where it came from, as `127.0.0.1:53`.
    struct Arrival: Sendable {
        fileprivate let address: InternetAddress
        let bytes: [UInt8]
        var source: String { address.text }
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Binds to a local address; with `port` 0 the kernel chooses.
    init(host: String = Socket.loopback, port: UInt16 = 0) throws {
        let address = InternetAddress(host, port: port)
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = try Self.check("socket", Glibc.socket(address.family, type, 0))
        self.host = host
        do {
            try Self.check(
                "bind to \(host) port \(port)",
                unsafe address.withBytes { [descriptor] in
                    unsafe bind(descriptor, $0, $1)
                })
            self.port = try Socket.port(of: descriptor)
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
        // As much as the kernel lets us: what is lost here says nothing about the program under test.
        var bytes: Int32 = 8 << 20
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, 4)
    }

    /// A client of `apus`, which receives only from the listener's address.
    convenience init(
        to apus: ApusProcess, at host: String = Socket.loopback, port: UInt16? = nil, from own: String? = nil
    ) throws {
        try self.init(host: own ?? (host.contains(":") ? "::1" : Socket.loopback))
        try connect(to: host, port: port ?? apus.port)
    }

    deinit { close() }

    /// Connects the socket to one address.
    func connect(to host: String, port: UInt16) throws {
        let address = InternetAddress(host, port: port)
        try Self.check("connect", unsafe address.withBytes { unsafe Glibc.connect(descriptor, $0, $1) })
    }

    /// Sends one datagram to where it is connected. With a `segment`, the kernel cuts it into datagrams of so many
    /// bytes. Source: udp(7), `UDP_SEGMENT`.
    func send(_ bytes: [UInt8], segment: Int32 = 0) throws {
        var segment = segment
        if segment > 0 {
            try Self.check("setsockopt", unsafe setsockopt(descriptor, Int32(IPPROTO_UDP), segmentOption, &segment, 4))
        }
        try Self.check(
            "send", unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, 0) })
    }

    /// Replies to the sender of a datagram.
    func answer(_ bytes: [UInt8], to arrival: Arrival) throws { try send(bytes, to: arrival.address) }

    /// Sends one datagram to an address.
    func send(_ bytes: [UInt8], to address: InternetAddress) throws {
        let sent = unsafe address.withBytes { address, length in
            unsafe bytes.withUnsafeBytes {
                unsafe Int32(sendto(descriptor, $0.baseAddress, $0.count, 0, address, length))
            }
        }
        try Self.check("send", sent)
    }

    /// Sends text.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// The next datagram; nil at the deadline, when it was closed, or when the network refused one that was sent.
    func receive(within seconds: Double = 10) -> Arrival? {
        let deadline = Deadline.after(seconds)
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = unsafe poll(&request, 1, deadline.millisecondsLeft)
            if ready > 0 { break }
            if ready == 0 || errno != EINTR { return nil }
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var isGood = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            let got = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    unsafe recvfrom(
                        descriptor, buffer.baseAddress, 65_536, Int32(MSG_DONTWAIT), generic, &length)
                }
            }
            isGood = got >= 0 && !isShut
            count = max(0, got)
        }
        return isGood ? Arrival(address: InternetAddress(storage), bytes: bytes) : nil
    }

    /// Sends text and waits for the answer's text.
    func ask(_ text: String, within seconds: Double = 10) throws -> String? {
        try send(text)
        return receive(within: seconds)?.text
    }

    /// Whether `shutDown` was called.
    var isShut: Bool { shut.value }
    /// Whether the descriptor was given back.
    var isClosed: Bool { closed.value }

    /// Has a thread that waits in `receive` return.
    func shutDown() {
        shut.withLock { $0 = true }
        closed.withLock { if !$0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }

    /// Gives the descriptor back. Only for the thread that receives.
    func close() {
        closed.withLock { closed in
            if !closed { _ = Glibc.close(descriptor) }
            closed = true
        }
    }

    private let segmentOption: Int32 = 103

    @discardableResult
    private static func check<Result: BinaryInteger>(_ call: String, _ result: Result) throws -> Result {
        guard result >= 0 else { throw SocketError(call: call, code: errno) }
        return result
    }
}
