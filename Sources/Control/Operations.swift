import Core
import Logging
import Model
import Proxy
import Routing
import Telemetry

/// Everything that can be asked of a running Apus: what the admin socket and the signals call.
///
/// Changes that arrive in one pass of the loop share one write to disk, one sync and one snapshot (group commit): none
/// is acknowledged before it is durable, and all are refused if the disk refuses.
///
/// Shape: one object of the control thread. Completions are called on it, at the end of the pass at the earliest.
final class Operations: AdminActions {
    /// Changes of this pass that wait for their commit.
    struct Batch {
        /// Targets that left their groups, by group: those that are back at the end get a new registration.
        var deregistered: [String: Set<TargetKey>] = [:]
        /// What was done, for the audit log and the event log.
        var changes: [(description: String, user: UInt32?)] = []
        /// Who waits for the outcome.
        var completions: [(Result<Void, AdminError>) -> Void] = []
    }

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
    /// Targets on their way out.
    private(set) var drains: DrainTracker!
    private(set) var terminations: UnhealthyTerminations!
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
    var isStopping = false
    private var batch: Batch?
    private var counts = ControlTally()

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
        registry.stateChanged = { [unowned self] registration, before, after, now in
            if after == .unhealthy { tellWorkers(.unhealthy(target: registration.id)) }
            terminations.stateChanged(registration, from: before, to: after, now: now)
        }
        certificateWatch = CertificateWatch(loop: loop, logger: logger) { [unowned self] in certificatesChanged() }
        let rotation = Nanoseconds(seconds: store.effective.runtime.ticketKeyRotationSeconds)
        ticketKeys = TicketKeys(loop: loop, interval: rotation) { [unowned self] current, previous in
            tellWorkers(.ticketKeys(current: current, previous: previous))
        }
    }

    /// What is in force: the file, with what was changed at run time on top of it, this pass's changes included.
    var document: Document { store.effective }
    /// Grows by one with every snapshot.
    var generation: UInt64 { publisher.generation }
    /// The file that was read at start, and is read again by a reload.
    var configurationFile: String { store.file }
    /// Changes made at run time that do not fit the file, in sentences.
    var changesNotApplied: [String] { store.notApplied }

    /// What control has done so far.
    var tally: ControlTally {
        var tally = counts
        tally.stateWrites = store.writesCount
        tally.healthChecksPassed = prober.passedCount
        tally.healthChecksFailed = prober.failedCount
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
    func openListeners() throws(ConfigErrors) { try sockets.prepare(for: document, store.places) }

    /// Reads what the document's certificates are, as the user that will read them again.
    func readCertificates() throws(ConfigErrors) {
        certificates.prepare(try certificates.read(for: document, onlyNew: false, store.places))
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
    }

    /// Leaves `mail` for every worker.
    func tellWorkers(_ mail: WorkerMail) {
        for mailbox in mailboxes { mailbox.send(mail) }
    }
}

// Changes.
extension Operations {
    /// Validates `change` and stages it. It is durable and published at the end of the pass, with all others of the
    /// pass: one write, one snapshot; `completion` is called then, with the error if it was refused.
    func apply(_ change: Change, by user: UInt32?, completion: @escaping (Result<Void, AdminError>) -> Void) {
        do throws(ConfigErrors) {
            if isStopping { throw Self.stopping }
            let next = try document.applying(change)
            if change.touchesTargets { try clientIPPreservation.check(next, since: document) }
            let files = change.touchesCertificates ? try certificates.read(for: next, onlyNew: true) : nil
            // Last, since a socket that was opened for a change that is refused would take connections.
            if change.touchesListeners { try sockets.prepare(for: next) }
            if let files { certificates.prepare(files) }
            var batch = beginBatch()
            var changesNothing = false
            if case .deregisterTargets(let name, let targets) = change,
                let group = document.targetGroups.first(where: { $0.name == name })
            {
                let present = group.present(targets)
                changesNothing = present.isEmpty
                if !changesNothing { batch.deregistered[name, default: []].formUnion(present) }
            }
            // Staged in any case: what does not fit the file may be in the changes, and is to be forgotten.
            store.stage(change, giving: next)
            if !changesNothing { batch.changes.append((change.description, user)) }
            batch.completions.append(completion)
            self.batch = batch
        } catch {
            counts.changesRefused += 1
            logger.info(
                "a change was refused",
                metadata: [
                    "change": "\(change)", "uid": "\(text(user))", "reason": "\(error.first.message)",
                ])
            let refusal = AdminError(error, status: isStopping ? Self.statusWhileStopping : nil)
            loop.afterBatch { completion(.failure(refusal)) }
        }
    }

    /// Deregisters `targets`, and calls `completion` when that is durable or, with `wait`, when all are drained: with
    /// what became of each, in the order of `targets`.
    func deregister(
        group name: String, targets: [TargetDescription], wait: Bool, by user: UInt32?,
        completion: @escaping (Result<[Deregistration], AdminError>) -> Void
    ) {
        let group = document.targetGroups.first { $0.name == name }
        let keys = targets.map { TargetKey(id: $0.id, port: group?.effectivePort(of: $0) ?? 0) }
        let present = group?.present(targets) ?? []
        apply(.deregisterTargets(group: name, targets), by: user) { [unowned self] result in
            if case .failure(let error) = result { return completion(.failure(error)) }
            let draining = keys.map { key in registry.draining(key, inGroup: name) }
            let done = zip(keys, draining).map { key, draining in
                Deregistration(
                    id: key.id, port: key.port, wasRegistered: present.contains(key) || !draining.isEmpty)
            }
            guard wait else { return completion(.success(done)) }
            DrainWait(keys) { reports in
                completion(
                    .success(
                        zip(done, reports).map { done, report in
                            var done = done
                            done.drain = report
                            return done
                        }))
            }.begin(draining, drains)
        }
    }

    /// Takes the batch out, so that it is changed in place; whoever takes it puts it back.
    private func beginBatch() -> Batch {
        if let batch {
            self.batch = nil
            return batch
        }
        loop.afterBatch { [weak self] in self?.commit() }
        return Batch()
    }

    /// Makes this pass's changes durable, publishes them, and tells those who wait.
    func commit() {
        guard let batch else { return }
        self.batch = nil
        let before = store.committedDocument
        do {
            try store.commit()
        } catch {
            store.rollBack()
            sockets.abandonPrepared()
            certificates.abandonPrepared()
            counts.changesRefused += UInt64(batch.changes.count)
            logger.error(
                "changes were refused: the disk does not take the state",
                metadata: [
                    "error": "\(error)", "changes": "\(batch.changes.count)",
                ])
            let refusal = AdminError.failure(
                "The change cannot be made durable (\(error)), so it was not made.",
                remedy: "Make room on the disk that holds runtime.stateDirectory, then try again.")
            for completion in batch.completions { completion(.failure(refusal)) }
            return
        }
        if document != before || !batch.deregistered.isEmpty { publish(deregistered: batch.deregistered) }
        counts.changes += UInt64(batch.changes.count)
        for change in batch.changes {
            events.post(.changeApplied(description: change.description, user: change.user, generation: generation))
            logger.info(
                "a change was applied",
                metadata: [
                    "change": "\(change.description)", "uid": "\(text(change.user))", "generation": "\(generation)",
                ])
        }
        for completion in batch.completions { completion(.success(())) }
    }

    private func text(_ user: UInt32?) -> String { user.map { "\($0)" } ?? "-" }
}

// The file.
extension Operations {
    /// Reads the file again and puts it in force, with what was changed at run time on top of it unless that is
    /// discarded. A bad file, a port that cannot be had or a disk that refuses changes nothing.
    func reload(discardingChanges: Bool, completion: (Result<ReloadReport, ConfigErrors>) -> Void) {
        commit()
        let before = document
        let needsRestart: [String]
        let putAside: String?
        do throws(ConfigErrors) {
            if isStopping { throw Self.stopping }
            needsRestart = try store.stageReload(discardingChanges: discardingChanges)
            try clientIPPreservation.check(document, store.places)
            let files = try certificates.read(for: document, onlyNew: false, store.places)
            try sockets.prepare(for: document, store.places)
            certificates.prepare(files)
            putAside = try commitReload()
        } catch {
            store.rollBack()
            sockets.abandonPrepared()
            certificates.abandonPrepared()
            counts.reloadsRefused += 1
            logger.error("the configuration was not reloaded: the running one stays", metadata: ["error": "\(error)"])
            return completion(.failure(error))
        }
        counts.reloads += 1
        let changes = before.differences(to: document)
        let hasNewCertificates = certificates.commit()
        if document != before || hasNewCertificates { publish(deregistered: [:]) }
        warnOfCertificates()
        ticketKeys.setInterval(Nanoseconds(seconds: document.runtime.ticketKeyRotationSeconds))
        let report = ReloadReport(
            generation: generation, changes: changes, changesNotApplied: store.notApplied, needsRestart: needsRestart,
            putAside: putAside)
        events.post(.configurationReloaded(generation: generation, changes: changes))
        logger.notice(
            "the configuration was reloaded",
            metadata: [
                "file": "\(store.file)", "generation": "\(generation)", "changes": "\(changes.count)",
            ])
        if let putAside {
            logger.notice("the changes made at run time are put aside", metadata: ["file": "\(putAside)"])
        }
        for sentence in store.notApplied {
            logger.warning(
                "a change made at run time does not fit the file and is kept aside",
                metadata: [
                    "reason": "\(sentence)"
                ])
        }
        for key in needsRestart {
            logger.warning("a setting takes effect at the next start only", metadata: ["key": "\(key)"])
        }
        completion(.success(report))
    }

    /// 503: the same request may succeed a moment later, with the next process.
    static let statusWhileStopping: UInt16 = 503

    private static let stopping = ConfigErrors(
        ConfigError(
            expected: "this Apus is stopping, and takes no changes", remedy: "Ask the next one.",
            code: .operationNotPermitted))

    private func commitReload() throws(ConfigErrors) -> String? {
        do { return try store.commit() } catch {
            throw ConfigErrors(
                ConfigError(
                    file: store.state.path, expected: "the state must be written", found: "\(error)",
                    remedy: "Make room on the disk that holds runtime.stateDirectory, then try again."))
        }
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
        case .suspected(let target, let cause):
            if let registration = registry.registration(target) {
                registry.suspected(registration, cause: "\(cause.label)")
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

extension Change {
    /// Whether it may bring targets, or another way to reach them.
    fileprivate var touchesTargets: Bool {
        switch self {
        case .putTargetGroup, .registerTargets, .putInstance: true
        case .putLoadBalancer, .deleteLoadBalancer, .putListener, .deleteListener, .deleteTargetGroup, .putRule,
            .deleteRule, .setWeights, .deregisterTargets, .deleteInstance:
            false
        }
    }

    /// Whether it may name other files of certificates.
    fileprivate var touchesCertificates: Bool {
        if case .putTargetGroup = self { return true }
        return touchesListeners
    }

    /// Whether it may open or close a port.
    fileprivate var touchesListeners: Bool {
        switch self {
        case .putLoadBalancer, .deleteLoadBalancer, .putListener, .deleteListener: true
        case .putTargetGroup, .deleteTargetGroup, .putRule, .deleteRule, .setWeights, .registerTargets,
            .deregisterTargets, .putInstance, .deleteInstance:
            false
        }
    }
}

extension TargetGroup {
    /// Those of `targets` that are registered here, by who they are.
    fileprivate func present(_ asked: [TargetDescription]) -> Set<TargetKey> {
        let keys = Set(asked.map { TargetKey(id: $0.id, port: effectivePort(of: $0)) })
        var present: Set<TargetKey> = []
        let ids = Set(asked.map(\.id))
        for target in targets where ids.contains(target.id) {
            let key = TargetKey(id: target.id, port: effectivePort(of: target))
            if keys.contains(key) { present.insert(key) }
        }
        return present
    }
}
