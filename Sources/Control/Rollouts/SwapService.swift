import Core
import Model
import Routing

/// A swap, as it is asked for: one target group takes over all weight of another in a forward action, at once.
struct Swap: Equatable {
    /// How many of the new group's targets have to be healthy.
    enum Enough: Equatable {
        /// So many.
        case count(Int)
        /// This share of those that are registered, in percent; one at least.
        case percent(Double)

        /// Of `registered` targets.
        func targets(of registered: Int) -> Int {
            switch self {
            case .count(let count): count
            case .percent(let percent): max(1, Int((percent / 100 * Double(registered)).rounded(.up)))
            }
        }
    }

    /// The load balancer whose listener has the action.
    let loadBalancer: String
    /// The listener's port.
    let port: Int
    /// The rule whose action it is; nil for the listener's default action.
    let priority: Int?
    /// The group that loses its weight.
    let from: String
    /// The group that gets it.
    let to: String
    /// How many of its targets have to be healthy.
    let enough: Enough
    /// How long that is waited for.
    let timeout: Nanoseconds
    /// The action as the command line names it.
    var action: String { "\(loadBalancer):\(port)" + (priority.map { "/\($0)" } ?? "") }
}

/// What routes of the admin socket need of `SwapService`.
protocol SwapActions: AnyObject {
    /// See `SwapService.swap`.
    func swap(
        _ swap: Swap, by user: UInt32?, if condition: GenerationCondition?, for requester: Requester?,
        completion: @escaping (Result<[String: Int], AdminError>) -> Void)
}

/// Moves all weight from one target group to another, once that has enough healthy targets.
///
/// Shape:  one object of the control thread. A swap that waits looks every `Limits.swapInterval`.
/// Limits: those that wait are clients of the admin socket, whose number is limited.
final class SwapService: SwapActions {
    private let store: DocumentStore
    private let registry: TargetRegistry
    private let queue: ChangeQueue
    private let rollouts: RolloutService
    private let loop: ControlLoop
    private var waits: [ObjectIdentifier: SwapWait] = [:]

    /// Nobody waits. Changes are made by `queue`.
    init(
        _ store: DocumentStore, _ registry: TargetRegistry, _ queue: ChangeQueue, _ rollouts: RolloutService,
        loop: ControlLoop
    ) {
        self.store = store
        self.registry = registry
        self.queue = queue
        self.rollouts = rollouts
        self.loop = loop
    }

    /// Makes `swap`, and calls `completion` when it is durable and in force, with the weights of both groups.
    ///
    /// Errors: the new group has too few healthy targets, when the time is over; the action does not forward to both
    ///         groups, or a rollout has it; `requester` goes while this waits. Then nothing has changed.
    func swap(
        _ swap: Swap, by user: UInt32?, if condition: GenerationCondition?, for requester: Requester?,
        completion: @escaping (Result<[String: Int], AdminError>) -> Void
    ) {
        do throws(AdminError) { _ = try weights(after: swap, in: store.effective) } catch {
            return loop.afterBatch { completion(.failure(error)) }
        }
        let wait = SwapWait(until: loop.now + swap.timeout, loop: loop) { [self] in
            shortage(of: swap)
        } completion: {
            [self] wait, shortage in
            waits[ObjectIdentifier(wait)] = nil
            if let shortage { return completion(.failure(shortage)) }
            var moved: [String: Int] = [:]
            queue.apply(by: user, if: condition) { [self] (document) throws(AdminError) -> Change in
                moved = try weights(after: swap, in: document)
                return .setWeights(loadBalancer: swap.loadBalancer, port: swap.port, priority: swap.priority, moved)
            } completion: { result in
                completion(result.map { moved })
            }
        }
        waits[ObjectIdentifier(wait)] = wait
        requester?.cancel = { [weak self, weak wait] in
            guard let wait else { return }
            wait.end()
            self?.waits[ObjectIdentifier(wait)] = nil
        }
        wait.look()
    }

    /// Ends those that wait, since the process ends.
    func stop() {
        for wait in waits.values { wait.end(AdminError(ChangeQueue.stopping, status: ChangeQueue.statusUnavailable)) }
    }

    /// What is missing of the healthy targets that the new group must have; nil if nothing is.
    private func shortage(of swap: Swap) -> AdminError? {
        guard let group = registry.groups[swap.to] else { return .noTargetGroup(swap.to) }
        let registered = group.registrations.count
        let healthy = group.tally[.healthy] + group.tally[.unavailable]
        let needed = swap.enough.targets(of: registered)
        if healthy >= needed, registered > 0 { return nil }
        return AdminError(
            code: "TargetNotHealthy", status: 409,
            message: "\(swap.to) has \(healthy) healthy of \(registered) targets, and \(needed) must be. Nothing was "
                + "changed.",
            remedy: "See \"apus targets list \(swap.to)\", wait with --wait-healthy, or ask for fewer with --minimum.")
    }

    /// The weights of both groups after `swap`.
    ///
    /// Errors: what does not let them be set.
    private func weights(after swap: Swap, in document: Document) throws(AdminError) -> [String: Int] {
        for name in [swap.from, swap.to] where !document.targetGroups.contains(where: { $0.name == name }) {
            throw .noTargetGroup(name)
        }
        let groups = document.forwardedGroups(swap.loadBalancer, swap.port, swap.priority)
        guard let old = groups[swap.from], let new = groups[swap.to] else {
            throw AdminError(
                code: "InvalidConfigurationRequest", status: 400,
                message: "The action \(swap.action) must forward to \(swap.from) and \(swap.to).",
                remedy: "Put it with both, \(swap.to) with weight 0, then swap.")
        }
        if let rollout = rollouts.rollout(ofAction: swap.action) {
            throw AdminError(
                code: "ResourceInUse", status: 409, message: "Rollout \(rollout) sets the weights of \(swap.action).",
                remedy: "Wait for its end, or \"apus rollout abort \(rollout)\".")
        }
        return [swap.from: 0, swap.to: min(999, max(1, old + new))]
    }
}

/// A swap that waits until enough targets are healthy.
private final class SwapWait: PollHandler {
    private let deadline: Instant
    private let loop: ControlLoop
    private let shortage: () -> AdminError?
    private let completion: (SwapWait, AdminError?) -> Void
    private var token = Token.none

    init(
        until deadline: Instant, loop: ControlLoop, shortage: @escaping () -> AdminError?,
        completion: @escaping (SwapWait, AdminError?) -> Void
    ) {
        self.deadline = deadline
        self.loop = loop
        self.shortage = shortage
        self.completion = completion
        token = loop.add(self, descriptor: nil)
    }

    /// Looks, and comes again later if nothing is decided.
    func look() {
        let missing = shortage()
        if missing != nil, loop.now < deadline { return loop.schedule(token, at: loop.now + Limits.swapInterval) }
        end(missing)
    }

    /// It is decided: with what is missing, if anything is.
    func end(_ missing: AdminError?) {
        end()
        loop.afterBatch { [self] in completion(self, missing) }
    }

    /// Nobody waits any more.
    func end() { loop.remove(token) }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { look() }
}
