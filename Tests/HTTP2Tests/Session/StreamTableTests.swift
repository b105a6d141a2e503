import Core
import Testing

@testable import HTTP2

@Suite struct StreamTableTests {
    /// A slot is used again once its stream is closed and reported, and then knows nothing of the last one.
    @Test func slotsAreUsedAgain() {
        var table = StreamTable()
        let first = table.open(1), second = table.open(3)
        #expect([first, second] == [0, 1] && table.openCount == 2)
        table[first].isHEAD = true
        table[first].unconsumedCount = 7
        table[first].body = Buffer(capacity: 16)
        table.close(first)
        #expect(table.openCount == 1 && table[first].body == nil && !table[first].isOpen)
        #expect(table.open(5) == 2, "it is not reported yet")
        table.free(first)
        #expect(table.open(7) == first && table[first].id == 7)
        #expect(!table[first].isHEAD && table[first].unconsumedCount == 0 && table[first].isOpen)
    }

    @Test func theDeadAreFound() {
        var table = StreamTable()
        for id in [1, 3, 5] as [Int32] { _ = table.open(id) }
        #expect(table.dead.isEmpty)
        table[1].isDead = true
        #expect(table.dead == [1])
    }

    @Test func aFreeSlotIsNotUsed() async {
        await #expect(processExitsWith: .failure) {
            var table = StreamTable()
            let slot = table.open(1)
            table.close(slot)
            table.free(slot)
            _ = table[slot].isHEAD
        }
        await #expect(processExitsWith: .failure) {
            var table = StreamTable()
            let slot = table.open(1)
            table.free(slot)
            table.free(slot)
        }
    }
}
