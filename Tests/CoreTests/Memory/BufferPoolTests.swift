import Core
import Testing

@Suite struct BufferPoolTests {
    /// A bulk buffer that holds `count` bytes after `consumed` bytes that were consumed.
    private func bulkBuffer(_ pool: inout BufferPool, holding count: Int, after consumed: Int = 0) -> Buffer {
        let buffer = pool.acquireBulk()
        for index in 0..<consumed + count { buffer.append(UInt8(truncatingIfNeeded: index)) }
        buffer.consume(consumed)
        return buffer
    }

    private func holdsPattern(_ buffer: Buffer, count: Int, after consumed: Int = 0) -> Bool {
        guard buffer.count == count else { return false }
        let bytes = buffer.bytes
        for index in 0..<count where bytes[index] != UInt8(truncatingIfNeeded: consumed + index) { return false }
        return true
    }

    @Test func sizesGrow() {
        #expect(Limits.smallBufferBytes < Limits.mediumBufferBytes)
        #expect(Limits.mediumBufferBytes < Limits.largeBufferBytes)
        #expect(Limits.largeBufferBytes < Limits.bulkBufferBytes)
        var pool = BufferPool(bytesMax: 0)
        #expect(pool.acquireSmall().capacity == Limits.smallBufferBytes)
        #expect(pool.acquireLarge().capacity == Limits.largeBufferBytes)
        #expect(pool.acquireBulk().capacity == Limits.bulkBufferBytes)
    }

    @Test func countsBytesHandedOut() {
        var pool = BufferPool(bytesMax: Limits.largeBufferBytes + Limits.smallBufferBytes)
        #expect(pool.bytesHeld == 0 && !pool.isExhausted)
        let large = pool.acquireLarge()
        #expect(pool.bytesHeld == Limits.largeBufferBytes && !pool.isExhausted)
        let small = pool.acquireSmall()
        #expect(pool.bytesHeld == pool.bytesMax && pool.isExhausted)
        let beyond = pool.acquireSmall()
        #expect(beyond.capacity == Limits.smallBufferBytes, "buffers are handed out beyond the budget too")
        pool.release(beyond)
        pool.release(small)
        #expect(!pool.isExhausted)
        pool.release(large)
        #expect(pool.bytesHeld == 0)
    }

    @Test func reusesTheLastReleasedAndEmptiesIt() {
        var pool = BufferPool(bytesMax: .max)
        let first = pool.acquireLarge()
        let second = pool.acquireLarge()
        first.append("left over")
        pool.release(second)
        pool.release(first)
        let again = pool.acquireLarge()
        #expect(again === first && again.isEmpty && again.freeCount == again.capacity)
        #expect(pool.acquireLarge() === second)
        let small = pool.acquireSmall()
        #expect(small !== first && small !== second)
    }

    @Test func keepsAtMostSoManyFreeBuffers() {
        weak var last: Buffer?
        weak var excess: Buffer?
        var pool = BufferPool(bytesMax: .max)
        var held: [Buffer] = []
        for _ in 0...Limits.freeBuffersMax { held.append(pool.acquireSmall()) }
        excess = held.last
        last = held[held.count - 2]
        while !held.isEmpty { pool.release(held.removeFirst()) }
        #expect(last != nil, "buffers are kept up to the limit")
        #expect(excess == nil, "a buffer beyond the limit went back to the allocator")
        #expect(pool.bytesHeld == 0)
    }

    /// The number of bytes, and the capacity of the buffer that should hold them; nil if none should.
    static let settled: [(count: Int, capacity: Int?)] = [
        (0, nil),
        (1, Limits.smallBufferBytes),
        (Limits.smallBufferBytes, Limits.smallBufferBytes),
        (Limits.smallBufferBytes + 1, Limits.mediumBufferBytes),
        (Limits.mediumBufferBytes, Limits.mediumBufferBytes),
        (Limits.mediumBufferBytes + 1, Limits.largeBufferBytes),
        (Limits.largeBufferBytes, Limits.largeBufferBytes),
        (Limits.largeBufferBytes + 1, Limits.bulkBufferBytes),
        (Limits.bulkBufferBytes, Limits.bulkBufferBytes),
    ]

    @Test(arguments: settled) func settlesInTheSmallestThatHolds(count: Int, capacity: Int?) {
        for consumed in [0, 1, 500] where consumed + count <= Limits.bulkBufferBytes {
            var pool = BufferPool(bytesMax: .max)
            let kept = pool.shrink(bulkBuffer(&pool, holding: count, after: consumed))
            #expect(kept?.capacity == capacity)
            #expect(pool.bytesHeld == capacity ?? 0)
            guard let kept else { continue }
            #expect(holdsPattern(kept, count: count, after: consumed))
            #expect(pool.shrink(kept) === kept, "a settled buffer stays where it is")
            let large = pool.enlarge(kept)
            #expect(large.capacity == max(Limits.largeBufferBytes, capacity ?? 0))
            #expect(pool.bytesHeld == large.capacity)
            #expect(holdsPattern(large, count: count, after: consumed))
            #expect(pool.enlarge(large) === large)
        }
    }

    @Test func settlesFurtherAsItIsConsumed() throws {
        var pool = BufferPool(bytesMax: .max)
        let settled = pool.shrink(bulkBuffer(&pool, holding: Limits.mediumBufferBytes))
        let medium = try #require(settled)
        medium.consume(Limits.mediumBufferBytes - Limits.smallBufferBytes - 1)
        #expect(pool.shrink(medium) === medium)
        medium.consume(1)
        let smaller = pool.shrink(medium)
        let small = try #require(smaller)
        #expect(small.capacity == Limits.smallBufferBytes && small.count == Limits.smallBufferBytes)
        #expect(pool.bytesHeld == Limits.smallBufferBytes)
        small.consume(small.count)
        #expect(pool.shrink(small) == nil)
        #expect(pool.bytesHeld == 0)
    }

    @Test func takesBackOnlyItsOwnSizes() async {
        await #expect(processExitsWith: .failure) {
            var pool = BufferPool(bytesMax: .max)
            pool.release(Buffer(capacity: 100))
        }
    }
}
