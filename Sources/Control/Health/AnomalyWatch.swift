import Core
import Logging
import Model
import Routing

/// Looks now and then for targets that fail more often than the others of their group, and takes weight from them where
/// that is configured.
///
/// Shape:  one object of the control thread.
/// Source: docs/elbv2.md, "Target group attributes".
final class AnomalyWatch: PollHandler {
    private let loop: ControlLoop
    private let registry: TargetRegistry
    private let logger: Logger
    private var token = Token.none

    /// Looks at the groups of `registry` from now on.
    init(_ registry: TargetRegistry, loop: ControlLoop, logger: Logger) {
        self.loop = loop
        self.registry = registry
        self.logger = logger
        token = loop.add(self, descriptor: nil)
        loop.schedule(token, at: Instant.now() + Routing.Limits.anomalyInterval)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        for group in registry.groups.values { look(at: group) }
        loop.schedule(token, at: now + Routing.Limits.anomalyInterval)
    }

    /// Looks at the targets of one group, or forgets what was found when its algorithm is another one by now.
    func look(at group: GroupState) {
        let balancing = group.configuration.attributes.balancing
        let wasSought = group.seeksAnomalies
        group.seeksAnomalies = balancing.algorithm == .weightedRandom
        guard group.seeksAnomalies || wasSought else { return }
        if !wasSought {
            // What was counted for another purpose before says nothing about now.
            for registration in group.registrations {
                _ = registration.attempts.takeForAnomalies(registration.cell.load.counts)
            }
        }
        let healthy = group.seeksAnomalies ? group.registrations.filter(\.health.state.isUsable) : []
        var targets = healthy.map { registration in
            var target = registration.anomaly
            target.count(registration.attempts.takeForAnomalies(registration.cell.load.counts))
            return target
        }
        AnomalyDetection.look(at: &targets, mitigates: balancing.anomalyMitigation == .on)
        var isChanged = false
        for (registration, target) in zip(healthy, targets) { isChanged = take(target, registration) || isChanged }
        for registration in group.registrations where !group.seeksAnomalies || !registration.health.state.isUsable {
            // What failed meanwhile must not count against it once it is healthy again.
            _ = registration.attempts.takeForAnomalies(registration.cell.load.counts)
            isChanged = take(AnomalyDetection.Target(), registration) || isChanged
        }
        if isChanged { group.cell.flip() }
    }

    /// Records what was found. Returns whether the target's share has changed.
    private func take(_ target: AnomalyDetection.Target, _ registration: Registration) -> Bool {
        let before = registration.anomaly
        registration.anomaly = target
        if target.isAnomalous != before.isAnomalous {
            logger.log(
                level: target.isAnomalous ? .warning : .info,
                target.isAnomalous
                    ? "a target fails more often than the others of its group"
                    : "a target does not fail more often than the others any more",
                metadata: ["group": "\(registration.group.name)", "target": "\(registration.key)"])
        }
        guard registration.cell.share != target.share else { return false }
        registration.cell.share = target.share
        return true
    }
}
