import Synchronization

/// The lines one worker has written and the log writer has not yet taken.
///
/// Shape:  `capacity` bytes used in a circle. One thread appends, one thread takes. Both positions only grow; an
///         byte's place is its position modulo the capacity, and `taken ≤ appended ≤ taken + capacity` holds always.
///         The appending thread publishes bytes by storing `appended` with release order, the taking thread gives
///         room back by storing `taken` with release order, and each reads the other's with acquire order.
/// Limits: a line that does not fit is refused whole.
@safe public final class LogRing: @unchecked Sendable {
    /// How many bytes fit; a power of two.
    public let capacity: Int
    private let base: UnsafeMutablePointer<UInt8>
    private let appended = Atomic<Int>(0)
    // What the appending thread last saw of `taken`: it looks again only when that is not enough.
    private var takenSeen = 0
    // Keeps the two threads' words in different cache lines, so that neither waits for the other's stores.
    private let padding = InlineArray<16, UInt64>(repeating: 0)
    private let taken = Atomic<Int>(0)

    /// An empty ring of `capacity` bytes, a power of two.
    public init(capacity: Int = Limits.logRingBytes) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "log ring: capacity is not a power of two")
        self.capacity = capacity
        unsafe base = .allocate(capacity: capacity)
        unsafe base.initialize(repeating: 0, count: capacity)
    }

    deinit { unsafe base.deallocate() }

    /// Bytes that wait to be taken. Any thread may ask. `taken` is read first, so this is never negative.
    public var count: Int {
        let taken = taken.load(ordering: .acquiring)
        return appended.load(ordering: .acquiring) - taken
    }

    /// Appends `line` as a whole, or not at all if there is no room for it. Only the worker may call this.
    public func append(_ line: Span<UInt8>) -> Bool {
        let start = appended.load(ordering: .relaxed)
        if start + line.count - takenSeen > capacity {
            takenSeen = taken.load(ordering: .acquiring)
            guard start + line.count - takenSeen <= capacity else { return false }
        }
        unsafe line.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            let offset = start & (capacity - 1)
            let beforeWrap = min(source.count, capacity - offset)
            unsafe (base + offset).update(from: first, count: beforeWrap)
            unsafe base.update(from: first + beforeWrap, count: source.count - beforeWrap)
        }
        appended.store(start + line.count, ordering: .releasing)
        return true
    }

    /// Lends the oldest waiting bytes to `body`, as far as they lie in one piece; it returns how many it is done with,
    /// and they are gone. Empty when nothing waits. After a wrap, the rest comes with the next call. Only the log
    /// writer may call this.
    public func take(_ body: (Span<UInt8>) -> Int) {
        let start = taken.load(ordering: .relaxed)
        let waiting = appended.load(ordering: .acquiring) - start
        let offset = start & (capacity - 1)
        let piece = unsafe UnsafeBufferPointer(start: base + offset, count: min(waiting, capacity - offset))
        let done = unsafe body(piece.span)
        precondition(done >= 0 && done <= piece.count, "log ring: took more than there was")
        taken.store(start + done, ordering: .releasing)
    }
}
