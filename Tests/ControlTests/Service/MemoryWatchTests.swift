import Core
import Testing

@testable import Control

@Suite struct MemoryWatchTests {
    private static let megabyte: UInt64 = 1 << 20

    @Test("After a rise what is kept for reuse goes first, then what malloc keeps; then there is a new measure")
    func givesBackAfterARise() {
        var surplus = MemorySurplus()
        func step(_ resident: UInt64, _ held: UInt64) -> MemorySurplus.Release {
            surplus.step(resident: resident * Self.megabyte, held: held * Self.megabyte)
        }
        #expect(step(27, 0) == .nothing && step(30, 0) == .nothing)
        #expect(step(400, 300) == .nothing, "held by strangers")
        #expect(step(380, 0) == .reuse)
        #expect(step(370, 0) == .malloc)
        #expect(step(60, 0) == .nothing)
        #expect(step(60, 0) == .nothing && step(70, 0) == .nothing, "no more can be given back")
        #expect(step(40, 0) == .nothing)
        #expect(step(60, 0) == .reuse, "measured by the least there was")
    }

    @Test("What is held is not given back, and less than it is never taken for a surplus")
    func memoryInUseIsNoSurplus() {
        var surplus = MemorySurplus()
        #expect(surplus.step(resident: 27 * Self.megabyte, held: 0) == .nothing)
        #expect(surplus.step(resident: 300 * Self.megabyte, held: 320 * Self.megabyte) == .nothing)
        #expect(surplus.step(resident: 300 * Self.megabyte, held: 290 * Self.megabyte) == .nothing)
    }
}
