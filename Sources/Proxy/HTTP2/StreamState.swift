import Core
import HTTP2

/// One stream of an HTTP/2 connection: what the side that it is (`ClientStream`, `TargetStream`) knows of it.
struct StreamState {
    let connection: HTTP2Connection
    /// The session's name for it; negative until it was opened.
    var slot: Int
    /// It is in the connection's `blocked`.
    var isBlocked = false
    /// The other side has ended its message.
    var isEndReceived = false
    /// It was closed before its end: by the other side, by us, or with the connection.
    var isReset = false
    /// END_STREAM is to follow what waits in `outbound`.
    var isEnding = false
    /// END_STREAM was written.
    var isEnded = false
    /// Trailers that are to go out with it.
    var trailers: Head?
    /// Bytes that waited in `outbound` when it was attached to the session together with those of other streams; nil
    /// while it is not.
    var attachedCount: Int?
    /// Of `consumedCount`, what the session was told, so that the window opens.
    var reportedCount: UInt64 = 0

    /// The session.
    var session: HTTP2Session { connection.session }

    /// What a read says: data comes by the connection's events, and never by asking the stream.
    var resultWithoutRead: Transport.ReadResult { isEndReceived ? .ended : isReset ? .failed : .nothing }

    /// Whether nothing of a side waits to become frames.
    func isFlushed(_ side: Side) -> Bool { side.isOutboundEmpty && (!isEnding || isEnded) }

    /// Opens the stream's window by what was consumed since the session was told last.
    mutating func reportConsumed(_ consumedCount: UInt64, _ resources: inout Resources) {
        guard consumedCount > reportedCount else { return }
        let count = Int(consumedCount - reportedCount)
        reportedCount = consumedCount
        guard !isReset, !isEndReceived else { return }
        session.consumed(slot, count)
        resources.markDirty(connection)
    }
}
