import Glibc
import Synchronization

/// Words of memory that several threads read and write at once.
///
/// Shape:  side by side, from the beginning of a cache line on; all are zero at first. Pages of a large one that were
///         never written take no memory.
/// Errors: an index beyond the last word traps; so does a lack of memory.
@safe public final class AtomicWords: @unchecked Sendable {
    /// How many there are.
    public let count: Int
    private let memory: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<Atomic<UInt64>>

    /// So many words; at least one.
    public init(count: Int) {
        precondition(count > 0, "atomic words: \(count) of them")
        self.count = count
        // Memory of `calloc` is zero, as `Atomic(0)` is, without having been written.
        guard let memory = unsafe calloc(count + 8, 8) else { preconditionFailure("atomic words: no memory") }
        unsafe self.memory = memory
        unsafe words = memory.alignedUp(toMultipleOf: 64).bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    deinit { unsafe free(memory) }

    /// The word at `index`.
    public func load(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "atomic words: index \(index) of \(count)")
        return unsafe words[index].load(ordering: .sequentiallyConsistent)
    }

    /// Writes the word at `index`.
    public func store(_ value: UInt64, at index: Int) {
        precondition(index >= 0 && index < count, "atomic words: index \(index) of \(count)")
        unsafe words[index].store(value, ordering: .sequentiallyConsistent)
    }

    /// Replaces the word at `index` if it is still `expected`. Returns whether it was.
    public func exchange(_ expected: UInt64, for value: UInt64, at index: Int) -> Bool {
        precondition(index >= 0 && index < count, "atomic words: index \(index) of \(count)")
        return unsafe words[index].compareExchange(
            expected: expected, desired: value, ordering: .sequentiallyConsistent
        ).exchanged
    }
}
