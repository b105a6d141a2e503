import CLinux
import Glibc

/// One thread's view of which descriptors are ready.
///
/// Shape:  an epoll instance and a fixed array of events. A descriptor is registered once, edge-triggered, for reading
///         and writing; closing it removes it. There is no call per request here.
/// Source: epoll(7).
@safe public struct Poller: ~Copyable {
    private let epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private var readyCount = 0

    /// A descriptor that is ready, and for what.
    public struct Ready {
        /// The token it was registered with.
        public let token: Token
        private let mask: UInt32

        init(token: Token, mask: UInt32) {
            self.token = token
            self.mask = mask
        }

        /// Something can be read: bytes, the end of the stream, or an error.
        public var isReadable: Bool { mask & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | failures) != 0 }
        /// Something can be written, or a write would return the error.
        public var isWritable: Bool { mask & (EPOLLOUT.rawValue | failures) != 0 }
        /// The other side has finished sending: reads must continue until one reports it.
        public var isEndOfStream: Bool { mask & (EPOLLRDHUP.rawValue | failures) != 0 }
        /// Both directions have ended: the connection was reset, or the other side closed it after our end.
        public var isDead: Bool { mask & failures != 0 }
        private var failures: UInt32 { EPOLLERR.rawValue | EPOLLHUP.rawValue }
    }

    /// For what a descriptor is watched, and how it is reported.
    public enum Interest {
        /// Reading and writing, edge-triggered: reported once per change. For connections.
        case edges
        /// Reading, level-triggered: reported as long as there is something. For listeners, event descriptors and
        /// signals.
        case readable
        /// Reading and writing, level-triggered: for sockets of libraries that do not read them to their end.
        case readableOrWritable
    }

    public init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(epoll >= 0, "epoll_create1: \(systemErrorText(errno))")
        unsafe events = .allocate(capacity: Limits.readyEventsMax)
    }

    deinit {
        unsafe events.deallocate()
        _ = closeDescriptor(epoll)
    }

    /// Watches `descriptor` until it is closed. Errors: none; it traps when the kernel is out of memory or watches.
    public borrowing func add(_ descriptor: Int32, token: Token, interest: Interest) {
        let mask =
            switch interest {
            case .edges: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
            case .readable: EPOLLIN.rawValue
            case .readableOrWritable: EPOLLIN.rawValue | EPOLLOUT.rawValue
            }
        let status = apus_epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, mask, token.rawValue)
        precondition(status == 0, "epoll_ctl add \(descriptor): \(systemErrorText(errno))")
    }

    /// Stops watching `descriptor`, which stays open.
    public borrowing func remove(_ descriptor: Int32) {
        let status = apus_epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
        precondition(status == 0, "epoll_ctl delete \(descriptor): \(systemErrorText(errno))")
    }

    /// Waits until something is ready or `deadline` has come, and returns how many are ready.
    ///
    /// Units: the kernel waits in whole milliseconds; the deadline is rounded up, so that a timer is due on return.
    public mutating func wait(until deadline: Instant?, now: Instant) -> Int {
        let timeout: Int32
        if let deadline {
            let (milliseconds, rest) = deadline.since(now).quotientAndRemainder(dividingBy: 1_000_000)
            timeout = Int32(min(milliseconds + (rest == 0 ? 0 : 1), UInt64(Int32.max)))
        } else {
            timeout = -1
        }
        let count = unsafe epoll_wait(epoll, events, Int32(Limits.readyEventsMax), timeout)
        precondition(count >= 0 || errno == EINTR, "epoll_wait: \(systemErrorText(errno))")
        readyCount = max(0, Int(count))
        return readyCount
    }

    /// Drops the `index`-th ready descriptor of the last `wait`, which was handled already.
    public mutating func discard(_ index: Int) {
        precondition(index >= 0 && index < readyCount, "poller: no such event")
        unsafe apus_epoll_set_token(events + index, Token.none.rawValue)
    }

    /// The `index`-th ready descriptor of the last `wait`; a discarded one names `Token.none`.
    public borrowing func ready(_ index: Int) -> Ready {
        precondition(index >= 0 && index < readyCount, "poller: no such event")
        let event = unsafe events + index
        return unsafe Ready(token: Token(rawValue: apus_epoll_token(event)), mask: event.pointee.events)
    }
}
