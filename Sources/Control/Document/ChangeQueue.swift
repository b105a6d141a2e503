import Core
import Logging
import Model

/// Something other than a change that takes its turn in the queue, as a reload does.
protocol QueuedWork {
    /// Its turn has come. While it waits for a disk it sets `ChangeQueue.isAtDisk`, and calls `proceed` at its end.
    func begin()
    /// The process ends before its turn has come.
    func refuse()
}

/// Told when there is nothing left to do.
protocol ChangeQueueObserver: AnyObject {
    /// All that was asked for is done.
    func changeQueueIsIdle()
}

/// Changes and reloads, done in the order in which they were asked for: validated and staged in turn, made durable by
/// the state's thread, then published and acknowledged.
///
/// Nothing is staged on top of a change that is not durable yet: changes that are requested during a disk write are
/// queued and applied together as the next batch. Nothing here waits for a disk on the control thread.
///
/// Shape: one object of the control thread. Completions are called on it, at the end of the pass at the earliest.
final class ChangeQueue {
    /// Something that waits for its turn.
    enum Turn {
        case change(ChangeRequest)
        case work(any QueuedWork)
    }

    /// A change that was asked for.
    struct ChangeRequest {
        /// Makes it, from the document that it is going to change.
        let make: (Document) throws(AdminError) -> Change
        /// Who asks.
        let user: UInt32?
        /// What must be in force for it to be made; nil for anything.
        let condition: GenerationCondition?
        /// Told the outcome; of a deregistration, with the targets that were registered before it.
        let completion: (Result<Set<TargetKey>, AdminError>) -> Void
    }

    /// Staged changes that share one write to disk, one sync and one snapshot.
    struct Batch {
        /// Targets that left their groups, by group: those that are back at the end get a new registration.
        var deregistered: [String: Set<TargetKey>] = [:]
        /// What was done, for the audit log and the event log.
        var changes: [(description: String, user: UInt32?)] = []
        /// The request that waits for the outcome.
        var completions: [(Result<Void, AdminError>) -> Void] = []
    }

    private let loop: ControlLoop
    private let store: DocumentStore
    private let preparation: Preparation
    private let publication: Publication
    private let folders: FolderWatch?
    /// The thread that reads configuration and certificates.
    private let files: DiskThread
    /// The thread that writes the state.
    private let state: DiskThread
    private let events: EventLog
    private let logger: Logger
    private var waiting: [Turn] = []
    /// What is staged and not being written yet.
    private var staged: Batch?
    /// Whether the next of the waiting turns is begun at the end of this pass.
    private var isScheduled = false
    /// Whether a disk is being waited for: nothing else begins meanwhile.
    var isAtDisk = false
    /// Set when the process begins to end: from then on nothing begins, and the workers take no other snapshot.
    private(set) var isStopping = false
    /// Told whenever the queue has become idle.
    weak var observer: (any ChangeQueueObserver)?
    /// Changes over the socket that were applied.
    private(set) var appliedCount: UInt64 = 0
    /// Changes over the socket that were refused.
    private(set) var refusedCount: UInt64 = 0

    /// Nothing waits. Certificates that a change names are read by `files`, and their `folders` watched; changes are
    /// written by `state`.
    init(
        _ store: DocumentStore, _ preparation: Preparation, _ publication: Publication, watching folders: FolderWatch?,
        files: DiskThread, state: DiskThread, loop: ControlLoop, events: EventLog, logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.preparation = preparation
        self.publication = publication
        self.folders = folders
        self.files = files
        self.state = state
        self.events = events
        self.logger = logger
    }

    /// Whether all that was asked for is done.
    var isIdle: Bool { waiting.isEmpty && staged == nil && !isAtDisk }

    /// The process begins to end: what has not begun is refused, and what has is brought to its end.
    func stop() {
        isStopping = true
        refuseWaiting()
    }

    /// Has `write` done by the state's thread, and calls `completion` with what it returned.
    func perform(_ write: StateWrite, completion: @escaping (Result<String?, SystemError>) -> Void) {
        state.run({ write.perform() }) { result in
            guard let result else { preconditionFailure("state: a write without an outcome") }
            completion(result)
        }
    }

    /// Has a change made, validated and staged when its turn has come. It is then made durable and published with all
    /// others that wait; `completion` is called after that, with the error if it was refused. With `condition` it is
    /// made only if that holds then.
    func apply(
        by user: UInt32?, if condition: GenerationCondition? = nil,
        _ change: @escaping (Document) throws(AdminError) -> Change,
        completion: @escaping (Result<Void, AdminError>) -> Void
    ) {
        request(
            ChangeRequest(make: change, user: user, condition: condition) { completion($0.map { _ in }) })
    }

    /// Has `request` staged when its turn has come, unless too many wait already.
    func request(_ request: ChangeRequest) {
        if let refusal = refusalBeforeQueueing { return loop.afterBatch { request.completion(.failure(refusal)) } }
        take(.change(request))
    }

    private var refusalBeforeQueueing: AdminError? {
        if isStopping { return AdminError(Self.stopping, status: Self.statusUnavailable) }
        guard waiting.count >= Limits.changesWaitingMax else { return nil }
        return AdminError(
            code: "Throttling", status: Self.statusUnavailable,
            message: "\(waiting.count) changes wait for the disk that holds runtime.stateDirectory.",
            remedy: "See why it does not answer, then try again.")
    }

    /// Appends `turn` to those that wait, and begins the next one at the end of the pass.
    func take(_ turn: Turn) {
        waiting.append(turn)
        guard !isScheduled else { return }
        isScheduled = true
        loop.afterBatch { [weak self] in
            self?.isScheduled = false
            self?.proceed()
        }
    }

    /// Does what waits, one after the other, as far as it goes without waiting for a disk.
    func proceed() {
        while !isAtDisk, !waiting.isEmpty {
            // A change that asks for a generation must not be staged on top of what has none yet.
            if case .change(let request) = waiting[0], request.condition == nil || staged == nil {
                waiting.removeFirst()
                stage(request)
            } else if staged != nil {
                // What was asked for before it goes first.
                commit()
            } else {
                begin(waiting.removeFirst())
            }
        }
        if !isAtDisk { commit() }
        if isIdle { observer?.changeQueueIsIdle() }
    }

    private func begin(_ turn: Turn) {
        switch turn {
        case .change(let request): stage(request)
        case .work(let work): work.begin()
        }
    }

    /// Refuses what has not begun, since the process ends.
    private func refuseWaiting() {
        let waiting = waiting
        self.waiting = []
        for turn in waiting {
            switch turn {
            case .change(let request): refuse(request, nil, Self.stopping)
            case .work(let work): work.refuse()
            }
        }
    }

    private func stage(_ request: ChangeRequest) {
        if let mistake = request.condition?.mistake(inForce: publication.generation) {
            return refuse(request, nil, mistake)
        }
        let change: Change
        do { change = store.withoutDiscovered(try request.make(store.effective)) } catch {
            return request.completion(.failure(error))
        }
        do throws(ConfigErrors) {
            try store.check(change)
            let next = try store.effective.applying(change)
            if change.touchesTargets { try preparation.clientIPPreservation.check(next, since: store.effective) }
            let paths = change.touchesCertificates ? preparation.certificates.files(for: next, onlyNew: true) : []
            guard !paths.isEmpty else { return try stage(request, change, giving: next) }
            isAtDisk = true
            read(paths) { [self] files in
                isAtDisk = false
                do throws(ConfigErrors) {
                    if isStopping { throw Self.stopping }
                    guard let files else { throw Self.filesAreLate }
                    let read = try preparation.certificates.read(for: next, onlyNew: true, from: files)
                    try stage(request, change, giving: next, read)
                } catch {
                    refuse(request, change, error)
                }
                proceed()
            }
        } catch {
            refuse(request, change, error)
        }
    }

    private func stage(
        _ request: ChangeRequest, _ change: Change, giving next: Document,
        _ files: CertificateStore.Content? = nil
    ) throws(ConfigErrors) {
        // Last, since a socket that was opened for a change that is refused would take connections.
        if change.touchesListeners { try preparation.sockets.prepare(for: next) }
        if let files { preparation.certificates.prepare(files) }
        var batch = staged ?? Batch()
        // Of two owners it would be copied with each change.
        staged = nil
        var present: Set<TargetKey> = []
        var changesNothing = false
        if case .deregisterTargets(let name, let targets) = change,
            let group = store.effective.targetGroups.first(where: { $0.name == name })
        {
            present = group.present(targets)
            changesNothing = present.isEmpty
            if !changesNothing { batch.deregistered[name, default: []].formUnion(present) }
        }
        // Staged in any case: changes that do not fit the file must be forgotten.
        store.stage(change, giving: next)
        if !changesNothing { batch.changes.append((change.description, request.user)) }
        batch.completions.append { result in request.completion(result.map { present }) }
        staged = batch
    }

    private func refuse(_ request: ChangeRequest, _ change: Change?, _ error: ConfigErrors) {
        refusedCount += 1
        logger.info(
            "a change was refused",
            metadata: [
                "change": "\(change.map { "\($0)" } ?? "-")", "uid": "\(text(request.user))",
                "reason": "\(error.first.message)",
            ])
        let status = isStopping ? Self.statusUnavailable : nil
        request.completion(.failure(AdminError(error, status: status)))
    }

    /// Writes the staged changes to disk; then publishes them, and completes their requests.
    private func commit() {
        guard let batch = staged else { return }
        staged = nil
        guard let write = store.writeOfStaged() else { return committed(batch) }
        isAtDisk = true
        perform(write) { [self] result in
            isAtDisk = false
            switch result {
            case .failure(let error): refuse(batch, error)
            case .success: committed(batch)
            }
            proceed()
        }
    }

    private func refuse(_ batch: Batch, _ error: SystemError) {
        abandonStaged()
        refusedCount += UInt64(batch.changes.count)
        logger.error(
            "changes were refused: the disk does not take the state",
            metadata: [
                "error": "\(error)", "changes": "\(batch.changes.count)",
            ])
        let refusal = AdminError.failure(
            "The change cannot be made durable (\(error)), so it was not made.",
            remedy: "Make room on the disk that holds runtime.stateDirectory, then try again.")
        for completion in batch.completions { completion(.failure(refusal)) }
    }

    private func committed(_ batch: Batch) {
        let before = store.committedDocument
        store.commitStaged()
        // It is on disk, and in force with the next start: workers that finish take no other snapshot.
        if isStopping {
            preparation.abandon()
        } else if store.committedDocument != before || !batch.deregistered.isEmpty {
            publication.publish(deregistered: batch.deregistered)
        } else {
            // Changes that undo each other leave listening sockets that no worker accepts from.
            preparation.abandon()
        }
        appliedCount += UInt64(batch.changes.count)
        for change in batch.changes {
            events.post(
                .changeApplied(description: change.description, user: change.user, generation: publication.generation))
            logger.info(
                "a change was applied",
                metadata: [
                    "change": "\(change.description)", "uid": "\(text(change.user))",
                    "generation": "\(publication.generation)",
                ])
        }
        for completion in batch.completions { completion(.success(())) }
    }

    /// Forgets what is staged, with what was opened and read for it.
    func abandonStaged() {
        store.rollBack()
        preparation.abandon()
    }

    /// Reads `paths` on the files' thread, and has their folders watched; nil if that took too long.
    func read(_ paths: Set<String>, completion: @escaping (FileContents?) -> Void) {
        let folders = folders
        files.run(
            within: Limits.fileTimeout, { FileContents(reading: paths, watching: folders) }, completion: completion)
    }

    private func text(_ user: UInt32?) -> String { user.map { "\($0)" } ?? "-" }

    /// 503: the same request may succeed a moment later, with the next process.
    static let statusUnavailable: UInt16 = 503

    static let stopping = ConfigErrors(
        ConfigError(
            expected: "this Apus is stopping, and takes no changes", remedy: "Ask the next one.",
            code: .operationNotPermitted))

    static let filesAreLate = ConfigErrors(
        ConfigError(
            expected: "the files that the configuration names must be read within "
                + "\(Limits.fileTimeout / 1_000_000_000) s",
            found: "that their disk has not answered", remedy: "See why it does not answer, then try again."))
}

/// What routes of the admin socket need of `ChangeQueue`.
protocol ChangeActions: AnyObject {
    /// See `ChangeQueue.apply`.
    func apply(
        by user: UInt32?, if condition: GenerationCondition?,
        _ change: @escaping (Document) throws(AdminError) -> Change,
        completion: @escaping (Result<Void, AdminError>) -> Void)
}

extension ChangeQueue: ChangeActions {}

extension ChangeActions {
    /// Applies a change that does not depend on what the document holds.
    func apply(_ change: Change, by user: UInt32?, completion: @escaping (Result<Void, AdminError>) -> Void) {
        apply(by: user, if: nil, { _ in change }, completion: completion)
    }
}

extension Change {
    /// Whether it may bring targets, or another way to reach them.
    fileprivate var touchesTargets: Bool {
        switch self {
        case .putTargetGroup, .registerTargets, .putInstance: true
        case .putLoadBalancer, .deleteLoadBalancer, .putListener, .deleteListener, .deleteTargetGroup, .putRule,
            .deleteRule, .setWeights, .deregisterTargets, .deleteInstance, .putPrefixList, .deletePrefixList:
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
            .deregisterTargets, .putInstance, .deleteInstance, .putPrefixList, .deletePrefixList:
            false
        }
    }
}

extension TargetGroup {
    /// Those of `targets` that are registered here, by who they are.
    fileprivate func present(_ asked: [TargetDescription]) -> Set<TargetKey> {
        let keys = Set(asked.map { key(of: $0) })
        var present: Set<TargetKey> = []
        let ids = Set(asked.map(\.id))
        for target in targets where ids.contains(target.id) {
            let key = self.key(of: target)
            if keys.contains(key) { present.insert(key) }
        }
        return present
    }
}
