import Core
import Model
import Proxy
import Routing
import Telemetry

/// What routes of the admin socket can see: `Status` tells it, tests make it up.
protocol StatusSource: AnyObject {
    /// What is in force: the file, with what was changed at run time on top of it.
    var document: Document { get }
    /// Grows by one with every snapshot.
    var generation: UInt64 { get }
    /// When the process began to serve.
    var startedAt: Instant { get }
    /// The running workers.
    var workers: [WorkerHandle] { get }
    /// What happens.
    var events: EventLog { get }
    /// The file that was read at start, and is read again by a reload.
    var configurationFile: String { get }
    /// Changes made at run time that do not fit the file any more, in sentences.
    var changesNotApplied: [String] { get }
    /// Objects of the file that changes at run time override.
    var overrides: [Override] { get }
    /// What control has done so far.
    var tally: ControlTally { get }
    /// Lines that the access log's file did not take; workers count those that did not get so far.
    var logLinesLost: UInt64 { get }
    /// The same of the connection log.
    var connectionLogLinesLost: UInt64 { get }
    /// Days until each certificate in force expires, by its file.
    var certificateDays: [(file: String, days: Int)] { get }
    /// The groups of which all targets are used because too few are healthy, sorted.
    var groupsFailedOpen: [String] { get }
    /// The groups in use that have fewer healthy targets than their `dns_failover` attributes ask for, sorted.
    var groupsFailedOver: [String] { get }
    /// The rules with rate limits, and what those have done, in any order.
    var rateLimits: [RateLimitFigures] { get }
    /// The listeners that may deny clients by their addresses, and what those have done, sorted.
    var denials: [DenialFigures] { get }
    /// The processes whose place this one has taken, and which finish what they had.
    var finishing: [FinishingProcess] { get }
    /// Whether the process is ending, and takes no changes.
    var isStopping: Bool { get }
    /// What each worker counts about each group, in any order; a name may be there again for a group that is on its
    /// way out.
    var groupCounters: [(name: String, workers: [TargetGroupCounters])] { get }
    /// The sources of targets, and what they have said, sorted by group.
    var discovery: [DiscoveryStatus] { get }
    /// What containers have by their labels.
    var claimed: ClaimedObjects { get }
    /// How many batches of what they have said came into force.
    var discoveryBatches: UInt64 { get }
    /// How many rollouts are under way, and how many have ended since the process began, by how.
    var rolloutCounts: (running: Int, ended: [RolloutRecord.Phase: UInt64]) { get }
    /// Where the targets of a group come from; empty if there is no such group.
    func targetLayers(ofGroup name: String) -> [TargetKey: TargetLayer]
    /// See `TargetHealth.describe`.
    func targetHealth(group: String, targets: [TargetDescription]?) throws(AdminError) -> [TargetHealthDescription]
}

/// What can be seen of a running Apus, gathered from where it is kept: for the admin socket and the metrics.
///
/// Shape: one object of the control thread.
final class Status: StatusSource {
    let startedAt = Instant.now()
    let events: EventLog
    private let store: DocumentStore
    private let registry: TargetRegistry
    private let workerSet: WorkerSet
    private let preparation: Preparation
    private let publication: Publication
    private let prober: HealthProber
    private let outliers: OutlierWatch
    private let health: TargetHealth
    private let queue: ChangeQueue
    private let reloader: Reloader
    private let targetDiscovery: TargetDiscovery
    private let rolloutService: RolloutService
    private let logs: TrafficLogs
    private let finishingProcesses: FinishingProcesses

    /// The status of these services.
    init(
        _ store: DocumentStore, _ registry: TargetRegistry, _ workers: WorkerSet, _ preparation: Preparation,
        _ publication: Publication, _ prober: HealthProber, _ outliers: OutlierWatch, _ health: TargetHealth,
        _ queue: ChangeQueue, _ reloader: Reloader, _ discovery: TargetDiscovery,
        _ rollouts: RolloutService, _ logs: TrafficLogs,
        _ finishing: FinishingProcesses,
        _ events: EventLog
    ) {
        finishingProcesses = finishing
        self.store = store
        self.registry = registry
        workerSet = workers
        self.preparation = preparation
        self.publication = publication
        self.prober = prober
        self.outliers = outliers
        self.health = health
        self.queue = queue
        self.reloader = reloader
        targetDiscovery = discovery
        rolloutService = rollouts
        self.logs = logs
        self.events = events
    }

    var document: Document { store.committedDocument }
    var generation: UInt64 { publication.generation }
    var workers: [WorkerHandle] { workerSet.handles }
    var configurationFile: String { store.file }
    var changesNotApplied: [String] { store.notApplied }
    var overrides: [Override] { store.overrides }
    var finishing: [FinishingProcess] { finishingProcesses.all }
    var isStopping: Bool { queue.isStopping }
    var logLinesLost: UInt64 { logs.access?.linesDropped ?? 0 }
    var connectionLogLinesLost: UInt64 { logs.connection?.linesDropped ?? 0 }

    var tally: ControlTally {
        ControlTally(
            reloads: reloader.reloadsCount, reloadsRefused: reloader.refusedCount, changes: queue.appliedCount,
            changesRefused: queue.refusedCount, stateWrites: store.writesCount,
            removalsHeld: registry.removalsHeld, ejections: outliers.ejections,
            ejectionsRefused: outliers.refusedCount, healthChecksPassed: prober.passedCount,
            healthChecksFailed: prober.failedCount, healthChecksSkipped: prober.skippedCount,
            healthLogLinesDropped: (prober.log?.linesDropped ?? 0) &+ (logs.health?.linesDropped ?? 0),
            metricsClientsClosed: preparation.metrics.clientsClosed, ownLogLinesDropped: Log.lines.linesDropped,
            adminRequestsRefused: preparation.access.refusedCount)
    }

    var certificateDays: [(file: String, days: Int)] {
        preparation.certificates.certificates.map { ($0.file, $0.certificate.daysToExpiry) }
    }

    var groupsFailedOpen: [String] { registry.groups.values.filter(\.isFailedOpen).map(\.name).sorted() }

    var groupsFailedOver: [String] {
        registry.groups.values.filter { $0.isInUse && $0.isFailedOver }.map(\.name).sorted()
    }

    var rateLimits: [RateLimitFigures] { publication.rateLimits }
    var denials: [DenialFigures] { publication.denials }
    var discovery: [DiscoveryStatus] { targetDiscovery.statuses }
    var claimed: ClaimedObjects { store.claimed }
    var discoveryBatches: UInt64 { targetDiscovery.batchesCount }
    var rolloutCounts: (running: Int, ended: [RolloutRecord.Phase: UInt64]) {
        (rolloutService.runningCount, rolloutService.endedCounts)
    }
    func targetLayers(ofGroup name: String) -> [TargetKey: TargetLayer] { store.layers(ofGroup: name) }

    var groupCounters: [(name: String, workers: [TargetGroupCounters])] {
        (Array(registry.groups.values) + registry.withdrawn).map { (name: $0.name, workers: $0.counters) }
    }

    func targetHealth(group: String, targets: [TargetDescription]?) throws(AdminError) -> [TargetHealthDescription] {
        try health.describe(group: group, targets: targets)
    }
}

/// The threads that write the logs of what workers do, and of health checks.
///
/// Shape: one object of the control thread. Empty until the logs are opened, which is after the rest is built.
final class TrafficLogs {
    /// The thread of the access log; nil when there is none.
    private(set) var access: LogWriter?
    /// The thread of the connection log; nil when there is none.
    private(set) var connection: LogWriter?

    /// The thread of the health check log; nil when there is none.
    private(set) var health: LogWriter?

    /// Takes over the logs that were opened.
    func attach(access: LogWriter?, connection: LogWriter?, health: LogWriter?) {
        self.access = access
        self.connection = connection
        self.health = health
    }

    /// Opens the files again, as after they were moved away.
    func reopen() {
        access?.reopen()
        connection?.reopen()
        health?.reopen()
    }

    /// Writes what waits in the logs. All of them together get the time of one.
    func stop() {
        let deadline = Instant.now() + Nanoseconds(Telemetry.Limits.logStopMilliseconds) * 1_000_000
        let writers = [access, connection, health].compactMap(\.self)
        for writer in writers { writer.beginStop() }
        for writer in writers {
            writer.stop(timeoutMilliseconds: Int32(clamping: deadline.since(Instant.now()) / 1_000_000))
        }
    }
}

/// What control counts about itself, since the process began.
struct ControlTally: Equatable, Sendable {
    /// Reloads that succeeded.
    var reloads: UInt64 = 0
    /// Reloads that a bad file, or the disk, refused.
    var reloadsRefused: UInt64 = 0
    /// Changes over the socket that were applied.
    var changes: UInt64 = 0
    /// Changes over the socket that were refused.
    var changesRefused: UInt64 = 0
    /// Times that the state file was written.
    var stateWrites: UInt64 = 0
    /// Times that a target failed its checks and stayed in use, since too many others had been taken out.
    var removalsHeld: UInt64 = 0
    /// Targets that were ejected, by cause.
    var ejections: [Ejection.Cause: UInt64] = [:]
    /// Targets that were to be ejected and could not be spared.
    var ejectionsRefused: UInt64 = 0
    /// Health checks that passed.
    var healthChecksPassed: UInt64 = 0
    /// Health checks that failed.
    var healthChecksFailed: UInt64 = 0
    /// Health checks that were skipped, since requests had proven the target healthy.
    var healthChecksSkipped: UInt64 = 0
    /// Lines of the health check log that were dropped.
    var healthLogLinesDropped: UInt64 = 0
    /// Clients of `admin.metrics` that were closed to make room, or because they took too long.
    var metricsClientsClosed: UInt64 = 0
    /// Lines of our own log that were dropped because standard error was not read.
    var ownLogLinesDropped: UInt64 = 0
    /// Requests over the admin sockets that were refused since their clients have no role for them.
    var adminRequestsRefused: UInt64 = 0
}
