import Model
import Testing

@testable import Control

@Suite struct EventLogTests {
    @Test func remembersTheLastOnes() {
        let log = EventLog()
        for index in 0..<(Limits.eventsKeptMax + 3) { log.post(.listenerOpened(loadBalancer: "web", port: index)) }
        let kept = log.remembered
        #expect(kept.count == Limits.eventsKeptMax)
        #expect(kept.first?.sequence == 4 && kept.last?.sequence == log.lastSequence)
        #expect(kept.map(\.sequence) == kept.map(\.sequence).sorted())
    }

    @Test func aSubscriberMayLeaveWhileItIsTold() {
        let log = EventLog()
        var told = 0
        var id = 0
        id = log.subscribe { _ in
            told += 1
            log.unsubscribe(id)
        }
        _ = log.subscribe { _ in told += 10 }
        log.post(.shutdownBegan)
        log.post(.shutdownBegan)
        #expect(told == 21 && log.subscriberCount == 1)
    }
}
