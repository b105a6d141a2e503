import Core
import Testing

@testable import Proxy

@Suite struct WorkerFinishTests {
    /// When things happened, in seconds after the exchange began; nil if they did not. What the log says of them.
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let sentAfter: UInt64?
        let answeredAfter: UInt64?
        let request: String
        let target: String
        let response: String
        var testDescription: String { why }
    }

    static let cases = [
        Case(
            why: "the usual way", sentAfter: 1, answeredAfter: 3, request: "1.000000", target: "2.000000",
            response: "7.000000"),
        Case(
            why: "answered before the request was sent to its end, which then was given up", sentAfter: nil,
            answeredAfter: 3, request: "null", target: "null", response: "7.000000"),
        Case(
            why: "answered before the request was sent to its end", sentAfter: 4, answeredAfter: 3, request: "4.000000",
            target: "0.000000", response: "7.000000"),
        Case(
            why: "never answered", sentAfter: 1, answeredAfter: nil, request: "1.000000", target: "null",
            response: "null"),
        Case(why: "never sent", sentAfter: nil, answeredAfter: nil, request: "null", target: "null", response: "null"),
    ]

    /// Exchanges are used again, so each case comes second on one that had times of its own.
    @Test(arguments: cases) func logsWhenThingsHappened(test: Case) {
        var bench = WorkerBench()
        bench.adopt([Plans.listener(defaultAction: Plans.forward([0], [1]))], [Plans.group(0, "blue", [])])
        let begin = Instant(nanoseconds: 1_000_000_000_000)
        func after(_ seconds: UInt64) -> Instant { begin + seconds * 1_000_000_000 }

        let exchange = bench.begin(at: Instant(nanoseconds: 1))
        let client = exchange.client
        exchange.sentAt = Instant(nanoseconds: 2)
        exchange.answeredAt = Instant(nanoseconds: 3)
        exchange.end()
        exchange.begin(client, now: begin, timeOfDay: 1_800_000_000_000_000_000)
        _ = exchange.state.receive(.forwarded)
        exchange.group = bench.worker.groups[0]
        bench.counters.requestsActive.add()
        exchange.group?.plan.counters.requestsActive.add()
        if let seconds = test.sentAfter { exchange.sentAt = after(seconds) }
        if let seconds = test.answeredAfter {
            exchange.answeredAt = after(seconds)
            exchange.record.targetStatus = 200
        }
        exchange.clientPersistence.decide(true)
        bench.worker.resources.now = after(10)
        bench.worker.finishExchange(exchange)

        let log = bench.takeLog()
        #expect(log.contains(#""request_processing_time":\#(test.request),"#))
        #expect(log.contains(#""target_processing_time":\#(test.target),"#), "\(log)")
        #expect(log.contains(#""response_processing_time":\#(test.response),"#))
        #expect(log.contains(#""target_group":"blue""#))
    }

    @Test func anExchangeThatIsOverIsLetGo() {
        var bench = WorkerBench()
        bench.adopt([Plans.listener()], [])
        let exchange = bench.begin(at: Instant(nanoseconds: 1))
        let client = exchange.client
        bench.counters.requestsActive.add()
        client.requestRate.begin(now: Instant(nanoseconds: 1), length: 1, passed: 0)
        exchange.clientPersistence.decide(true)
        bench.worker.finishExchange(exchange)
        #expect(client.exchange == nil && !exchange.isJoined)
        #expect(client.requestRate.deadline == .distantFuture)
        #expect(bench.counters.requestsActive.value == 0)
        #expect(bench.worker.freeExchanges.count == 1)
        guard let connection = client as? ClientConnection, case .reading = connection.phase else {
            Issue.record("the client's connection does not read")
            return
        }
    }

    @Test func keepsSoManyExchangesForReuse() {
        var bench = WorkerBench()
        for _ in 0..<Limits.freeExchangesMax + 10 { bench.worker.keepFree(Exchange()) }
        #expect(bench.worker.freeExchanges.count == Limits.freeExchangesMax)
    }
}
