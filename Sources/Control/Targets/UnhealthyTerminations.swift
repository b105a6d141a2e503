import Core
import Model
import Proxy
import Routing

/// Ends the connections that are passed on to targets which fail their checks: at once, or when the time that their
/// group leaves them is over; and not while too few targets of the group are healthy, for then all are used.
///
/// Shape:  one object of the control thread.
/// Source: docs/elbv2.md, "Target health", `target_health_state.unhealthy.*`.
final class UnhealthyTerminations {
    private let loop: ControlLoop
    private let workers: WorkerSet
    private var draining: [Int: UnhealthyDraining] = [:]

    /// `workers` are told to reset the connections of targets.
    init(loop: ControlLoop, workers: WorkerSet) {
        self.loop = loop
        self.workers = workers
    }

    /// Whether `registration` is unhealthy and keeps its connections for a while.
    func isDraining(_ registration: Registration) -> Bool { draining[registration.id]?.registration === registration }

    /// The state of a target has changed.
    func stateChanged(_ registration: Registration, from: TargetState, to: TargetState, now: Instant) {
        if from == .unhealthy { stop(registration) }
        if to == .unhealthy { begin(registration, now: now) }
    }

    /// Until now all targets of `group` were used because too few were healthy, and unhealthy ones got connections.
    func failOpenEnded(_ group: GroupState, now: Instant) {
        for registration in group.registrations
        where registration.health.state == .unhealthy && !isDraining(registration) {
            begin(registration, now: now)
        }
    }

    private func begin(_ registration: Registration, now: Instant) {
        let group = registration.group
        // UDP flows are not ended, since a client would not be notified. Source: docs/elbv2.md, "Target group
        // attributes".
        guard [.tcp, .tls].contains(group.configuration.protocol), !group.usesAllTargets else { return }
        let attributes = group.configuration.attributes
        if attributes.unhealthyConnectionTermination { return terminate(registration) }
        guard attributes.unhealthyDrainingSeconds > 0 else { return }
        let drain = UnhealthyDraining(registration, self)
        drain.timer = loop.add(drain, descriptor: nil)
        draining[registration.id] = drain
        loop.schedule(drain.timer, at: now + Nanoseconds(seconds: attributes.unhealthyDrainingSeconds))
    }

    private func terminate(_ registration: Registration) { workers.sendToAll(.terminate(target: registration.id)) }

    private func stop(_ registration: Registration) {
        guard let drain = draining[registration.id], drain.registration === registration else { return }
        draining[registration.id] = nil
        loop.remove(drain.timer)
    }

    fileprivate func drainingEnded(_ registration: Registration) {
        stop(registration)
        if !registration.group.usesAllTargets { terminate(registration) }
    }
}

/// The time that an unhealthy target keeps its connections.
private final class UnhealthyDraining: PollHandler {
    let registration: Registration
    var timer = Token.none
    private weak var terminations: UnhealthyTerminations?

    init(_ registration: Registration, _ terminations: UnhealthyTerminations) {
        self.registration = registration
        self.terminations = terminations
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { terminations?.drainingEnded(registration) }
}
