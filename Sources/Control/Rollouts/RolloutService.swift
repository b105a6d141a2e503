import Core
import Logging
import Model
import Routing

/// Rollouts: begins them, looks at what both groups answer, moves weights, and takes them back.
///
/// A rollout owns the weights of its action. Each step is written to disk before its weights are set, and they are set
/// as any change is: durable, published, and nothing is cut by it. An abort does not wait for the disk.
///
/// Shape:  one object of the control thread. It looks every `Limits.rolloutInterval` while a rollout is under way, and
///         does nothing else.
/// Limits: `Limits.rolloutsRunningMax` at a time; `Limits.rolloutsKeptMax` that are over are kept.
final class RolloutService: PollHandler {
    private let store: DocumentStore
    private let registry: TargetRegistry
    private let queue: ChangeQueue
    private let disk: DiskThread
    private let file: RolloutFile
    private let loop: ControlLoop
    private let events: EventLog
    private let logger: Logger
    private var token = Token.none
    private var running: [RunningRollout] = []
    private var ended: [RolloutRecord] = []
    private var lastID = 0
    /// Rollouts that ended since the process began, by how.
    private(set) var endedCounts: [RolloutRecord.Phase: UInt64] = [:]

    /// Nothing is under way; `disk` writes the file in the folder of the state.
    init(
        _ store: DocumentStore, _ registry: TargetRegistry, _ queue: ChangeQueue, disk: DiskThread, loop: ControlLoop,
        events: EventLog, logger: Logger
    ) {
        self.store = store
        self.registry = registry
        self.queue = queue
        self.disk = disk
        self.loop = loop
        self.events = events
        self.logger = logger
        file = RolloutFile(inFolder: store.effective.runtime.stateDirectory)
        token = loop.add(self, descriptor: nil)
    }

    /// Goes on with what an earlier process has begun. Waits for the disk.
    func begin() {
        do throws(RolloutFile.Damage) {
            for record in try file.load() {
                lastID = max(lastID, record.id)
                if record.phase.isEnded {
                    ended.append(record)
                } else {
                    resume(record)
                }
            }
        } catch {
            logger.error(
                "rollouts that an earlier process has begun are not known: weights stay as they are",
                metadata: ["reason": "\(error.reason)"])
        }
    }

    private func resume(_ record: RolloutRecord) {
        let rollout = RunningRollout(record, now: loop.now)
        running.append(rollout)
        if record.rollout.onRestart == .abort {
            end(record.id, .aborted, "The process was started again.")
        } else if record.phase == .running {
            tell(record, "goes on after a restart")
            setWeights(record)
        }
        schedule()
    }

    /// All of them: what is under way, then what is over, the latest first.
    var statuses: [RolloutStatus] {
        running.reversed().map(\.status) + ended.reversed().map { RolloutStatus(record: $0) }
    }

    /// The id of the rollout that sets the weights of an action; nil if none does.
    func rollout(ofAction action: String) -> Int? { running.first { $0.record.rollout.action == action }?.record.id }

    /// How many are under way.
    var runningCount: Int { running.count }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        // The next process goes on with what is on disk.
        guard !queue.isStopping else { return }
        for id in running.map(\.record.id) { look(at: id, now: now) }
        schedule()
    }

    private func schedule() {
        if !running.isEmpty { loop.schedule(token, at: loop.now + Limits.rolloutInterval) }
    }

    // MARK: Looking

    private func look(at id: Int, now: Instant) {
        guard let index = index(id) else { return }
        let rollout = running[index].record.rollout
        guard let weights = store.committedDocument.weights(of: rollout) else {
            return end(id, .aborted, "The action \(rollout.action) does not forward to both groups any more.")
        }
        guard let new = registry.groups[rollout.to], let old = registry.groups[rollout.from] else { return }
        if let reason = running[index].circuitBreaker(new, now: now) {
            return end(id, .aborted, "Circuit breaker: " + reason)
        }
        let isOwn = weights == running[index].record.weights
        if isOwn { running[index].wasInForce = true }
        if !isOwn, running[index].wasInForce, running[index].record.phase == .running {
            return pause(id, "Somebody else has changed the weights of \(rollout.action).")
        }
        guard let progress = running[index].look(new: new.counters, old: old.counters, now: now) else { return }
        act(on: id, progress)
    }

    private func act(on id: Int, _ progress: RolloutState.Progress) {
        guard let index = index(id) else { return }
        switch progress {
        case .stays: break
        case .moves(let step):
            running[index].record.step = running[index].step(step)
            running[index].wasInForce = false
            let record = running[index].record
            tell(record, "moves on")
            save { [self] in setWeights(record) }
        case .promoted:
            end(id, .promoted, running[index].evidenceText ?? "All steps are done.")
        case .aborted(let guardIndex):
            end(id, .aborted, running[index].text(ofGuard: guardIndex))
        }
    }

    private func index(_ id: Int) -> Int? { running.firstIndex { $0.record.id == id } }

    // MARK: Acting

    /// Sets the weights that `record` says, unless its rollout has gone on meanwhile.
    private func setWeights(_ record: RolloutRecord) {
        queue.apply(record.change, by: record.user) { [self] result in
            guard case .failure(let error) = result else { return }
            guard let index = index(record.id), running[index].record == record else {
                return logger.error(
                    "the weights of a rollout that is over cannot be set",
                    metadata: ["rollout": "\(record.id)", "reason": "\(error.message)"])
            }
            pause(record.id, "The weights cannot be set: \(error.message)")
        }
    }

    private func pause(_ id: Int, _ reason: String) {
        guard let index = index(id) else { return }
        running[index].setPaused(true, because: reason)
        tell(running[index].record, "is paused")
        save()
    }

    private func end(_ id: Int, _ phase: RolloutRecord.Phase, _ reason: String) {
        guard let index = index(id) else { return }
        running[index].record.phase = phase
        running[index].record.reason = reason
        running[index].record.endedAt = WallClock.now()
        let record = running.remove(at: index).record
        ended.append(record)
        if ended.count > Limits.rolloutsKeptMax { ended.removeFirst(ended.count - Limits.rolloutsKeptMax) }
        endedCounts[phase, default: 0] += 1
        tell(
            record,
            phase == .promoted ? "is over: the new group has everything" : "is aborted: the old group has everything")
        if store.committedDocument.weights(of: record.rollout) != nil { setWeights(record) }
        save()
    }

    private func tell(_ record: RolloutRecord, _ what: String) {
        let rollout = record.rollout
        events.post(
            .rolloutChanged(
                id: record.id, action: rollout.action, from: rollout.from, to: rollout.to, phase: record.phase.rawValue,
                percent: record.weights[rollout.to] ?? 0, reason: record.reason))
        logger.log(
            level: record.phase == .aborted || record.phase == .paused ? .warning : .notice, "a rollout \(what)",
            metadata: [
                "rollout": "\(record.id)", "action": "\(rollout.action)", "from": "\(rollout.from)",
                "to": "\(rollout.to)", "percent": "\(record.weights[rollout.to] ?? 0)",
                "reason": "\(record.reason ?? "-")",
            ])
    }

    /// Writes what is known of all rollouts, and calls `completion` when it is durable, or cannot be.
    private func save(_ completion: @escaping () -> Void = {}) {
        let (file, records) = (file, ended + running.map(\.record))
        disk.run({ () -> SystemError? in
            do throws(SystemError) { try file.save(records) } catch { return error }
            return nil
        }) { [logger] error in
            if let error = error ?? nil {
                logger.error("the disk does not take the state of rollouts", metadata: ["error": "\(error)"])
            }
            completion()
        }
    }
}

// MARK: What the admin socket asks for

/// What routes of the admin socket need of `RolloutService`.
protocol RolloutActions: AnyObject {
    /// All of them, the latest first.
    var statuses: [RolloutStatus] { get }
    /// Begins a rollout, and answers when its first weights are in force.
    func start(
        _ rollout: Rollout, by user: UInt32?, completion: @escaping (Result<RolloutStatus, AdminError>) -> Void)
    /// Does something with one that is under way.
    func perform(_ order: RolloutOrder, on id: Int) throws(AdminError) -> RolloutStatus
}

/// What may be done with a rollout that is under way.
enum RolloutOrder: String, CaseIterable {
    /// It stays at its step. Guards still end it.
    case pause
    /// It goes on.
    case resume
    /// The next step, whatever the guards say; after the last the new group has everything.
    case promote
    /// The old group gets everything.
    case abort
}

extension RolloutService: RolloutActions {
    func start(
        _ rollout: Rollout, by user: UInt32?, completion: @escaping (Result<RolloutStatus, AdminError>) -> Void
    ) {
        let record = RolloutRecord(id: lastID + 1, rollout: rollout, user: user, startedAt: WallClock.now())
        lastID += 1
        queue.apply(by: user, if: nil) { [self] (document) throws(AdminError) -> Change in
            try check(rollout, document)
            return record.change
        } completion: { [self] result in
            if case .failure(let error) = result { return completion(.failure(error)) }
            var run = RunningRollout(record, now: loop.now)
            run.wasInForce = true
            running.append(run)
            tell(record, "begins")
            schedule()
            save { completion(.success(RolloutStatus(record: record))) }
        }
    }

    /// Errors: why it cannot be begun.
    private func check(_ rollout: Rollout, _ document: Document) throws(AdminError) {
        let action = rollout.action
        for name in [rollout.from, rollout.to] where !document.targetGroups.contains(where: { $0.name == name }) {
            throw .noTargetGroup(name)
        }
        guard document.weights(of: rollout) != nil else {
            throw AdminError(
                code: "InvalidConfigurationRequest", status: 400,
                message:
                    "The action \(action) must forward to \(rollout.from) and \(rollout.to), and to no other group.",
                remedy: "Put it with both, \(rollout.to) with weight 0, then begin again.")
        }
        if let other = running.first(where: { $0.record.rollout.hasPart(of: rollout) })?.record {
            throw AdminError(
                code: "ResourceInUse", status: 409,
                message: "Rollout \(other.id), of \(other.rollout.action) from \(other.rollout.from) to "
                    + "\(other.rollout.to), is under way.",
                remedy: "Wait for its end, or \"apus rollout abort \(other.id)\".")
        }
        guard running.count < Limits.rolloutsRunningMax else {
            throw AdminError(
                code: "TooManyRollouts", status: 400, message: "\(running.count) rollouts are under way.",
                remedy: "Wait for the end of one.")
        }
        // What is asked of either group must be the same, or they cannot be compared.
        for name in [rollout.from, rollout.to] where document.actions(forwardingTo: name) != 1 {
            throw AdminError(
                code: "ResourceInUse", status: 409,
                message: "More actions than \(action) forward to \(name), so its figures are not those of this one.",
                remedy: "Give them groups of their own.")
        }
        guard let group = registry.groups[rollout.to], group.tally[.healthy] > 0 || !group.isChecked else {
            throw AdminError(
                code: "InvalidTarget", status: 409, message: "\(rollout.to) has no healthy target.",
                remedy: "See \"apus targets list \(rollout.to)\", and begin when one is healthy.")
        }
    }

    func perform(_ order: RolloutOrder, on id: Int) throws(AdminError) -> RolloutStatus {
        guard let index = index(id) else {
            if let record = ended.first(where: { $0.id == id }) {
                throw AdminError(
                    code: "OperationNotPermitted", status: 409,
                    message: "Rollout \(id) is over: it was \(record.phase.rawValue).", remedy: "Begin another.")
            }
            throw AdminError(
                code: "RolloutNotFound", status: 404, message: "There is no rollout \(id).",
                remedy: "See \"apus rollout status\" for those there are.")
        }
        switch order {
        case .pause: pause(id, "Somebody has paused it.")
        case .resume:
            running[index].setPaused(false)
            running[index].wasInForce = false
            let record = running[index].record
            tell(record, "goes on")
            save { [self] in setWeights(record) }
        case .promote:
            running[index].setPaused(false)
            act(on: id, running[index].advance(now: loop.now))
        case .abort: end(id, .aborted, "Somebody has aborted it.")
        }
        if let index = self.index(id) { return running[index].status }
        guard let record = ended.last(where: { $0.id == id }) else { preconditionFailure("rollout: lost") }
        return RolloutStatus(record: record)
    }
}

extension Rollout {
    /// Whether both change one action, or compare one group.
    fileprivate func hasPart(of other: Rollout) -> Bool {
        action == other.action || !Set([from, to]).isDisjoint(with: [other.from, other.to])
    }
}

extension Document {
    /// The weights of both groups of a rollout in its action; nil if that is not one of just these two.
    fileprivate func weights(of rollout: Rollout) -> [String: Int]? {
        let weights = forwardedGroups(rollout.loadBalancerName, rollout.port, rollout.priority)
        return Set(weights.keys) == [rollout.from, rollout.to] ? weights : nil
    }

    /// How many actions forward to a group.
    fileprivate func actions(forwardingTo group: String) -> Int {
        var count = 0
        for listener in loadBalancers.flatMap(\.listeners) {
            for action in listener.defaultActions + listener.rules.flatMap(\.actions) {
                guard case .forward(let forward) = action else { continue }
                if forward.targetGroups.contains(where: { $0.targetGroupName == group }) { count += 1 }
            }
        }
        return count
    }
}
