import Core
import Logging
import Model
import Proxy

/// What an upgrade was asked for with.
struct UpgradeRequest {
    /// The program to start; nil for the one that this process was started as, or what is at its path by now.
    var binary: String?
    /// How long this process may finish what it has; nil for `runtime.shutdownGraceSeconds`.
    var graceSeconds: Double?
}

/// What an upgrade did.
struct UpgradeReport: Equatable {
    /// The process that was replaced, with the connections that it finishes.
    let old: FinishingProcess
    /// The number of the process that serves.
    let id: Int
    /// Its version.
    let version: String
    /// How long the old process may finish.
    let graceSeconds: Double
}

/// What routes of the admin socket need of `Upgrade`.
protocol UpgradeActions: AnyObject {
    /// Has another process take over, and calls `completion` once it has, or with why it has not.
    func upgrade(_ request: UpgradeRequest, completion: @escaping (Result<UpgradeReport, AdminError>) -> Void)
}

/// The process in which upgrades happen: `Service`.
protocol UpgradeHost: AnyObject {
    /// The admin sockets, with their paths and their descriptors.
    var adminSockets: [(path: String, isReadOnly: Bool, descriptor: Int32)] { get }
    /// The process with this id serves: takes no more, lets workers hand over what they have and finish within so many
    /// seconds.
    func handOver(to process: Int32, within seconds: Double)
    /// Everything is handed over: the process may end when its workers have.
    func handedOver()
}

/// Has a new process of the same program, or of a newer one, take over from this one without a loss.
///
/// It takes its turn among changes, which wait meanwhile: the new process reads the state when nothing changes it. The
/// new process gets everything over a connection that it inherits, and says when it accepts connections. Until then
/// this process serves as if nothing had been, and goes on if the other one does not get ready. From then on it
/// finishes what it has, as when it is told to stop.
///
/// Shape: one object of the control thread.
final class Upgrade: PollHandler, UpgradeConnectionObserver, UpgradeActions {
    private enum Phase {
        case none
        /// Waits for its turn among the changes.
        case queued(Attempt)
        /// The new process was started; leaves when it has said what it is.
        case greeting(Attempt, Started)
        /// It has all that it needs; leaves when it accepts connections.
        case preparing(Attempt, Started)
        /// It accepts connections, and is being told of the flows of these workers, which go on with them; once none is
        /// left, leaves when it has taken them.
        case copying(Attempt, Started, workers: Set<Int>)
        /// It serves, and what has become of the flows of these workers is still to come.
        case handingOver(Attempt, Started, workers: Set<Int>)
        /// It serves, and this process finishes.
        case over(Started)
    }

    private struct Attempt {
        let binary: String
        let graceSeconds: Double
        let completion: (Result<UpgradeReport, AdminError>) -> Void
    }

    private struct Started {
        let process: ChildProcess
        let connection: UpgradeConnection
        /// Its version, once it has said so.
        var version = ""
        /// Whether it has closed the connection: then it has ended, or soon will.
        var hasLeft = false
    }

    private struct Turn: QueuedWork {
        let upgrade: Upgrade
        func begin() { upgrade.start() }
        func refuse() { upgrade.fail("This Apus is told to stop.") }
    }

    /// The process in which it happens; nil where none may be replaced, as in `apus demo` and `apus proxy`.
    weak var host: (any UpgradeHost)?
    /// The path of the program that this process was started as.
    var program: String?
    /// What the service manager has said to this process, which the new one gets to know as well.
    var environment = ServiceEnvironment()
    // The loop has this object, and must not keep the state's lock by it.
    private unowned let services: Services
    private unowned let store: DocumentStore
    private let loop: ControlLoop
    private let events: EventLog
    private let logger: Logger
    private var token = Token.none
    private var phase = Phase.none
    /// Processes that were killed and have not ended yet.
    private var killed: [ChildProcess] = []
    /// What has happened to flows while the other process was told of them: by worker, for when it has the rest.
    private var changes: [Int: [FlowChange]] = [:]

    /// Nothing was asked for.
    init(_ services: Services, _ store: DocumentStore, loop: ControlLoop, events: EventLog, logger: Logger) {
        self.services = services
        self.store = store
        self.loop = loop
        self.events = events
        self.logger = logger
        token = loop.add(self, descriptor: nil)
    }

    /// Whether flows are being handed over, so that this process may not end.
    var isHandingOver: Bool {
        switch phase {
        case .handingOver: true
        case .over(let started): !started.connection.isFlushed
        case .none, .queued, .greeting, .preparing, .copying: false
        }
    }

    func upgrade(_ request: UpgradeRequest, completion: @escaping (Result<UpgradeReport, AdminError>) -> Void) {
        do throws(AdminError) {
            let binary = try allow(request)
            let grace = request.graceSeconds ?? store.committedDocument.runtime.shutdownGraceSeconds
            phase = .queued(Attempt(binary: binary, graceSeconds: grace, completion: completion))
            services.queue.take(.work(Turn(upgrade: self)))
        } catch {
            logger.warning("an upgrade was refused", metadata: ["reason": "\(error.message)"])
            loop.afterBatch { completion(.failure(error)) }
        }
    }

    /// The program to start. Errors: nothing can be started now, or here.
    private func allow(_ request: UpgradeRequest) throws(AdminError) -> String {
        switch phase {
        case .none: break
        case .over, .handingOver: throw AdminError(ChangeQueue.stopping, status: ChangeQueue.statusUnavailable)
        case .queued, .greeting, .preparing, .copying:
            throw AdminError(
                code: "ResourceInUse", message: "Another upgrade is under way.",
                remedy: "Wait for its end: apus events tells it.")
        }
        if services.queue.isStopping { throw AdminError(ChangeQueue.stopping, status: ChangeQueue.statusUnavailable) }
        guard host != nil else {
            throw Self.notPossible(
                "A demo or a proxy without a file cannot be upgraded: what it has made ends with it.",
                "Stop it, and start it again.")
        }
        guard SystemProcess.id != 1 else {
            throw Self.notPossible(
                "This is process 1 of its container, with which all others end.",
                "Start a new container beside this one, then stop this one.")
        }
        // When the process that they have started ends, these end what else there is, or start another one.
        // Source: docs/deploying.md, "A new version of Apus".
        let parent = SystemProcess.parent
        let isWatched =
            Self.supervisors.contains(parent.name) || parent.id == 1 && Self.shells.contains(parent.name)
        guard !isWatched else {
            throw Self.notPossible(
                "\(parent.name) has started this process and watches it: its end is the end of the service.",
                "Start a new one beside this one, then stop this one.")
        }
        // Source: systemd.exec(5), "Environment variables set or propagated by the service manager".
        let isMainProcess = Terminal.environment("SYSTEMD_EXEC_PID") == "\(SystemProcess.id)"
        guard !isMainProcess || environment.notifySocket != nil else {
            throw Self.notPossible(
                "This is the main process of a service of systemd, which ends all others with it.",
                "Let the unit have Type=notify and NotifyAccess=all, so that systemd is told of the new one.")
        }
        guard let binary = request.binary ?? program else {
            throw Self.notPossible("The path of the program is not known.", "Name it: apus upgrade /path/of/apus.")
        }
        guard binary.hasPrefix("/"), !binary.utf8.contains(0) else {
            throw AdminError(
                code: "ValidationError",
                message: "binary must be an absolute path, but found \(Value.quoted(binary.prefix(200))).",
                remedy: "Write the whole path.")
        }
        return binary
    }

    /// Names of programs that watch the process that they have started, and know of no other.
    private static let supervisors: Set = [
        "tini", "docker-init", "dumb-init", "catatonit", "runsv", "s6-supervise", "supervise", "supervisord", "circusd",
    ]

    /// Names of shells, with which a container ends if they are its first process.
    private static let shells: Set = ["sh", "bash", "dash", "ash", "busybox", "zsh"]

    private static func notPossible(_ message: String, _ remedy: String) -> AdminError {
        AdminError(code: "OperationNotPermitted", message: message, remedy: remedy)
    }

    /// The process is told to stop: a new one that is not ready is not waited for.
    func stop() {
        switch phase {
        case .greeting, .preparing, .copying: fail("This Apus is told to stop.")
        case .none, .queued, .handingOver, .over: break
        }
    }

    /// A child process has ended.
    func childEnded() {
        killed.removeAll { $0.reap() }
        switch phase {
        case .greeting(_, let started), .preparing(_, let started), .copying(_, let started, _):
            guard let ending = started.process.takeEnding() else { return }
            fail("It ended \(ending) before it was ready: its log says why.", isReaped: true)
        case .handingOver(_, let started, _), .over(let started):
            guard let ending = started.process.takeEnding() else { return }
            logger.error(
                "the process that had taken over has ended",
                metadata: ["pid": "\(started.process.id)", "ending": "\(ending)"])
        case .none, .queued: break
        }
    }

    // MARK: Until it is ready

    private func start() {
        guard case .queued(let attempt) = phase else { return }
        services.queue.isAtDisk = true
        services.cookieKeys.isPaused = true
        let words = [SystemProcess.arguments.first ?? "apus", "run", store.file]
        do throws(SystemError) {
            let (own, others) = try MessageSocket.pair()
            defer { others.close() }
            let process: ChildProcess
            do throws(SystemError) {
                process = try ChildProcess.start(
                    attempt.binary, words, handing: others, as: Inheritance.variable,
                    adding: environment.variablesOfSuccessor)
            } catch {
                own.close()
                throw error
            }
            let connection = UpgradeConnection(own, loop: loop)
            connection.observer = self
            phase = .greeting(attempt, Started(process: process, connection: connection))
            loop.schedule(token, at: loop.now + Limits.upgradeHelloTime)
            logger.notice(
                "an upgrade began", metadata: ["binary": "\(attempt.binary)", "pid": "\(process.id)"])
        } catch {
            fail("It cannot be started: \(error.reason).")
        }
    }

    func received(_ message: UpgradeMessage?, _ descriptors: [Int32], by connection: UpgradeConnection) {
        for number in descriptors { FileDescriptor(descriptor: number).close() }
        switch (phase, message) {
        case (.greeting(let attempt, var started), .hello(let number, let version)):
            guard number == UpgradeMessage.protocolVersion else {
                return fail(
                    "It is apus \(version), to which this version cannot hand over: stop this one, then start it.")
            }
            started.version = version
            phase = .preparing(attempt, started)
            loop.schedule(token, at: loop.now + Limits.upgradeReadyTime)
            send(over: connection)
        case (.preparing(let attempt, let started), .ready):
            phase = .copying(attempt, started, workers: Set(0..<services.workers.count))
            services.workers.sendToAll(.copyFlows(process: started.process.id))
        case (.copying(let attempt, let started, let workers), .prepared) where workers.isEmpty:
            commit(attempt, started)
        case (.greeting, .failed(let reason)), (.preparing, .failed(let reason)):
            fail("It says: \(reason.cut(to: Model.Limits.adminErrorBytesMax / 2))")
        case (.preparing, .unknown), (.copying, .unknown), (.handingOver, _), (.over, _): break
        case (.greeting, _), (.preparing, _), (.copying, _), (.none, _), (.queued, _):
            fail("It does not speak as apus does: is it another program?")
        }
    }

    func ended(_ connection: UpgradeConnection) {
        switch phase {
        case .greeting(let attempt, var started):
            started.hasLeft = true
            phase = .greeting(attempt, started)
        case .preparing(let attempt, var started):
            started.hasLeft = true
            phase = .preparing(attempt, started)
        case .copying(let attempt, var started, let workers):
            started.hasLeft = true
            phase = .copying(attempt, started, workers: workers)
        case .none, .queued, .handingOver, .over: return
        }
        // How it has ended is told in a moment, if it has.
        loop.schedule(token, at: loop.now + Limits.upgradeReportInterval)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        switch phase {
        case .greeting(_, let started), .preparing(_, let started), .copying(_, let started, _):
            if started.hasLeft { return fail("It has closed the connection to this process.") }
            if case .greeting = phase { return fail("It has not said that it is apus: is it another program?") }
            fail("It was not ready after \(Limits.upgradeReadyTime / 1_000_000_000) s.")
        case .handingOver(let attempt, let started, _):
            logger.error("workers did not hand over their flows in time", metadata: [:])
            complete(attempt, started)
        case .over(let started):
            started.connection.send(.left(connections: connectionsLeft))
            loop.schedule(token, at: now + Limits.upgradeReportInterval)
            host?.handedOver()
        case .none, .queued: break
        }
    }

    /// This process goes on as if nothing had been.
    private func fail(_ reason: String, isReaped: Bool = false) {
        let attempt: Attempt
        switch phase {
        case .queued(let queued): attempt = queued
        case .greeting(let begun, let started), .preparing(let begun, let started), .copying(let begun, let started, _):
            attempt = begun
            if !isReaped {
                started.process.kill()
                killed.append(started.process)
            }
            // The program may be a script around the process that would take over.
            started.connection.send(.cancelled)
            started.connection.close()
            services.workers.sendToAll(.endFlowCopy)
        case .none, .handingOver, .over: return
        }
        phase = .none
        loop.cancel(token)
        services.cookieKeys.isPaused = false
        events.post(.upgradeFailed(binary: attempt.binary, reason: reason))
        logger.error(
            "an upgrade failed: this process goes on", metadata: ["binary": "\(attempt.binary)", "reason": "\(reason)"])
        let error = AdminError(
            code: "UpgradeFailed", status: 500,
            message: "\(attempt.binary) has not taken over, and nothing has changed. \(reason)",
            remedy: "See the log, and what \(attempt.binary) check \(store.file) says.")
        loop.afterBatch { attempt.completion(.failure(error)) }
        services.queue.isAtDisk = false
        services.queue.proceed()
    }

    /// Everything that the new process needs to get ready.
    private func send(over connection: UpgradeConnection) {
        guard let host else { return }
        for (key, sockets) in services.preparation.sockets.bound {
            for (worker, bound) in sockets.enumerated() {
                let descriptors = [bound.socket?.descriptor, bound.datagrams?.descriptor].compactMap(\.self)
                connection.send(.listener(key, worker: worker), descriptors)
            }
        }
        for socket in services.preparation.sockets.passed {
            connection.send(.passedSocket(name: socket.name), [socket.descriptor])
        }
        for socket in host.adminSockets {
            let message: UpgradeMessage =
                socket.isReadOnly ? .readOnlySocket(path: socket.path) : .adminSocket(path: socket.path)
            connection.send(message, [socket.descriptor])
        }
        if let metrics = services.preparation.metrics.descriptor { connection.send(.metrics, [metrics]) }
        if let lock = store.state.shareLock() {
            connection.send(.lock(folder: store.committedDocument.runtime.stateDirectory), [lock])
        }
        connection.send(
            .ticketKeys(current: services.ticketKeys.current, previous: services.ticketKeys.previous))
        for group in services.registry.groups.values {
            var targets = group.registrations.compactMap(TargetMemory.init)[...]
            while !targets.isEmpty {
                connection.send(
                    .targets(group: group.name, Array(targets.prefix(Limits.upgradeTargetsPerMessage))))
                targets = targets.dropFirst(Limits.upgradeTargetsPerMessage)
            }
        }
        sendDiscovered(over: connection)
        let workers = services.preparation.sockets.bound.isEmpty ? 0 : services.workers.count
        connection.send(
            .start(workers: workers, process, generation: Int(clamping: services.publication.generation)))
    }

    /// What discovery has found, which no disk keeps.
    private func sendDiscovered(over connection: UpgradeConnection) {
        for (name, found) in store.discovered.groups {
            guard let group = services.registry.groups[name] else { continue }
            let containers = services.registry.containers[name] ?? [:]
            let all = found.map { one in
                DiscoveredMemory(one, container: containers[group.configuration.key(of: one.target)] ?? .passing)
            }
            for start in stride(from: 0, to: max(1, all.count), by: Limits.upgradeDiscoveredPerMessage) {
                let part = all[start...].prefix(Limits.upgradeDiscoveredPerMessage)
                connection.send(.discovered(group: name, Array(part)))
            }
        }
        for claim in store.discovered.claims {
            let containers = services.registry.containers[claim.group] ?? [:]
            let health = claim.target.flatMap { found in
                found.target.port.flatMap { containers[TargetKey(id: found.target.id, port: $0)] }
            }
            connection.send(.claimed(ClaimMemory(claim, health: health ?? .passing)))
        }
        for (name, containers) in services.discovery.ending {
            var rest = containers[...]
            while !rest.isEmpty {
                let part = rest.prefix(Limits.upgradeDiscoveredPerMessage)
                connection.send(.ending(group: name, Dictionary(uniqueKeysWithValues: part.map { ($0.key, $0.value) })))
                rest = rest.dropFirst(Limits.upgradeDiscoveredPerMessage)
            }
        }
    }

    // MARK: Once it is ready

    /// This process, with the connections that it has now.
    private var process: FinishingProcess {
        FinishingProcess(id: Int(SystemProcess.id), version: Control.version, connections: connectionsLeft)
    }

    private var connectionsLeft: Int {
        services.workers.handles.reduce(0) { $0 + Int(clamping: $1.counters.connectionsActive.value) }
    }

    private func commit(_ attempt: Attempt, _ started: Started) {
        phase = .handingOver(attempt, started, workers: Set(0..<services.workers.count))
        loop.schedule(token, at: loop.now + Limits.upgradeFlowsTime)
        services.queue.isAtDisk = false
        store.state.giveUpLock()
        services.finishing.handOver(to: started.connection)
        logger.notice(
            "another process has taken over: this one finishes what it has",
            metadata: [
                "pid": "\(started.process.id)", "version": "\(started.version)",
                "graceSeconds": "\(attempt.graceSeconds)",
            ])
        events.post(
            .processReplaced(
                from: Int(SystemProcess.id), oldVersion: Control.version, to: Int(started.process.id),
                newVersion: started.version))
        host?.handOver(to: started.process.id, within: attempt.graceSeconds)
    }

    /// These are the flows of datagrams of `worker`, which goes on with them.
    func copied(_ flows: [MovedFlow], for process: Int32, ofWorker worker: Int) {
        // Those of an upgrade that has failed may have ended by now, and their sockets with them.
        guard case .copying(let attempt, let started, var workers) = phase, started.process.id == process else {
            return
        }
        FlowSender(services, over: started.connection).send(flows, ofWorker: worker, closing: false)
        workers.remove(worker)
        phase = .copying(attempt, started, workers: workers)
        if workers.isEmpty { started.connection.send(.copied) }
    }

    /// `worker` listens no more. These are flows of datagrams that it had not told of, those that have `ended`, and
    /// what has happened to the others.
    func received(_ flows: [MovedFlow], ended: [Int], changes: [FlowChange], ofWorker worker: Int) {
        guard case .handingOver(let attempt, let started, var workers) = phase else {
            for flow in flows { flow.socket.close() }
            return
        }
        let sender = FlowSender(services, over: started.connection)
        // A client whose flow has ended may have begun another one.
        sender.send(ended: ended, ofWorker: worker)
        sender.send(flows, ofWorker: worker, closing: true)
        self.changes[worker] = changes
        workers.remove(worker)
        phase = .handingOver(attempt, started, workers: workers)
        if workers.isEmpty { complete(attempt, started) }
    }

    private func complete(_ attempt: Attempt, _ started: Started) {
        // First what datagrams wait for.
        started.connection.send(.switched)
        let sender = FlowSender(services, over: started.connection)
        for (worker, changes) in changes { sender.send(changes, ofWorker: worker) }
        changes = [:]
        started.connection.send(.complete)
        phase = .over(started)
        loop.schedule(token, at: loop.now + Limits.upgradeReportInterval)
        attempt.completion(
            .success(
                UpgradeReport(
                    old: process, id: Int(started.process.id), version: started.version,
                    graceSeconds: attempt.graceSeconds)))
        host?.handedOver()
    }
}
