import Core
import Telemetry
import Testing

@testable import Proxy

/// A worker on its thread, as control has it.
@Suite struct WorkerHandleTests {
    /// Asks again and again until `condition` holds; false if it does not within 10 s.
    private func holds(_ condition: () -> Bool) -> Bool {
        let deadline = Instant.now() + 10_000_000_000
        while !condition() { if Instant.now() >= deadline { return false } }
        return true
    }

    @Test func itServesFromItsFirstSnapshotUntilItIsToldToFinish() throws {
        let control = Mailbox<ControlMail>()
        let log = LogSink(ring: LogRing(capacity: 16 * 1024), wakeup: LogWakeup())
        let handle = WorkerHandle.start(
            WorkerConfiguration(index: 3, connectionsMax: 10, descriptorsMax: 20, bufferBytesMax: 1 << 20),
            control: control, log: log, connectionLog: log)
        #expect(handle.index == 3)
        let socket = try Socket.listen(on: Plans.address("127.0.0.1", 0), sharesPort: false)
        let address = try #require(socket.localAddress)
        let listener = Plans.listener(defaultAction: Plans.fixed(204))
        handle.mailbox.send(
            .adopt(
                Snapshot(generation: 7, listeners: [listener], groups: [], accessLog: nil),
                opened: [OpenedListener(id: listener.id, socket: socket)]))
        var mail: [ControlMail] = []
        let hasAdopted = holds {
            mail += control.takeAll()
            return mail.contains { if case .adopted(worker: 3, generation: 7) = $0 { true } else { false } }
        }
        #expect(hasAdopted)
        let client = LoopbackEnd(try Socket.connect(to: address))
        client.ask("/")
        #expect(holds { client.count(of: 204) == 1 })
        #expect(handle.counters.requests.value == 1)
        handle.mailbox.send(.finish(deadline: .now() + 5_000_000_000))
        let hasStopped = holds {
            mail += control.takeAll()
            return mail.contains { if case .stopped(worker: 3, cut: 0) = $0 { true } else { false } }
        }
        #expect(hasStopped)
        handle.thread.join()
        #expect(client.hasEnd)
    }
}
