import Core
import HTTP1
import HTTP2
import TLS
import Telemetry

/// One data-plane thread: its poller, its connections, its copy of the configuration. It shares nothing with other
/// workers on the way of a request, waits for nothing but its poller, and takes no lock.
///
/// The way of a request: `dispatch` → `advance` → `readRequest` → `decide` (Worker+Decide) → `attempt`
/// (Worker+Attempts) → `sendRequest` → `pump` → `readResponse` → `relayBody` (Side+Relay) → `finish` (Worker+Finish).
/// The way of a connection that is passed on: Worker+Tunnel.
struct Worker: ~Copyable {
    let configuration: WorkerConfiguration
    let mailbox: Mailbox<WorkerMail>
    let control: Mailbox<ControlMail>
    let log: LogSink
    let connectionLogSink: LogSink

    /// What connections and streams use of this worker; `resources.now` is the pass's one reading of the clock.
    var resources: Resources
    var poller = Poller()
    var timers: TimerWheel
    var slab = Slab<Occupant>()
    var random: FastRandom
    var reserve = ReserveDescriptor()
    /// This pass's one reading of the time of day, as `WallClock.now()`.
    var timeOfDay: UInt64
    var date = HTTPDate()

    /// By `GroupPlan.id`, `ListenerPlan.id` and `TargetPlan.id`.
    var groups: [Group?] = []
    var listeners: [WorkerListener?] = []
    var pools: [TargetPool?] = []
    var listenerSockets: [ListenerSocket] = []
    var datagramListeners: [DatagramListener] = []
    var accessLog: AccessLog?
    var connectionLog: ConnectionLog?

    var clientCount = 0
    /// Who may have to make room (Worker+Room): in order of arrival, and the idlest last.
    var arrivals = Queue<Token>()
    var idleClients: [(token: Token, since: Instant)] = []
    /// From when on all connections may be walked again for those that are idle, and those that take nothing.
    var nextWalkAt = Instant(nanoseconds: 0)
    var nextStalledWalkAt = Instant(nanoseconds: 0)
    /// Exchanges that wait for a descriptor.
    var descriptorQueue = StreamQueue()
    /// Flows of datagrams.
    var flowCount = 0
    /// Datagrams that were just received; made when the first listener of them is.
    lazy var datagrams = DatagramBatch()
    var freeExchanges: [Exchange] = []
    let tickets: TLSTicketKeyRing
    /// Those of `resources.deferredClients` and `resources.dirtyConnections` that have their turn.
    private var resumingClients: [ClientSide] = []
    var flushingConnections: [HTTP2Connection] = []
    /// Those that have more to do than one turn allows (Worker+Backlog).
    var backlog = Queue<Backlogged>()
    /// Whether one of them has its turn.
    var isServingBacklog = false
    /// Set once control has said to finish.
    var finishDeadline: Instant?
    private var bytesReported = 0

    /// Who occupies a slot, and so who an event is for.
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
        self.control = control
        self.log = log
        connectionLogSink = connectionLog
        tickets = TLSTicketKeyRing(current: configuration.ticketKey, lifetime: Limits.ticketLifetimeSeconds)
        let now = Instant.now()
        timeOfDay = WallClock.now()
        resources = Resources(counters: counters, bufferBytesMax: configuration.bufferBytesMax, now: now)
        timers = TimerWheel(now: now)
        random = FastRandom(seed: now.nanoseconds ^ timeOfDay &* UInt64(configuration.index + 1))
        freeExchanges.reserveCapacity(Limits.freeExchangesMax)
        let token = slab.insert(.mailbox)
        poller.add(mailbox.wakeup.descriptor, token: token, interest: .readable)
    }

    /// The pass's one reading of the clock.
    var now: Instant { resources.now }
    var counters: WorkerCounters { resources.counters }
    /// The response head and the trailers that are being worked on.
    var response: Head { resources.response }
    var trailers: Head { resources.trailers }

    /// Serves until control has said to finish and everything has.
    mutating func run() {
        while !isFinished {
            let readyCount = poller.wait(until: nextPassAt, now: now)
            timeOfDay = WallClock.now()
            runPass(readyCount, now: Instant.now())
        }
        stop()
    }

    /// When a pass is due though nothing becomes ready; nil if none is.
    var nextPassAt: Instant? {
        let isIdle = resources.deferredClients.isEmpty && backlog.isEmpty && resources.dirtyConnections.isEmpty
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

    /// Sorts out the idle target connections that have closed or said something, before a request of the same batch
    /// takes one of them and reads as its answer what was there before it.
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
        // The lists change places: emptying one that has another name costs an allocation.
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

    /// Makes visible to others what this pass has changed: the byte gauge, and log lines to a sleeping log writer.
    private mutating func report() {
        let held = resources.buffers.bytesHeld
        if held > bytesReported { counters.bytesHeld.add(UInt64(held - bytesReported)) }
        if held < bytesReported { counters.bytesHeld.subtract(UInt64(bytesReported - held)) }
        bytesReported = held
        accessLog?.flush()
        connectionLog?.flush()
    }

    /// Whether control has said to finish, and everything has or the time for it is over.
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
            case .ticketKeys(let current, let previous): tickets.adopt(current: current, previous: previous)
            case .returnMemory: returnMemory()
            case .finish(let deadline): beginToFinish(deadline)
            }
        }
    }
}
