import Testing

@testable import Proxy

@Suite struct StreamQueueTests {
    private let none: [UInt8] = []
    private let name = Array("a.example".utf8)

    @Test func theLongestWaitingIsFirst() {
        var queue = StreamQueue()
        let exchanges = (0..<3).map { _ in Exchange() }
        let tickets = exchanges.map { queue.append($0, for: none) }
        #expect(queue.count == 3 && queue.first(for: none) === exchanges[0] && queue.firstName == none)
        queue.remove(ticket: tickets[1])
        queue.remove(ticket: tickets[0])
        #expect(queue.first(for: none) === exchanges[2] && queue.count(for: none) == 1)
        queue.remove(ticket: tickets[2])
        #expect(queue.isEmpty && queue.first(for: none) == nil && queue.firstName == nil)
        let next = queue.append(exchanges[0], for: none)
        #expect(next > tickets[2], "a ticket is never given twice")
    }

    @Test func namesWaitForTheirOwnConnections() {
        var queue = StreamQueue()
        let one = Exchange(), other = Exchange()
        _ = queue.append(one, for: none)
        _ = queue.append(other, for: name)
        #expect(queue.first(for: name) === other && queue.count(for: name) == 1)
        let removed = queue.removeAll(for: name)
        #expect(removed.count == 1 && removed[0] === other && queue.count == 1)
        #expect(queue.all.count == 1 && queue.firstName == none)
    }

    /// Thousands that come and go in any order leave nothing behind.
    @Test func manyComeAndGo() {
        var queue = StreamQueue()
        let exchange = Exchange()
        var tickets: [Int] = []
        for round in 0..<1_000 {
            tickets.append(queue.append(exchange, for: none))
            if round % 3 == 2 { queue.remove(ticket: tickets.remove(at: round % tickets.count)) }
        }
        #expect(queue.count == tickets.count && queue.all.count == tickets.count)
        for ticket in tickets { queue.remove(ticket: ticket) }
        #expect(queue.isEmpty)
    }
}
