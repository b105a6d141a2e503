import Core
import Synchronization

/// How workers wake the log writer: only if it sleeps, so that steady traffic costs no system call.
///
/// Shape:  one word that says what the writer is doing, and a event. The writer announces that it is about to sleep
///         and then looks at the rings once more; a worker appends and then looks at the word. With a full fence
///         between the two steps on either side, at least one of them sees the other.
public final class LogWakeup: Sendable {
    /// What the log writer is doing.
    enum WriterState: UInt8, AtomicRepresentable {
        /// Looking through the rings; it will look again before it sleeps.
        case busy
        /// Letting lines gather for a moment; woken early only by a ring that fills.
        case batching
        /// Sleeping until woken.
        case asleep
    }

    private let writerState = Atomic<WriterState>(.busy)
    private let event = EventDescriptor()

    /// A wakeup whose writer is busy.
    public init() {}

    /// Wakes the writer if what was just appended to `ring` would otherwise wait too long.
    func wakeIfNeeded(for ring: LogRing) {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        switch writerState.load(ordering: .relaxed) {
        case .busy: return
        case .batching: if ring.count > ring.capacity / 2 { wake() }
        case .asleep: wake()
        }
    }

    /// Wakes the writer whatever it is doing.
    func wake() {
        writerState.store(.busy, ordering: .relaxed)
        event.signal()
    }

    /// Blocks the writer until it is woken, unless `isNeeded` says after the announcement that it should go on.
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
