import CLinux
import Glibc

extension Socket {
    /// The result of an accept.
    public enum AcceptResult {
        /// A non-blocking connection and the client's address, which is nil on a Unix socket.
        case accepted(Socket, SocketAddress?)
        /// No connection waits.
        case wouldBlock
        /// The process or the system is out of descriptors: free one, or stop listening for a while.
        case outOfDescriptors
        /// The connection was reset before it was accepted: continue with the next.
        case aborted
    }

    private static let streamFlags = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

    /// Opens a listening TCP socket. Connections inherit `TCP_NODELAY` and `SO_KEEPALIVE` from it, which saves two
    /// calls per connection.
    ///
    /// Errors: `SystemError` naming the address, as when another program has the port.
    public static func listen(
        on address: SocketAddress, sharesPort: Bool, backlog: Int32 = Limits.listenBacklog
    ) throws(SystemError) -> Socket {
        let listener = try bind(to: address, sharesPort: sharesPort)
        listener.prepareToAccept()
        guard Glibc.listen(listener.descriptor, backlog) == 0 else { throw listener.abandon("listen on \(address)") }
        return listener
    }

    /// Sets what connections inherit from their listener.
    func prepareToAccept() {
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// Binds a TCP socket to `address` and does not listen: a test of whether the address is free.
    ///
    /// Errors: `SystemError` naming the address.
    public static func bind(to address: SocketAddress, sharesPort: Bool) throws(SystemError) -> Socket {
        let descriptor = socket(address.domain, streamFlags, 0)
        guard descriptor >= 0 else { throw SystemError("open a socket for \(address)") }
        let bound = Socket(descriptor: descriptor)
        bound.set(SOL_SOCKET, SO_REUSEADDR, 1)
        if sharesPort { bound.set(SOL_SOCKET, SO_REUSEPORT, 1) }
        if address.family == .ipv6 { bound.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        let status = unsafe address.withSystemAddress { unsafe apus_bind(descriptor, $0, $1) }
        guard status == 0 else { throw bound.abandon("bind \(address)") }
        return bound
    }

    /// Opens a listening Unix socket with the given permissions, which belongs to `group` if there is one. The path
    /// must not exist.
    public static func listen(
        onUnixPath path: String, mode: UInt32, group: UInt32? = nil
    ) throws(SystemError) -> Socket {
        let descriptor = socket(AF_UNIX, streamFlags, 0)
        guard descriptor >= 0 else { throw SystemError("open a socket for \(path)") }
        let listener = Socket(descriptor: descriptor)
        // Group and mode are set before listen(2), so that there is no moment at which others could connect.
        let bound = unsafe withUnixAddress(path) { unsafe apus_bind(descriptor, $0, $1) }
        guard bound == 0 else { throw listener.abandon("bind \(path)") }
        do throws(SystemError) {
            try UnixPath.setAccess(of: path, mode: mode, group: group)
        } catch {
            UnixPath.remove(path)
            listener.close()
            throw error
        }
        guard Glibc.listen(descriptor, Limits.listenBacklog) == 0 else { throw listener.abandon("listen on \(path)") }
        return listener
    }

    /// Begins to connect. The poller reports it writable when the attempt has succeeded or failed; `takeError()` tells
    /// which.
    ///
    /// With `keepsAlive` the kernel sends TCP keep-alive probes while the connection is silent (tcp(7)).
    ///
    /// Errors: `SystemError` when the kernel refuses at once, as with no route.
    public static func connect(to address: SocketAddress, keepsAlive: Bool = false) throws(SystemError) -> Socket {
        let descriptor = socket(address.domain, streamFlags, 0)
        guard descriptor >= 0 else { throw SystemError("open a socket to \(address)") }
        let connection = Socket(descriptor: descriptor)
        connection.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        if keepsAlive { connection.set(SOL_SOCKET, SO_KEEPALIVE, 1) }
        let status = unsafe address.withSystemAddress { unsafe apus_connect(descriptor, $0, $1) }
        if status == 0 || errno == EINPROGRESS { return connection }
        throw connection.abandon("connect to \(address)")
    }

    /// Begins to connect with `client`'s address as the source (client IP preservation), and with its port unless
    /// another connection has the same four-tuple. The target replies to the client's address, so routes have to bring
    /// those packets back to this host.
    ///
    /// Source: ip(7), `IP_TRANSPARENT`. Errors: those of a plain connect, and EPERM without CAP_NET_ADMIN.
    public static func connect(
        to address: SocketAddress, from client: SocketAddress, keepsAlive: Bool = false
    ) throws(SystemError) -> Socket {
        do throws(SystemError) {
            return try connectOnce(to: address, from: client, keepsAlive: keepsAlive)
        } catch {
            guard portIsRefused(error.code) else { throw error }
            return try connectOnce(to: address, from: client.with(port: 0), keepsAlive: keepsAlive)
        }
    }

    /// Whether a retry with another port may succeed: this one is taken, or is below 1024 and we are not root.
    private static func portIsRefused(_ code: Int32) -> Bool {
        code == EADDRINUSE || code == EADDRNOTAVAIL || code == EACCES
    }

    private static func connectOnce(
        to address: SocketAddress, from client: SocketAddress, keepsAlive: Bool
    ) throws(SystemError) -> Socket {
        let descriptor = socket(address.domain, streamFlags, 0)
        guard descriptor >= 0 else { throw SystemError("open a socket to \(address)") }
        let connection = Socket(descriptor: descriptor)
        guard connection.becomeTransparent(client.family) else {
            throw connection.abandon("use the address of \(client)")
        }
        connection.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        if keepsAlive { connection.set(SOL_SOCKET, SO_KEEPALIVE, 1) }
        if client.port == 0 {
            // Which port is free depends on the destination.
            connection.set(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        } else {
            // A client may have many connections from one port, to as many listeners.
            connection.set(SOL_SOCKET, SO_REUSEADDR, 1)
        }
        let bound = unsafe client.withSystemAddress { unsafe apus_bind(descriptor, $0, $1) }
        guard bound == 0 else { throw connection.abandon("use the address of \(client)") }
        let status = unsafe address.withSystemAddress { unsafe apus_connect(descriptor, $0, $1) }
        if status == 0 || errno == EINPROGRESS { return connection }
        throw connection.abandon("connect to \(address) from \(client)")
    }

    /// Whether this thread may connect from addresses that are not this host's.
    public static var mayUseForeignAddresses: Bool {
        let descriptor = socket(AF_INET, streamFlags, 0)
        guard descriptor >= 0 else { return false }
        let probe = Socket(descriptor: descriptor)
        defer { probe.close() }
        return probe.becomeTransparent(.ipv4)
    }

    private func becomeTransparent(_ family: SocketAddress.Family) -> Bool {
        family == .ipv4
            ? trySet(Int32(IPPROTO_IP), IP_TRANSPARENT, 1) : trySet(Int32(IPPROTO_IPV6), IPV6_TRANSPARENT, 1)
    }

    /// Connects to a Unix socket and waits for it. The connection is blocking, which suits the command line.
    ///
    /// Without `blocks` it is not, and nothing is waited for: a server whose backlog is full refuses (EAGAIN).
    public static func connect(toUnixPath path: String, blocks: Bool = true) throws(SystemError) -> Socket {
        let flags = blocks ? Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) : streamFlags
        let descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw SystemError("open a socket to \(path)") }
        let status = unsafe withUnixAddress(path) { unsafe apus_connect(descriptor, $0, $1) }
        if status == 0 { return Socket(descriptor: descriptor) }
        throw Socket(descriptor: descriptor).abandon("connect to \(path)")
    }

    /// Sets a timeout for reads and writes of a blocking socket, which then return `wouldBlock`.
    /// Source: socket(7), `SO_RCVTIMEO`.
    public func setTimeout(_ time: Nanoseconds) {
        var limit = timeval(tv_sec: Int(time / 1_000_000_000), tv_usec: Int(time / 1_000 % 1_000_000))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let size = socklen_t(MemoryLayout<timeval>.size)
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &limit, size)
        }
    }

    /// Accepts one waiting connection.
    public func accept() -> AcceptResult {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let accepted = unsafe apus_accept4(descriptor, &storage, &length, flags)
        if accepted >= 0 { return .accepted(Socket(descriptor: accepted), SocketAddress(storage)) }
        switch errno {
        case EAGAIN: return .wouldBlock
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .outOfDescriptors
        case EBADF, EFAULT, EINVAL, ENOTSOCK: preconditionFailure("accept: our own fault")
        default: return .aborted
        }
    }

    /// Sets an option that every kernel has.
    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        precondition(trySet(level, option, value), "setsockopt(\(level), \(option)): \(systemErrorText(errno))")
    }

    /// Sets an option. Returns false if the kernel does not have it.
    func trySet(_ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
        var value = value
        return unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    /// The value of an option; nil if this is no socket, or one that does not have it.
    func option(_ level: Int32, _ option: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, level, option, &value, &length) == 0 ? value : nil
    }

    /// Closes the descriptor and returns the error of the call that failed before.
    func abandon(_ operation: String) -> SystemError {
        let error = SystemError(operation)
        close()
        return error
    }
}

/// Longest path of a Unix socket, in bytes. Source: unix(7), `sun_path`.
public let unixPathBytesMax = 107

/// Calls `body` with the address of the Unix socket called `path`: a path, or with `isAbstract` a name outside the file
/// system. Returns -1 with errno(3) if there can be no such socket.
func withUnixAddress(
    _ path: String, isAbstract: Bool = false, _ body: (UnsafePointer<sockaddr_storage>, socklen_t) -> Int32
) -> Int32 {
    let bytes = Array(path.utf8)
    // A leading zero byte would name a socket outside the file system, a later one would end the path early.
    guard !bytes.isEmpty, !bytes.contains(0) else {
        errno = EINVAL
        return -1
    }
    guard bytes.count <= unixPathBytesMax else {
        errno = ENAMETOOLONG
        return -1
    }
    var storage = sockaddr_storage()
    storage.ss_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &storage) { raw in
        // An abstract name begins with a zero byte, and has none at its end: the length is the same.
        let start = isAbstract ? 3 : 2
        for (index, byte) in bytes.enumerated() { unsafe raw[start + index] = byte }
    }
    return unsafe body(&storage, socklen_t(2 + bytes.count + 1))
}
