import Synchronization

/// A number that only grows, written by one thread and read by any.
///
/// Shape:  one machine word, held inline by the class it is a part of. Because one thread alone writes it, an
///         increment is a plain load and a plain store: no locked instruction.
/// Limits: wraps at 2^64, which no counter here reaches.
public struct Counter: ~Copyable, Sendable {
    @usableFromInline let word = Atomic<UInt64>(0)

    /// A counter at zero.
    @inlinable public init() {}

    /// What was counted so far. Any thread may ask.
    @inlinable public var value: UInt64 { word.load(ordering: .relaxed) }

    /// Counts `amount` more. Only the owning thread may call this: a second writer would lose counts.
    @inlinable public func add(_ amount: UInt64 = 1) {
        word.store(word.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
}

/// A number that rises and falls and is never below zero, written by one thread and read by any.
///
/// Shape:  as `Counter`.
/// Errors: falling below zero traps: something was given back that was never taken.
public struct Gauge: ~Copyable, Sendable {
    @usableFromInline let word = Atomic<UInt64>(0)

    /// A gauge at zero.
    @inlinable public init() {}

    /// Where it stands now. Any thread may ask.
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

/// What a `CounterSet` is divided by: an enum without payloads, whose raw values count up from zero.
public protocol CounterLabel: CaseIterable, RawRepresentable, Sendable where RawValue == UInt8 {
    /// How the case is written as a label's value in metrics.
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

    /// What was counted for `label`. Any thread may ask.
    @inlinable public func value(_ label: Label) -> UInt64 { counters[Int(label.rawValue)].value }

    /// Counts `amount` more for `label`. Only the owning thread may call this.
    @inlinable public func add(_ label: Label, _ amount: UInt64 = 1) {
        counters[Int(label.rawValue)].add(amount)
    }
}
