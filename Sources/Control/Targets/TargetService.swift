import Core
import Logging
import Model
import Routing

/// What routes of the admin socket need of `TargetService`.
protocol TargetActions: AnyObject {
    /// See `TargetService.register`.
    func register(
        group: String, targets: [TargetDescription], within timeout: Nanoseconds, by user: UInt32?,
        if condition: GenerationCondition?, for requester: Requester?,
        completion: @escaping (Result<[TargetHealthDescription], AdminError>) -> Void)
    /// See `TargetService.deregister`.
    func deregister(
        group: String, targets: [TargetDescription], wait: Bool, by user: UInt32?, if condition: GenerationCondition?,
        for requester: Requester?, completion: @escaping (Result<DeregistrationReport, AdminError>) -> Void)
}

/// Registers and deregisters targets, for those who wait until they are healthy or drained.
///
/// Shape: one object of the control thread. Completions are called on it, at the end of the pass at the earliest.
final class TargetService: TargetActions {
    private let loop: ControlLoop
    private let store: DocumentStore
    private let registry: TargetRegistry
    private let health: TargetHealth
    private let drains: DrainTracker
    private let finishing: FinishingProcesses
    private let queue: ChangeQueue
    private let logger: Logger

    /// Nobody waits. Changes are made by `queue`.
    init(
        _ store: DocumentStore, _ registry: TargetRegistry, _ health: TargetHealth, _ drains: DrainTracker,
        _ finishing: FinishingProcesses, _ queue: ChangeQueue, loop: ControlLoop, logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.registry = registry
        self.health = health
        self.drains = drains
        self.finishing = finishing
        self.queue = queue
        self.logger = logger
    }

    /// Registers `targets`, and calls `completion` when all of them are healthy, with what is known of their health.
    ///
    /// Errors: the change was refused; or it was made, and a target is not healthy after `timeout`, or cannot become
    ///         so as things are, or `requester` goes. Then it stays registered.
    func register(
        group name: String, targets: [TargetDescription], within timeout: Nanoseconds, by user: UInt32?,
        if condition: GenerationCondition? = nil, for requester: Requester? = nil,
        completion: @escaping (Result<[TargetHealthDescription], AdminError>) -> Void
    ) {
        guard health.waits.hasRoom else {
            return loop.afterBatch { completion(.failure(Self.tooManyHealthWaits)) }
        }
        queue.apply(by: user, if: condition, { _ in .registerTargets(group: name, targets) }) { [unowned self] result in
            if case .failure(let error) = result { return completion(.failure(error)) }
            if queue.isStopping { return completion(.failure(Self.stopsBeforeTheyAreHealthy)) }
            let group = store.committedDocument.targetGroups.first { $0.name == name }
            let keys = targets.map { TargetKey(id: $0.id, port: group?.effectivePort(of: $0) ?? 0) }
            health.waits.begin(group: name, keys, until: loop.now + timeout, for: requester) {
                [unowned self] outcome in
                completion(self.result(of: outcome, group: name, targets, timeout))
            }
        }
    }

    private func result(
        of outcome: HealthWaits.Outcome, group name: String, _ targets: [TargetDescription], _ timeout: Nanoseconds
    ) -> Result<[TargetHealthDescription], AdminError> {
        switch outcome {
        case .healthy:
            do throws(AdminError) { return .success(try health.describe(group: name, targets: targets)) } catch {
                return .failure(error)
            }
        case .stopping: return .failure(Self.stopsBeforeTheyAreHealthy)
        case .abandoned: return .failure(Self.abandoned("registered", before: "healthy"))
        case .timedOut(let keys):
            let seconds = Value.number(Double(timeout) / 1e9).json()
            return .failure(
                AdminError(
                    code: "TargetNotHealthy", status: 504,
                    message: "Registered, but not healthy after \(seconds) s: \(sentence(keys, in: name)).",
                    remedy: "See why its checks fail; it stays registered, and is used once they pass."))
        case .unusable(let keys):
            return .failure(
                AdminError(
                    code: "TargetNotHealthy", status: 409,
                    message: "Registered, but no checks are made: \(sentence(keys, in: name)).",
                    remedy: "Remove the cause; the target stays registered."))
        case .deregistered(let keys):
            return .failure(
                AdminError(
                    code: "TargetNotHealthy", status: 409,
                    message: "Registered, and deregistered by somebody else while this waited: \(Self.list(keys)).",
                    remedy: "Register it again, if it is wanted."))
        }
    }

    /// `10.0.0.9:80 is unhealthy (Health checks failed), …`.
    private func sentence(_ keys: [TargetKey], in group: String) -> String {
        Self.list(keys) { key in
            let target = TargetDescription(id: key.id, port: key.port)
            guard let found = try? health.describe(group: group, targets: [target]).first else { return "\(key)" }
            return "\(key) is \(found.state.rawValue)" + (found.description.map { " (\($0))" } ?? "")
        }
    }

    private static func list(_ keys: [TargetKey], _ words: (TargetKey) -> String = { "\($0)" }) -> String {
        let more = keys.count - Model.Limits.targetsNamedMax
        return keys.prefix(Model.Limits.targetsNamedMax).map(words).joined(separator: ", ")
            + (more > 0 ? " and \(counted(more, "more target"))" : "")
    }

    /// The outcome when the client has disconnected: only the log shows it.
    private static func abandoned(_ done: String, before state: String) -> AdminError {
        AdminError(
            code: "ClientGone", status: 499,
            message: "The targets are \(done); whoever waited has gone before they were \(state).",
            remedy: "Ask for their health.")
    }

    private static let stopsBeforeTheyAreHealthy = AdminError(
        code: "OperationNotPermitted", status: ChangeQueue.statusUnavailable,
        message: "The targets are registered, but this Apus stops before it can see them healthy.",
        remedy: "Ask the next one for their health.")

    private static let tooManyHealthWaits = AdminError(
        code: "Throttling", status: ChangeQueue.statusUnavailable,
        message: "\(Limits.healthWaitsMax) wait already until targets are healthy. Nothing was registered.",
        remedy: "Register without wait, and look at the health of the targets.")

    /// Deregisters `targets`, and calls `completion` when that is durable or, with `wait`, when all are drained: with
    /// what became of each, in the order of `targets`.
    ///
    /// Errors: the change was refused. With `wait` it also is when a target is neither registered nor draining, since
    ///         the client is going to stop that target; or `requester` disconnects. Then they drain on.
    func deregister(
        group name: String, targets: [TargetDescription], wait: Bool, by user: UInt32?,
        if condition: GenerationCondition? = nil, for requester: Requester? = nil,
        completion: @escaping (Result<DeregistrationReport, AdminError>) -> Void
    ) {
        var keys: [TargetKey] = []
        let make: (Document) throws(AdminError) -> Change = { [unowned self] document throws(AdminError) in
            let group = document.targetGroups.first { $0.name == name }
            keys = targets.map { TargetKey(id: $0.id, port: group?.effectivePort(of: $0) ?? 0) }
            if wait, let group { try checkAllAreKnown(keys, in: group) }
            return .deregisterTargets(group: name, targets)
        }
        queue.request(
            ChangeQueue.ChangeRequest(make: make, user: user, condition: condition) { [unowned self] result in
                let present: Set<TargetKey>
                switch result {
                case .failure(let error): return completion(.failure(error))
                case .success(let keys): present = keys
                }
                let draining = keys.map { key in registry.draining(key, inGroup: name) }
                let done = zip(keys, draining).map { key, draining in
                    Deregistration(
                        id: key.id, port: key.port, wasRegistered: present.contains(key) || !draining.isEmpty)
                }
                // One that was not there, or has left before, leaves nothing behind.
                let warning = present.isEmpty ? nil : warningOfNoHealthyTarget(inGroup: name)
                guard wait else { return completion(.success(DeregistrationReport(targets: done, warning: warning))) }
                if queue.isStopping { return completion(.failure(Self.stopsBeforeTheyAreDrained)) }
                let abandoned = Self.abandoned("deregistered", before: "drained")
                if let requester, requester.hasDisconnected { return completion(.failure(abandoned)) }
                let wait = DrainWait(keys) { [finishing] reports in
                    let drained = zip(done, reports).map { done, report in
                        var done = done
                        done.drain = report
                        return done
                    }
                    // Processes that this one has replaced may still use the targets.
                    finishing.whenDone {
                        if let requester, requester.hasDisconnected { return completion(.failure(abandoned)) }
                        completion(.success(DeregistrationReport(targets: drained, warning: warning)))
                    }
                }
                requester?.cancel = { [drains, weak wait] in
                    guard let wait else { return }
                    drains.forget(wait)
                    completion(.failure(abandoned))
                }
                wait.begin(draining, drains)
            })
    }

    private func checkAllAreKnown(_ keys: [TargetKey], in group: TargetGroup) throws(AdminError) {
        let registered = Set(group.targets.map { group.key(of: $0) })
        let unknown = keys.filter { key in
            // One that an unpublished change has taken out of the document still is in the registry.
            !registered.contains(key) && registry.groups[group.name]?.byKey[key] == nil
                && registry.draining(key, inGroup: group.name).isEmpty
        }
        guard let first = unknown.first else { return }
        let ids = Set(unknown.map(\.id))
        let others = registered.filter { ids.contains($0.id) }.sorted { ($0.id, $0.port) < ($1.id, $1.port) }
        let known = others.isEmpty ? "" : ", but \(Self.list(others)) \(others.count == 1 ? "is" : "are")"
        let remedy =
            others.isEmpty
            ? "See \"apus targets list \(group.name)\" for those that are." : "Name the port, as in \(others[0])."
        throw AdminError(
            code: "InvalidTarget",
            message: unknown.count == 1
                ? "\(first) is not registered in target group \(group.name)\(known). Nothing was deregistered."
                : "\(Self.list(unknown)) are not registered in target group \(group.name)\(known). "
                    + "Nothing was deregistered.",
            remedy: remedy)
    }

    /// What to say when a group to which requests go has no healthy target any more; nil while it has.
    private func warningOfNoHealthyTarget(inGroup name: String) -> Warning? {
        guard let group = registry.groups[name], group.isInUse,
            group.tally[.healthy] + group.tally[.unavailable] == 0
        else { return nil }
        let count = group.registrations.count
        logger.warning(
            "a deregistration leaves a target group without a healthy target",
            metadata: ["group": "\(name)", "targets": "\(count)"])
        let left = count == 0 ? "none is registered" : "\(counted(count, "target")) registered, none of them healthy"
        return Warning(
            file: "", message: "Target group \(name) has no healthy target left: \(left).",
            remedy: "Register one that is healthy.")
    }

    private static let stopsBeforeTheyAreDrained = AdminError(
        code: "OperationNotPermitted", status: ChangeQueue.statusUnavailable,
        message: "The targets are deregistered, but this Apus stops before it can see them drained.",
        remedy: "Once it has ended, nothing of it uses them.")
}
