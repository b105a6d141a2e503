import Core
import Logging
import Model
import Routing

/// Rollouts: begins them, looks at what both groups answer, moves weights, and takes them back.
///
/// What is decided about a rollout takes its turn among the changes (`ChangeQueue`), is written to disk, and then its
/// weights are set as any change is: durable, published, and nothing is cut by it. `settle` makes the weights in force
/// what the record says, as often as it takes; so a disk that refuses, or an action that is gone for a while, delays
/// the weights and never loses them. Weights that somebody else has set are left alone: they pause a rollout.
///
/// Shape:  one object of the control thread. It looks every `Limits.rolloutInterval` while a rollout is under way, and
///         does nothing else.
/// Limits: `Limits.rolloutsRunningMax` at a time; `Limits.rolloutsKeptMax` that are over are kept.
final class RolloutService: PollHandler {
    let store: DocumentStore
    let registry: TargetRegistry
    private let queue: ChangeQueue
    private let disk: DiskThread
    private let file: RolloutFile
    let loop: ControlLoop
    private let events: EventLog
    private let logger: Logger
    private var token = Token.none
    /// Those under way, and those that have ended and whose last weights are not in force yet.
    var running: [RunningRollout] = []
    var ended: [RolloutRecord] = []
    var lastID = 0
    /// Decisions that wait for their turn.
    private var turnsWaiting = 0
    /// Whether the file is being written.
    private var isSaving = false
    /// Whether the disk has refused the file the last time.
    private var isDiskRefusing = false
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

    /// Goes on with what an earlier process has begun. With `discardingChanges` what was changed at run time is
    /// forgotten, so rollouts end where the file says.
    func begin(discardingChanges: Bool) {
        let file = file
        disk.run({ file.load() }) { [self] content in
            guard let content else { return }
            if let damage = content.damage {
                logger.error(
                    "rollouts that an earlier process has begun are not known: their weights stay as they are",
                    metadata: ["reason": "\(damage)", "copy": "\(content.copyPath ?? "-")"])
            }
            for record in content.records { adopt(record, discardingChanges) }
            ended = ended.suffix(Limits.rolloutsKeptMax)
            if !running.isEmpty { inTurn { true } }
            schedule()
        }
    }

    private func adopt(_ record: RolloutRecord, _ discardingChanges: Bool) {
        lastID = max(lastID, record.id)
        if record.phase.isEnded && record.isSettled { return ended.append(record) }
        var rollout = RunningRollout(record, now: loop.now)
        let giveUp =
            discardingChanges
            ? "The changes made at run time were discarded."
            : running.count >= Limits.rolloutsRunningMax ? "More rollouts were under way than may be." : nil
        if let giveUp {
            rollout.end(.aborted, giveUp)
            rollout.record.isSettled = true
            tell(rollout.record, "is given up, and its weights stay as they are")
            return ended.append(rollout.record)
        }
        if record.phase.isEnded {
            running.append(rollout)
        } else if record.rollout.onRestart == .abort {
            rollout.end(.aborted, "The process was started again.")
            running.append(rollout)
            announce(rollout.record)
        } else {
            running.append(rollout)
            tell(record, "goes on after a restart")
        }
    }

    /// Nothing is looked at any more. The loop has this object, and would keep the state's lock by it.
    func stop() { loop.remove(token) }

    /// All of them: what is under way, then what is over, the latest first.
    var statuses: [RolloutStatus] {
        running.reversed().map(\.status) + ended.reversed().map { RolloutStatus(record: $0) }
    }

    /// The id of the rollout that sets the weights of an action; nil if none does.
    func rollout(ofAction action: String) -> Int? {
        running.first { $0.record.rollout.action == action && !$0.record.phase.isEnded }?.record.id
    }

    /// How many are under way.
    var runningCount: Int { running.count { !$0.record.phase.isEnded } }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        // The next process goes on with what is on disk.
        guard !queue.isStopping else { return }
        for id in running.map(\.record.id) {
            look(at: id, now: now)
            settle(id)
        }
        // A disk that has refused is asked again.
        if turnsWaiting == 0, !isSaving, running.contains(where: { !$0.isDurable }) { inTurn { true } }
        schedule()
    }

    private func schedule() {
        if !running.isEmpty { loop.schedule(token, at: loop.now + Limits.rolloutInterval) }
    }

    func index(_ id: Int) -> Int? { running.firstIndex { $0.record.id == id } }

    // MARK: Looking

    private func look(at id: Int, now: Instant) {
        guard let index = index(id), running[index].ownWeights != nil, !running[index].isDeciding,
            !running[index].record.phase.isEnded
        else { return }
        let rollout = running[index].record.rollout
        guard let new = registry.groups[rollout.to], let old = registry.groups[rollout.from] else { return }
        if let reason = running[index].circuitBreaker(new, now: now) {
            return decide(id) { $0.end(.aborted, "Circuit breaker: " + reason) }
        }
        let progress = running[index].look(new: new, old: old, now: now)
        if case .stays = progress { return }
        decide(id) { $0.act(on: progress) }
    }

    // MARK: Deciding

    /// Has `change` made to a rollout when its turn has come, and written.
    private func decide(_ id: Int, _ change: @escaping (inout RunningRollout) -> Void) {
        guard let index = index(id) else { return }
        running[index].isDeciding = true
        inTurn { [self] in
            guard let index = self.index(id) else { return false }
            running[index].isDeciding = false
            change(&running[index])
            announce(running[index].record)
            return true
        }
    }

    /// Something that takes its turn among the changes.
    private struct Turn: QueuedWork {
        let perform: () -> Void
        let refusal: () -> Void
        func begin() { perform() }
        func refuse() { refusal() }
    }

    /// Calls `change` when its turn has come, writes what is known then if it returns true, and sets the weights.
    /// `completion` is told what the disk said, or `refused` is called since the process ends.
    func inTurn(
        refused: @escaping () -> Void = {}, _ change: @escaping () -> Bool,
        completion: @escaping (SystemError?) -> Void = { _ in }
    ) {
        turnsWaiting += 1
        let perform = { [self] in
            turnsWaiting -= 1
            guard change() else { return completion(nil) }
            queue.isAtDisk = true
            save { [self] error in
                queue.isAtDisk = false
                completion(error)
                settleAll()
                schedule()
                queue.proceed()
            }
        }
        let refusal = { [self] in
            turnsWaiting -= 1
            refused()
        }
        queue.take(.work(Turn(perform: perform, refusal: refusal)))
    }

    /// Writes what is known of all rollouts.
    private func save(_ completion: @escaping (SystemError?) -> Void) {
        let (file, records) = (file, ended + running.map(\.record))
        isSaving = true
        disk.run({ () -> SystemError? in
            do throws(SystemError) { try file.save(records) } catch { return error }
            return nil
        }) { [self] result in
            let error = result ?? nil
            isSaving = false
            if let error, !isDiskRefusing {
                logger.error(
                    "the disk does not take the state of rollouts: this is tried again",
                    metadata: ["error": "\(error)"])
            }
            isDiskRefusing = error != nil
            if error == nil {
                for record in records {
                    if let index = index(record.id), running[index].record == record { running[index].isDurable = true }
                }
            }
            completion(error)
        }
    }

    // MARK: Weights

    private func settleAll() { for id in running.map(\.record.id) { settle(id) } }

    /// Makes the weights in force those of the record, unless somebody else has set others.
    private func settle(_ id: Int) {
        guard let index = index(id), !running[index].isSettingWeights, !running[index].isDeciding else { return }
        let record = running[index].record
        guard let inForce = store.committedDocument.weights(of: record.rollout) else {
            // One that has ended waits until its action is back: its weights must not be what they were.
            if !record.phase.isEnded {
                decide(id) { $0.end(.aborted, "The action does not forward to both groups any more.") }
            }
            return
        }
        if inForce == record.weights {
            running[index].ownWeights = inForce
            running[index].failure = nil
            started(id)
            if record.phase.isEnded, running[index].isDurable { settled(id) }
            return
        }
        if let own = running[index].ownWeights, inForce != own {
            if record.phase.isEnded {
                settled(id)
            } else if record.phase == .running {
                decide(id) {
                    $0.setPaused(true, because: "Somebody else has changed the weights of \(record.rollout.action).")
                }
            }
            return
        }
        let mayBeSet = record.phase == .aborted || running[index].isDurable && record.phase != .paused
        if mayBeSet { setWeights(id, by: record.user) }
    }

    private func setWeights(_ id: Int, by user: UInt32?) {
        guard let index = index(id) else { return }
        running[index].isSettingWeights = true
        var made: [String: Int] = [:]
        queue.apply(by: user, if: nil) { [self] (document) throws(AdminError) -> Change in
            // What the record says when the turn has come, and not what it said before.
            guard let index = self.index(id), document.weights(of: running[index].record.rollout) != nil else {
                throw Self.actionIsGone
            }
            made = running[index].record.weights
            return running[index].record.change
        } completion: { [self] result in
            guard let index = self.index(id) else { return }
            running[index].isSettingWeights = false
            switch result {
            case .success:
                running[index].ownWeights = made
                settle(id)
            case .failure(let error): refused(id, error)
            }
        }
    }

    private static let actionIsGone = AdminError(
        code: "RuleNotFound", status: 409, message: "The action does not forward to both groups any more.",
        remedy: "Put it with both.")

    /// The weights of a rollout could not be set. One that has not begun is given up, others are tried again.
    private func refused(_ id: Int, _ error: AdminError) {
        guard let index = index(id) else { return }
        if let onStart = running[index].onStart {
            running.remove(at: index)
            inTurn { true }
            return onStart(.failure(error))
        }
        if running[index].failure == nil {
            logger.error(
                "the weights of a rollout cannot be set: this is tried again",
                metadata: ["rollout": "\(id)", "reason": "\(error.message)"])
        }
        running[index].failure = error.message
    }

    /// The first weights of a rollout are in force.
    private func started(_ id: Int) {
        guard let index = index(id), let onStart = running[index].onStart else { return }
        running[index].onStart = nil
        announce(running[index].record)
        onStart(.success(running[index].status))
    }

    /// Nothing is left to do about a rollout that has ended.
    private func settled(_ id: Int) {
        guard let index = index(id) else { return }
        var record = running.remove(at: index).record
        record.isSettled = true
        ended.append(record)
        if ended.count > Limits.rolloutsKeptMax { ended.removeFirst(ended.count - Limits.rolloutsKeptMax) }
        inTurn { true }
    }

    // MARK: Telling

    func announce(_ record: RolloutRecord) {
        switch record.phase {
        case .running: tell(record, "has the new group at its step")
        case .paused: tell(record, "is paused")
        case .promoted: tell(record, "is over: the new group has everything")
        case .aborted: tell(record, "is aborted: the old group has everything")
        }
        if record.phase.isEnded { endedCounts[record.phase, default: 0] += 1 }
    }

    private func tell(_ record: RolloutRecord, _ what: String) {
        let rollout = record.rollout
        let percent = record.weights[rollout.to] ?? 0
        events.post(
            .rolloutChanged(
                id: record.id, action: rollout.action, from: rollout.from, to: rollout.to, phase: record.phase.rawValue,
                percent: percent, reason: record.reason))
        logger.log(
            level: record.phase == .aborted || record.phase == .paused ? .warning : .notice, "a rollout \(what)",
            metadata: [
                "rollout": "\(record.id)", "action": "\(rollout.action)", "from": "\(rollout.from)",
                "to": "\(rollout.to)", "percent": "\(percent)", "reason": "\(record.reason ?? "-")",
            ])
    }
}

extension RunningRollout {
    /// Does what a look has come to.
    mutating func act(on progress: RolloutState.Progress) {
        switch progress {
        case .stays: break
        case .moves(let step): record.step = self.step(step)
        case .promoted: end(.promoted, evidenceText ?? "All steps are done.")
        case .aborted(let index): end(.aborted, text(ofGuard: index))
        }
    }
}
