import Glibc

/// Allocates free ports of 127.0.0.1, each once.
///
/// They lie below the range from which the kernel takes ports for outgoing connections, so that no such connection
/// can take one between its being chosen here and its being listened on by the program under test.
enum PortAllocator {
    private static let range: ClosedRange<UInt16> = 10_000...31_999
    private static let next = Locked<UInt16>(.random(in: range))

    /// The next free port. Errors: when the whole range is taken.
    static func port() throws -> UInt16 {
        for _ in range {
            let candidate = next.withLock { next in
                next = next == range.upperBound ? range.lowerBound : next + 1
                return next
            }
            if (try? Socket.listening(port: candidate)) != nil { return candidate }
        }
        throw SocketError(call: "find a free port", code: EADDRINUSE)
    }
}
