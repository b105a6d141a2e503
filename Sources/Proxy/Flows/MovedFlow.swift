import Core

/// A flow of datagrams on its way from one process to the one that takes over: its socket, and all that is known of it.
///
/// Shape: a value; whoever has it last closes the socket. Ids are those of the receiver's plans, or of the sender's.
public struct MovedFlow: Sendable {
    /// Its number among those that its worker has told of before it hands them over; nil for one that it had not told
    /// of.
    public var number: Int?
    /// `ListenerPlan.id`.
    public var listener: Int
    /// `GroupPlan.id`.
    public var group: Int
    /// `TargetPlan.id`.
    public var target: Int
    /// Connected to the target.
    public var socket: DatagramSocket
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

/// What has happened to a flow since the process that takes over was told of it.
public struct FlowChange: Equatable, Sendable {
    /// `MovedFlow.number`.
    public var number: Int
    /// When a datagram last came.
    public var lastActivity: Instant
    /// Whether it takes the handshakes of QUIC of its client.
    public var takesHandshakes = false
    /// Whether the target has sent something.
    public var isAnswered = false
    /// Whether the client has sent something after that.
    public var isVerified = false
    /// Bytes from the client since then.
    public var receivedBytes: UInt64 = 0
    /// Bytes to the client since then.
    public var sentBytes: UInt64 = 0

    /// A datagram came at `lastActivity`, and no more is known.
    public init(number: Int, lastActivity: Instant) {
        self.number = number
        self.lastActivity = lastActivity
    }
}

extension FlowChange {
    /// What has happened to `flow` since it was told as `told`; nil for nothing.
    init?(_ flow: DatagramFlow, since told: MovedFlow) {
        guard let number = told.number, flow.lastActivity != told.lastActivity else { return nil }
        self.init(number: number, lastActivity: flow.lastActivity)
        takesHandshakes = flow.takesHandshakes
        isAnswered = flow.isAnswered
        isVerified = flow.isVerified
        receivedBytes = flow.record.receivedBytes &- told.receivedBytes
        sentBytes = flow.record.sentBytes &- told.sentBytes
    }
}

/// The flows of datagrams of a worker of which a process that is to take over was told.
///
/// Shape: until the process takes over or does not. A flow that ends meanwhile leaves its socket here, since it may be
///        on its way to the other process.
struct FlowCopy {
    /// What was told, by number.
    var told: [MovedFlow] = []
    /// The numbers of those that have ended since.
    private(set) var ended: [Int] = []
    private var sockets: [DatagramSocket] = []

    /// The flow with this number has ended.
    mutating func end(_ number: Int, _ socket: DatagramSocket) {
        ended.append(number)
        sockets.append(socket)
    }

    /// Closes the sockets of those that have ended.
    func close() { for socket in sockets { socket.close() } }
}
