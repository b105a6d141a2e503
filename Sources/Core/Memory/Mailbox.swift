import Synchronization

/// A queue of messages from any thread to one thread, which takes them between two batches of events.
///
/// Shape:  a locked list and an eventfd that the receiver's poller watches. The lock is held for an append or a swap,
///         and never while a request is processed.
/// Limits: unbounded; only our own threads write, one message per change or ended drain.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    /// Readable when there are messages.
    public let wakeup = EventDescriptor()

    public init() {}

    /// Appends `message` and wakes the receiver.
    public func send(_ message: Message) {
        let wasEmpty = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if wasEmpty { wakeup.signal() }
    }

    /// Removes and returns all messages, oldest first.
    public func takeAll() -> [Message] {
        wakeup.clear()
        return messages.withLock { messages in
            let all = messages
            messages = []
            return all
        }
    }
}
