import Core
import Logging
import Model
import Proxy

/// Told that this process has taken the place of another one.
protocol SuccessionObserver: AnyObject {
    /// From here on this process is the one that serves.
    func tookOver()
}

/// Takes the place of another process: says when this one is ready, continues the flows of datagrams that the other one
/// has begun, and serves the admin sockets from then on.
///
/// Should the other process end meanwhile, this one goes on with what it has. If it lives, and has closed the
/// connection or said that it goes on, this one ends: two processes that serve would both write the state.
///
/// Shape: one object of the control thread of a process that an upgrade has started.
final class Succession: PollHandler, UpgradeConnectionObserver {
    private enum Phase {
        /// Leaves when every worker uses its first snapshot.
        case preparing
        /// The other process goes on with the flows that it tells of. Leaves when those of all workers are taken.
        case copying
        /// Leaves when the other process has said what has become of the flows.
        case awaitingFlows
        /// This process is the one that serves.
        case over
    }

    /// Told once it is done.
    weak var observer: (any SuccessionObserver)?
    private let inheritance: Inheritance
    private let predecessor: FinishingProcess
    private let connection: UpgradeConnection
    private let services: Services
    private let admin: AdminSockets
    private let loop: ControlLoop
    private let events: EventLog
    private let logger: Logger
    private var token = Token.none
    private var phase = Phase.preparing
    /// Whether the other process has closed the connection, and it is not known yet whether it has ended.
    private var isUncertain = false
    /// Whether the other process has ended.
    private var isAlone = false
    /// Ends this process, which does not take over.
    private let giveUp: () -> Void
    private var flowsCount = 0
    /// The workers that have not taken yet what they were sent.
    private var unconfirmed: Set<Int> = []

    /// Continues what `inheritance` has begun. `admin` begins to serve at the end.
    init(
        _ inheritance: Inheritance, _ services: Services, _ admin: AdminSockets, loop: ControlLoop, events: EventLog,
        logger: Logger, giveUp: @escaping () -> Void
    ) {
        self.giveUp = giveUp
        self.inheritance = inheritance
        predecessor = inheritance.predecessor
        connection = UpgradeConnection(inheritance.socket, loop: loop)
        self.services = services
        self.admin = admin
        self.loop = loop
        self.events = events
        self.logger = logger
        token = loop.add(self, descriptor: nil)
        connection.observer = self
        services.succession = self
    }

    /// A worker uses a snapshot.
    func workerAdopted() {
        guard case .preparing = phase, !isUncertain, services.workers.adoptedByAll > 0 else { return }
        phase = .copying
        // How long that may take is the other process's to say, which serves still.
        connection.send(.ready)
        if isAlone { takeOver() }
    }

    /// `worker` has taken all flows that it was sent.
    func confirmed(_ worker: Int) {
        guard case .copying = phase, unconfirmed.remove(worker) != nil, unconfirmed.isEmpty else { return }
        phase = .awaitingFlows
        connection.send(.prepared)
        loop.schedule(token, at: loop.now + Limits.upgradeFlowsTime)
    }

    func received(_ message: UpgradeMessage?, _ descriptors: [Int32], by connection: UpgradeConnection) {
        switch (message, phase) {
        case (.flows(let flows, let worker), .copying), (.flows(let flows, let worker), .awaitingFlows):
            adopt(flows, descriptors, worker: worker)
        case (.copied, .copying):
            unconfirmed = Set(services.workers.mailboxes.indices)
            services.workers.sendToAll(.confirmFlows)
        case (.endedFlows(let numbers, let worker), .awaitingFlows):
            send(.adoptFlows([], ended: numbers, isLast: false), to: worker)
        case (.switched, .awaitingFlows): services.workers.sendToAll(.adoptFlows([], ended: [], isLast: true))
        case (.flowChanges(let changes, let worker), .awaitingFlows):
            send(.adoptFlowChanges(changes, isLast: false), to: worker)
        case (.earlier(let process), _) where descriptors.count == 1:
            services.finishing.add(process, MessageSocket(descriptor: descriptors[0]))
        case (.complete, .awaitingFlows): takeOver()
        case (.cancelled, .preparing), (.cancelled, .copying), (.cancelled, .awaitingFlows): end()
        default: for number in descriptors { FileDescriptor(descriptor: number).close() }
        }
    }

    func ended(_ connection: UpgradeConnection) {
        if case .over = phase { return }
        // A process that ends closes its descriptors a moment before it is seen to have ended.
        isUncertain = true
        loop.schedule(token, at: loop.now + Limits.upgradeReportInterval)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        if isUncertain {
            if SystemProcess.isRunning(predecessor.id) { return end() }
            isUncertain = false
            isAlone = true
            logger.warning("the process whose place is taken has ended", metadata: ["pid": "\(predecessor.id)"])
            if case .preparing = phase { workerAdopted() } else { takeOver() }
            return
        }
        guard case .awaitingFlows = phase else { return }
        logger.error(
            "not all flows of datagrams were handed over in time: those that are missing begin anew",
            metadata: ["pid": "\(predecessor.id)", "flows": "\(flowsCount)"])
        takeOver()
    }

    /// The other process goes on, so this one does not take over.
    private func end() {
        guard phase != .over else { return }
        phase = .over
        loop.cancel(token)
        logger.error(
            "the process whose place was to be taken goes on: this one ends", metadata: ["pid": "\(predecessor.id)"])
        giveUp()
    }

    private func send(_ mail: WorkerMail, to worker: Int) {
        guard services.workers.mailboxes.indices.contains(worker) else { return }
        services.workers.mailboxes[worker].send(mail)
    }

    private func adopt(_ flows: [FlowMemory], _ descriptors: [Int32], worker: Int) {
        guard flows.count == descriptors.count, services.workers.mailboxes.indices.contains(worker) else {
            for number in descriptors { FileDescriptor(descriptor: number).close() }
            return
        }
        var moved: [MovedFlow] = []
        for (memory, number) in zip(flows, descriptors) {
            let socket = DatagramSocket(descriptor: number)
            guard let listener = services.publication.id(of: memory.listener),
                let group = services.registry.groups[memory.group], let target = group.byKey[memory.target]
            else {
                socket.close()
                continue
            }
            moved.append(memory.flow(listener: listener, group: group.id, target: target.id, socket: socket))
        }
        flowsCount += moved.count
        send(.adoptFlows(moved, ended: [], isLast: false), to: worker)
    }

    /// From here on this process is the one that serves, and the other one finishes.
    private func takeOver() {
        phase = .over
        loop.cancel(token)
        services.workers.sendToAll(.adoptFlows([], ended: [], isLast: true))
        services.workers.sendToAll(.adoptFlowChanges([], isLast: true))
        admin.begin()
        inheritance.removeAdminSocketsLeft()
        if !isAlone { services.finishing.add(predecessor, connection) }
        observer?.tookOver()
        events.post(
            .processReplaced(
                from: predecessor.id, oldVersion: predecessor.version, to: Int(SystemProcess.id),
                newVersion: Control.version))
        logger.notice(
            "this process has taken over",
            metadata: [
                "from": "\(predecessor.id)", "version": "\(predecessor.version)", "flows": "\(flowsCount)",
            ])
    }
}
