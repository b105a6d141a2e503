import Core

/// Sorted literals, each of which matches as a whole, as an affix (the beginning or the end of a text), or both.
///
/// One search finds the literal that is the text, and the longest affix of it. Every shorter affix of the text
/// is an affix of that one too, so a link from each entry to the next shorter affix makes them a chain.
///
/// Shape:  many sets share the two arrays; a set is a range of entries. Suffixes are prefixes of texts read from
///         the end: a set that is searched `fromEnd` holds its literals reversed.
///         The cost of a search is logarithmic in the set's size, plus one step per affix nested in another,
///         of which there are fewer than the longest literal has bytes.
struct LiteralTable: Sendable {
    /// The absence of a value.
    static let none = UInt32.max

    /// One literal of a set.
    struct Entry: Sendable {
        /// Where in `bytes` the literal begins.
        var offset: UInt32
        /// Its bytes.
        var count: UInt32
        /// The longest affix in the set that is a proper beginning of this literal; −1 when there is none.
        var enclosing: Int32
        /// The value of the text that equals the literal.
        var exact = none
        /// The value of a text that begins with the literal; `none` if the literal is no affix.
        var affix = none
    }

    /// A literal on its way into the table.
    struct Item {
        /// Its bytes, reversed for a set that is searched `fromEnd`.
        var literal: [UInt8]
        /// Whether it matches texts that go on after it, too.
        var isAffix: Bool
        /// What a search answers with; below `none`.
        var value: UInt32
    }

    /// What a search found.
    struct Hit {
        /// The entry of the literal that equals the text, or −1.
        var exactIndex: Int
        /// The value of that literal, or `none`.
        var exact: UInt32
        /// The entry of the longest affix, or −1; follow `enclosing` to the shorter ones.
        var affixIndex: Int
    }

    private var bytes: [UInt8] = []
    /// The entries of all sets, sorted within each.
    private(set) var entries: [Entry] = []
    /// All values of each entry, in the order of the entries; empty unless they are kept.
    private var values: [Values] = []

    /// All values of one entry, where the least of them may not be enough. Each list is ascending.
    fileprivate struct Values: Sendable {
        var exact: [UInt32] = []
        var affix: [UInt32] = []
    }

    /// Adds a set and returns its range. Of equal literals the least value stays. With `accumulates`, an affix
    /// has the least value of all affixes along its chain, so that nobody needs to follow it. With `keepsValues`, which
    /// is the same for all sets, `leastValue` finds the greater ones as well.
    mutating func add(_ items: [Item], accumulates: Bool, keepsValues: Bool = false) -> Range<Int> {
        let start = entries.count
        var chain: [(index: Int, literal: [UInt8])] = []
        var last: [UInt8]?
        for item in items.sorted(by: { $0.literal.lexicographicallyPrecedes($1.literal) }) {
            if item.literal != last {
                last = item.literal
                if keepsValues { values.append(Values()) }
                while let innermost = chain.last, !item.literal.starts(with: innermost.literal) { chain.removeLast() }
                entries.append(
                    Entry(
                        offset: UInt32(bytes.count), count: UInt32(item.literal.count),
                        enclosing: Int32(chain.last?.index ?? -1)))
                bytes += item.literal
            }
            let index = entries.count - 1
            if keepsValues { values[index].insert(item) }
            guard item.isAffix else {
                entries[index].exact = min(entries[index].exact, item.value)
                continue
            }
            if entries[index].affix == Self.none {
                if accumulates, let innermost = chain.last { entries[index].affix = entries[innermost.index].affix }
                chain.append((index, item.literal))
            }
            entries[index].affix = min(entries[index].affix, item.value)
        }
        return start..<entries.count
    }

    /// Searches the set in `range` for `text`, read from its end if `fromEnd`.
    func search(_ text: Span<UInt8>, in range: Range<Int>, fromEnd: Bool) -> Hit {
        var low = range.lowerBound
        var high = range.upperBound
        // How many bytes the text shares with the literal before `low` and with the one at `high`. All literals between
        // them share at least the smaller number, so no comparison starts from the beginning.
        var lowShared = 0
        var highShared = 0
        while low < high {
            let middle = (low + high) / 2
            let entry = entries[middle]
            var shared = min(lowShared, highShared)
            let common = min(Int(entry.count), text.count)
            while shared < common, bytes[Int(entry.offset) + shared] == byte(shared, of: text, fromEnd) { shared += 1 }
            let isAfter =
                shared == common
                ? Int(entry.count) > text.count
                : bytes[Int(entry.offset) + shared] > byte(shared, of: text, fromEnd)
            if isAfter {
                high = middle
                highShared = shared
            } else {
                low = middle + 1
                lowShared = shared
            }
        }
        guard low > range.lowerBound else { return Hit(exactIndex: -1, exact: Self.none, affixIndex: -1) }
        // The last literal not after the text: the text itself if it is there, else it begins with every
        // affix of the text.
        let nearest = entries[low - 1]
        let isText = lowShared == text.count && Int(nearest.count) == text.count
        var affixIndex = low - 1
        while affixIndex >= 0, entries[affixIndex].affix == Self.none || Int(entries[affixIndex].count) > lowShared {
            affixIndex = Int(entries[affixIndex].enclosing)
        }
        return Hit(
            exactIndex: isText ? low - 1 : -1, exact: isText ? nearest.exact : Self.none, affixIndex: affixIndex)
    }

    /// The least value, from `first` on, of all that a search found: the literal that is the text, and every affix of
    /// it; `none` without any. For sets whose values are kept. The cost is logarithmic in the values of each.
    func leastValue(of hit: Hit, from first: UInt32) -> UInt32 {
        var least = Self.none
        if hit.exactIndex >= 0 { least = values[hit.exactIndex].exact.least(from: first) }
        var affixIndex = hit.affixIndex
        while affixIndex >= 0 {
            least = min(least, values[affixIndex].affix.least(from: first))
            affixIndex = Int(entries[affixIndex].enclosing)
        }
        return least
    }

    @inline(__always) private func byte(_ index: Int, of text: Span<UInt8>, _ fromEnd: Bool) -> UInt8 {
        text[fromEnd ? text.count - 1 - index : index]
    }
}

extension LiteralTable.Values {
    /// Adds the value of one more item of the entry.
    fileprivate mutating func insert(_ item: LiteralTable.Item) {
        if item.isAffix { affix.insertSorted(item.value) } else { exact.insertSorted(item.value) }
    }
}

extension [UInt32] {
    /// The least element of this ascending list that is `first` or more; `LiteralTable.none` without one.
    func least(from first: UInt32) -> UInt32 {
        let index = firstIndex(from: first)
        return index == count ? LiteralTable.none : self[index]
    }

    /// Puts `value` where it belongs in this ascending list.
    fileprivate mutating func insertSorted(_ value: UInt32) { insert(value, at: firstIndex(from: value)) }

    private func firstIndex(from value: UInt32) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
