import Core
import Testing

@testable import Routing

@Suite struct LiteralTableTests {
    /// The values of all affixes of `text` in the set, the longest first, by following the links.
    private func chain(_ table: LiteralTable, from start: Int) -> [UInt32] {
        var values: [UInt32] = []
        var index = start
        while index >= 0 {
            values.append(table.entries[index].affix)
            index = Int(table.entries[index].enclosing)
        }
        return values
    }

    @Test func anEmptySetFindsNothing() {
        var table = LiteralTable()
        let range = table.add([], accumulates: true)
        let hit = table.search(Array("a".utf8).span, in: range, fromEnd: false)
        #expect(hit.exact == LiteralTable.none)
        #expect(hit.affixIndex == -1)
    }

    @Test func theLeastOfEqualLiteralsStays() {
        var table = LiteralTable()
        let a = Array("/a".utf8)
        let range = table.add(
            [
                .init(literal: a, isAffix: true, value: 9), .init(literal: a, isAffix: false, value: 7),
                .init(literal: a, isAffix: false, value: 3), .init(literal: a, isAffix: true, value: 5),
            ], accumulates: true)
        #expect(range.count == 1)
        let hit = table.search(a.span, in: range, fromEnd: false)
        #expect(hit.exact == 3)
        #expect(chain(table, from: hit.affixIndex) == [5])
    }

    @Test(arguments: [false, true], 1...6 as ClosedRange<UInt64>)
    func agreesWithTryingAll(_ fromEnd: Bool, _ seed: UInt64) {
        var random = FastRandom(seed: seed)
        var exactCount = 0
        var nestedCount = 0
        for _ in 0..<100 {
            var linked = LiteralTable()
            var accumulated = LiteralTable()
            // Other sets are before and after it in the table: a search must not leave its own.
            let others = [LiteralTable.Item(literal: Array("ab".utf8), isAffix: true, value: 0)]
            _ = linked.add(others, accumulates: false)
            _ = accumulated.add(others, accumulates: true)
            let items = (0..<random.next(below: 40)).map { value in
                LiteralTable.Item(
                    literal: randomText(from: "ab", upTo: 6, &random), isAffix: random.next(below: 2) == 0,
                    value: UInt32(value))
            }
            let stored = items.map { item in
                LiteralTable.Item(
                    literal: fromEnd ? item.literal.reversed() : item.literal, isAffix: item.isAffix, value: item.value)
            }
            let range = linked.add(stored, accumulates: false)
            #expect(accumulated.add(stored.shuffled(using: &random), accumulates: true) == range)
            _ = linked.add(others, accumulates: false)
            _ = accumulated.add(others, accumulates: true)

            for _ in 0..<20 {
                let text = randomText(from: "ab", upTo: 8, &random)
                let affixes = items.filter { item in
                    let count = item.literal.count
                    return item.isAffix && Array(fromEnd ? text.suffix(count) : text.prefix(count)) == item.literal
                }
                let exact = items.filter { !$0.isAffix && $0.literal == text }.map(\.value).min()
                let leastByCount = Dictionary(grouping: affixes, by: \.literal.count)
                    .mapValues { $0.map(\.value).min()! }
                let expected = leastByCount.sorted { $0.key > $1.key }.map(\.value)

                let hit = linked.search(text.span, in: range, fromEnd: fromEnd)
                #expect(hit.exact == exact ?? LiteralTable.none)
                #expect(chain(linked, from: hit.affixIndex) == expected)
                let least = accumulated.search(text.span, in: range, fromEnd: fromEnd)
                #expect(least.exact == exact ?? LiteralTable.none)
                let affix = least.affixIndex < 0 ? nil : accumulated.entries[least.affixIndex].affix
                #expect(affix == expected.min())
                exactCount += exact == nil ? 0 : 1
                nestedCount += expected.count > 1 ? 1 : 0
            }
        }
        #expect(exactCount > 100 && nestedCount > 100)
    }
}
