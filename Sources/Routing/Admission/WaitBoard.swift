import Core

/// Tells all workers on which of them requests wait, and since when the oldest does: for a target of a group, or for
/// one target.
///
/// A worker keeps the queue of its own requests and tells here only when the first of them began to wait. Who frees a
/// slot of a target looks here whose turn it is. A worker tells first and then looks for a free slot; who frees a slot
/// frees it first and then looks here. Both are sequentially consistent, so that one of the two sees the other, and no
/// free slot stays unseen by who waits.
///
/// Shape:  two words for each worker; made when the first request waits.
public final class WaitBoard: Sendable {
    private let words: AtomicWords
    private let wakeups: [EventDescriptor]

    /// A board for workers that are woken by these.
    public init(_ wakeups: [EventDescriptor]) {
        self.wakeups = wakeups
        words = AtomicWords(count: 2 * wakeups.count)
    }

    /// Says since when the oldest request on `worker` waits; nil if none does.
    public func publish(_ since: Instant?, of worker: Int) {
        words.store(since.map { max(1, $0.nanoseconds) } ?? 0, at: worker)
    }

    /// Says whether requests on `worker` wait for targets of their own: they are told of changes, and keep no others
    /// waiting.
    public func publishOthers(_ wait: Bool, of worker: Int) { words.store(wait ? 1 : 0, at: wakeups.count + worker) }

    /// The worker with the oldest request, and since when that waits, of all but `asking`; nil if none does.
    public func oldest(besides asking: Int) -> (worker: Int, since: Instant)? {
        var oldest: (worker: Int, since: UInt64)?
        for worker in wakeups.indices where worker != asking {
            let since = words.load(worker)
            guard since != 0, since < oldest?.since ?? .max else { continue }
            oldest = (worker, since)
        }
        return oldest.map { ($0.worker, Instant(nanoseconds: $0.since)) }
    }

    /// Whether any request waits.
    public var isAnyWaiting: Bool { wakeups.indices.contains { words.load($0) != 0 } }

    /// Wakes the workers on which requests wait: something has changed that may let them go.
    func wakeAll() {
        for worker in wakeups.indices where words.load(worker) != 0 || words.load(wakeups.count + worker) != 0 {
            wakeups[worker].signal()
        }
    }
}
