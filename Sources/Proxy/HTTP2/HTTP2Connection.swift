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
    /// It waits in `Resources.dirtyConnections` for its turn at the end of the pass.
    final var isDirty = false
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
    /// The session has failed: the connection is closed once its last frames are written, or at `failedUntil`.
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

    /// Whether reading may return something relevant.
    final var mayRead: Bool { !isFailed && !isLingering && (unread != nil || transport.mayReceive) }

    /// Whether it is shut, and what still comes is thrown away.
    var isLingering: Bool { false }
    /// Whether it is over: the object may outlive the socket by the rest of a call.
    var isClosed: Bool { preconditionFailure("HTTP/2 connection: abstract") }

    /// Whether the other side is a client or a target.
    enum Role {
        case client(HTTP2ClientConnection)
        case target(HTTP2TargetConnection)
    }
    var role: Role { preconditionFailure("HTTP/2 connection: abstract") }

    // MARK: What comes in

    /// Hands what was read to the session, whose events the caller then acts on. Returns how many bytes the session
    /// took; what the turn has no time for has to be kept by `keepUnread`.
    final func takeFrames(_ input: Span<UInt8>, _ resources: inout Resources) -> Int {
        lastActivity = resources.now
        unansweredSince = .distantFuture
        let takenCount = session.receive(input, now: resources.now)
        countDropped(resources.counters)
        if !session.isInsideFrame {
            partialSince = .distantFuture
        } else if partialSince == .distantFuture {
            partialSince = resources.now
        }
        noteFault(resources)
        return takenCount
    }

    /// Keeps for the next turn what the session did not take of `input`.
    final func keepUnread(_ input: Span<UInt8>, _ resources: inout Resources) {
        guard !input.isEmpty, !isClosed, !isFailed else { return }
        let buffer = resources.buffers.acquireBulk()
        buffer.append(input)
        unread = resources.buffers.shrink(consume buffer)
    }

    /// Throws away what was read and not looked at: nothing more is taken from the connection.
    final func dropUnread(_ resources: inout Resources) {
        if let unread = unread.take() { resources.buffers.release(consume unread) }
    }

    /// Counts the requests that were withdrawn in the read that brought them.
    private final func countDropped(_ counters: WorkerCounters) {
        let count = session.droppedRequestCount
        guard count > droppedCount else { return }
        counters.http2StreamsReset.add(.client, UInt64(count - droppedCount))
        droppedCount = count
    }

    /// Notes and counts that the session was ended, and why.
    private final func noteFault(_ resources: borrowing Resources) {
        guard let fault = session.fault, !isFailed else { return }
        isFailed = true
        failedUntil = resources.now + Limits.lingerTime
        resources.counters.http2Faults.add(fault)
    }

    // MARK: What goes out

    /// Writes the frames that are due, as far as the kernel takes them.
    final func writeFrames(_ resources: inout Resources) -> Transport.WriteResult {
        let sentBefore = transport.sentCount
        var result = produceFrames(&resources)
        noteFault(resources)
        if result == .done, let outbound { result = transport.send(outbound, &resources) }
        if transport.sentCount > sentBefore {
            lastActivity = resources.now
            unansweredSince = min(unansweredSince, resources.now)
            lastFlush = resources.now
        } else if result == .done {
            lastFlush = resources.now
        }
        if let outbound = outbound.take() { self.outbound = resources.buffers.shrink(consume outbound) }
        chargeSession(&resources)
        return result
    }

    /// Turns what is due into frames in `outbound`. `.blocked` if that is full and the kernel takes no more.
    final func produceFrames(_ resources: inout Resources) -> Transport.WriteResult {
        let outbound = roomForFrames(&resources)
        while !session.produce(into: outbound) {
            switch transport.send(outbound, &resources) {
            case .done:
                lastActivity = resources.now
                lastFlush = resources.now
            case .blocked:
                let before = outbound.freeCount
                outbound.compact()
                if outbound.freeCount == before {
                    isFull = true
                    return .blocked
                }
            case .failed: return .failed
            }
        }
        return .done
    }

    /// Turns into frames what is due and writes what the kernel takes of it at once: the last frames of a connection.
    final func writeLastFrames(_ resources: inout Resources) {
        let outbound = roomForFrames(&resources)
        _ = session.produce(into: outbound)
        _ = transport.send(outbound, &resources)
    }

    private final func roomForFrames(_ resources: inout Resources) -> Buffer {
        if let waiting = self.outbound.take() {
            let outbound = resources.buffers.enlarge(waiting)
            outbound.compact()
            self.outbound = outbound
            return outbound
        }
        let outbound = resources.buffers.acquireLarge()
        self.outbound = outbound
        return outbound
    }

    /// Windows may have opened, or `outbound` has room again: all streams that wait for it go on together, so that the
    /// session decides by their priorities (RFC 9218) which is first.
    final func resumeBlocked(_ resources: inout Resources) {
        isFull = false
        guard !blocked.isEmpty else { return }
        swap(&blocked, &resources.resumingStreams)
        for side in resources.resumingStreams { side.attachBlocked() }
        let produced = produceFrames(&resources)
        for index in resources.resumingStreams.indices {
            let side = resources.resumingStreams[index]
            side.detachBlocked(produced, &resources)
        }
        resources.resumingStreams.removeAll(keepingCapacity: true)
    }

    // MARK: Memory

    /// Charges the budget with what the session has grown to.
    final func chargeSession(_ resources: inout Resources) {
        let held = session.heldByteCount
        resources.buffers.charge(held - sessionByteCount)
        sessionByteCount = held
    }

    /// Gives back what the connection has, and closes its socket.
    final func close(reset: Bool, _ resources: inout Resources) {
        if let outbound = outbound.take() { resources.buffers.release(consume outbound) }
        dropUnread(&resources)
        resources.buffers.charge(-sessionByteCount)
        sessionByteCount = 0
        blocked = []
        transport.close(reset: reset, &resources)
    }
}
