/// Slots for connections and other objects with a lifetime, found by `Token`.
///
/// Shape:  an array of slots with a free list. A slot's generation grows when its occupant leaves, so an old token
///         resolves to nil. Removal and insertion are O(1); slots are never moved.
/// Limits: grows to the largest number of occupants at one time; the owner caps how many it inserts.
@frozen public struct Slab<Occupant> {
    /// One slot, and how often it was occupied.
    @usableFromInline struct Slot {
        @usableFromInline var generation: UInt32
        @usableFromInline var isMarked: Bool
        @usableFromInline var occupant: Occupant?

        @inlinable init(generation: UInt32, occupant: Occupant?, isMarked: Bool) {
            self.generation = generation
            self.occupant = occupant
            self.isMarked = isMarked
        }
    }

    @usableFromInline var slots: ContiguousArray<Slot> = []
    @usableFromInline var free: ContiguousArray<Int> = []
    /// How many slots are occupied.
    public private(set) var count = 0

    @inlinable public init() {}

    /// The number of slots, occupied or not: indices are below this.
    @inlinable public var slotCount: Int { slots.count }

    /// The token that the next `insert` will return, for occupants that are created with their own token.
    @inlinable public var nextToken: Token {
        guard let index = free.last else { return Token(index: slots.count, generation: 1) }
        return Token(index: index, generation: slots[index].generation)
    }

    /// Puts `occupant` into a free slot, marked or not: what the mark means is up to the owner.
    @inlinable public mutating func insert(_ occupant: Occupant, isMarked: Bool = false) -> Token {
        let token = nextToken
        if free.isEmpty {
            slots.append(Slot(generation: 1, occupant: occupant, isMarked: isMarked))
        } else {
            free.removeLast()
            slots[token.index].occupant = occupant
            slots[token.index].isMarked = isMarked
        }
        changeCount(by: 1)
        return token
    }

    /// The occupant that `token` names, or nil when it was removed.
    @inlinable public func resolve(_ token: Token) -> Occupant? {
        let index = token.index
        guard index < slots.count, slots[index].generation == token.generation else { return nil }
        return slots[index].occupant
    }

    /// Whether the slot of `token`, stale or not, holds or held a marked occupant last. Cheaper than `resolve`.
    @inlinable public func isMarked(_ token: Token) -> Bool {
        token.index < slots.count && slots[token.index].isMarked
    }

    /// Replaces the occupant of the slot that `token` names; the token now names `occupant`. A stale token traps.
    @inlinable public mutating func replace(_ token: Token, with occupant: Occupant) {
        let index = token.index
        precondition(slots[index].generation == token.generation && slots[index].occupant != nil, "slab: stale token")
        slots[index].occupant = occupant
    }

    /// The occupant of slot `index`, whatever its generation.
    @inlinable public func occupant(at index: Int) -> Occupant? { slots[index].occupant }

    /// Frees the slot that `token` names. A stale token traps: only the owner of the token may do this, once.
    @inlinable public mutating func remove(_ token: Token) {
        let index = token.index
        precondition(slots[index].generation == token.generation && slots[index].occupant != nil, "slab: stale token")
        slots[index].occupant = nil
        slots[index].generation = slots[index].generation == .max ? 1 : slots[index].generation + 1
        free.append(index)
        changeCount(by: -1)
    }

    @usableFromInline mutating func changeCount(by change: Int) { count += change }
}
