import Core
import Model
import Routing

/// Knows where targets are.
protocol TargetStates: AnyObject {
    /// The state of one target of a group; nil when it is not registered there.
    func state(of key: TargetKey, inGroup name: String) -> TargetState?
}

/// Those who registered targets and wait until all of them are healthy.
///
/// A wait looks at its targets again whenever the state of some target of their group has changed, at the end of the
/// pass. It ends when all are healthy at once, when one cannot become so by itself, when its time is over, or when the
/// requester disconnects.
///
/// Shape:  one object of the control thread.
/// Limits: `Limits.healthWaitsMax` waits; `hasRoom` is asked before one begins.
final class HealthWaits {
    /// How a wait ended.
    enum Outcome: Equatable {
        /// All targets are healthy.
        case healthy
        /// The time is over, and these are not.
        case timedOut([TargetKey])
        /// These left their group meanwhile.
        case deregistered([TargetKey])
        /// No check will ever be made of these, as they are.
        case unusable([TargetKey])
        /// The requester has disconnected.
        case abandoned
        /// The process ends.
        case stopping
    }

    private unowned let targets: any TargetStates
    private let loop: ControlLoop
    private var waits: [ObjectIdentifier: HealthWait] = [:]
    private var groupsToLookAt: Set<String> = []

    /// Nobody waits. `targets` says where a target is, and outlives the waits.
    init(loop: ControlLoop, targets: any TargetStates) {
        self.loop = loop
        self.targets = targets
    }

    /// Whether one more may wait.
    var hasRoom: Bool { waits.count < Limits.healthWaitsMax }

    /// Calls `completion` once: when `keys` of `group` are healthy, or will not be, at `deadline`, or when `requester`
    /// disconnects. That may be before this returns.
    func begin(
        group: String, _ keys: [TargetKey], until deadline: Instant, for requester: Requester? = nil,
        completion: @escaping (Outcome) -> Void
    ) {
        if let requester, requester.hasDisconnected { return completion(.abandoned) }
        let wait = HealthWait(group: group, keys: keys, waits: self, completion: completion)
        waits[ObjectIdentifier(wait)] = wait
        wait.timer = loop.add(wait, descriptor: nil)
        loop.schedule(wait.timer, at: deadline)
        requester?.cancel = { [weak self, weak wait] in
            if let self, let wait { end(wait, .abandoned) }
        }
        look(at: wait)
    }

    /// The state of some target of `group` has changed.
    func changed(_ group: String) {
        guard !waits.isEmpty else { return }
        if groupsToLookAt.isEmpty {
            loop.afterBatch { [weak self] in
                guard let self else { return }
                let groups = groupsToLookAt
                groupsToLookAt = []
                for wait in waits.values where groups.contains(wait.group) { look(at: wait) }
            }
        }
        groupsToLookAt.insert(group)
    }

    /// Ends all waits, since the process ends.
    func stop() {
        for wait in waits.values { end(wait, .stopping) }
    }

    fileprivate func timeIsOver(_ wait: HealthWait) { end(wait, .timedOut(stillWaitedFor(wait))) }

    private func look(at wait: HealthWait) {
        var deregistered: [TargetKey] = []
        var unusable: [TargetKey] = []
        wait.pending.removeAll { key in
            switch targets.state(of: key, inGroup: wait.group) {
            case .healthy, .unavailable: return true
            case nil, .draining: deregistered.append(key)
            case .unused: unusable.append(key)
            case .initial, .unhealthy, .unhealthyDraining: break
            }
            return false
        }
        if !deregistered.isEmpty { return end(wait, .deregistered(deregistered)) }
        if !unusable.isEmpty { return end(wait, .unusable(unusable)) }
        guard wait.pending.isEmpty else { return }
        // The first may have failed again while the last was waited for.
        wait.pending = stillWaitedFor(wait)
        if wait.pending.isEmpty { end(wait, .healthy) }
    }

    private func stillWaitedFor(_ wait: HealthWait) -> [TargetKey] {
        wait.keys.filter { targets.state(of: $0, inGroup: wait.group)?.isUsable != true }
    }

    private func end(_ wait: HealthWait, _ outcome: Outcome) {
        guard waits.removeValue(forKey: ObjectIdentifier(wait)) != nil else { return }
        loop.remove(wait.timer)
        wait.completion(outcome)
    }
}

/// A requester that waits.
private final class HealthWait: PollHandler {
    let group: String
    let keys: [TargetKey]
    /// Those of `keys` that were not healthy when they were looked at last.
    var pending: [TargetKey]
    let completion: (HealthWaits.Outcome) -> Void
    var timer = Token.none
    private weak var waits: HealthWaits?

    init(group: String, keys: [TargetKey], waits: HealthWaits, completion: @escaping (HealthWaits.Outcome) -> Void) {
        self.group = group
        self.keys = keys
        self.waits = waits
        self.completion = completion
        pending = keys
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { waits?.timeIsOver(self) }
}
