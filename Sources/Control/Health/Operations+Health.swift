import Model
import Routing

extension Operations {
    /// What DescribeTargetHealth says of all targets of `group`, draining ones included, or of `targets` alone.
    /// Draining ones come last; a target that is registered again while it drains is there twice.
    func targetHealth(
        group name: String, targets: [TargetDescription]?
    ) throws(AdminError) -> [TargetHealthDescription] {
        guard let group = registry.groups[name] else {
            throw AdminError(
                code: "TargetGroupNotFound", message: "There is no target group \(name).",
                remedy: "See \"apus groups\" for those there are.")
        }
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
            target: TargetDescription(id: registration.key.id, port: registration.key.port),
            healthCheckPort: registration.group.healthCheckPort(ofTargetAt: registration.key.port),
            state: terminations.isDraining(registration) ? .unhealthyDraining : registration.health.state,
            reason: reason?.code,
            description: isLost
                ? "Target instance \(registration.key.id) is not in the instance registry" : reason?.description,
            isSuspect: registration.cell.isSuspect)
    }

    private func notRegistered(_ key: TargetKey, in group: GroupState) -> TargetHealthDescription {
        TargetHealthDescription(
            target: TargetDescription(id: key.id, port: key.port),
            healthCheckPort: group.healthCheckPort(ofTargetAt: key.port), state: .unused,
            reason: HealthReason.notRegistered.code, description: HealthReason.notRegistered.description)
    }
}

extension GroupState {
    /// Its draining targets, sorted by who they are.
    fileprivate var drainingSorted: [Registration] {
        draining.values.sorted { ($0.key.id, $0.key.port, $0.id) < ($1.key.id, $1.key.port, $1.id) }
    }
}

extension TargetRegistry {
    /// The stays of a target in a group, or in one that was removed, that are not over yet.
    func draining(_ key: TargetKey, inGroup name: String) -> [Registration] {
        let group = groups[name] ?? withdrawn.first { $0.name == name }
        return group?.draining.values.filter { $0.key == key }.sorted { $0.id < $1.id } ?? []
    }
}

/// Waits until several targets are drained, each of them perhaps several times over.
final class DrainWait {
    private var reports: [DrainReport]
    private var waitingCount = 1
    private let completion: ([DrainReport]) -> Void

    /// A wait for the targets `keys`, whose reports `completion` gets in that order.
    init(_ keys: [TargetKey], completion: @escaping ([DrainReport]) -> Void) {
        reports = keys.map { DrainReport(id: $0.id, port: $0.port, finished: 0, cut: 0, seconds: 0) }
        self.completion = completion
    }

    /// Waits for `draining`, the stays of each target; one that has none is drained.
    func begin(_ draining: [[Registration]], _ drains: DrainTracker) {
        for (index, registrations) in draining.enumerated() {
            for registration in registrations {
                let isWaiting = drains.wait(for: registration, by: self) { self.ended($0, index) }
                if isWaiting { waitingCount += 1 }
            }
        }
        endedOne()
    }

    private func ended(_ report: DrainReport, _ index: Int) {
        let sum = reports[index]
        reports[index] = DrainReport(
            id: sum.id, port: sum.port, finished: sum.finished + report.finished, cut: sum.cut + report.cut,
            left: sum.left + report.left,
            seconds: max(sum.seconds, report.seconds))
        endedOne()
    }

    private func endedOne() {
        waitingCount -= 1
        if waitingCount == 0 { completion(reports) }
    }
}
