import Core
import Testing

@Suite struct QueueTests {
    @Test func firstInFirstOut() {
        var queue = Queue<Int>()
        #expect(queue.isEmpty && queue.takeFirst() == nil)
        var next = 0
        for number in 0..<1000 {
            queue.append(number)
            guard number % 3 == 2 else { continue }
            #expect(queue.takeFirst() == next)
            next += 1
        }
        #expect(queue.count == 1000 - next && !queue.isEmpty)
        while let number = queue.takeFirst() {
            #expect(number == next)
            next += 1
        }
        #expect(next == 1000 && queue.isEmpty && queue.count == 0)
    }

    @Test func keepsMatchingElements() {
        var queue = Queue<Int>()
        for number in 0..<10 { queue.append(number) }
        #expect(queue.takeFirst() == 0)
        queue.keep { $0 % 2 == 0 }
        #expect(queue.count == 4 && queue.takeFirst() == 2)
    }
}
