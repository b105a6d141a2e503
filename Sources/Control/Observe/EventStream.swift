import Core
import Model

/// The stream of one subscriber of events: events, the number of dropped ones, and keep-alive lines.
///
/// Limits: those of `write`; events that do not fit are counted, and the number is sent once there is space again.
final class EventStream {
    private let events: EventLog
    private let write: (Value) -> Bool
    private var subscription = 0
    private var missedCount = 0

    /// Tells the last `recent` events that are remembered, and all that happen from now on. `write` takes one line and
    /// returns false when the subscriber does not keep up.
    init(events: EventLog, recent: Int, write: @escaping (Value) -> Bool) {
        self.events = events
        self.write = write
        for record in events.remembered.suffix(recent) { tell(record) }
        subscription = events.subscribe { [weak self] record in self?.tell(record) }
    }

    /// Stops telling.
    func end() { events.unsubscribe(subscription) }

    /// Says that nothing happened. A subscriber that has not yet taken what did happen needs no such sign.
    func beat() {
        guard missedCount == 0 else { return }
        _ = write(line("heartbeat", []))
    }

    /// There is space again: sends how many events were dropped, if any.
    func resume() {
        guard missedCount > 0 else { return }
        let count = missedCount
        missedCount = 0  // before the write, which calls this again when it succeeds
        if !write(line("missed", [Value.Member("count", .int(count))])) { missedCount += count }
    }

    private func tell(_ record: EventLog.Record) {
        // After a gap the count comes first, so that the order of lines is the order of things.
        guard missedCount == 0, write(record.value) else {
            missedCount += 1
            return
        }
    }

    private func line(_ name: String, _ members: [Value.Member]) -> Value {
        let time = Value.Member("time", .string(utcText(nanoseconds: WallClock.now())))
        return .object([time, Value.Member("event", .string(name))] + members)
    }
}
