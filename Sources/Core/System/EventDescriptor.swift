import CLinux
import Glibc

/// A doorbell between threads that a poller can watch. Source: eventfd(2).
///
/// Shape: shared by reference; closed with its last owner. Ringing it many times before it is heard counts once.
public final class EventDescriptor: Sendable {
    /// What a poller watches.
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

    /// Makes it unreadable until the next `ring`.
    public func clear() {
        var value: UInt64 = 0
        _ = unsafe read(descriptor, &value, 8)
    }

    /// Blocks the calling thread until `ring`, at most `timeoutMilliseconds`; for threads without a poller.
    public func wait(timeoutMilliseconds: Int32) {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&watched, 1, timeoutMilliseconds)
    }
}
