import Core
import HTTP1

/// One HTTP/1.1 connection, to a client or to a target: a socket, what came in, what goes out, and how far a body got.
///
/// Shape:  some 200 bytes while idle; buffers are there only while something waits in them.
/// The poller reports changes of readiness once (edge-triggered), so readiness is remembered here: `isReadable` means
/// that the kernel may hold something, `isWritable` that it may take something.
class Connection {
    let token: Token
    let socket: Socket
    /// Which of the two it is, for counting.
    let side: Side
    /// Octets read and not yet consumed.
    final var inbound: Buffer?
    /// Octets to be written: heads, and small pieces of bodies behind them.
    final var outbound: Buffer?
    /// Finds the body in what comes in.
    final var decoder = BodyDecoder(.none)
    /// How far the end of an unfinished head was looked for.
    final var scan = HeadScan()
    /// How the body that goes out is framed.
    final var sending = Framing.none
    final var isReadable = true
    final var isWritable = true
    /// A read has returned the end of the stream, or failed.
    final var isEnded = false
    /// A read has failed: the connection broke instead of being ended.
    final var isBroken = false
    /// The poller has seen the end of the stream; reads go on until they return it.
    final var isEndAnnounced = false
    /// Octets of messages consumed from and handed to the kernel, since the connection began.
    final var consumedCount: UInt64 = 0
    final var writtenCount: UInt64 = 0
    /// Of `writtenCount`, what the other side had taken when `hasTakenMore` last asked.
    private final var takenAtLastLook: UInt64 = 0
    /// When an octet was last read or written.
    final var lastActivity: Instant
    /// When the wheel will call, at the latest.
    final var timer = Instant.distantFuture

    /// Who is at the other end.
    enum Side { case client, target }

    init(token: Token, socket: Socket, side: Side, now: Instant) {
        self.token = token
        self.side = side
        self.socket = socket
        lastActivity = now
    }

    /// Whether octets wait to be written.
    final var isFlushed: Bool { outbound?.isEmpty ?? true }
    /// Octets of `writtenCount` that the other side has taken. The kernel may hold megabytes of them, and says that
    /// there is room again only when much of it is free: a slow reader is judged by this. Costs a system call.
    final var takenCount: UInt64 { writtenCount - min(writtenCount, socket.unacknowledgedByteCount) }

    /// Whether the other side goes on taking what the kernel holds for it. False if the kernel holds nothing.
    final func hasTakenMore() -> Bool {
        let taken = takenCount
        guard taken < writtenCount, taken > takenAtLastLook else { return false }
        takenAtLastLook = taken
        return true
    }

    /// Octets of buffers that this connection holds.
    final var heldByteCount: Int { (inbound?.capacity ?? 0) + (outbound?.capacity ?? 0) }
}

/// A connection that a client opened.
final class ClientConnection: Connection {
    let address: SocketAddress
    let listener: Listener
    /// From when on a response is the last one; fixed at accept. Source: elbv2.md §2.1, client keepalive.
    let keepAliveUntil: Instant
    /// It waits for its next turn in `Worker.deferred`.
    var isDeferred = false
    private(set) var phase = Phase.reading
    /// The request being served. One at a time: pipelined requests wait in `inbound` or in the kernel.
    var exchange: Exchange?
    /// When an incomplete request head must be complete; far away while none has begun.
    var headDeadline = Instant.distantFuture
    /// Holds the client to the least rate while a body is awaited from it.
    var requestRate = RateWindow()
    /// Holds the client to the least rate while it takes a response.
    var responseRate = RateWindow()
    /// The address the client connected to; asked of the kernel once, when something needs it.
    lazy var localAddress: SocketAddress? = socket.localAddress

    /// What the connection is doing.
    enum Phase {
        /// Between requests, or in the middle of a request head.
        case reading
        /// A request is being served: `exchange` is set.
        case exchanging
        /// Answered and shut; what still comes in is thrown away until the client closes, or the instant has come.
        case lingering(until: Instant, bytesLeft: Int)
        /// Closed. The object may outlive the socket by the rest of a call.
        case closed
    }

    init(token: Token, socket: Socket, address: SocketAddress, listener: Listener, now: Instant) {
        self.address = address
        self.listener = listener
        keepAliveUntil = now + listener.settings.clientKeepAlive
        super.init(token: token, socket: socket, side: .client, now: now)
    }

    /// Moves to another phase. Only from open to open phases, and from any to closed.
    func enter(_ next: Phase) {
        if case .closed = phase { preconditionFailure("client connection: \(next) after closed") }
        phase = next
    }

    /// Octets charged to the client: its own connection's, and those of the target that serves it.
    var chargedByteCount: Int {
        guard let exchange else { return heldByteCount }
        return heldByteCount + exchange.chargedByteCount + (exchange.target?.heldByteCount ?? 0)
    }

    var isClosed: Bool {
        if case .closed = phase { return true }
        return false
    }
}

/// A connection to a target.
final class TargetConnection: Connection {
    let pool: TargetPool
    var phase = Phase.connecting
    /// The exchange it serves or is being opened for.
    var exchange: Exchange?
    /// Whether an exchange was completed on it before.
    var isReused = false
    /// When connecting has taken too long, or idling; far away while busy.
    var deadline = Instant.distantFuture
    /// A write has failed: the request cannot be completed, but an answer may still wait to be read.
    var isWriteDead = false

    /// What the connection is doing.
    enum Phase {
        /// connect(2) is under way.
        case connecting
        /// In its pool.
        case idle
        /// Serving `exchange`.
        case busy
        /// Closed. The object may outlive the socket by the rest of a call.
        case closed
    }

    init(token: Token, socket: Socket, pool: TargetPool, now: Instant) {
        self.pool = pool
        super.init(token: token, socket: socket, side: .target, now: now)
        isReadable = false
        isWritable = false
    }
}

/// Whether enough octets pass while the other side alone decides how fast: a minimum over a window, never a total
/// deadline, so that a large body on a slow line passes (threats.md, slow POST and slow read).
struct RateWindow {
    private var end = Instant.distantFuture
    private var passedAtStart: UInt64 = 0

    /// When the window under way ends; far away if none is.
    var deadline: Instant { end }

    /// Begins a window, unless one is under way. `passed` counts octets since any fixed moment; one that is too small
    /// makes the first verdict lenient.
    mutating func begin(now: Instant, length: Nanoseconds, passed: UInt64) {
        guard end == .distantFuture else { return }
        end = now + length
        passedAtStart = passed
    }

    /// Ends the window without a verdict: the delay was ours.
    mutating func cancel() { end = .distantFuture }

    /// At the window's end: whether at least `minimum` octets passed. The next window begins.
    mutating func isFastEnough(now: Instant, length: Nanoseconds, passed: UInt64, minimum: UInt64) -> Bool {
        let verdict = passed - passedAtStart >= minimum
        end = now + length
        passedAtStart = passed
        return verdict
    }
}
