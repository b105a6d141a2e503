import Core
import Logging
import Model
import Proxy
import Routing
import Telemetry

/// Everything that can be asked of a running Apus: what the admin socket and the signals call.
///
/// Changes and reloads are done in the order in which they were asked for. None of them waits for a disk on this
/// thread: see `Operations+Changes.swift`.
///
/// Shape: one object of the control thread. Completions are called on it, at the end of the pass at the earliest.
final class Operations: AdminActions {
    /// The thread that all of this runs on.
    let loop: ControlLoop
    /// The document, staged and durable.
    let store: DocumentStore
    /// What happens, for whoever listens.
    let events: EventLog
    /// Our own log.
    let logger: Logger
    /// When the process began to serve.
    let startedAt = Instant.now()
    /// Groups and registrations.
    let registry: TargetRegistry
    /// Makes snapshots.
    let publisher: Publisher
    /// What listeners bind.
    let sockets: ListenerSockets
    /// What the files of certificates hold.
    let certificates: CertificateStore
    /// Whether targets can be let see the addresses of clients.
    var clientIPPreservation = ClientIPPreservation()
    /// Tells when these files change.
    private(set) var certificateWatch: CertificateWatch!
    /// What session tickets are sealed with.
    private(set) var ticketKeys: TicketKeys!
    /// The TCP address of the metrics.
    let metricsDoor: MetricsListener
    /// Targets on their way out.
    private(set) var drains: DrainTracker!
    private(set) var terminations: UnhealthyTerminations!
    /// Those who wait until targets are healthy.
    private(set) var healthWaits: HealthWaits!
    /// Health checks.
    private(set) var prober: HealthProber!
    /// The thread of the access log; nil when there is none.
    var logWriter: LogWriter?
    /// The thread of the connection log; nil when there is none.
    var connectionLogWriter: LogWriter?
    /// The running workers.
    private(set) var workers: [WorkerHandle] = []
    /// Where each worker is told what to do.
    private(set) var mailboxes: [Mailbox<WorkerMail>] = []
    /// The generation that each worker works by.
    private var adopted: [UInt64] = []
    /// When it was last said what is wrong with certificates.
    var certificatesWarnedAt = Instant(nanoseconds: 0)
    /// Set when the process begins to end: from then on the workers take no other snapshot.
    private(set) var isStopping = false
    /// The thread that writes the state.
    let stateDisk: DiskThread
    /// The thread that reads configuration and certificates.
    let fileDisk: DiskThread
    /// What waits to be done, in order, and what is being done.
    var turns = Turns()
    /// Called when nothing waits to be done any more.
    var becameIdle: () -> Void = {}
    /// What was done, for `tally`.
    var counts = ControlTally()

    /// `workerCount` workers are going to be begun with.
    init(
        loop: ControlLoop, store: DocumentStore, workerCount: Int, runningChecksMax: Int, events: EventLog,
        logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.events = events
        self.logger = logger
        registry = TargetRegistry(workerCount: workerCount, events: events, logger: logger)
        publisher = Publisher(workerCount: workerCount)
        sockets = ListenerSockets(workerCount: workerCount)
        certificates = CertificateStore(configurationFile: store.file)
        metricsDoor = MetricsListener(loop: loop, logger: logger)
        stateDisk = DiskThread(name: "state", loop: loop)
        fileDisk = DiskThread(name: "files", loop: loop)
        drains = DrainTracker(
            loop: loop, workerCount: workerCount,
            delayOver: { [unowned self] in
                tellWorkers($0.isCutWhenDrained ? .cut(target: $0.id) : .leave(target: $0.id))
            },
            ended: { [unowned self] in drained($0, $1) })
        prober = HealthProber(
            loop: loop, runningMax: runningChecksMax, logger: logger,
            receive: { [unowned self] in registry.receive($0, $1, now: $2) })
        terminations = UnhealthyTerminations(loop: loop) { [unowned self] in tellWorkers(.terminate(target: $0.id)) }
        healthWaits = HealthWaits(loop: loop) { [unowned self] group, key in
            registry.groups[group]?.byKey[key]?.health.state
        }
        registry.stateChanged = { [unowned self] registration, before, after, now in
            healthWaits.changed(registration.group.name)
            if after == .unhealthy { tellWorkers(.unhealthy(target: registration.id)) }
            terminations.stateChanged(registration, from: before, to: after, now: now)
        }
        certificateWatch = CertificateWatch(loop: loop, logger: logger) { [unowned self] in lookAtCertificates() }
        let rotation = Nanoseconds(seconds: store.effective.runtime.ticketKeyRotationSeconds)
        ticketKeys = TicketKeys(loop: loop, interval: rotation) { [unowned self] current, previous in
            tellWorkers(.ticketKeys(current: current, previous: previous))
        }
    }

    deinit {
        stateDisk.close()
        fileDisk.close()
    }

    /// What is in force: the file, with what was changed at run time on top of it, as far as that is durable.
    var document: Document { store.committedDocument }
    /// Grows by one with every snapshot.
    var generation: UInt64 { publisher.generation }
    /// The file that was read at start, and is read again by a reload.
    var configurationFile: String { store.file }
    /// Changes made at run time that do not fit the file, in sentences.
    var changesNotApplied: [String] { store.notApplied }
    /// Objects of the file that are not in force as it says, because of what was changed at run time.
    var overrides: [Override] { store.overrides }

    /// What control has done so far.
    var tally: ControlTally {
        var tally = counts
        tally.stateWrites = store.writesCount
        tally.healthChecksPassed = prober.passedCount
        tally.healthChecksFailed = prober.failedCount
        tally.metricsClientsClosed = metricsDoor.clientsClosed
        tally.ownLogLinesDropped = Log.lines.linesDropped
        return tally
    }

    /// What each worker counts about each group; a name may be there again for a group that is on its way out.
    var groupCounters: [(name: String, workers: [TargetGroupCounters])] {
        (Array(registry.groups.values) + registry.withdrawn).map { (name: $0.name, workers: $0.counters) }
    }

    /// Lines that the access log's file did not take; workers count those that did not get so far.
    var logLinesLost: UInt64 { logWriter?.linesDropped ?? 0 }
    /// The same of the connection log.
    var connectionLogLinesLost: UInt64 { connectionLogWriter?.linesDropped ?? 0 }

    /// The groups of which all targets are used because none is healthy, sorted.
    var groupsFailedOpen: [String] { registry.groups.values.filter(\.isFailedOpen).map(\.name).sorted() }

    /// Opens the sockets of all listeners, before workers exist. Errors: the addresses that cannot be bound.
    func openListeners() throws(ConfigErrors) {
        try sockets.prepare(for: document, store.places)
        try metricsDoor.prepare(for: document, beside: sockets, store.places)
    }

    /// Reads what the document's certificates are, as the user that will read them again. Waits for the disk.
    func readCertificates() throws(ConfigErrors) {
        let files = FileContents(
            reading: certificates.files(for: document, onlyNew: false), watching: certificateWatch.folders)
        certificates.prepare(try certificates.read(for: document, onlyNew: false, from: files, store.places))
    }

    /// Sees whether targets can be let see the addresses of clients, as the user that workers run as.
    func checkClientIPPreservation() throws(ConfigErrors) {
        try clientIPPreservation.check(document, store.places)
    }

    /// Gives the workers, of which there are as many as was said, their first snapshot.
    func begin(_ workers: [WorkerHandle]) {
        self.workers = workers
        begin(mailboxes: workers.map(\.mailbox))
    }

    /// As the other; workers are who reads these mailboxes.
    func begin(mailboxes: [Mailbox<WorkerMail>]) {
        self.mailboxes = mailboxes
        adopted = mailboxes.map { _ in 0 }
        publish(deregistered: [:])
        metricsDoor.commit(document, self)
    }

    /// The process begins to end: what has not begun is refused, and what has is brought to its end.
    func stop() {
        isStopping = true
        refuseWaiting()
        healthWaits.stop()
    }

    /// Leaves `mail` for every worker.
    func tellWorkers(_ mail: WorkerMail) {
        for mailbox in mailboxes { mailbox.send(mail) }
    }
}

// What workers say.
extension Operations {
    /// A worker tells that it works by a new snapshot, or is done with a target.
    func received(_ mail: ControlMail, now: Instant) {
        switch mail {
        case .adopted(let worker, let generation):
            adopted[worker] = generation
            sockets.adopted(adoptedByAll)
            releaseWithdrawnGroups()
        case .drained(let worker, let target, let finished, let cut, let left):
            drains.received(worker: worker, target: target, finished: finished, cut: cut, left: left, now: now)
        case .connectFailed(let target):
            guard let registration = registry.registration(target), registration.isWatchedPassively else { return }
            registry.receive(.checkFailed(.failed), registration, now: now)
        case .suspected(let target, let cause, let duration):
            if let registration = registry.registration(target) {
                registry.suspected(registration, cause: "\(cause.label)", after: duration)
            }
        case .trusted(let target):
            if let registration = registry.registration(target) { registry.trusted(registration) }
        case .stopped:
            break
        }
    }

    /// The generation that every worker works by, or a later one.
    private var adoptedByAll: UInt64 { adopted.min() ?? generation }

    private func drained(_ registration: Registration, _ report: DrainReport) {
        let group = registration.group.name
        registry.release(registration)
        releaseWithdrawnGroups()
        events.post(.targetDrained(group: group, report))
        logger.info(
            "a deregistered target is drained",
            metadata: [
                "group": "\(group)", "target": "\(registration.key)", "finished": "\(report.finished)",
                "cut": "\(report.cut)", "left": "\(report.left)", "seconds": "\(report.seconds)",
            ])
    }

    /// Lets go of removed groups that no worker knows any more.
    func releaseWithdrawnGroups() {
        for group in registry.withdrawn where group.withdrawnIn <= adoptedByAll { _ = registry.release(group) }
    }
}
