import Core
import Logging
import Model
import Routing

/// Takes targets out for a while that fail requests: many in a row, as workers tell, or more often than the others of
/// their group, as it finds itself.
///
/// Shape:  one object of the control thread.
/// Limits: never more of a group than `apus.outlier.max_ejected_percent`, nor so many that it would fail open.
/// Source: docs/health.md, "Ejection".
final class OutlierWatch: PollHandler {
    /// Ejections by cause.
    private(set) var ejections: [Ejection.Cause: UInt64] = [:]
    /// Targets that were to be ejected and could not be spared.
    private(set) var refusedCount: UInt64 = 0

    private let loop: ControlLoop
    private let registry: TargetRegistry
    private let events: EventLog
    private let logger: Logger
    private var token = Token.none
    private var ejected: [Int: Registration] = [:]
    private var lookAt: Instant

    /// Looks at the groups of `registry` from now on.
    init(_ registry: TargetRegistry, events: EventLog, loop: ControlLoop, logger: Logger) {
        self.loop = loop
        self.registry = registry
        self.events = events
        self.logger = logger
        lookAt = Instant.now() + Routing.Limits.anomalyInterval
        token = loop.add(self, descriptor: nil)
        loop.schedule(token, at: lookAt)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        for registration in ejected.values { step(registration, .timePassed, now: now) }
        if now >= lookAt {
            lookAt = now + Routing.Limits.anomalyInterval
            for group in registry.groups.values { look(at: group, now: now) }
        }
        schedule()
    }

    /// As many attempts in a row have failed on the target that workers call `id` as its group allows.
    func failedInARow(_ id: Int, now: Instant) {
        guard let registration = registry.registration(id) else { return }
        fail(registration, .failuresInARow, now: now)
    }

    /// The state of a target of `group` has changed: those that are ejected may be needed, or have left.
    func stateChanged(_ group: GroupState, now: Instant) {
        guard !ejected.isEmpty else { return }
        let isNeeded = !group.isBeingChanged && group.isShortOfTargets
        for registration in ejected.values where registration.group === group {
            if isNeeded || !registration.health.state.isUsable { step(registration, .released, now: now) }
        }
    }

    /// Looks for targets of one group that fail more often than the others.
    func look(at group: GroupState, now: Instant) {
        let rules = group.ejectionRules
        if rules.isOn {
            stateChanged(group, now: now)
        } else {
            for registration in ejected.values where registration.group === group {
                step(registration, .released, now: now)
            }
        }
        let wasSought = group.seeksOutliers
        group.seeksOutliers = rules.margin > 0
        guard group.seeksOutliers else { return }
        guard wasSought else {
            // What was counted for another purpose before says nothing about now.
            for registration in group.registrations {
                _ = registration.attempts.takeForOutliers(registration.cell.load.counts)
            }
            return
        }
        let used = group.registrations.filter { $0.cell.isUsable }
        var targets = used.map { registration in
            var target = registration.errorShare
            target.count(registration.attempts.takeForOutliers(registration.cell.load.counts))
            return target
        }
        AnomalyDetection.look(at: &targets, mitigates: false, margin: rules.margin)
        for (registration, target) in zip(used, targets) {
            registration.errorShare = target
            if target.isAnomalous { fail(registration, .errorShare, now: now) }
        }
        for registration in group.registrations where !registration.cell.isUsable {
            // What failed before it was taken out must not take it out again.
            _ = registration.attempts.takeForOutliers(registration.cell.load.counts)
            registration.errorShare = AnomalyDetection.Target()
        }
    }

    private func fail(_ registration: Registration, _ cause: Ejection.Cause, now: Instant) {
        let group = registration.group
        let rules = group.ejectionRules
        guard rules.isOn, registration.health.state.isUsable, !registration.ejection.isEjected else { return }
        let count = ejected.values.count { $0.group === group }
        let needed = group.configuration.attributes.health.routing.targets(of: group.routable.registered)
        guard
            rules.allow(
                ejected: count, of: group.routable.registered, usable: group.routable.healthy, needed: needed)
        else {
            refusedCount += 1
            return
        }
        step(registration, .failed(cause), now: now)
        schedule()
    }

    private func step(_ registration: Registration, _ event: Ejection.Event, now: Instant) {
        let group = registration.group
        switch registration.ejection.receive(event, group.ejectionRules, now: now) {
        case .nothing: return
        case .wasEjected(let time):
            ejected[registration.id] = registration
            guard case .ejected(_, let cause) = registration.ejection.phase else { return }
            ejections[cause, default: 0] += 1
            tellEjected(registration, cause, time)
        case .returned:
            ejected[registration.id] = nil
            registration.cell.load.endRow()
            registration.errorShare = AnomalyDetection.Target()
            // Whoever comes back because it is needed has its share at once: the others are too few as it is.
            if event == .timePassed { registration.startSlowly(now: now) }
            tellReturned(registration)
        }
        registration.cell.isEjected = registration.ejection.isEjected
        group.count(registration)
        group.cell.flip()
    }

    private func tellEjected(_ registration: Registration, _ cause: Ejection.Cause, _ time: Nanoseconds) {
        let (group, key) = (registration.group.name, registration.key)
        let seconds = Double(time / 1_000_000) / 1000
        events.post(
            .targetEjected(group: group, id: key.id, port: key.port, cause: "\(cause.label)", seconds: seconds))
        logger.warning(
            "a target fails requests and is taken out for a while",
            metadata: ["group": "\(group)", "target": "\(key)", "cause": "\(cause.label)", "seconds": "\(seconds)"])
    }

    private func tellReturned(_ registration: Registration) {
        let (group, key) = (registration.group.name, registration.key)
        events.post(.targetReturned(group: group, id: key.id, port: key.port))
        logger.info("a target is used again", metadata: ["group": "\(group)", "target": "\(key)"])
    }

    private func schedule() {
        var next = lookAt
        for registration in ejected.values {
            if case .ejected(let until, _) = registration.ejection.phase { next = min(next, until) }
        }
        loop.schedule(token, at: next)
    }
}

extension GroupState {
    /// When its targets are taken out since they fail requests.
    var ejectionRules: EjectionRules {
        let outlier = configuration.attributes.health.outlier
        return EjectionRules(
            failuresInARow: outlier.failuresInARow, margin: Double(outlier.marginPercent) / 100,
            time: Nanoseconds(seconds: outlier.seconds), timeMax: Nanoseconds(seconds: outlier.secondsMax),
            percentMax: outlier.percentMax)
    }

    /// Whether fewer of its targets are used than have to be, or none.
    var isShortOfTargets: Bool {
        routable.healthy < max(1, configuration.attributes.health.routing.targets(of: routable.registered))
    }
}
