import Core
import Logging
import Model

/// What is asked of `Operations`, in the order in which it is done, and how far that has come.
///
/// Nothing is staged on top of what is not durable yet: what is asked for while the disk is being waited for waits
/// here, and is done together as the next batch.
struct Turns {
    /// Something that waits for its turn.
    enum Turn {
        case change(ChangeRequest)
        case reload(ReloadRequest)
        /// The files of certificates were read again.
        case certificates(FileContents)
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
        /// Who waits for the outcome.
        var completions: [(Result<Void, AdminError>) -> Void] = []
    }

    /// What has not begun.
    var waiting: [Turn] = []
    /// What is staged and not being written yet.
    var batch: Batch?
    /// Whether a disk is being waited for: nothing else begins meanwhile.
    var isAtDisk = false
    /// Whether the end of this pass goes on with what waits.
    var isScheduled = false
    /// Whether the files of certificates are being read again.
    var isLookingAtCertificates = false

    /// Whether all that was asked for is done.
    var isIdle: Bool { waiting.isEmpty && batch == nil && !isAtDisk }
}

// Changes: validated and staged in turn, made durable by the state's thread, then published and acknowledged.
extension Operations {
    /// Has a change made, validated and staged when its turn has come. It is then made durable and published with all
    /// others that wait; `completion` is called after that, with the error if it was refused. With `condition` it is
    /// made only if that holds then.
    func apply(
        by user: UInt32?, if condition: GenerationCondition? = nil,
        _ change: @escaping (Document) throws(AdminError) -> Change,
        completion: @escaping (Result<Void, AdminError>) -> Void
    ) {
        request(
            Turns.ChangeRequest(make: change, user: user, condition: condition) { completion($0.map { _ in }) })
    }

    /// Has `request` staged when its turn has come, unless too many wait already.
    func request(_ request: Turns.ChangeRequest) {
        if let refusal = refusalAtTheDoor { return loop.afterBatch { request.completion(.failure(refusal)) } }
        take(.change(request))
    }

    private var refusalAtTheDoor: AdminError? {
        if isStopping { return AdminError(Self.stopping, status: Self.statusUnavailable) }
        guard turns.waiting.count >= Limits.changesWaitingMax else { return nil }
        return AdminError(
            code: "Throttling", status: Self.statusUnavailable,
            message: "\(turns.waiting.count) changes wait for the disk that holds runtime.stateDirectory.",
            remedy: "See why it does not answer, then try again.")
    }

    /// Puts `turn` behind those that wait, and goes on with them at the end of the pass.
    func take(_ turn: Turns.Turn) {
        turns.waiting.append(turn)
        guard !turns.isScheduled else { return }
        turns.isScheduled = true
        loop.afterBatch { [weak self] in
            self?.turns.isScheduled = false
            self?.goOn()
        }
    }

    /// Does what waits, one after the other, as far as it goes without waiting for a disk.
    func goOn() {
        while !turns.isAtDisk, !turns.waiting.isEmpty {
            // A change that asks for a generation must not be staged on top of what has none yet.
            if case .change(let request) = turns.waiting[0], request.condition == nil || turns.batch == nil {
                turns.waiting.removeFirst()
                stage(request)
            } else if turns.batch != nil {
                // What was asked for before it goes first.
                commit()
            } else {
                begin(turns.waiting.removeFirst())
            }
        }
        if !turns.isAtDisk { commit() }
        if turns.isIdle { becameIdle() }
    }

    private func begin(_ turn: Turns.Turn) {
        switch turn {
        case .change(let request): stage(request)
        case .reload(let request): begin(request)
        case .certificates(let files): adopt(files)
        }
    }

    /// Refuses what has not begun, since the process ends.
    func refuseWaiting() {
        let waiting = turns.waiting
        turns.waiting = []
        for turn in waiting {
            switch turn {
            case .change(let request): refuse(request, nil, Self.stopping)
            case .reload(let request): refuse(request, Self.stopping)
            case .certificates: break
            }
        }
    }

    private func stage(_ request: Turns.ChangeRequest) {
        if let mistake = request.condition?.mistake(inForce: generation) { return refuse(request, nil, mistake) }
        let change: Change
        do { change = try request.make(store.effective) } catch { return request.completion(.failure(error)) }
        do throws(ConfigErrors) {
            let next = try store.effective.applying(change)
            if change.touchesTargets { try clientIPPreservation.check(next, since: store.effective) }
            let paths = change.touchesCertificates ? certificates.files(for: next, onlyNew: true) : []
            guard !paths.isEmpty else { return try stage(request, change, giving: next) }
            turns.isAtDisk = true
            read(paths) { [self] files in
                turns.isAtDisk = false
                do throws(ConfigErrors) {
                    if isStopping { throw Self.stopping }
                    guard let files else { throw Self.filesAreLate }
                    let read = try certificates.read(for: next, onlyNew: true, from: files)
                    try stage(request, change, giving: next, read)
                } catch {
                    refuse(request, change, error)
                }
                goOn()
            }
        } catch {
            refuse(request, change, error)
        }
    }

    private func stage(
        _ request: Turns.ChangeRequest, _ change: Change, giving next: Document,
        _ files: CertificateStore.Content? = nil
    ) throws(ConfigErrors) {
        // Last, since a socket that was opened for a change that is refused would take connections.
        if change.touchesListeners { try sockets.prepare(for: next) }
        if let files { certificates.prepare(files) }
        var batch = turns.batch ?? Turns.Batch()
        // Of two owners it would be copied with each change.
        turns.batch = nil
        var present: Set<TargetKey> = []
        var changesNothing = false
        if case .deregisterTargets(let name, let targets) = change,
            let group = store.effective.targetGroups.first(where: { $0.name == name })
        {
            present = group.present(targets)
            changesNothing = present.isEmpty
            if !changesNothing { batch.deregistered[name, default: []].formUnion(present) }
        }
        // Staged in any case: what does not fit the file may be in the changes, and is to be forgotten.
        store.stage(change, giving: next)
        if !changesNothing { batch.changes.append((change.description, request.user)) }
        batch.completions.append { result in request.completion(result.map { present }) }
        turns.batch = batch
    }

    private func refuse(_ request: Turns.ChangeRequest, _ change: Change?, _ error: ConfigErrors) {
        counts.changesRefused += 1
        logger.info(
            "a change was refused",
            metadata: [
                "change": "\(change.map { "\($0)" } ?? "-")", "uid": "\(text(request.user))",
                "reason": "\(error.first.message)",
            ])
        let status = isStopping ? Self.statusUnavailable : nil
        request.completion(.failure(AdminError(error, status: status)))
    }

    /// Has what is staged made durable; then it is published, and those who wait are told.
    private func commit() {
        guard let batch = turns.batch else { return }
        turns.batch = nil
        guard let write = store.writeOfStaged() else { return committed(batch) }
        turns.isAtDisk = true
        stateDisk.run({ write.perform() }) { [self] result in
            turns.isAtDisk = false
            switch result {
            case .failure(let error)?: refuse(batch, error)
            case .success?, nil: committed(batch)
            }
            goOn()
        }
    }

    private func refuse(_ batch: Turns.Batch, _ error: SystemError) {
        abandonStaged()
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
    }

    private func committed(_ batch: Turns.Batch) {
        let before = store.committedDocument
        store.commitStaged()
        // It is on disk, and in force with the next start: workers that finish take no other snapshot.
        if isStopping {
            abandonPrepared()
        } else if document != before || !batch.deregistered.isEmpty {
            publish(deregistered: batch.deregistered)
        }
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

    /// Forgets what is staged, with what was opened and read for it.
    func abandonStaged() {
        store.rollBack()
        abandonPrepared()
    }

    private func abandonPrepared() {
        sockets.abandonPrepared()
        metricsDoor.abandonPrepared()
        certificates.abandonPrepared()
    }

    /// Reads `paths` on the files' thread, and has their folders watched; nil if that took too long.
    func read(_ paths: Set<String>, completion: @escaping (FileContents?) -> Void) {
        let folders = certificateWatch.folders
        fileDisk.run(
            within: Limits.filePatience, { FileContents(reading: paths, watching: folders) }, completion: completion)
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
                + "\(Limits.filePatience / 1_000_000_000) s",
            found: "that their disk has not answered", remedy: "See why it does not answer, then try again."))
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
