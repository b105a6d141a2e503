import Core
import Logging
import Model
import Proxy
import Telemetry

/// A running Apus: everything from the configuration file to the workers, in the order in which it begins and ends.
///
/// Shape: one object of the control thread, which `run` makes the calling one.
final class Service: ChangeQueueObserver, UpgradeHost, SuccessionObserver {
    private enum Phase: Equatable {
        /// Leaves when the process is told to stop.
        case serving
        /// Workers finish what is in flight; leaves when all have stopped, or must be left behind.
        case finishing
        /// The process ends with this status.
        case ended(Int32)
    }

    /// What everything here waits in.
    let loop = ControlLoop()
    /// What can be asked of it.
    let services: Services
    /// What happens.
    let events = EventLog()
    /// Whether a hangup, as when the terminal is closed, ends it. Else it reads its file again.
    var endsAtHangup = false
    /// Told when a child process has ended; the demo has some.
    weak var childObserver: (any ChildObserver)?
    private let store: DocumentStore
    private let logger: Logger
    private let environment: ServiceEnvironment
    private let admin: AdminSockets
    private let mail = Mailbox<ControlMail>()
    /// Takes the place of the process that has started this one; nil if none has, for that.
    private var succession: Succession?
    private var lossWatch: LossWatch?
    private var memoryWatch: MemoryWatch?
    private var notifier: ServiceNotifier?
    private var handlers: [CallingHandler] = []
    private var phase = Phase.serving
    private var stoppedCount = 0
    private var cutCount = 0
    /// Whether another process has taken over, and this one was not told to stop since.
    private var isSuperseded = false
    /// Reloads that signals asked for and that are not over.
    private var reloadsCount = 0

    /// Opens everything that `inheritance` does not have, and starts the workers, which serve from then on. Calls
    /// `beforeThreads` once it has all that may have to be waited for, and before the first thread starts.
    /// `environment` is what the service manager says.
    ///
    /// Errors: `StartError`; then everything that was opened is closed again.
    init(
        file: String, discardingChanges: Bool, logger: Logger, environment: ServiceEnvironment = ServiceEnvironment(),
        inheritance: Inheritance? = nil, beforeThreads: () -> Void = {}
    ) throws(StartError) {
        self.logger = logger
        self.environment = environment
        ProcessMemory.prepare()
        let store = try DocumentStore(
            file: file, discardingChanges: discardingChanges, discovered: inheritance?.discovered ?? Discovered(),
            lock: { inheritance?.takeLock(of: $0) },
            putAside: { name in
                logger.notice("the changes made at run time are put aside", metadata: ["file": "\(name)"])
            })
        let budget = DescriptorBudget(
            store.effective, descriptors: SystemProcess.raiseDescriptorLimit(), workers: inheritance?.workerCount)
        self.store = store
        services = Services(
            loop: loop, store: store, workerCount: budget.workerCount, runningChecksMax: budget.runningChecksMax,
            passedSockets: environment.passedSockets, inheritance: inheritance, events: events, logger: logger)
        environment.warn(of: services.preparation.sockets.passedInVain(for: store.effective), logger)
        var host = HostCheck(
            document: store.effective, places: store.places, passedSockets: environment.passedSockets)
        // What this process has from another one need not be tried.
        if inheritance != nil { host.running = store.effective }
        let accounts = AdminAccounts(lookingUp: store.effective.admin, store.places)
        try Self.refuse(host.mistakesOfStarter() + accounts.mistakes)
        let folders = Self.makeFolders(store.effective, accounts, logger)
        admin = try AdminSockets(
            store.effective.admin, accounts, inheritance, loop: loop, services: services, logger: logger)
        inheritance?.closeRest()
        do throws(StartError) {
            try Self.openListeners(services)
            let user = try Self.becomeUser(store, owning: admin, folders, logger)
            services.preparation.clientIPPreservation.user = user
            try Self.check(services, host)
            let rings = (0..<budget.workerCount).map { _ in LogRing() }
            let wakeup = LogWakeup()
            beforeThreads()
            // What was logged until now has waited for this: no thread may exist before the user has changed.
            Log.lines.start()
            let accessLog = try Self.openLog(store.effective.logs.access, "logs.access", rings, wakeup, logger)
            let connectionRings = (0..<budget.workerCount).map { _ in LogRing(capacity: Limits.connectionLogRingBytes) }
            let connectionWakeup = LogWakeup()
            let connectionLog = try Self.openLog(
                store.effective.logs.connection, "logs.connection", connectionRings, connectionWakeup, logger)
            let healthLog = try Self.openHealthLog(store.effective.logs.health, services.prober, logger)
            services.logs.attach(access: accessLog, connection: connectionLog, health: healthLog)
            services.workers.attach(
                Self.startWorkers(
                    budget, store.effective, mail, services,
                    logs: rings.map { LogSink(ring: $0, wakeup: wakeup) },
                    connectionLogs: connectionRings.map { LogSink(ring: $0, wakeup: connectionWakeup) }))
            services.begin()
            succession = inheritance.map {
                Succession($0, services, admin, loop: loop, events: events, logger: logger) { [unowned self] in
                    phase = .ended(1)
                }
            }
        } catch {
            services.preparation.sockets.abandonPrepared()
            services.preparation.metrics.close()
            admin.close()
            throw error
        }
        watchLosses(budget)
        succession?.observer = self
        if succession == nil { services.beginRollouts(discardingChanges: discardingChanges) }
        if succession == nil { beginToNotify() }
        logListeners(budget)
    }

    /// The service manager is told from now on. One process does so at a time.
    private func beginToNotify() {
        notifier = ServiceNotifier(environment, loop: loop, logger: logger) { [services] in services.summary }
        services.tellOfReloads(notifier)
        guard let notifier else { return }
        _ = events.subscribe { [weak notifier] _ in notifier?.statusMayHaveChanged() }
    }

    private func watchLosses(_ budget: DescriptorBudget) {
        func path(_ log: LogSettings) -> String {
            if case .file(let path) = log.destination { path } else { "stdout" }
        }
        let logs = store.committedDocument.logs
        let losses = Loss.all(
            services.workers.handles, budget, memoryBytes: store.committedDocument.runtime.memoryBytes,
            accessLog: (services.logs.access, path(logs.access)),
            connectionLog: (services.logs.connection, path(logs.connection)),
            healthLog: (
                (services.logs.health, path(logs.health)),
                { [prober = services.prober] in prober.log?.linesDropped ?? 0 }
            ))
        lossWatch = LossWatch(losses, loop: loop, logger: logger)
        memoryWatch = MemoryWatch(services.workers.handles, disk: services.fileDisk, loop: loop)
    }

    /// Serves until the process is told to stop, then ends everything in order. Returns the exit status.
    func run(_ signals: Signals) -> Int32 {
        handle(signals.descriptor) { [unowned self] _ in
            while let signal = signals.next() { receive(signal) }
        }
        handle(mail.wakeup.descriptor) { [unowned self] now in
            for message in mail.takeAll() { receive(message, now: now) }
        }
        var status: Int32 = 0
        loop.run {
            guard case .ended(let code) = phase else { return false }
            status = code
            return true
        }
        if stoppedCount == services.workers.count {
            for worker in services.workers.handles { worker.thread.join() }
        }
        admin.close()
        services.preparation.metrics.close()
        logger.notice("stopped", metadata: ["exchangesCut": "\(cutCount + leftCount)", "status": "\(status)"])
        services.logs.stop()
        return status
    }

    /// Exchanges and flows of workers that are not waited for: they end with the process.
    private var leftCount: Int {
        services.workers.handles.reduce(0) { sum, worker in
            let counters = worker.counters
            let flows = FlowKind.allCases.reduce(0) {
                $0 + counters.flows.value($1) - counters.flowsEnded.value($1)
            }
            return sum + Int(counters.requestsActive.value + flows)
        }
    }

    private func handle(_ descriptor: Int32, _ ready: @escaping (Instant) -> Void) {
        let handler = CallingHandler(ready: ready, timerFired: { _ in })
        handlers.append(handler)
        _ = loop.add(handler, descriptor: descriptor, interest: .readable)
    }

    private func receive(_ signal: Signals.Signal) {
        switch signal {
        case .terminate: terminate()
        case .reload: if endsAtHangup { terminate() } else { reload() }
        case .reopenLogs: services.logs.reopen()
        case .upgrade: services.upgrade.upgrade(UpgradeRequest()) { _ in }
        case .childEnded:
            childObserver?.childEnded()
            services.upgrade.childEnded()
        }
    }

    /// However often it is asked for: what has not begun yet reads the latest file.
    private func reload() {
        guard reloadsCount < 2 else { return }
        reloadsCount += 1
        services.reloads.reload(discardingChanges: false, if: nil) { [unowned self] _ in reloadsCount -= 1 }
    }

    func changeQueueIsIdle() { phase = .ended(0) }

    private func receive(_ message: ControlMail, now: Instant) {
        services.received(message, now: now)
        switch message {
        case .adopted:
            if services.workers.adoptedByAll > 0 { notifier?.ready() }
            succession?.workerAdopted()
        case .stopped(_, let cut):
            stoppedCount += 1
            cutCount += cut
            endIfStopped(now: now)
        default: break
        }
    }

    /// Ends once all workers have stopped, and what they have handed over is with the process that takes over.
    private func endIfStopped(now: Instant) {
        guard phase == .finishing, stoppedCount == services.workers.count, !services.upgrade.isHandingOver else {
            return
        }
        endOnceDurable(now: now)
    }

    /// Ends when what is being written is on disk, or when that takes too long.
    private func endOnceDurable(now: Instant) {
        if services.queue.isIdle { return phase = .ended(0) }
        services.queue.observer = self
        let handler = CallingHandler(ready: { _ in }) { [unowned self] _ in
            logger.error("the disk did not take the state in time: what was being changed is not acknowledged")
            phase = .ended(0)
        }
        handlers.append(handler)
        loop.schedule(loop.add(handler, descriptor: nil), at: now + Limits.stateWriteTime)
    }

    /// The first time, workers stop listening and finish what is in flight; the second time, that is not waited for.
    private func terminate() {
        let grace = store.committedDocument.runtime.shutdownGraceSeconds
        if isSuperseded {
            // Whoever stops a service tells all of its processes.
            isSuperseded = false
            let end = Instant.now() + Nanoseconds(seconds: grace)
            services.workers.sendToAll(.finish(deadline: end))
            return leaveWorkersBehind(at: end)
        }
        guard phase == .serving else {
            logger.warning("told to stop once more: not waiting for what is in flight")
            return phase = .ended(0)
        }
        logger.notice(
            "stopping: no new connections, what is in flight may finish",
            metadata: [
                "graceSeconds": "\(grace)"
            ])
        notifier?.stopping(grace: grace)
        events.post(.shutdownBegan)
        finish(within: grace) { .finish(deadline: $0) }
    }

    /// The workers finish what is in flight, by a message that names the deadline.
    private func finish(within grace: Double, _ mail: (Instant) -> WorkerMail) {
        phase = .finishing
        services.stop()
        let end = Instant.now() + Nanoseconds(seconds: grace)
        services.workers.sendToAll(mail(end))
        leaveWorkersBehind(at: end)
    }

    /// Ends the process although workers have not stopped, some time after the deadline that they were given.
    private func leaveWorkersBehind(at end: Instant) {
        let handler = CallingHandler(ready: { _ in }) { [unowned self] _ in
            // Then the disk is being waited for.
            guard stoppedCount < services.workers.count else { return }
            logger.error(
                "workers did not stop in time and are left behind",
                metadata: [
                    "stopped": "\(stoppedCount)", "workers": "\(services.workers.count)",
                ])
            phase = .ended(1)
        }
        handlers.append(handler)
        loop.schedule(loop.add(handler, descriptor: nil), at: end + Limits.shutdownMargin)
    }

    // MARK: Another process takes over

    /// Lets another process take over from this one, which was started as `program`.
    func allowUpgrade(program: String?) {
        services.upgrade.host = self
        services.upgrade.program = program
        services.upgrade.environment = environment
    }

    var adminSockets: [(path: String, isReadOnly: Bool, descriptor: Int32)] { admin.handedOver }

    func tookOver() {
        services.beginRollouts(discardingChanges: false)
        beginToNotify()
        notifier?.tookOver()
    }

    func handOver(to process: Int32, within seconds: Double) {
        notifier?.handedOver(to: process)
        isSuperseded = true
        admin.stopListening()
        services.preparation.metrics.close()
        finish(within: seconds) { .handOver(deadline: $0) }
    }

    func handedOver() { endIfStopped(now: loop.now) }

    private func logListeners(_ budget: DescriptorBudget) {
        for sentence in store.notApplied {
            logger.warning(
                "a change made at run time does not fit the file and is kept aside",
                metadata: [
                    "reason": "\(sentence)"
                ])
        }
        store.logWarnings(logger)
        let overrides = store.overrides
        if !overrides.isEmpty {
            let named = overrides.prefix(Limits.overridesToldMax).map(\.object).joined(separator: ", ")
            logger.notice(
                "objects of the file are not in force as it says, by changes made at run time",
                metadata: ["count": "\(overrides.count)", "objects": "\(named)"])
        }
        if let wanted = store.committedDocument.runtime.connections, wanted > budget.connectionsMax {
            logger.warning(
                "the limit on open files allows fewer connections than runtime.connections",
                metadata: [
                    "connections": "\(wanted)", "allowed": "\(budget.connectionsMax)",
                ])
        }
        if budget.isTight {
            logger.warning(
                "the limit on open files leaves room for few connections",
                metadata: [
                    "connections": "\(budget.connectionsMax)", "descriptors": "\(budget.descriptors)",
                    "remedy": "Raise the limit on open files (ulimit -n, or LimitNOFILE of the service).",
                ])
        }
        logger.notice(
            "serving",
            metadata: [
                "file": "\(store.file)", "pid": "\(SystemProcess.id)",
                "socket": "\(store.committedDocument.admin.socket)", "workers": "\(budget.workerCount)",
                "connections": "\(budget.connectionsMax)",
            ])
    }
}

// The steps of the beginning.
extension Service {
    private static func openListeners(_ services: Services) throws(StartError) {
        do throws(ConfigErrors) { try services.preparation.openListeners() } catch { throw .configuration(error) }
    }

    private static func refuse(_ mistakes: [ConfigError]) throws(StartError) {
        if !mistakes.isEmpty { throw .configuration(ConfigErrors(mistakes)) }
    }

    /// Makes the folders of the admin socket and of the logs, where only they are missing, says so, and returns them.
    private static func makeFolders(
        _ document: Document, _ accounts: AdminAccounts, _ logger: Logger
    ) -> [String] {
        let ofSocket = AdminSockets.wanted(by: document.admin, accounts).flatMap { socket in
            AdminServer.makeFolder(of: socket.path).map { (folder: $0, key: socket.key) }
        }
        let ofLogs = HostCheck.logs(of: document).flatMap { log in
            // Why it cannot be made, opening the log tells.
            ((try? HostCheck.makeFolder(of: log)) ?? []).map { (folder: $0, key: "\(log.key).path") }
        }
        for made in ofSocket + ofLogs {
            logger.notice("a missing folder was made", metadata: ["folder": "\(made.folder)", "for": "\(made.key)"])
        }
        return (ofSocket + ofLogs).map(\.folder)
    }

    /// Lays down root's rights, once everything that needs them is open. `folders` were made for the admin sockets and
    /// the logs, and are to be given away, so that the sockets can be removed and logs can be made in them. Returns the
    /// user that this process has become; nil if it keeps its user.
    private static func becomeUser(
        _ store: DocumentStore, owning admin: AdminSockets, _ folders: [String], _ logger: Logger
    ) throws(StartError) -> String? {
        guard let name = store.effective.runtime.user else { return nil }
        guard SystemUser.isRoot else {
            // As which the process that has started this one has laid down root's rights.
            if SystemUser.currentName == name { return name }
            logger.info(
                "runtime.user has no effect, since this process is not root's",
                metadata: [
                    "user": "\(name)"
                ])
            return nil
        }
        guard let user = SystemUser(named: name) else {
            throw .refused(message: HostCheck.unknownUser(name), remedy: HostCheck.makeTheUser)
        }
        do throws(SystemError) {
            try store.state.own(by: user)
            try admin.own(by: user)
            for folder in folders { try user.own(folder) }
            try user.become(keepsNetAdmin: store.effective.preservesClientIP)
        } catch {
            throw .refused(
                message: "The process cannot become user \(name): \(error).",
                remedy: "Start it as root with the capabilities to do so, or without runtime.user.")
        }
        return name
    }

    /// What can only be seen as the user that stays.
    private static func check(_ services: Services, _ host: HostCheck) throws(StartError) {
        var mistakes = host.mistakesOfUser()
        do throws(ConfigErrors) { try services.readCertificates() } catch { mistakes += error.all }
        do throws(ConfigErrors) { try services.preparation.checkClientIPPreservation() } catch { mistakes += error.all }
        try refuse(mistakes)
    }

    private static func openLog(
        _ log: LogSettings, _ key: String, _ rings: [LogRing], _ wakeup: LogWakeup, _ logger: Logger
    ) throws(StartError) -> LogWriter? {
        let destination: LogDestination
        switch log.destination {
        case .off: return nil
        case .stdout: destination = .standardOutput
        case .file(let path): destination = .file(path)
        }
        do throws(SystemError) {
            return try LogWriter(destination, name: key, rings: rings, wakeup: wakeup) { error in
                tellReopened(key, error, logger)
            }
        } catch {
            let refusal = HostCheck.cannotOpen(key, error)
            throw .refused(message: refusal.message, remedy: refusal.remedy)
        }
    }

    /// The control thread is the only one that writes this log.
    private static func openHealthLog(
        _ log: LogSettings, _ prober: HealthProber, _ logger: Logger
    ) throws(StartError) -> LogWriter? {
        let ring = LogRing(capacity: Limits.healthLogRingBytes)
        let wakeup = LogWakeup()
        guard let writer = try openLog(log, "logs.health", [ring], wakeup, logger) else { return nil }
        prober.log = HealthCheckLog(format: log.lineFormat, sink: LogSink(ring: ring, wakeup: wakeup))
        return writer
    }

    /// Called on the log's thread.
    private static func tellReopened(_ key: String, _ error: SystemError?, _ logger: Logger) {
        if let error {
            logger.error(
                "a log was not reopened: the old file stays in use",
                metadata: ["log": "\(key)", "error": "\(error)"])
        } else {
            logger.info("a log was reopened", metadata: ["log": "\(key)"])
        }
    }

    private static func startWorkers(
        _ budget: DescriptorBudget, _ document: Document, _ mail: Mailbox<ControlMail>, _ services: Services,
        logs: [LogSink], connectionLogs: [LogSink]
    ) -> [WorkerHandle] {
        let mailboxes = logs.map { _ in Mailbox<WorkerMail>() }
        return logs.indices.map { index in
            var configuration = WorkerConfiguration(
                index: index, connectionsMax: max(1, budget.connectionsMax / budget.workerCount),
                descriptorsMax: budget.connectionDescriptors / budget.workerCount,
                bufferBytesMax: document.runtime.memoryBytes / budget.workerCount,
                ticketKey: services.ticketKeys.current,
                cookieKeys: services.cookieKeys.current.map { $0 })
            configuration.mailboxes = mailboxes
            return WorkerHandle.start(
                configuration, control: mail, log: logs[index], connectionLog: connectionLogs[index])
        }
    }
}
