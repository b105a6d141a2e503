import Core
import Logging
import Model
import Proxy

/// Told of documents that have come into force.
protocol PublicationObserver: AnyObject {
    /// `document` is in force.
    func published(_ document: Document)
}

/// Puts documents in force: registrations, sockets, checks, drains, and a snapshot for every worker. Releases removed
/// objects once no worker uses them any more.
///
/// Shape: one object of the control thread.
final class Publication: DrainObserver {
    private let store: DocumentStore
    private let registry: TargetRegistry
    private let workers: WorkerSet
    private let preparation: Preparation
    private let warnings: CertificateWarnings
    private let prober: HealthProber
    private let drains: DrainTracker
    private let cookieKeys: CookieKeys
    private let events: EventLog
    private let logger: Logger
    private let publisher: Publisher
    /// Told of every document.
    weak var observer: (any PublicationObserver)?

    /// Nothing is published yet; another process has come as far as `lastGeneration`. `drains` reports drained targets
    /// to this publication.
    init(
        _ store: DocumentStore, _ registry: TargetRegistry, _ workers: WorkerSet, _ preparation: Preparation,
        _ warnings: CertificateWarnings, _ prober: HealthProber, _ drains: DrainTracker, _ cookieKeys: CookieKeys,
        after lastGeneration: UInt64 = 0, events: EventLog, logger: Logger
    ) {
        self.store = store
        self.registry = registry
        self.workers = workers
        self.preparation = preparation
        self.warnings = warnings
        self.prober = prober
        self.drains = drains
        self.cookieKeys = cookieKeys
        self.events = events
        self.logger = logger
        publisher = Publisher(workerCount: workers.count, after: lastGeneration)
        drains.observer = self
    }

    /// Grows by one with every snapshot.
    var generation: UInt64 { publisher.generation }
    /// The listeners in force by `ListenerPlan.id`.
    var listenerKeys: [Int: ListenerKey] { publisher.keysByID }
    /// `ListenerPlan.id` of a listener in force.
    func id(of key: ListenerKey) -> Int? { publisher.id(of: key) }
    /// See `Publisher.plan`.
    func plan(of key: ListenerKey) -> ListenerPlan? { publisher.plan(of: key) }
    /// What the rate limits of rules have done.
    var rateLimits: [RateLimitFigures] { publisher.rateLimits }

    /// What the lists of addresses of listeners have done, for each that has some.
    var denials: [DenialFigures] { DenialFigures.byListener(publisher.denials) }

    /// Brings registrations, sockets, checks and workers in line with the document. Nothing here can fail: whatever
    /// could was tried before the document was committed.
    func publish(deregistered: [String: Set<TargetKey>]) {
        let now = Instant.now()
        let document = store.committedDocument
        let change = registry.reconcile(with: document, renewed: deregistered, now: now)
        if preparation.certificates.commit() { warnings.log() }
        let snapshots = publisher.snapshots(of: document, registry, preparation.certificates)
        let (opened, closed) = preparation.sockets.takePrepared(for: document, generation: generation)
        for (worker, mailbox) in workers.mailboxes.enumerated() {
            let own = opened.compactMap { key, sockets in
                publisher.id(of: key).map {
                    OpenedListener(
                        id: $0, socket: sockets[worker].socket, datagrams: sockets[worker].datagrams,
                        awaitsFlows: sockets[worker].awaitsFlows)
                }
            }
            mailbox.send(.adopt(snapshots[worker], opened: own))
        }
        cookieKeys.follow(document)
        prober.log?.format = document.logs.health.lineFormat
        for group in change.withdrawn { group.withdrawnIn = generation }
        for registration in change.departed {
            prober.forget(registration)
            guard registration.isPublished else { continue }
            let delay = registration.group.configuration.attributes.deregistrationDelaySeconds
            drains.begin(registration, delay: Nanoseconds(seconds: delay), now: now)
        }
        reschedule(change, now: now)
        releaseWithdrawnGroups()
        report(change, opened: Array(opened.keys), closed: closed)
        observer?.published(document)
    }

    /// Starts the checks of targets that are new or differently checked, and stops those of groups out of use.
    private func reschedule(_ change: TargetRegistry.Reconciliation, now: Instant) {
        let unchecked = change.rescheduled.filter { !$0.isChecked }
        for registration in (change.idled + unchecked).flatMap(\.registrations) { prober.forget(registration) }
        let anew = change.rescheduled.filter(\.isChecked)
        let names = Set(anew.map(\.name))
        let arrived = change.arrived.filter { $0.group.isChecked && !names.contains($0.group.name) }
        // All in one call, so that the first checks of many groups are spread over time like those of one group.
        prober.watch((anew.flatMap(\.registrations) + arrived).filter { $0.address != nil }, now: now)
    }

    /// `worker` has adopted the snapshot of `generation`.
    func adopted(worker: Int, generation: UInt64) {
        workers.adopted(worker: worker, generation: generation)
        preparation.sockets.adopted(workers.adoptedByAll)
        releaseWithdrawnGroups()
    }

    func drained(_ registration: Registration, _ report: DrainReport) {
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

    /// Releases removed groups that no worker uses any more.
    private func releaseWithdrawnGroups() {
        for group in registry.withdrawn where group.withdrawnIn <= workers.adoptedByAll { _ = registry.release(group) }
    }

    private func report(_ change: TargetRegistry.Reconciliation, opened: [ListenerKey], closed: [ListenerKey]) {
        // A target whose address changed is replaced, and was neither deregistered nor registered.
        let arrived = Set(change.arrived.map(\.name)), departed = Set(change.departed.map(\.name))
        for (group, targets) in change.departed.filter({ !arrived.contains($0.name) }).byGroup {
            events.post(.targetsDeregistered(group: group, targets: targets))
        }
        for (group, targets) in change.arrived.filter({ !departed.contains($0.name) }).byGroup {
            events.post(.targetsRegistered(group: group, targets: targets))
        }
        for key in opened.sorted(by: { $0.address.description < $1.address.description }) {
            events.post(.listenerOpened(loadBalancer: key.loadBalancer, port: Int(key.address.port)))
            logger.notice(
                "listening",
                metadata: [
                    "loadBalancer": "\(key.loadBalancer)", "address": "\(key.address)",
                ])
        }
        for key in closed {
            events.post(.listenerClosed(loadBalancer: key.loadBalancer, port: Int(key.address.port)))
            logger.notice(
                "no longer listening",
                metadata: [
                    "loadBalancer": "\(key.loadBalancer)", "address": "\(key.address)",
                ])
        }
    }
}

extension Registration {
    /// Its identity among the targets of all groups.
    fileprivate struct Name: Hashable {
        let group: String
        let key: TargetKey
    }

    fileprivate var name: Name { Name(group: group.name, key: key) }
}

extension [Registration] {
    /// The targets of each group, with their effective ports, sorted by the group's name.
    fileprivate var byGroup: [(String, [TargetDescription])] {
        let targets = Dictionary(grouping: self, by: \.group.name)
        return targets.sorted { $0.key < $1.key }.map { name, registrations in
            (name, registrations.map { TargetDescription(id: $0.key.id, port: $0.key.port) })
        }
    }
}
