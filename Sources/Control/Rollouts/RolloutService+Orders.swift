import Core
import Model
import Routing

// MARK: What the admin socket asks for

/// What routes of the admin socket need of `RolloutService`.
protocol RolloutActions: AnyObject {
    /// All of them, the latest first.
    var statuses: [RolloutStatus] { get }
    /// Begins a rollout, and answers when its first weights are in force.
    func start(
        _ rollout: Rollout, by user: UInt32?, completion: @escaping (Result<RolloutStatus, AdminError>) -> Void)
    /// Does something with one that is under way, and answers when that is durable.
    func perform(
        _ order: RolloutOrder, on id: Int, completion: @escaping (Result<RolloutStatus, AdminError>) -> Void)
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
        var id = 0
        inTurn {
            completion(.failure(Self.stopping))
        } _: { [self] in
            do throws(AdminError) { try check(rollout, store.effective) } catch {
                completion(.failure(error))
                return false
            }
            lastID += 1
            id = lastID
            let record = RolloutRecord(id: id, rollout: rollout, user: user, startedAt: WallClock.now())
            var run = RunningRollout(record, now: loop.now)
            run.skipRequestsUnderWay(in: registry.groups[rollout.to])
            run.onStart = completion
            running.append(run)
            return true
        } completion: { [self] error in
            guard let error, let index = index(id) else { return }
            running.remove(at: index)
            completion(
                .failure(
                    .failure(
                        "The rollout cannot be made durable (\(error)), so it was not begun.",
                        remedy: "Make room on the disk that holds runtime.stateDirectory, then try again.")))
        }
    }

    private static let stopping = AdminError(ChangeQueue.stopping, status: ChangeQueue.statusUnavailable)

    /// Errors: why it cannot be begun.
    private func check(_ rollout: Rollout, _ document: Document) throws(AdminError) {
        for name in [rollout.from, rollout.to] where !document.targetGroups.contains(where: { $0.name == name }) {
            throw .noTargetGroup(name)
        }
        if let other = running.first(where: { $0.record.rollout.conflicts(with: rollout) })?.record {
            throw AdminError(
                code: "ResourceInUse", status: 409,
                message: "Rollout \(other.id), of \(other.rollout.action) from \(other.rollout.from) to "
                    + "\(other.rollout.to), is under way.",
                remedy: "Wait for its end, or \"apus rollout abort \(other.id)\".")
        }
        try checkAction(rollout, document)
        guard running.count < Limits.rolloutsRunningMax else {
            throw AdminError(
                code: "TooManyRollouts", status: 400, message: "\(running.count) rollouts are under way.",
                remedy: "Wait for the end of one.")
        }
        guard let group = registry.groups[rollout.to], group.tally[.healthy] > 0 || !group.isChecked else {
            throw AdminError(
                code: "InvalidTarget", status: 409, message: "\(rollout.to) has no healthy target.",
                remedy: "See \"apus targets list \(rollout.to)\", and begin when one is healthy.")
        }
    }

    /// Errors: why its action is not one for a rollout.
    private func checkAction(_ rollout: Rollout, _ document: Document) throws(AdminError) {
        let action = rollout.action
        guard let weights = document.weights(of: rollout) else {
            throw AdminError(
                code: "InvalidConfigurationRequest", status: 400,
                message: "The action \(action) must forward to \(rollout.from) and \(rollout.to), and to no other "
                    + "group.",
                remedy: "Put it with both, \(rollout.to) with weight 0, then begin again.")
        }
        guard document.isApplication(rollout.loadBalancerName) else {
            throw AdminError(
                code: "InvalidConfigurationRequest", status: 400,
                message:
                    "\(rollout.loadBalancerName) is no application load balancer: flows have no status to compare.",
                remedy: "Move the weights by hand, with \"apus weights\".")
        }
        // What is asked of either group must be the same, or they cannot be compared.
        for name in [rollout.from, rollout.to] where document.actions(forwardingTo: name) != 1 {
            throw AdminError(
                code: "ResourceInUse", status: 409,
                message: "More actions than \(action) forward to \(name), so its figures are not those of this one.",
                remedy: "Give them groups of their own.")
        }
        let (old, new) = (weights[rollout.from] ?? 0, weights[rollout.to] ?? 0)
        guard new * (100 - rollout.steps[0]) <= rollout.steps[0] * old else {
            throw AdminError(
                code: "InvalidConfigurationRequest", status: 400,
                message: "\(rollout.to) has weight \(new) beside \(old), more than the \(rollout.steps[0]) % of the "
                    + "first step.",
                remedy: "Give it less, as in \"apus weights \(action) \(rollout.from)=1 \(rollout.to)=0\", or begin "
                    + "with a larger step.")
        }
    }

    func perform(
        _ order: RolloutOrder, on id: Int, completion: @escaping (Result<RolloutStatus, AdminError>) -> Void
    ) {
        var isRefused = false
        inTurn {
            completion(.failure(Self.stopping))
        } _: { [self] in
            do throws(AdminError) { try obey(order, id) } catch {
                isRefused = true
                completion(.failure(error))
                return false
            }
            return true
        } completion: { [self] error in
            if isRefused { return }
            if let error {
                return completion(
                    .failure(
                        .failure(
                            "The disk does not take it (\(error)): it is done, and a restart may not know of it.",
                            remedy: "Make room on the disk that holds runtime.stateDirectory.")))
            }
            guard let status = statuses.first(where: { $0.record.id == id }) else { return }
            completion(.success(status))
        }
    }

    /// Errors: there is no such rollout under way.
    private func obey(_ order: RolloutOrder, _ id: Int) throws(AdminError) {
        guard let index = index(id), !running[index].record.phase.isEnded else {
            if let record = (ended + running.map(\.record)).first(where: { $0.id == id }) {
                throw AdminError(
                    code: "OperationNotPermitted", status: 409,
                    message: "Rollout \(id) is over: it was \(record.phase.rawValue).", remedy: "Begin another.")
            }
            throw .noRollout(id)
        }
        switch order {
        case .pause: running[index].setPaused(true, because: "Somebody has paused it.")
        case .resume:
            running[index].setPaused(false)
            running[index].ownWeights = nil
            running[index].skipRequestsUnderWay(in: registry.groups[running[index].record.rollout.to])
        case .promote:
            running[index].setPaused(false)
            running[index].act(on: running[index].advance(now: loop.now))
        case .abort:
            running[index].end(.aborted, "Somebody has aborted it.")
            running[index].ownWeights = nil
        }
        announce(running[index].record)
    }
}

extension AdminError {
    /// There is no such rollout.
    static func noRollout(_ id: Int) -> AdminError {
        AdminError(
            code: "RolloutNotFound", status: 404, message: "There is no rollout \(id).",
            remedy: "See \"apus rollout history\" for those there are.")
    }
}
