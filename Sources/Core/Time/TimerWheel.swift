/// A hierarchical timer wheel: one deadline per slot of a slab, O(1) to set, move and cancel.
///
/// Shape:  four levels of 64 slots, each level 64 times coarser; entries are linked through arrays by slot index, so
///         setting a timer allocates nothing. A deadline beyond the last level waits in its last slot and is sorted in
///         again from there.
/// Units:  a tick is 2^22 ns (4.2 ms). A timer never fires before its deadline, and at most one tick and one pass of
///         the loop after it.
/// Source: G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 7.
public struct TimerWheel {
    private static let tickShift: UInt64 = 22
    private static let levelCount = 4
    private static let dueList = 256
    private static let noList: Int32 = -1
    private static let noEntry: Int32 = -1

    private struct Entry {
        var token = Token.none
        var tick: UInt64 = 0
        var list = TimerWheel.noList
        var next = TimerWheel.noEntry
        var previous = TimerWheel.noEntry
    }

    private var entries: ContiguousArray<Entry> = []
    private var heads: ContiguousArray<Int32>
    private var occupied: ContiguousArray<UInt64>
    private var currentTick: UInt64
    /// How many timers are set.
    public private(set) var count = 0

    public init(now: Instant) {
        heads = ContiguousArray(repeating: Self.noEntry, count: Self.dueList + 1)
        occupied = ContiguousArray(repeating: 0, count: Self.levelCount)
        currentTick = now.nanoseconds >> Self.tickShift
    }

    /// Sets the timer of `token`'s slot, replacing the one that was set.
    public mutating func schedule(_ token: Token, at deadline: Instant) {
        let index = token.index
        while entries.count <= index { entries.append(Entry()) }
        if entries[index].list != Self.noList { unlink(index) } else { count += 1 }
        let (rounded, overflow) = deadline.nanoseconds.addingReportingOverflow((1 << Self.tickShift) - 1)
        entries[index].token = token
        entries[index].tick = (overflow ? UInt64.max : rounded) >> Self.tickShift
        link(index)
    }

    /// Cancels the timer of `token`'s slot, if it is set.
    public mutating func cancel(_ token: Token) {
        let index = token.index
        guard index < entries.count, entries[index].list != Self.noList, entries[index].token == token else { return }
        unlink(index)
        count -= 1
    }

    /// Removes and returns one timer whose deadline has passed; nil when none is left. Call until nil.
    public mutating func nextExpired(now: Instant) -> Token? {
        let nowTick = now.nanoseconds >> Self.tickShift
        while true {
            let first = heads[Self.dueList]
            if first != Self.noEntry {
                unlink(Int(first))
                count -= 1
                return entries[Int(first)].token
            }
            // Skips to the next occupied slot, since the last call may have been days ago.
            let next = nextOccupiedTick
            guard next <= nowTick else {
                currentTick = max(currentTick, nowTick)
                return nil
            }
            currentTick = next
            cascade()
            moveToDue(list: Int(currentTick & 63))
        }
    }

    /// When `nextExpired` has to be called again at the latest; nil when no timer is set.
    public var nextDeadline: Instant? {
        if count == 0 { return nil }
        if heads[Self.dueList] != Self.noEntry { return Instant(nanoseconds: currentTick << Self.tickShift) }
        return Instant(nanoseconds: nextOccupiedTick << Self.tickShift)
    }

    /// The first tick after the current one at which an occupied slot begins; `UInt64.max` if there is none.
    private var nextOccupiedTick: UInt64 {
        var earliest = UInt64.max
        for level in 0..<Self.levelCount where occupied[level] != 0 {
            let shift = UInt64(level) * 6
            let position = currentTick >> shift
            // Slots after the current one come first; the current slot itself is a whole turn away.
            let offset = (position & 63) + 1
            let slots = occupied[level]
            let rotated = slots >> offset | (offset == 64 ? slots : slots << (64 - offset))
            let distance = UInt64(rotated.trailingZeroBitCount) + 1
            earliest = min(earliest, (position + distance) << shift)
        }
        return earliest
    }

    /// Moves the entries of coarser slots that begin at the current tick into finer slots.
    private mutating func cascade() {
        for level in 1..<Self.levelCount {
            let shift = UInt64(level) * 6
            guard currentTick & ((1 << shift) - 1) == 0 else { return }
            let list = level * 64 + Int(currentTick >> shift & 63)
            while heads[list] != Self.noEntry {
                let index = Int(heads[list])
                unlink(index)
                link(index)
            }
        }
    }

    private mutating func moveToDue(list: Int) {
        while heads[list] != Self.noEntry {
            let index = Int(heads[list])
            unlink(index)
            insert(index, into: Self.dueList)
        }
    }

    private mutating func link(_ index: Int) {
        let tick = entries[index].tick
        guard tick > currentTick else { return insert(index, into: Self.dueList) }
        let distance = tick - currentTick
        for level in 0..<Self.levelCount where distance < 1 << (UInt64(level + 1) * 6) {
            return insert(index, into: level * 64 + Int(tick >> (UInt64(level) * 6) & 63))
        }
        // Beyond the last level: the slot that is reached last, from where the entry is sorted in again.
        let lastLevel = UInt64(Self.levelCount - 1)
        insert(index, into: Int(lastLevel) * 64 + Int((currentTick >> (lastLevel * 6) &+ 63) & 63))
    }

    private mutating func insert(_ index: Int, into list: Int) {
        let next = heads[list]
        entries[index].list = Int32(list)
        entries[index].next = next
        entries[index].previous = Self.noEntry
        if next != Self.noEntry { entries[Int(next)].previous = Int32(index) }
        heads[list] = Int32(index)
        if list < Self.dueList { occupied[list >> 6] |= 1 << UInt64(list & 63) }
    }

    private mutating func unlink(_ index: Int) {
        let entry = entries[index]
        let list = Int(entry.list)
        if entry.previous == Self.noEntry {
            heads[list] = entry.next
        } else {
            entries[Int(entry.previous)].next = entry.next
        }
        if entry.next != Self.noEntry { entries[Int(entry.next)].previous = entry.previous }
        entries[index].list = Self.noList
        if list < Self.dueList && heads[list] == Self.noEntry { occupied[list >> 6] &= ~(1 << UInt64(list & 63)) }
    }
}
