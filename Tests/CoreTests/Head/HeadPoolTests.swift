import Core
import Testing

@Suite struct HeadPoolTests {
    @Test func returnedHeadIsEmptied() {
        let pool = HeadPool()
        let head = pool.take()
        head.status = 404
        head.isHTTP2 = true
        head.isWebSocket = true
        head.acceptsTrailers = true
        head.addField(name: head.append("a"), value: head.append("b"), id: .other)
        pool.put(head)
        #expect(pool.count == 1)
        let again = pool.take()
        #expect(again === head && pool.count == 0)
        #expect(again.byteCount == 0 && again.fieldCount == 0 && again.status == 0)
        #expect(!again.isHTTP2 && !again.isWebSocket && !again.acceptsTrailers)
    }

    @Test func reusesTheLastReturnedFirst() {
        let pool = HeadPool()
        let first = pool.take()
        let second = pool.take()
        #expect(first !== second)
        pool.put(first)
        pool.put(second)
        #expect(pool.take() === second)
        #expect(pool.take() === first)
    }

    @Test func tooLargeHeadIsFreed() {
        let pool = HeadPool()
        let head = pool.take()
        for _ in 0...Limits.freeHeadBytesMax { head.append(.space) }
        pool.put(head)
        #expect(pool.count == 0)
    }

    @Test func keepsAtMostTheLimit() {
        let pool = HeadPool()
        let heads = (0..<Limits.freeHeadsMax + 5).map { _ in pool.take() }
        for head in heads { pool.put(head) }
        #expect(pool.count == Limits.freeHeadsMax)
    }
}
