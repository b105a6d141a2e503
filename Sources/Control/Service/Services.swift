import Core
import Logging
import Model
import Proxy
import Routing
import Telemetry

/// The services of the control thread, built in the order in which they need each other.
///
/// Each has its own state and does its own work; here they are only put together, and told what workers say. Read
/// `Publication` and `ChangeQueue` first.
///
/// Shape: one object of the control thread.
final class Services: AdminServices {
    /// Groups and registrations.
    let registry: TargetRegistry
    /// The workers, once they run.
    let workers: WorkerSet
    /// What a document needs from this host.
    let preparation: Preparation
    /// Changes and reloads in their order.
    let queue: ChangeQueue
    /// What session tickets are sealed with.
    let ticketKeys: TicketKeys
    /// What cookies of stickiness are sealed with.
    let cookieKeys: CookieKeys
    /// The thread that reads configuration and certificates.
    let fileDisk: DiskThread
    /// The thread that writes the state.
    let stateDisk: DiskThread
    /// The logs of what workers do.
    let logs = TrafficLogs()
    /// Reads the files of certificates again when they change.
    let certificateRefresh: CertificateRefresh
    /// Checks the health of targets.
    let prober: HealthProber
    /// Puts documents in force.
    let publication: Publication
    /// The processes that this one has replaced, as long as they live.
    let finishing: FinishingProcesses
    /// Has this process take over from another one, if it was started for that.
    weak var succession: Succession?
    /// Has other processes take over from this one.
    private(set) lazy var upgrade = Upgrade(self, store, loop: loop, events: events, logger: logger)
    private let loop: ControlLoop
    private let events: EventLog
    private let logger: Logger
    private let store: DocumentStore
    private let health: TargetHealth
    private let anomalies: AnomalyWatch
    private let outliers: OutlierWatch
    private let drains: DrainTracker
    private let warnings: CertificateWarnings
    private let certificateWatch: CertificateWatch
    private let statusOfServices: Status
    private let reloader: Reloader
    private let targetService: TargetService
    /// The sources of targets.
    let discovery: TargetDiscovery
    private let rolloutService: RolloutService
    private let swapService: SwapService
    private let explainer: Explainer
    /// The thread that reads files of discovery.
    private let discoveryDisk: DiskThread
    /// The thread that reads long answers to discovery.
    private let discoveryParser: DiskThread

    /// `workerCount` workers are going to be begun with. `passedSockets` are those that a service manager has opened,
    /// `inheritance` is what another process hands over.
    init(
        loop: ControlLoop, store: DocumentStore, workerCount: Int, runningChecksMax: Int,
        passedSockets: [PassedSocket] = [], inheritance: Inheritance? = nil, events: EventLog, logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.events = events
        self.logger = logger
        finishing = FinishingProcesses(loop: loop)
        workers = WorkerSet(count: workerCount)
        stateDisk = DiskThread(name: "state", loop: loop)
        fileDisk = DiskThread(name: "files", loop: loop)
        registry = TargetRegistry(workerCount: workerCount, events: events, logger: logger)
        registry.memories = inheritance?.targets ?? [:]
        registry.take(inheritance?.containers(of: store.effective) ?? [:], now: loop.now)
        outliers = OutlierWatch(registry, events: events, loop: loop, logger: logger)
        health = TargetHealth(registry, workers, outliers, loop: loop)
        anomalies = AnomalyWatch(registry, loop: loop, logger: logger)
        drains = DrainTracker(loop: loop, workers: workers)
        prober = HealthProber(loop: loop, runningMax: runningChecksMax, receiver: registry, logger: logger)
        let certificates = CertificateStore(configurationFile: store.file)
        warnings = CertificateWarnings(certificates, loop: loop, logger: logger)
        certificateWatch = CertificateWatch(loop: loop, logger: logger)
        let rotation = Nanoseconds(seconds: store.effective.runtime.ticketKeyRotationSeconds)
        ticketKeys = TicketKeys(
            loop: loop, interval: rotation, workers: workers, received: inheritance?.ticketKeys)
        cookieKeys = CookieKeys(
            loop: loop, interval: store.effective.runtime.cookieKeyRotationSeconds,
            file: CookieKeyFile(inFolder: store.effective.runtime.stateDirectory), workers: workers, disk: stateDisk,
            logger: logger)
        preparation = Preparation(
            store,
            sockets: ListenerSockets(
                workerCount: workerCount, passed: passedSockets, received: inheritance?.takeListeners() ?? [:]),
            metrics: MetricsListener(loop: loop, logger: logger), certificates: certificates)
        publication = Publication(
            store, registry, workers, preparation, warnings, prober, drains, cookieKeys,
            after: inheritance?.generation ?? 0, events: events, logger: logger)
        queue = ChangeQueue(
            store, preparation, publication, watching: certificateWatch.folders, files: fileDisk, state: stateDisk,
            loop: loop, events: events, logger: logger)
        certificateRefresh = CertificateRefresh(
            certificateWatch, certificates, warnings, store, queue, publication, files: fileDisk, loop: loop,
            logger: logger)
        reloader = Reloader(
            store, preparation, publication, queue, ticketKeys, warnings, files: fileDisk, loop: loop, events: events,
            logger: logger)
        targetService = TargetService(
            store, registry, health, drains, finishing, queue, loop: loop, logger: logger)
        discoveryDisk = DiskThread(name: "discovery", loop: loop)
        discoveryParser = DiskThread(name: "parser", loop: loop)
        discovery = TargetDiscovery(
            store, queue, publication, registry, preparation, workers, disk: discoveryDisk, parser: discoveryParser,
            loop: loop, ending: inheritance?.endingContainers ?? [:], events: events, logger: logger)
        health.discovery = discovery
        rolloutService = RolloutService(
            store, registry, queue, disk: stateDisk, loop: loop, events: events, logger: logger)
        explainer = Explainer(store, registry, publication, health)
        swapService = SwapService(store, registry, queue, rolloutService, loop: loop)
        statusOfServices = Status(
            store, registry, workers, preparation, publication, prober, outliers, health, queue, reloader, discovery,
            rolloutService, logs, finishing, events)
        _ = DenialWatch({ [weak publication] in publication?.denials ?? [] }, loop: loop, logger: logger)
        preparation.metrics.services = self
        preparation.metrics.received = inheritance?.takeMetrics()
    }

    deinit {
        discovery.stop()
        rolloutService.stop()
        discoveryDisk.close()
        discoveryParser.close()
        stateDisk.close()
        fileDisk.close()
    }

    var access: AdminAccess { preparation.access }
    var status: any StatusSource { statusOfServices }
    var changes: any ChangeActions { queue }
    var reloads: any ReloadActions { reloader }
    var targets: any TargetActions { targetService }
    var upgrades: any UpgradeActions { upgrade }
    var rollouts: any RolloutActions { rolloutService }
    var swaps: any SwapActions { swapService }
    var explanations: any ExplainActions { explainer }

    /// Tells `observer` of reloads.
    func tellOfReloads(_ observer: (any ReloadObserver)?) { reloader.observer = observer }

    /// Listeners, healthy targets and the generation, in one line.
    var summary: String {
        let listeners = store.committedDocument.loadBalancers.reduce(0) { $0 + $1.listeners.count }
        let groups = registry.groups.values.filter { $0.isPresent && $0.isInUse }
        let targets = groups.reduce(0) { $0 + $1.registrations.count }
        // Those that nobody checks are used as if they were healthy.
        let healthy = groups.reduce(0) { $0 + $1.tally[.healthy] + $1.tally[.unavailable] }
        return "Serving \(listeners) listener\(listeners == 1 ? "" : "s"); \(healthy) of \(targets) targets healthy; "
            + "generation \(publication.generation)"
    }

    /// Reads the document's certificates, and watches their files from now on. Waits for the disk.
    func readCertificates() throws(ConfigErrors) {
        try preparation.readCertificates(watching: certificateWatch.folders)
    }

    /// Gives the workers, which are attached, their first snapshot.
    func begin() {
        publication.publish(deregistered: [:])
        if let previous = ticketKeys.previous {
            workers.sendToAll(.ticketKeys(current: ticketKeys.current, previous: previous))
        }
        preparation.metrics.commit(store.committedDocument)
    }

    /// Goes on with rollouts that an earlier process has begun, once this one serves.
    func beginRollouts(discardingChanges: Bool) { rolloutService.begin(discardingChanges: discardingChanges) }

    /// The process begins to end: what has not begun is refused, and what has is brought to its end.
    func stop() {
        queue.stop()
        upgrade.stop()
        discovery.stop()
        health.waits.stop()
        swapService.stop()
    }

    /// A worker has adopted a snapshot, or has drained a target.
    func received(_ mail: ControlMail, now: Instant) {
        switch mail {
        case .adopted(let worker, let generation):
            publication.adopted(worker: worker, generation: generation)
        case .drained(let worker, let target, let finished, let cut, let left):
            drains.received(worker: worker, target: target, finished: finished, cut: cut, left: left, now: now)
        case .connectFailed(let target): registry.connectFailed(target, now: now)
        case .suspected(let target, let cause, let duration):
            registry.suspected(target, cause: "\(cause.label)", after: duration)
        case .trusted(let target): registry.trusted(target)
        case .failedInARow(let target): outliers.failedInARow(target, now: now)
        case .copiedFlows(let worker, let process, let flows): upgrade.copied(flows, for: process, ofWorker: worker)
        case .handedOver(let worker, let flows, let ended, let changes):
            upgrade.received(flows, ended: ended, changes: changes, ofWorker: worker)
        case .confirmedFlows(let worker): succession?.confirmed(worker)
        case .stopped: break
        }
    }
}
