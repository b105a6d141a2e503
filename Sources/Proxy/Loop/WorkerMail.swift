import Core
import TLS
import Telemetry

/// A message of control to a worker.
public enum WorkerMail: Sendable {
    /// Use this snapshot from now on. A target that it no longer holds is draining: it gets no new exchange, and
    /// `ControlMail.drained` follows once its last one has ended. `opened` are the worker's own sockets of listeners
    /// that are new; a listener that is gone closes its sockets, and its connections end with their next response.
    case adopt(Snapshot, opened: [OpenedListener])
    /// The deregistration delay of the draining target with this `TargetPlan.id` is over: its exchanges end with 502.
    case cut(target: Int)
    /// The deregistration delay of the draining target is over, and its tunnels continue: it counts as drained now.
    case leave(target: Int)
    /// The target with this `TargetPlan.id` fails its health checks: connections that are passed on to it are reset.
    case terminate(target: Int)
    /// The target with this `TargetPlan.id` has turned unhealthy: connections that wait for it go to another target,
    /// and so do safe requests that it has not begun to answer.
    case unhealthy(target: Int)
    /// Another worker has freed a slot of the target with this `TargetPlan.id`, and the oldest request that waits for
    /// one is yours.
    case freeSlot(target: Int)
    /// The same for any target of the group with this `GroupPlan.id`.
    case freeSlots(group: Int)
    /// Encrypt session tickets with `current` from now on, and still accept those of `previous`.
    case ticketKeys(current: TLSTicketKey, previous: TLSTicketKey?)
    /// Seal cookies with the first of these keys from now on, and accept those of all.
    case cookieKeys([CookieKey])
    /// Free the memory that is kept for reuse: a rise in load is over.
    case returnMemory
    /// Stop listening, finish what is in flight until `deadline`, then stop the thread.
    case finish(deadline: Instant)
    /// Tell of all flows of datagrams, by `ControlMail.copiedFlows`, and go on with them: another process is to take
    /// over, which has this number.
    case copyFlows(process: Int32)
    /// It does not.
    case endFlowCopy
    /// Stop listening, finish what is in flight until `deadline`, then stop the thread, while another process takes
    /// over the listening sockets: flows of datagrams go there, by `ControlMail.handedOver`, and idle clients keep
    /// their connections for one more response.
    case handOver(deadline: Instant)
    /// Continue these flows, which another process has begun, once it has handed them over; those that were told of and
    /// have these numbers have `ended`. With `isLast` that was all, and datagrams are received from now on on the
    /// sockets that were opened to wait for that.
    case adoptFlows([MovedFlow], ended: [Int], isLast: Bool)
    /// Answer with `ControlMail.confirmedFlows`.
    case confirmFlows
    /// What has happened to flows between `copyFlows` and `handOver`. With `isLast` no more is to come.
    case adoptFlowChanges([FlowChange], isLast: Bool)
}

/// A listening socket that control has opened for a worker.
public struct OpenedListener: Sendable {
    /// `ListenerPlan.id`.
    public let id: Int
    /// Bound and listening; the worker closes it. Nil if the listener takes no connections.
    public let socket: Socket?
    /// Bound; the worker closes it. Nil if the listener takes no datagrams.
    public let datagrams: DatagramSocket?
    /// Whether nothing is received from `datagrams` before the last `WorkerMail.adoptFlows`.
    public let awaitsFlows: Bool

    public init(id: Int, socket: Socket?, datagrams: DatagramSocket? = nil, awaitsFlows: Bool = false) {
        self.awaitsFlows = awaitsFlows
        self.id = id
        self.socket = socket
        self.datagrams = datagrams
    }
}

/// A message of a worker to control.
public enum ControlMail: Sendable {
    /// The worker uses the snapshot of this generation.
    case adopted(worker: Int, generation: UInt64)
    /// The last exchange of a target that left its group has ended on this worker. `finished` and `cut` count the
    /// exchanges that were in flight when it left, connections that are passed on among them; `left` those that
    /// continue.
    case drained(worker: Int, target: Int, finished: Int, cut: Int, left: Int)
    /// A target did not take a connection that was to be passed on. At most one message a second for each target.
    case connectFailed(target: Int)
    /// A worker has made a target suspect; `after` is how long the attempt had lasted. Control reports it as an event;
    /// the other workers read it from the target's cell.
    case suspected(target: Int, SuspicionCause, after: Nanoseconds)
    /// An attempt on a suspect target has succeeded.
    case trusted(target: Int)
    /// As many attempts on a target have failed in a row, over all workers, as its group allows.
    case failedInARow(target: Int)
    /// These are the flows of datagrams of the worker, which has them and their sockets until it is told to hand them
    /// over, or that it is not to.
    case copiedFlows(worker: Int, process: Int32, flows: [MovedFlow])
    /// The worker listens no more. These are the flows of datagrams that it had not told of, whose sockets belong to
    /// the receiver; the numbers of those that have ended since they were told of; and what has happened to the others.
    case handedOver(worker: Int, flows: [MovedFlow], ended: [Int], changes: [FlowChange])
    /// The worker has taken all flows that it was sent before `confirmFlows`.
    case confirmedFlows(worker: Int)
    /// The worker's thread is about to end. `cut` counts the exchanges, tunnels and flows that the deadline ended.
    case stopped(worker: Int, cut: Int)
}

/// The settings with which a worker starts.
public struct WorkerConfiguration: Sendable {
    /// 0 for the first worker.
    public var index: Int
    /// Client connections that this worker takes at once.
    public var connectionsMax: Int
    /// Descriptors that this worker's connections of clients and to targets may take together.
    public var descriptorsMax: Int
    /// Budget of this worker for buffers, in bytes.
    public var bufferBytesMax: Int
    /// The key of session tickets, the same for all workers.
    public var ticketKey: TLSTicketKey
    /// The keys of cookies, the same for all workers: the newest first.
    public var cookieKeys: [CookieKey]
    /// The mailboxes of all workers, its own among them; empty if it is the only one.
    public var mailboxes: [Mailbox<WorkerMail>] = []

    public init(
        index: Int, connectionsMax: Int, descriptorsMax: Int, bufferBytesMax: Int, ticketKey: TLSTicketKey = .random(),
        cookieKeys: [CookieKey] = [.random(createdAt: 0)]
    ) {
        self.ticketKey = ticketKey
        self.cookieKeys = cookieKeys
        self.index = index
        self.connectionsMax = connectionsMax
        self.descriptorsMax = descriptorsMax
        self.bufferBytesMax = bufferBytesMax
    }
}
