import Core
import HTTP1
import HTTP2
import TLS

/// One side of an exchange: what came in from there and what goes out to there, whatever the protocol.
///
/// Shape:  an HTTP/1 connection is its own side, for one exchange after the other; an HTTP/2 connection has one for
///         each stream. Buffers are there only while something waits in them. What a protocol does the same for clients
///         and targets is written once, in `Side+HTTP1` and `Side+HTTP2`; the overrides that call it stand in each
///         class, since a class has one superclass, which is that of its role. `Side+Relay` passes bodies from any side
///         to any other.
/// An exchange speaks to its sides in these words alone and does not know the protocols that it joins. Sides know no
/// worker: what has to be done beyond themselves they return, or note in `Resources`.
class Side {
    /// Bytes of messages read and not yet consumed.
    final var inbound: Buffer?
    /// Bytes to be written: on an HTTP/1 connection heads and small pieces of bodies behind them, on a stream what
    /// its window does not let out yet.
    final var outbound: Buffer?
    /// Finds the body in what comes in.
    final var decoder = BodyDecoder(.none)
    /// How the body that goes out is framed.
    final var sending = Framing.none
    /// Bytes of messages consumed from and handed to the other side, since the connection or stream began.
    final var consumedCount: UInt64 = 0
    final var writtenCount: UInt64 = 0
    /// When a byte was last read or written.
    final var lastActivity: Instant
    /// What its connection's other side had taken when `hasTakenMore` last asked.
    final var takenAtLastLook: UInt64 = 0
    /// Trailers that came with the end of what this side sent; of a stream.
    final var receivedTrailers: Head?

    init(now: Instant) { lastActivity = now }

    // MARK: What it is asked

    /// Whether nothing waits to be written.
    var isFlushed: Bool { preconditionFailure("side: abstract") }
    /// Whether it may take bytes now.
    var isWritable: Bool { preconditionFailure("side: abstract") }
    /// Whether the other side will send no more, or cannot.
    var isEnded: Bool { preconditionFailure("side: abstract") }
    /// Whether it broke instead of being ended.
    var isBroken: Bool { preconditionFailure("side: abstract") }
    /// Of what was written, the bytes that the other side has taken, as far as can be known. Costs a system call.
    func takenCount() -> UInt64 { preconditionFailure("side: abstract") }
    /// Whether the other side still takes bytes that were written before. May cost a system call.
    func hasTakenMore() -> Bool { preconditionFailure("side: abstract") }

    // MARK: What it is told

    /// Reads once into `inbound`.
    func fillInbound(_ resources: inout Resources) -> Transport.ReadResult { preconditionFailure("side: abstract") }
    /// Writes what waits in `outbound`.
    func flushOutbound(_ resources: inout Resources) -> Transport.WriteResult { preconditionFailure("side: abstract") }
    /// Writes what waits in `outbound` and then the first `count` bytes of `body`, from where they lie. Returns how
    /// many of `body` were taken, which are consumed; nil if this side is dead.
    func writeBody(_ body: Buffer, count: Int, _ resources: inout Resources) -> Int? {
        preconditionFailure("side: abstract")
    }
    /// Ends the body that goes out. `.blocked` only if the end could not even be noted: call again.
    func endBody(trailers: Head?, _ resources: inout Resources) -> Transport.WriteResult {
        preconditionFailure("side: abstract")
    }
    /// Gives back buffers in which nothing waits, and moves what waits into smaller ones where it fits.
    func shrinkBuffers(_ resources: inout Resources) { shrinkOwnBuffers(&resources) }
    /// Attaches what a blocked stream has to send to its session (`HTTP2Connection.resumeBlocked`).
    func attachBlocked() { preconditionFailure("side: not a stream") }
    /// Detaches it, after frames were made with the result `produced`.
    func detachBlocked(_ produced: Transport.WriteResult, _ resources: inout Resources) {
        preconditionFailure("side: not a stream")
    }

    // MARK: Buffers

    /// Bytes of buffers that this side holds.
    final var heldByteCount: Int { (inbound?.capacity ?? 0) + (outbound?.capacity ?? 0) }
    final var isInboundEmpty: Bool { inbound?.isEmpty ?? true }
    final var isOutboundEmpty: Bool { outbound?.isEmpty ?? true }

    /// The buffer for what goes out.
    final func outboundBuffer(_ resources: inout Resources) -> Buffer {
        if let outbound {
            if outbound.capacity == Core.Limits.largeBufferBytes { return outbound }
            let larger = resources.buffers.enlarge(outbound)
            self.outbound = larger
            return larger
        }
        let outbound = resources.buffers.acquireLarge()
        self.outbound = outbound
        return outbound
    }

    final func shrinkOwnBuffers(_ resources: inout Resources) {
        if let inbound = inbound.take() { self.inbound = resources.buffers.shrink(consume inbound) }
        if let outbound = outbound.take() { self.outbound = resources.buffers.shrink(consume outbound) }
    }

    /// Gives back both buffers with whatever is in them.
    final func discardBuffers(_ resources: inout Resources) {
        if let inbound = inbound.take() { resources.buffers.release(consume inbound) }
        if let outbound = outbound.take() { resources.buffers.release(consume outbound) }
    }

    final func noteWritten(_ count: Int, now: Instant) {
        guard count > 0 else { return }
        lastActivity = now
        writtenCount += UInt64(count)
    }
}

/// The side that asked.
class ClientSide: Side {
    /// Who it is: by its own address, or by that in its PROXY header.
    final var address: SocketAddress
    final let listener: WorkerListener
    /// The client's TLS session, which knows what was agreed on; nil without.
    final let tls: TLSSession?
    /// Names the client's connection in all logs.
    final var trace: (high: UInt64, low: UInt64) = (0, 0)
    /// The request being served. One at a time: what else was asked waits, or has a side of its own.
    final var exchange: Exchange?
    /// It waits in `Resources.deferredClients` to act on what has come.
    final var isDeferred = false
    /// It waits for its next turn in `Worker.backlog`, and does nothing before.
    final var isBacklogged = false
    /// The code with which aborting resets the client's stream, where it has one: that its request was not processed,
    /// or what its target has said.
    final var resetCode: HTTP2ErrorCode?
    /// Holds the client to the least rate while a body is awaited from it.
    final var requestRate = RateWindow()
    /// Holds the client to the least rate while it takes a response.
    final var responseRate = RateWindow()

    init(address: SocketAddress, listener: WorkerListener, tls: TLSSession?, now: Instant) {
        self.tls = tls
        self.address = address
        self.listener = listener
        super.init(now: now)
    }

    /// The address the client connected to.
    var localAddress: SocketAddress? { preconditionFailure("client: abstract") }
    /// Whether it is over: the object may outlive the socket or stream by the rest of a call.
    var isClosed: Bool { preconditionFailure("client: abstract") }

    /// Which of the two it is.
    enum Kind {
        case connection(ClientConnection)
        case stream(ClientStream)
    }
    var kind: Kind { preconditionFailure("client: abstract") }

    /// When something has to be done about its exchange if nothing happens.
    final var exchangeDeadline: Instant {
        let deadline = min(exchangeIdleDeadline, requestRate.deadline, responseRate.deadline)
        return min(deadline, exchange?.attempts.nextAt ?? .distantFuture)
    }

    /// When neither side of its exchange has sent or taken a byte for too long.
    final var exchangeIdleDeadline: Instant {
        if let wait = exchange?.targetWait { return wait.deadline }
        var activity = lastActivity
        if let target = exchange?.target { activity = max(activity, target.lastActivity) }
        return activity + listener.settings.idleTimeout
    }

    /// How a body that arrives with this framing is framed for the client.
    func framing(of body: Framing, for exchange: Exchange) -> Framing { preconditionFailure("client: abstract") }
    /// Whether the client can be told that its request was not processed, so that it may send it again.
    var mayRefuse: Bool { false }
    /// Whether another request may follow, as far as this side can say.
    func mayFollow(_ exchange: Exchange, now: Instant) -> Bool { preconditionFailure("client: abstract") }
    /// Writes an interim response's head, if there is room; it is only advice.
    func writeInterim(_ response: Head, _ exchange: Exchange, _ resources: inout Resources) {
        preconditionFailure("client: abstract")
    }
    /// Writes the final response's head; `sending` says how its body goes out. Without one, `hasBody` is false.
    func writeHead(_ response: Head, _ exchange: Exchange, hasBody: Bool, _ resources: inout Resources) {
        preconditionFailure("client: abstract")
    }
}

/// The side that answers.
class TargetSide: Side {
    final let pool: TargetPool
    /// The exchange it serves or is being opened for.
    final var exchange: Exchange?
    /// A write has failed: the request cannot be completed, but an answer may still wait to be read.
    final var isWriteDead = false

    init(pool: TargetPool, now: Instant) {
        self.pool = pool
        super.init(now: now)
    }

    /// What looking for a response head found.
    enum HeadStep {
        /// `Resources.response` holds it.
        case complete(ParsedHead)
        /// It is not HTTP, or cannot be passed on.
        case malformed(ResponseFault)
        /// Not yet.
        case nothing
        /// The target's side ended before.
        case gone
    }

    /// Which of the two it is.
    enum Kind {
        case connection(TargetConnection)
        case stream(TargetStream)
    }
    var kind: Kind { preconditionFailure("target: abstract") }

    /// Whether the target has certainly not acted on the request: it said so, or its connection has ended and none of
    /// it was acknowledged; or, if it `isUnresponsive`, its host was gone when the request was sent. Costs a system
    /// call.
    func isUnprocessed(isUnresponsive: Bool) -> Bool { preconditionFailure("target: abstract") }
    /// Whether its program may still read the request though it has ended its own direction: it is not known yet what
    /// its kernel does with what was sent. Costs a system call.
    var mayStillRead: Bool { false }
    /// The target has said that it did not process the request.
    var isRefused: Bool { false }
    /// The code with which the target has reset its stream, if its group says that the client is to get it.
    var resetCode: HTTP2ErrorCode? { nil }
    /// The target had ended the connection, for a reason of its own, before it saw the request: no sign of trouble.
    var wasRetired: Bool { false }
    /// The kernel must discard what it has not sent yet, so that the target never receives it.
    final var isWithdrawn = false

    /// Writes the request's head. The body follows, and with it the first write.
    func writeHead(_ exchange: Exchange, framing: Framing, _ resources: inout Resources) {
        preconditionFailure("target: abstract")
    }
    /// Looks for the next response head.
    func readHead(_ exchange: Exchange, _ resources: inout Resources) -> HeadStep {
        preconditionFailure("target: abstract")
    }
    /// What is wrong with the answer, if its stream was reset for it.
    var responseFault: ResponseFault? { nil }

    /// What looking at the body that has come with a response head found.
    enum BodyCheck: Equatable {
        /// Nothing wrong so far.
        case sound
        case malformed(ResponseFault)
        /// The target's side has ended before the body did.
        case gone
    }

    /// Looks at as much of the body as is there, and consumes none of it: while nothing of the answer was passed on,
    /// the client can still be told of a fault.
    func checkBody(_ resources: inout Resources) -> BodyCheck { .sound }
    /// Has the next read find out whether an answer came before a write failed.
    func readAgain() { preconditionFailure("target: abstract") }
    /// Tells the target that the client's direction of a tunnel has ended.
    func shutdownWrite(_ resources: inout Resources) { preconditionFailure("target: abstract") }
}
