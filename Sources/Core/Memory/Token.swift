/// Names an occupant of a `Slab` until it is removed, and nothing after that.
///
/// Shape: slot index in the low half, generation in the high half. The raw value is what travels in
/// `epoll_event.data.u64` and in timers, so an event for a descriptor that was closed earlier in the
/// same batch resolves to nothing instead of to the slot's next occupant.
public struct Token: Hashable, Sendable {
    /// The value that the kernel keeps in `epoll_event.data.u64`.
    public let rawValue: UInt64

    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable public init(index: Int, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(UInt32(index))
    }

    /// The slot.
    @inlinable public var index: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }
    /// Which of the slot's occupants, counted from one.
    @inlinable public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }

    /// Resolves to nothing in every slab: generations begin at one.
    public static let none = Token(rawValue: 0)
}
