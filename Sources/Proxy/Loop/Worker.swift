import Core
import HTTP1
import HTTP2
import TLS
import Telemetry

/// One data-plane thread: its poller, its connections, its copy of the configuration. It shares nothing with other
/// workers on the way of a request, waits for nothing but its poller, and takes no lock.
///
/// The way of a request: `dispatch` → `advance` → `readRequest` → `decide` (Worker+Decide) → `attempt`
/// (Worker+Attempts) → `sendRequest` → `advanceExchange` → `readResponse` → `relayBody` (Side+Relay) → `finishExchange`
/// (Worker+Finish). The way of a connection that is passed on: Worker+Tunnel.
struct Worker: ~Copyable {
    let configuration: WorkerConfiguration
    let mailbox: Mailbox<WorkerMail>
    let control: Mailbox<ControlMail>
    let log: LogSink
    let connectionLogSink: LogSink

    /// The parts of this worker that connections and streams use; `resources.now` is the time at which the pass began.
    var resources: Resources
    var poller = Poller()
    var timers: TimerWheel
    var slab = Slab<Occupant>()
    var random: FastRandom
    var reserve = ReserveDescriptor()
    /// The time of day at which the pass began, as `WallClock.now()`.
    var timeOfDay: UInt64
    var date = HTTPDate()
    /// The time at which cookies expire that are set now.
    var cookieExpiry = HTTPDate()

    /// By `GroupPlan.id`, `ListenerPlan.id` and `TargetPlan.id`.
    var groups: [Group?] = []
    var listeners: [WorkerListener?] = []
    var pools: [TargetPool?] = []
    var listenerSockets: [ListenerSocket] = []
    var datagramListeners: [DatagramListener] = []
    var accessLog: AccessLog?
    var connectionLog: ConnectionLog?

    var clientCount = 0
    /// Client connections that may be evicted (Worker+Room): `arrivals` in the order in which they were accepted,
    /// `idleClients` with the longest idle last.
    var arrivals = Queue<Token>()
    var idleClients: [(token: Token, since: Instant)] = []
    /// The earliest times of the next walks over all connections: for idle ones, and for clients that do not read.
    var nextWalkAt = Instant(nanoseconds: 0)
    var nextStalledWalkAt = Instant(nanoseconds: 0)
    /// Exchanges that wait for a free descriptor.
    var descriptorQueue = StreamQueue()
    /// Targets that have a free slot, and groups whose targets may have some, while exchanges wait (Worker+Queue).
    var freedPools: [TargetPool] = []
    var queuedGroups: [Group] = []
    /// Groups for whose targets exchanges wait, and some for which they did a while ago.
    var awaitedGroups: [Group] = []
    /// Those targets and groups that are being served.
    var servedPools: [TargetPool] = []
    var servedGroups: [Group] = []
    /// The mailboxes of all workers, by which they are told of free slots.
    let mailboxes: [Mailbox<WorkerMail>]
    /// How many flows of datagrams there are.
    var flowCount = 0
    /// The flows of which a process that is to take over was told; nil while there is none.
    var flowCopy: FlowCopy?
    /// The flows that another process has told of, by number, as long as it may say more about them.
    var adoptedFlows: [DatagramFlow?] = []
    /// The buffers for received datagrams; made with the first listener of datagrams.
    lazy var datagrams = DatagramBatch()
    var freeExchanges: [Exchange] = []
    let tickets: TLSTicketKeyRing
    /// Seals and opens the cookies by which clients stay with a target or a group.
    let cookieCipher: CookieCipher
    /// The lists that are being worked through: `resources.deferredClients` and `resources.dirtyConnections` of this
    /// pass.
    private var resumingClients: [ClientSide] = []
    var flushingConnections: [HTTP2Connection] = []
    /// Connections with more work than one turn allows (Worker+Backlog).
    var backlog = Queue<Backlogged>()
    /// Whether the backlog is being served.
    var isServingBacklog = false
    /// The deadline that control gave when it told the worker to finish; nil before.
    var finishDeadline: Instant?
    /// Whether another process has taken over the listening sockets.
    var isSucceeded = false
    private var bytesReported = 0

    /// What occupies a slot, and so what an event is for.
    enum Occupant {
        case mailbox
        case listener(ListenerSocket)
        case client(ClientConnection)
        case target(TargetConnection)
        case http2Client(HTTP2ClientConnection)
        case http2Target(HTTP2TargetConnection)
        case tunnelSide(TunnelSide)
        case datagramListener(DatagramListener)
        case datagramFlow(DatagramFlow)
    }

    init(
        _ configuration: WorkerConfiguration, mailbox: Mailbox<WorkerMail>, control: Mailbox<ControlMail>,
        counters: WorkerCounters, log: LogSink, connectionLog: LogSink
    ) {
        self.configuration = configuration
        self.mailbox = mailbox
        mailboxes = configuration.mailboxes.isEmpty ? [mailbox] : configuration.mailboxes
        self.control = control
        self.log = log
        connectionLogSink = connectionLog
        tickets = TLSTicketKeyRing(current: configuration.ticketKey, lifetime: Limits.ticketLifetimeSeconds)
        cookieCipher = CookieCipher(configuration.cookieKeys)
        let now = Instant.now()
        timeOfDay = WallClock.now()
        resources = Resources(counters: counters, bufferBytesMax: configuration.bufferBytesMax, now: now)
        timers = TimerWheel(now: now)
        random = FastRandom(seed: now.nanoseconds ^ timeOfDay &* UInt64(configuration.index + 1))
        freeExchanges.reserveCapacity(Limits.freeExchangesMax)
        let token = slab.insert(.mailbox)
        poller.add(mailbox.wakeup.descriptor, token: token, interest: .readable)
    }

    /// The time at which this pass began.
    var now: Instant { resources.now }
    var counters: WorkerCounters { resources.counters }
    /// The response head and the trailers that are being worked on.
    var response: Head { resources.response }
    var trailers: Head { resources.trailers }

    /// Runs passes until control has told the worker to finish and all connections have ended.
    mutating func run() {
        while !isFinished {
            let readyCount = poller.wait(until: nextPassAt, now: now)
            timeOfDay = WallClock.now()
            runPass(readyCount, now: Instant.now())
        }
        stop()
    }

    /// When the next pass is due if no descriptor becomes ready; nil if none is.
    var nextPassAt: Instant? {
        let isIdle =
            resources.deferredClients.isEmpty && backlog.isEmpty && resources.dirtyConnections.isEmpty && !hasFreeSlots
        return isIdle ? nextDeadline : now
    }

    /// Acts on what the poller has found ready, and on what is due by `now`.
    mutating func runPass(_ readyCount: Int, now: Instant) {
        resources.now = now
        dispatchIdleTargets(readyCount)
        for index in 0..<readyCount { dispatch(poller.ready(index)) }
        resumeDeferred()
        fireTimers()
        if !backlog.isEmpty { serveBacklog() }
        if !descriptorQueue.isEmpty { serveDescriptorQueue() }
        if hasFreeSlots { serveTargetQueues() }
        flushDirtyConnections()
        if resources.buffers.bytesHeld > resources.buffers.bytesMax { shed() }
        report()
    }

    private var nextDeadline: Instant? {
        var deadline = timers.nextDeadline ?? .distantFuture
        if let finishDeadline { deadline = min(deadline, finishDeadline) }
        if !descriptorQueue.isEmpty { deadline = min(deadline, max(nextStalledWalkAt, now)) }
        return deadline == .distantFuture ? nil : deadline
    }

    /// Handles events of idle target connections first. One that was closed, or that received bytes, must be discarded
    /// before a request of the same batch takes it and reads those bytes as its response.
    private mutating func dispatchIdleTargets(_ readyCount: Int) {
        for index in 0..<readyCount {
            let ready = poller.ready(index)
            guard slab.isMarked(ready.token) else { continue }
            switch slab.resolve(ready.token) {
            case .target(let target):
                guard case .idle = target.phase else { continue }
                targetReady(target, ready)
            case .http2Target(let target):
                guard target.isIdle else { continue }
                targetReady(target, ready)
            default: continue
            }
            poller.discard(index)
        }
    }

    /// Acts on one ready descriptor.
    private mutating func dispatch(_ ready: Poller.Ready) {
        if ready.token == .none { return }
        switch slab.resolve(ready.token) {
        case .client(let client): clientReady(client, ready)
        case .target(let target): targetReady(target, ready)
        case .tunnelSide(let side): sideReady(side, ready)
        case .datagramListener(let listener): receiveDatagrams(listener)
        case .datagramFlow(let flow): returnDatagrams(flow)
        case .http2Client(let client): clientReady(client, ready)
        case .http2Target(let target): targetReady(target, ready)
        case .listener(let socket): acceptClients(socket)
        case .mailbox: readMail()
        case nil: counters.staleEvents.add()  // closed earlier in this batch
        }
    }

    private mutating func resumeDeferred() {
        guard !resources.deferredClients.isEmpty else { return }
        // The lists are swapped: emptying a list that is referenced twice would allocate.
        swap(&resources.deferredClients, &resumingClients)
        for index in resumingClients.indices {
            let client = resumingClients[index]
            client.isDeferred = false
            if !client.isClosed { advance(client) }
        }
        resumingClients.removeAll(keepingCapacity: true)
    }

    private mutating func fireTimers() {
        while let token = timers.nextExpired(now: now) {
            switch slab.resolve(token) {
            case .client(let client): clientTimerFired(client)
            case .target(let target): targetTimerFired(target)
            case .http2Client(let client): clientTimerFired(client)
            case .http2Target(let target): targetTimerFired(target)
            case .listener(let socket): resumeAccepting(socket)
            case .tunnelSide(let side): if let tunnel = side.tunnel { tunnelTimerFired(tunnel) }
            case .datagramListener(let listener): expireFlows(listener)
            case .mailbox, .datagramFlow, nil: counters.staleEvents.add()
            }
        }
    }

    /// Publishes what this pass has changed: the gauge of bytes held, and log lines, for which a sleeping log writer is
    /// woken.
    private mutating func report() {
        let held = resources.buffers.bytesHeld
        if held > bytesReported { counters.bytesHeld.add(UInt64(held - bytesReported)) }
        if held < bytesReported { counters.bytesHeld.subtract(UInt64(bytesReported - held)) }
        bytesReported = held
        accessLog?.flush()
        connectionLog?.flush()
    }

    /// Whether control has told the worker to finish, and all connections have ended or the time for that is over.
    var isFinished: Bool {
        guard let finishDeadline else { return false }
        return clientCount + flowCount == 0 || now >= finishDeadline
    }

    private mutating func readMail() {
        for mail in mailbox.takeAll() {
            switch mail {
            case .adopt(let snapshot, let opened): adopt(snapshot, opened: opened)
            case .cut(let target): cutExchanges(of: target)
            case .leave(let target): detachTunnels(of: target)
            case .terminate(let target): endTunnels(of: target, .unhealthy)
            case .unhealthy(let target): targetUnhealthy(target)
            case .freeSlot(let target): if target < pools.count, let pool = pools[target] { addFreed(pool) }
            case .freeSlots(let group): if group < groups.count, let group = groups[group] { serveLater(group) }
            case .ticketKeys(let current, let previous): tickets.adopt(current: current, previous: previous)
            case .cookieKeys(let keys): cookieCipher.adopt(keys)
            case .returnMemory: returnMemory()
            case .finish(let deadline): beginToFinish(deadline)
            case .handOver(let deadline): handOver(deadline)
            case .copyFlows(let process): copyFlows(to: process)
            case .endFlowCopy: endFlowCopy()
            case .adoptFlows(let flows, let ended, let isLast): adoptFlows(flows, ended: ended, isLast: isLast)
            case .confirmFlows: control.send(.confirmedFlows(worker: configuration.index))
            case .adoptFlowChanges(let changes, let isLast): adoptChanges(changes, isLast: isLast)
            }
        }
        serveChangedGroups()
    }
}
