/// Slots for living things, found by `Token`.
///
/// Shape:  an array of slots with a free list. A slot's generation grows when its occupant leaves, so an old token
///         resolves to nil. Removal and insertion are O(1); slots are never moved.
/// Limits: grows to the most occupants there ever were at once; the owner caps how many it lets in.
@frozen public struct Slab<Occupant> {
    /// One place, and how often it was given.
    @usableFromInline struct Slot {
        @usableFromInline var generation: UInt32
        @usableFromInline var occupant: Occupant?

        @inlinable init(generation: UInt32, occupant: Occupant?) {
            self.generation = generation
            self.occupant = occupant
        }
    }

    @usableFromInline var slots: ContiguousArray<Slot> = []
    @usableFromInline var free: ContiguousArray<Int> = []
    /// How many slots are occupied.
    public private(set) var count = 0

    @inlinable public init() {}

    /// Slots there are, occupied or not: indices are below this.
    @inlinable public var slotCount: Int { slots.count }

    /// The token that the next `insert` will use, for occupants that want to know their own name from birth.
    @inlinable public var nextToken: Token {
        guard let index = free.last else { return Token(index: slots.count, generation: 1) }
        return Token(index: index, generation: slots[index].generation)
    }

    /// Gives `occupant` a slot.
    @inlinable public mutating func insert(_ occupant: Occupant) -> Token {
        let token = nextToken
        if free.isEmpty {
            slots.append(Slot(generation: 1, occupant: occupant))
        } else {
            free.removeLast()
            slots[token.index].occupant = occupant
        }
        changeCount(by: 1)
        return token
    }

    /// The occupant that `token` names, or nil when it has left.
    @inlinable public func resolve(_ token: Token) -> Occupant? {
        let index = token.index
        guard index < slots.count, slots[index].generation == token.generation else { return nil }
        return slots[index].occupant
    }

    /// Gives the slot that `token` names to another occupant, who goes by the same token. A stale token traps.
    @inlinable public mutating func replace(_ token: Token, with occupant: Occupant) {
        let index = token.index
        precondition(slots[index].generation == token.generation && slots[index].occupant != nil, "slab: stale token")
        slots[index].occupant = occupant
    }

    /// The occupant of slot `index`, whoever it is.
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
