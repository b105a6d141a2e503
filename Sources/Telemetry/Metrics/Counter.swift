import Synchronization

/// A counter: a number that only grows, written by one thread and read by any.
///
/// Shape:  one machine word, stored inline in the class that contains it. Since only one thread writes it, an increment
///         is a plain load and a plain store, without a locked instruction.
/// Limits: wraps at 2^64, which no counter here reaches.
public struct Counter: ~Copyable, Sendable {
    @usableFromInline let word = Atomic<UInt64>(0)

    /// A counter at zero.
    @inlinable public init() {}

    /// What was counted so far. Any thread may read it.
    @inlinable public var value: UInt64 { word.load(ordering: .relaxed) }

    /// Counts `amount` more. Only the owning thread may call this: a second writer would lose counts.
    @inlinable public func add(_ amount: UInt64 = 1) {
        word.store(word.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
}

/// A gauge: a number that rises and falls and is never negative, written by one thread and read by any.
///
/// Shape:  as `Counter`.
/// Errors: traps below zero, since that means an unbalanced `subtract`.
public struct Gauge: ~Copyable, Sendable {
    @usableFromInline let word = Atomic<UInt64>(0)

    /// A gauge at zero.
    @inlinable public init() {}

    /// The current value. Any thread may read it.
    @inlinable public var value: UInt64 { word.load(ordering: .relaxed) }

    /// Rises by `amount`. Only the owning thread may call this.
    @inlinable public func add(_ amount: UInt64 = 1) {
        word.store(word.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// Falls by `amount`. Only the owning thread may call this.
    @inlinable public func subtract(_ amount: UInt64 = 1) {
        let before = word.load(ordering: .relaxed)
        precondition(before >= amount, "gauge: gave back more than was taken")
        word.store(before - amount, ordering: .relaxed)
    }
}

/// A label of a `CounterSet`: an enum without payloads, whose raw values count up from zero.
public protocol CounterLabel: CaseIterable, RawRepresentable, Sendable where RawValue == UInt8 {
    /// The label's value in metrics.
    var label: StaticString { get }
}

/// One counter for each case of `Label`.
///
/// Shape:  as many words as `CounterSet.capacity`, inline.
/// Limits: an enum with more cases than that traps at its first count.
public struct CounterSet<Label: CounterLabel>: ~Copyable, Sendable {
    /// The most cases a label can have.
    public static var capacity: Int { 32 }

    @usableFromInline let counters = InlineArray<32, Counter> { _ in Counter() }

    /// All counters at zero.
    @inlinable public init() {}

    /// What was counted for `label`. Any thread may read it.
    @inlinable public func value(_ label: Label) -> UInt64 { counters[Int(label.rawValue)].value }

    /// Counts `amount` more for `label`. Only the owning thread may call this.
    @inlinable public func add(_ label: Label, _ amount: UInt64 = 1) {
        counters[Int(label.rawValue)].add(amount)
    }
}
