import Core
import Model
import Routing

/// What follows from the health of targets: answers to those who ask, ends of waits, mail for the workers.
///
/// Shape: one object of the control thread.
final class TargetHealth: TargetStateObserver {
    private let registry: TargetRegistry
    private let terminations: UnhealthyTerminations
    private let workers: WorkerSet
    private let outliers: OutlierWatch
    /// Told of groups in which the health of a target has changed.
    weak var discovery: TargetDiscovery?
    /// Those who wait until targets are healthy.
    let waits: HealthWaits

    /// Told by `registry` of changes, which `workers` may have to act on.
    init(_ registry: TargetRegistry, _ workers: WorkerSet, _ outliers: OutlierWatch, loop: ControlLoop) {
        self.registry = registry
        self.workers = workers
        self.outliers = outliers
        terminations = UnhealthyTerminations(loop: loop, workers: workers)
        waits = HealthWaits(loop: loop, targets: registry)
        registry.observer = self
    }

    func stateChanged(_ registration: Registration, from: TargetState, to: TargetState, now: Instant) {
        outliers.stateChanged(registration.group, now: now)
        waits.changed(registration.group.name)
        discovery?.healthChanged(inGroup: registration.group.name)
        if to == .unhealthy { workers.sendToAll(.unhealthy(target: registration.id)) }
        terminations.stateChanged(registration, from: from, to: to, now: now)
    }

    func failOpenEnded(_ group: GroupState, now: Instant) { terminations.failOpenEnded(group, now: now) }

    /// What DescribeTargetHealth says of all targets of `group`, draining ones included, or of `targets` alone.
    /// Draining ones come last; a target that is registered again while it drains is there twice.
    func describe(
        group name: String, targets: [TargetDescription]?
    ) throws(AdminError) -> [TargetHealthDescription] {
        let group = try registry.groups[name].orThrow(.noTargetGroup(name))
        guard let targets else {
            return group.registrations.map(describe) + group.drainingSorted.map(describe)
        }
        return targets.flatMap { target -> [TargetHealthDescription] in
            let key = group.configuration.key(of: target)
            let all = (group.byKey[key].map { [$0] } ?? []) + registry.draining(key, inGroup: name)
            return all.isEmpty ? [notRegistered(key, in: group)] : all.map(describe)
        }
    }

    private func describe(_ registration: Registration) -> TargetHealthDescription {
        let reason = registration.health.reason
        let isLost = reason == .invalidState
        return TargetHealthDescription(
            target: TargetDescription(
                id: registration.key.id, port: registration.key.port,
                weight: registration.weight == 1 ? nil : registration.weight, zone: registration.zone,
                quicServerID: registration.quicServerID),
            healthCheckPort: registration.group.healthCheckPort(ofTargetAt: registration.key.port),
            state: terminations.isDraining(registration) ? .unhealthyDraining : registration.health.state,
            reason: reason?.code,
            description: isLost
                ? "Target instance \(registration.key.id) is not in the instance registry" : reason?.description,
            isSuspect: registration.cell.isSuspect, isHeld: registration.isHeld,
            ejection: registration.ejection.phase.cause,
            anomaly: registration.knownAnomaly)
    }

    private func notRegistered(_ key: TargetKey, in group: GroupState) -> TargetHealthDescription {
        TargetHealthDescription(
            target: TargetDescription(id: key.id, port: key.port),
            healthCheckPort: group.healthCheckPort(ofTargetAt: key.port), state: .unused,
            reason: HealthReason.notRegistered.code, description: HealthReason.notRegistered.description)
    }
}

extension Registration {
    /// Whether it fails more often than the others; nil where that is not asked.
    fileprivate var knownAnomaly: AnomalyDetection.Target? {
        group.seeksAnomalies && health.state.isUsable ? anomaly : nil
    }
}

extension GroupState {
    /// Its draining targets, sorted by who they are.
    fileprivate var drainingSorted: [Registration] {
        draining.values.sorted { ($0.key.id, $0.key.port, $0.id) < ($1.key.id, $1.key.port, $1.id) }
    }
}

extension Ejection.Phase {
    /// Why the target is ejected; nil if it is not.
    fileprivate var cause: Ejection.Cause? { if case .ejected(_, let cause) = self { cause } else { nil } }
}
