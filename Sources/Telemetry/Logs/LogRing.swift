import Synchronization

/// A single-producer, single-consumer ring buffer: the lines that one worker has written and the log writer has not
/// taken yet.
///
/// Shape:  `capacity` bytes, used as a ring. One thread appends, one thread takes. Both positions only grow; the offset
///         of a byte is its position modulo the capacity, and `taken ≤ appended ≤ taken + capacity` always holds. The
///         appending thread publishes bytes by storing `appended` with release ordering, the taking thread frees space
///         by storing `taken` with release ordering, and each loads the other's position with acquire ordering.
/// Limits: a line that does not fit is rejected as a whole.
@safe public final class LogRing: @unchecked Sendable {
    /// How many bytes fit; a power of two.
    public let capacity: Int
    private let base: UnsafeMutablePointer<UInt8>
    private let appended = Atomic<Int>(0)
    // The appending thread's last value of `taken`, which it loads again only if there is not enough space.
    private var takenSeen = 0
    // Puts the two positions into different cache lines, to avoid false sharing.
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

    /// Bytes that were not taken yet. Any thread may read it. `taken` is loaded first, so the result is never negative.
    public var count: Int {
        let taken = taken.load(ordering: .acquiring)
        return appended.load(ordering: .acquiring) - taken
    }

    /// Appends `line` completely, or not at all if it does not fit. Only the worker may call this.
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

    /// Calls `body` with the oldest bytes, up to the point where the ring wraps; it returns how many it has processed,
    /// which are then removed. The span is empty if there are none. Only the log writer may call this.
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
