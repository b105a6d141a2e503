import Core
import Testing

@testable import Control

@Suite struct ControlLoopTests {
    /// Records what it is told.
    private final class Recorder: PollHandler {
        var readyCount = 0
        var firedAt: [Instant] = []
        var whenReady: () -> Void = {}

        func ready(_ ready: Poller.Ready, now: Instant) {
            readyCount += 1
            whenReady()
        }

        func timerFired(now: Instant) { firedAt.append(now) }
    }

    @Test func reportsDescriptorsUntilTheyAreRemoved() {
        let loop = ControlLoop(), event = EventDescriptor(), recorder = Recorder()
        let token = loop.add(recorder, descriptor: event.descriptor, interest: .readable)
        event.signal()
        recorder.whenReady = { event.clear() }
        #expect(run(loop) { recorder.readyCount == 1 })
        loop.remove(token)
        loop.remove(token)
        event.signal()
        var hasPassed = false
        loop.afterBatch { hasPassed = true }
        #expect(run(loop) { hasPassed })
        #expect(recorder.readyCount == 1)
    }

    @Test func firesATimerOnceAndNotBeforeItsTime() {
        let loop = ControlLoop(), recorder = Recorder()
        let token = loop.add(recorder, descriptor: nil)
        let deadline = Instant.now() + 10_000_000
        loop.schedule(token, at: Instant.now() + 1_000_000)
        loop.schedule(token, at: deadline)
        #expect(run(loop) { !recorder.firedAt.isEmpty })
        #expect(recorder.firedAt.allSatisfy { $0 >= deadline })
        loop.schedule(token, at: Instant.now())
        loop.cancel(token)
        var passCount = 0
        func pass() {
            loop.afterBatch {
                passCount += 1; if passCount < 3 { pass() }
            }
        }
        pass()
        #expect(run(loop) { passCount == 3 })
        #expect(recorder.firedAt.count == 1)
    }

    @Test func aHandlerMayRemoveAnotherOfTheSameBatch() {
        let loop = ControlLoop(), events = [EventDescriptor(), EventDescriptor()]
        let recorders = [Recorder(), Recorder()]
        let tokens = (0..<2).map { loop.add(recorders[$0], descriptor: events[$0].descriptor, interest: .readable) }
        for (index, recorder) in recorders.enumerated() { recorder.whenReady = { loop.remove(tokens[1 - index]) } }
        for event in events { event.signal() }
        #expect(run(loop) { recorders.contains { $0.readyCount > 0 } })
        #expect(recorders.filter { $0.readyCount > 0 }.count == 1)
    }

    @Test func workOfAPassRunsAfterItsEvents() {
        let loop = ControlLoop(), events = [EventDescriptor(), EventDescriptor()]
        var order: [String] = []
        let recorders = events.map { event in
            let recorder = Recorder()
            recorder.whenReady = {
                order.append("event")
                event.clear()
                loop.afterBatch { order.append("work") }
            }
            _ = loop.add(recorder, descriptor: event.descriptor, interest: .readable)
            event.signal()
            return recorder
        }
        #expect(run(loop) { order.count == 4 })
        #expect(order == ["event", "event", "work", "work"])
        #expect(recorders.count == 2)
    }

    @Test func noticesThatItWasAway() {
        let loop = ControlLoop()
        var hasPassed = false
        loop.afterBatch { hasPassed = true }
        #expect(run(loop) { hasPassed })
        #expect(loop.stalledAt == nil)
        loop.afterBatch {
            let end = Instant.now() + Limits.stall + 10_000_000
            while Instant.now() < end {}
            loop.afterBatch {}
        }
        #expect(run(loop) { loop.stalledAt != nil })
    }
}
