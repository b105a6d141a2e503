import Core
import Synchronization

/// Wakes the log writer only if it sleeps, so that workers make no system call under steady traffic.
///
/// Shape:  one atomic state of the writer, and an eventfd. The writer stores that it is about to sleep and then checks
///         the rings once more; a worker appends and then loads the state. With a full fence between the two steps on
///         both sides, at least one of them sees the other's store, so no wakeup is lost.
public final class LogWakeup: Sendable {
    /// The state of the log writer.
    enum WriterState: UInt8, AtomicRepresentable {
        /// Reading the rings; it will check them again before it sleeps.
        case busy
        /// Waiting a moment to batch lines; woken early only if a ring is half full.
        case batching
        /// Sleeping until woken.
        case asleep
    }

    private let writerState = Atomic<WriterState>(.busy)
    private let event = EventDescriptor()

    /// The writer is busy at first.
    public init() {}

    /// Wakes the writer if it sleeps, or if it is batching and `ring` is half full.
    func wakeIfNeeded(for ring: LogRing) {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        switch writerState.load(ordering: .relaxed) {
        case .busy: return
        case .batching: if ring.count > ring.capacity / 2 { wake() }
        case .asleep: wake()
        }
    }

    /// Wakes the writer in any state.
    func wake() {
        writerState.store(.busy, ordering: .relaxed)
        event.signal()
    }

    /// Blocks the writer until it is woken or the time is over. Returns at once if `isNeeded` is true after the state
    /// was stored.
    ///
    /// Units: milliseconds; nil waits for ever.
    func sleep(timeoutMilliseconds: Int32?, unless isNeeded: () -> Bool) {
        writerState.store(timeoutMilliseconds == nil ? .asleep : .batching, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if !isNeeded() { event.wait(timeoutMilliseconds: timeoutMilliseconds ?? -1) }
        writerState.store(.busy, ordering: .relaxed)
        event.clear()
    }
}
