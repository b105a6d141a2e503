import CLinux
import Glibc

/// An eventfd by which one thread wakes another, and which a poller can watch. Source: eventfd(2).
///
/// Shape: shared by reference; closed with its last owner. Several signals before the receiver looks count as one.
public final class EventDescriptor: Sendable {
    /// The descriptor for a poller to watch.
    public let descriptor: Int32

    public init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "eventfd: \(systemErrorText(errno))")
    }

    deinit { _ = closeDescriptor(descriptor) }

    /// Makes the descriptor readable.
    public func signal() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    /// Makes it unreadable until the next `signal`.
    public func clear() {
        var value: UInt64 = 0
        _ = unsafe read(descriptor, &value, 8)
    }

    /// Blocks the calling thread until `signal`, at most `timeoutMilliseconds`; for threads without a poller.
    public func wait(timeoutMilliseconds: Int32) {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&watched, 1, timeoutMilliseconds)
    }
}
