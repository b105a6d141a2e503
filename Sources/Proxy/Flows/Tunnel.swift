import Core
import TLS
import Telemetry

/// A TCP or TLS tunnel: a client's connection joined to a target's connection, whose bytes are relayed unaltered in
/// both directions.
///
/// Shape:  three objects, one for the pair and one for each side. An idle tunnel holds no buffer: bytes are written as
///         soon as they are read, and only what the other side does not accept waits, in one buffer for each direction
///         (backpressure).
/// Limits: `Core.Limits.bulkBufferBytes` each way; reading stops while something waits.
final class Tunnel {
    let client: TunnelSide
    /// The connection to the target; nil until one was opened.
    var target: TunnelSide?
    let listener: WorkerListener
    private(set) var phase: Phase
    /// What is known about it, for its line in the log; `client` is who the client says to be, by PROXY or by itself.
    var record: FlowRecord
    /// The group that was chosen.
    var group: Group?
    /// The target that was chosen; it counts the tunnel as in flight.
    var pool: TargetPool?
    /// What chooses the target.
    var hash: UInt64 = 0
    /// The targets it was tried on, and those that are being connected to.
    var attempts = Attempts()
    /// The side that has ended first.
    private(set) var firstEnded = FlowParty.client
    private var hasEnd = false
    /// The name that the client's TLS asks for, where a rule has to know it.
    var serverName: [UInt8] = []
    let beganAt: Instant
    /// Where the client has connected to, by its PROXY header; nil without.
    var destination: SocketAddress?
    private var knownLocalAddress: SocketAddress?
    /// When a byte was last passed on, or taken; before, when the first attempt to connect to a target began.
    var lastActivity: Instant
    /// Whether it waits for its next turn in `Worker.backlog`.
    var isBacklogged = false

    /// The address that the client has connected to.
    var localAddress: SocketAddress {
        listener.localAddress(of: client.transport.socket, known: &knownLocalAddress) ?? .unspecified
    }

    /// Whether neither side has sent anything.
    var isSilent: Bool {
        if case .closed = phase { return false }
        return record.receivedBytes == 0 && record.sentBytes == 0
    }

    /// What is awaited.
    enum Phase {
        /// The client's PROXY header, until the instant at most.
        case proxyHeader(until: Instant)
        /// The name in the client's ClientHello, until the instant at most.
        case clientHello(until: Instant)
        /// The client's TLS handshake, until the instant at most.
        case handshake(until: Instant)
        /// A connection to a target: `attempts`.
        case connecting
        /// Bytes, from either side.
        case open
        /// Closed. The objects may outlive the sockets by the rest of a call.
        case closed
    }

    init(
        _ transport: Transport, _ address: SocketAddress, _ listener: WorkerListener, phase: Phase, now: Instant,
        timeOfDay: UInt64
    ) {
        client = TunnelSide(transport)
        self.listener = listener
        self.phase = phase
        beganAt = now
        lastActivity = now
        record = FlowRecord(
            kind: listener.flowKind, acceptedAt: timeOfDay, client: address,
            listener: .unspecified, trace: (0, 0))
        client.tunnel = self
    }

    /// Moves to another phase. From any but closed.
    func enter(_ next: Phase) {
        if case .closed = phase { preconditionFailure("tunnel: \(next) after closed") }
        phase = next
    }

    /// Whether it is over.
    var isClosed: Bool {
        if case .closed = phase { return true }
        return false
    }

    /// Notes that a side has said all it had to say.
    func noteEnd(of side: TunnelSide) {
        guard !hasEnd else { return }
        hasEnd = true
        firstEnded = side === client ? .client : .target
    }

    /// The side at the other end of `side`, if it is there yet.
    func other(than side: TunnelSide) -> TunnelSide? { side === client ? target : client }

    /// Bytes of buffers that it holds.
    var heldByteCount: Int { client.heldByteCount + (target?.heldByteCount ?? 0) }
}

/// One of the two connections of a tunnel.
final class TunnelSide {
    /// Nil once the tunnel is closed: each keeps the other.
    var tunnel: Tunnel?
    var transport: Transport
    /// What it did not take yet.
    var waiting: Buffer?
    /// What it had taken when that was last looked at.
    var takenAtLastLook: UInt64 = 0

    /// The target at the other end; nil for the client's side.
    let pool: TargetPool?

    init(_ transport: Transport, to pool: TargetPool? = nil) {
        self.transport = transport
        self.pool = pool
    }

    /// Bytes of buffers that it holds.
    var heldByteCount: Int { (waiting?.capacity ?? 0) + transport.heldByteCount }
    /// Whether something waits for it to take more.
    var isBlocked: Bool { waiting != nil || !transport.isFlushed }
}
