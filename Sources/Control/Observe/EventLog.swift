import Core
import Model

/// Hands every event to its subscribers, and remembers the last ones for new subscribers.
///
/// Shape:  owned by the control thread. A subscriber is a closure, called from `post`; it may unsubscribe there.
/// Limits: remembers `Limits.eventsKeptMax` records; older ones are forgotten.
final class EventLog {
    /// One event with its time and its place among all.
    struct Record: Sendable {
        /// 1 for the first event of the process.
        let sequence: UInt64
        /// Nanoseconds since 1970.
        let time: UInt64
        /// What happened.
        let event: Event

        /// One line of `GET /v1/events`, without its end.
        var value: Value {
            let head: [Value.Member] = [
                Value.Member("sequence", .int(Int(clamping: sequence))),
                Value.Member("time", .string(utcText(nanoseconds: time))),
                Value.Member("event", .string(event.name)),
            ]
            return .object(head + event.members)
        }
    }

    private var recent: [Record] = []
    private var oldest = 0
    private var subscribers: [(id: Int, receive: (Record) -> Void)] = []
    private var subscribersEver = 0
    /// The sequence of the last record; 0 before the first.
    private(set) var lastSequence: UInt64 = 0

    /// An empty log.
    init() {}

    /// Records what happened and tells it to every subscriber.
    func post(_ event: Event) {
        lastSequence += 1
        let record = Record(sequence: lastSequence, time: WallClock.now(), event: event)
        if recent.count < Limits.eventsKeptMax {
            recent.append(record)
        } else {
            recent[oldest] = record
            oldest = (oldest + 1) % recent.count
        }
        for subscriber in subscribers { subscriber.receive(record) }
    }

    /// What is remembered, oldest first.
    var remembered: [Record] { Array(recent[oldest...] + recent[..<oldest]) }

    /// Calls `receive` with every record from now on. Returns what `unsubscribe` wants.
    func subscribe(_ receive: @escaping (Record) -> Void) -> Int {
        subscribersEver += 1
        subscribers.append((subscribersEver, receive))
        return subscribersEver
    }

    /// How many subscribers there are.
    var subscriberCount: Int { subscribers.count }

    /// Ends a subscription.
    func unsubscribe(_ id: Int) { subscribers.removeAll { $0.id == id } }
}
