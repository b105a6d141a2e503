import Synchronization

/// Messages to one thread from any other, taken between two batches of events.
///
/// Shape:  a locked list and a doorbell that the receiver's poller watches. The lock is held for an append or a swap,
///         and never on the way of a request.
/// Limits: unbounded; only our own threads write, one message per change or ended drain.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    /// Readable when there is mail.
    public let wakeup = EventDescriptor()

    public init() {}

    /// Leaves `message` and wakes the receiver.
    public func send(_ message: Message) {
        let wasEmpty = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if wasEmpty { wakeup.signal() }
    }

    /// Takes everything there is, oldest first.
    public func takeAll() -> [Message] {
        wakeup.clear()
        return messages.withLock { messages in
            let all = messages
            messages = []
            return all
        }
    }
}
