import Core

/// A flow of datagrams on its way from one process to the one that takes over: its socket, and all that is known of it.
///
/// Shape: a value; whoever has it last closes the socket. Ids are those of the receiver's plans, or of the sender's.
public struct MovedFlow: Sendable {
    /// `ListenerPlan.id`.
    public var listener: Int
    /// `GroupPlan.id`.
    public var group: Int
    /// `TargetPlan.id`.
    public var target: Int
    /// Connected to the target.
    public let socket: DatagramSocket
    /// The client's address.
    public var client: SocketAddress
    /// The address that the client has sent to.
    public var local: LocalAddress?
    /// The server id of its target, if it is one of QUIC.
    public var serverID: UInt64?
    /// Whether it takes the handshakes of QUIC of its client.
    public var takesHandshakes = false
    /// Whether the target has sent something.
    public var isAnswered = false
    /// Whether the client has sent something after that.
    public var isVerified = false
    /// When it began. The monotonic clock is the same for all processes of a host.
    public var beganAt: Instant
    /// When a datagram last came.
    public var lastActivity: Instant
    /// When it began: time of day, as `WallClock.now()`.
    public var acceptedAt: UInt64 = 0
    /// Bytes from the client.
    public var receivedBytes: UInt64 = 0
    /// Bytes to the client.
    public var sentBytes: UInt64 = 0
    /// Its trace id.
    public var trace: (high: UInt64, low: UInt64) = (0, 0)

    /// A flow of which no more is known.
    public init(
        listener: Int, group: Int, target: Int, socket: DatagramSocket, client: SocketAddress, beganAt: Instant,
        lastActivity: Instant
    ) {
        self.listener = listener
        self.group = group
        self.target = target
        self.socket = socket
        self.client = client
        self.beganAt = beganAt
        self.lastActivity = lastActivity
    }
}

extension MovedFlow {
    init(_ flow: DatagramFlow) {
        self.init(
            listener: flow.listener.listener.plan.id, group: flow.group.plan.id, target: flow.pool.id,
            socket: flow.socket, client: flow.key.client, beganAt: flow.beganAt, lastActivity: flow.lastActivity)
        local = flow.key.local
        serverID = flow.key.serverID
        takesHandshakes = flow.takesHandshakes
        isAnswered = flow.isAnswered
        isVerified = flow.isVerified
        acceptedAt = flow.record.acceptedAt
        receivedBytes = flow.record.receivedBytes
        sentBytes = flow.record.sentBytes
        trace = flow.record.trace
    }
}
