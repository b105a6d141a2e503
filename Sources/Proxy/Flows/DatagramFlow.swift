import Core
import Telemetry

/// A UDP flow: the datagrams of one client to one local address, and the target's replies.
///
/// Shape:  one object and one socket, connected to the target, so that what comes from there is this flow's. Datagrams
///         are passed on from where they were received; nothing is held.
/// Limits: `WorkerConfiguration.connectionsMax` of them with all other connections of the worker; beyond, the most idle
///         unverified flow of any listener is evicted, else the most idle flow of its own listener.
final class DatagramFlow {
    let key: Key
    let listener: DatagramListener
    let socket: DatagramSocket
    let token: Token
    let group: Group
    let pool: TargetPool
    var record: FlowRecord
    let beganAt: Instant
    /// When a datagram last came, from either side.
    var lastActivity: Instant
    /// Whether the target has sent something.
    var isAnswered = false
    /// Whether the client has sent something after that, which proves that its source address is not spoofed.
    var isVerified = false
    /// `MovedFlow.number`, if a process that is to take over was told of it.
    var number: Int?
    /// Whether it takes the handshakes of QUIC of its client.
    fileprivate(set) var takesHandshakes = false
    /// Its neighbours among the flows of its listener that are verified, or that are not.
    fileprivate(set) var older: DatagramFlow?
    fileprivate(set) var newer: DatagramFlow?

    /// What tells flows of a listener apart.
    struct Key: Hashable {
        let client: SocketAddress
        /// The address that the client has sent to, from which it expects the answers.
        let local: LocalAddress?
        /// The server id of its target, if it is one of QUIC: a client may have connections to several targets.
        let serverID: UInt64?

        init(client: SocketAddress, local: LocalAddress?, serverID: UInt64? = nil) {
            self.client = client
            self.local = local
            self.serverID = serverID
        }

        /// The same with another server id.
        func with(serverID: UInt64?) -> Key { Key(client: client, local: local, serverID: serverID) }

        /// The hash that tables use. `hash(into:)` costs several times as much for each run of datagrams, since it
        /// hashes every member by SipHash, whatever it does itself.
        ///
        /// `Hashable` has this requirement under an underscored name: it is public, and no promise. Should a later
        /// standard library not have it, nothing calls this function any more, and tables use the `hash(into:)` that
        /// the compiler makes of the members: slower, and as right, for equal keys are equal in both.
        func _rawHashValue(seed: Int) -> Int {
            let key = HashKey.ofProcess
            var ours = local.map { $0.address.hash(by: key) &+ UInt64($0.interfaceIndex) } ?? 0
            if let serverID { ours = key.fold(ours, serverID) }
            return Int(truncatingIfNeeded: key.fold(client.hash(by: key), ours ^ UInt64(bitPattern: Int64(seed))))
        }
    }

    init(
        _ key: Key, _ listener: DatagramListener, _ socket: DatagramSocket, token: Token, group: Group,
        pool: TargetPool,
        now: Instant, timeOfDay: UInt64
    ) {
        self.key = key
        self.listener = listener
        self.socket = socket
        self.token = token
        self.group = group
        self.pool = pool
        beganAt = now
        lastActivity = now
        record = FlowRecord(
            kind: listener.kind, acceptedAt: timeOfDay, client: key.client,
            listener: key.local?.address.with(port: listener.listener.plan.port) ?? .unspecified, trace: (0, 0))
        record.target = pool.address
    }
}

/// Flows in the order in which they were last active.
struct DatagramFlowList {
    /// The idlest.
    private(set) var oldest: DatagramFlow?
    private var newest: DatagramFlow?

    /// Adds a flow that has just been active.
    mutating func append(_ flow: DatagramFlow) {
        flow.older = newest
        newest?.newer = flow
        newest = flow
        if oldest == nil { oldest = flow }
    }

    /// Takes a flow out.
    mutating func remove(_ flow: DatagramFlow) {
        let (older, newer) = (flow.older, flow.newer)
        if let older { older.newer = newer } else { oldest = newer }
        if let newer { newer.older = older } else { newest = older }
        flow.older = nil
        flow.newer = nil
    }

    /// Makes a flow of the list the one that was active last.
    mutating func touch(_ flow: DatagramFlow) {
        if newest === flow { return }
        remove(flow)
        append(flow)
    }
}

/// One socket that takes datagrams for a listener, and the flows that have begun on it.
final class DatagramListener {
    let listener: WorkerListener
    let socket: DatagramSocket
    let token: Token
    private var flows: [DatagramFlow.Key: DatagramFlow] = [:]
    /// Flows of QUIC by their client alone, which does not know their server id yet.
    private var handshakes: [DatagramFlow.Key: DatagramFlow] = [:]
    private var verified = DatagramFlowList()
    private var unverified = DatagramFlowList()
    /// Whether its timer is set.
    var isTimed = false
    /// Whether nothing is received yet, since another process has begun flows that have not come.
    var awaitsFlows = false

    init(listener: WorkerListener, socket: DatagramSocket, token: Token) {
        self.listener = listener
        self.socket = socket
        self.token = token
    }

    /// The flow of these datagrams, if it has begun.
    func flow(_ key: DatagramFlow.Key) -> DatagramFlow? { flows[key] }

    /// The kind of its flows, for counters.
    var kind: FlowKind { listener.isQUIC ? .quic : .udp }

    /// The flow that takes the handshakes of this client, if there is one; `key` has no server id.
    func handshake(_ key: DatagramFlow.Key) -> DatagramFlow? { handshakes[key] }

    /// Has the handshakes of its client go to a flow, until it ends.
    func addHandshake(_ flow: DatagramFlow) {
        handshakes[flow.key.with(serverID: nil)] = flow
        flow.takesHandshakes = true
    }

    /// Every flow there is.
    var all: [DatagramFlow] { Array(flows.values) }

    /// The most idle unverified flow.
    var oldestUnverified: DatagramFlow? { unverified.oldest }

    /// The most idle verified flow.
    var idlestVerified: DatagramFlow? { verified.oldest }

    /// A flow that was silent since before `instant`.
    func idle(before instant: Instant) -> DatagramFlow? {
        if let flow = unverified.oldest, flow.lastActivity < instant { return flow }
        if let flow = verified.oldest, flow.lastActivity < instant { return flow }
        return nil
    }

    func add(_ flow: DatagramFlow) {
        flows[flow.key] = flow
        if flow.isVerified { verified.append(flow) } else { unverified.append(flow) }
    }

    /// Takes a flow out. The flow itself stays as it is.
    func remove(_ flow: DatagramFlow) {
        flows[flow.key] = nil
        if flow.takesHandshakes { handshakes[flow.key.with(serverID: nil)] = nil }
        if flow.isVerified { verified.remove(flow) } else { unverified.remove(flow) }
    }

    /// Datagrams of the client have come.
    func clientSent(_ flow: DatagramFlow, now: Instant) {
        flow.lastActivity = now
        if flow.isAnswered, !flow.isVerified {
            unverified.remove(flow)
            flow.isVerified = true
            verified.append(flow)
        } else {
            touch(flow)
        }
    }

    /// Datagrams of the target have come.
    func targetSent(_ flow: DatagramFlow, now: Instant) {
        flow.lastActivity = now
        flow.isAnswered = true
        touch(flow)
    }

    /// Takes over what has happened to a flow in the process that had it before.
    func adopt(_ change: FlowChange, of flow: DatagramFlow) {
        flow.lastActivity = max(flow.lastActivity, change.lastActivity)
        flow.record.receivedBytes &+= change.receivedBytes
        flow.record.sentBytes &+= change.sentBytes
        if change.takesHandshakes, !flow.takesHandshakes { addHandshake(flow) }
        flow.isAnswered = flow.isAnswered || change.isAnswered
        if change.isVerified, !flow.isVerified {
            unverified.remove(flow)
            flow.isVerified = true
            verified.append(flow)
        } else {
            touch(flow)
        }
    }

    private func touch(_ flow: DatagramFlow) {
        if flow.isVerified { verified.touch(flow) } else { unverified.touch(flow) }
    }
}
