import Core
import HTTP2
import Telemetry

/// One HTTP/2 connection, to a client or to a target: a transport, the session on it, and frames that wait to go out.
///
/// Its streams are sides of exchanges (`ClientStream`, `TargetStream`). What they write becomes frames at once, in
/// `outbound`, and goes to the kernel once per pass for all of them.
/// Limits: `outbound` is one large buffer; beyond it each stream keeps what its own `outbound` holds, and is blocked.
class HTTP2Connection {
    final var transport: Transport
    final let session: HTTP2Session
    /// Frames that the kernel did not take yet.
    final var outbound: Buffer?
    /// What was read and is not looked at yet: the turn was over.
    final var unread: Buffer?
    /// It waits for its next turn in `Worker.backlog`, and is not read before.
    final var isBacklogged = false
    /// It waits in `Worker.dirtyConnections` for its turn at the end of the pass.
    final var isBusy = false
    /// Streams that have something to send and no window, or no room in `outbound`.
    final var blocked: [Side] = []
    /// When a byte was last read or written.
    final var lastActivity: Instant
    /// When something was first written after something was last read; far away while nothing was.
    final var unansweredSince = Instant.distantFuture
    /// What the other side had taken when it was last asked whether it has taken more.
    final var takenAtLastLook: UInt64 = 0
    /// Frames were due for which there was no room: streams wait for it.
    final var isFull = false
    /// When the kernel last took bytes of frames, or none waited: what comes in does not count.
    final var lastFlush: Instant
    /// What the session held when the worker's budget was last told.
    final var sessionByteCount = 0
    /// Requests reset before anyone heard of them that were counted.
    private final var droppedCount = 0
    /// The session is beyond help: once its last frames are written, or at `failedUntil`, the connection ends.
    final var isFailed = false
    final var failedUntil = Instant.distantFuture
    /// Since when a head, or another frame without data, has begun to come and is not complete; in the distant future
    /// while none has.
    final var partialSince = Instant.distantFuture

    /// Bytes of buffers held, and the session's.
    final var heldByteCount: Int {
        (outbound?.capacity ?? 0) + (unread?.capacity ?? 0) + transport.heldByteCount + sessionByteCount
    }
    /// Whether no frame waits for the kernel.
    final var isFlushed: Bool { (outbound?.isEmpty ?? true) && transport.isFlushed }

    init(transport: Transport, session: HTTP2Session, now: Instant) {
        self.transport = transport
        self.session = session
        lastActivity = now
        lastFlush = now
    }

    /// Counts the requests that were withdrawn in the read that brought them.
    final func countDropped(_ counters: WorkerCounters) {
        let count = session.droppedRequestCount
        guard count > droppedCount else { return }
        counters.http2StreamsReset.add(.client, UInt64(count - droppedCount))
        droppedCount = count
    }

    /// Whether reading may bring something that matters.
    final var mayRead: Bool { !isFailed && !isLingering && (unread != nil || transport.mayReceive) }

    /// Whether it is shut, and what still comes is thrown away.
    var isLingering: Bool { false }
    /// Whether it is over: the object may outlive the socket by the rest of a call.
    var isClosed: Bool { preconditionFailure("HTTP/2 connection: abstract") }
    /// Acts on what the session says since it was asked last. `input` is what was handed to it last.
    func handleEvents(_ input: Span<UInt8>, _ worker: inout Worker) {
        preconditionFailure("HTTP/2 connection: abstract")
    }
    /// All that is due was written or waits for the kernel: sets the timer, or ends what is over.
    func rest(_ worker: inout Worker) { preconditionFailure("HTTP/2 connection: abstract") }
    /// The other side has ended or broken the connection: so do all streams.
    func end(_ worker: inout Worker) { preconditionFailure("HTTP/2 connection: abstract") }
}

/// One stream, as the side of an exchange that it is sees it.
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
    /// Bytes that were lent to the session with those of other streams; nil while none are.
    var lentCount: Int?
    /// Of `consumedCount`, what the session was told, so that the window opens.
    var reportedCount: UInt64 = 0

    /// The session.
    var session: HTTP2Session { connection.session }
}
