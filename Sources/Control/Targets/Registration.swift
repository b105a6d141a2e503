import Core
import Model
import Proxy
import Routing

/// One stay of a target in a group: from its registration until it is drained on every worker.
///
/// A target that comes back while its last stay still drains gets a new registration beside the old one, and so does
/// one whose address changes; so health, connections and counts of the two never mix.
///
/// Shape: owned by `TargetRegistry`; the cell alone is shared with workers.
final class Registration {
    /// `TargetPlan.id`: dense, and given to no other until every worker has drained this one.
    let id: Int
    /// The group it belongs, or belonged, to.
    unowned let group: GroupState
    /// Who it is in the group.
    let key: TargetKey
    /// Where it takes requests; nil when its instance is not in the registry, or its address cannot be a target's.
    let address: SocketAddress?
    /// What workers see of its health.
    let cell = TargetCell()
    /// What the checks have made of it. Changed by `TargetRegistry.receive` alone, which tells everybody.
    private(set) var health: HealthState
    /// Its share beside those of the other targets; 0 for no requests.
    var weight: Int
    /// Whether it is in another zone than this process.
    var isInOtherZone = false
    /// The zone that it was registered with.
    var zone: String?
    /// Whether `GroupState.routable` counts it as healthy.
    var isCounted = false
    /// What its server puts into the connection IDs of QUIC; nil in a group that is not one of QUIC.
    let quicServerID: QUICServerID?
    /// Whether it fails more often than the others, where the algorithm of its group asks that.
    var anomaly = AnomalyDetection.Target()
    /// Whether it is taken out since it fails requests.
    var ejection = Ejection()
    /// How often it fails requests, where its group asks that.
    var errorShare = AnomalyDetection.Target()
    /// What was read last of its attempts.
    var attempts = AttemptReadings()
    /// Checks in a row that were skipped since requests proved that it is healthy.
    var checksSkipped = 0
    /// Until when it has its share at once if it becomes healthy, and the next time only: for ever if it came with the
    /// first targets of its group, or if the group has just come into use; for the duration of a slow start after an
    /// outage of the whole group. Source: Application Load Balancer user guide, "Slow start mode".
    var skipsSlowStartUntil: Instant?
    /// Whether some snapshot had it, so that workers have to say when they are done with it.
    var isPublished = false

    /// A registration that no worker knows yet.
    init(
        id: Int, group: GroupState, key: TargetKey, address: SocketAddress?, weight: Int = 1,
        quicServerID: QUICServerID? = nil, health: HealthState
    ) {
        self.id = id
        self.group = group
        self.key = key
        self.address = address
        self.weight = weight
        self.quicServerID = quicServerID
        self.health = health
    }
}

extension Registration {
    /// Its weight as workers have it: 0 as well for a target of another zone that is not used.
    var usedWeight: Int { group.zones == .ownOnly && isInOtherZone ? 0 : weight }

    /// Whether what is in flight with it is cut at the end of its deregistration delay: requests always are, tunnels if
    /// their group is configured so.
    var isCutWhenDrained: Bool {
        let group = group.configuration
        return group.protocol.kind == .application || group.endsFlowsWhenDrained
    }

    /// Whether connections that it does not take count as failed checks. Source: docs/elbv2.md, "Passive checks".
    var isWatchedPassively: Bool {
        let group = group.configuration
        return group.protocol.kind == .network && !group.attributes.stickiness.isEnabled
    }
}

extension Registration: CustomStringConvertible {
    /// Its group and who it is in it.
    var description: String { "\(group.name) \(key)" }

    /// Steps the state machine and updates the group's tally. Notifying others is up to `TargetRegistry.receive`.
    func step(_ event: HealthState.Event, now: Instant) -> HealthState.Effect {
        let before = health.state
        let effect = health.receive(
            event, thresholds: group.thresholds, mayBeRemoved: mayBeRemoved(by: event, now: now), now: now)
        if effect == .becameUnhealthy, before == .healthy {
            group.removals.noteRemoval(percent: group.configuration.attributes.health.maxRemovalsPercent, now: now)
        }
        settle(from: before, now: now)
        return effect
    }

    /// The same for what is said of its container, of which there is no budget.
    func step(_ container: ContainerHealth, now: Instant) -> HealthState.Effect {
        let before = health.state
        let effect = health.receive(container)
        settle(from: before, now: now)
        return effect
    }

    /// Tells its group and the workers what its state is, after it was `before`.
    private func settle(from before: TargetState, now: Instant) {
        group.tally.move(from: before, to: health.state)
        if before != health.state { startSlowly(now: now) }
        cell.isHealthy = health.state.isUsable
        group.count(self)
    }

    /// Whether failures may make it unhealthy: the group may have lost too many targets of late.
    private func mayBeRemoved(by event: HealthState.Event, now: Instant) -> Bool {
        guard case .checkFailed = event, health.state == .healthy else { return true }
        return group.removals.mayRemove(
            of: group.registrations.count, percent: group.configuration.attributes.health.maxRemovalsPercent, now: now)
    }

    /// Whether requests prove it healthy, so that a check that is due now is skipped: since the last one was due it
    /// has answered some and failed none.
    func isProvenByTraffic() -> Bool {
        let attributes = group.configuration.attributes.health
        guard attributes.trustsTraffic else { return false }
        let counts = attempts.takeForChecks(cell.load.counts)
        guard health.phase == .healthy(failures: 0), cell.isUsable, !cell.isSuspect, counts.answered > 0,
            counts.failed == 0, checksSkipped < Limits.checksSkippedMax
        else {
            checksSkipped = 0
            return false
        }
        checksSkipped += 1
        return true
    }

    /// Whether it fails its checks and is used all the same, since too many others were taken out.
    var isHeld: Bool { health.isHeld(group.thresholds) }

    /// Begins a slow start if it is healthy, and others are that carry the load meanwhile: when its state has changed,
    /// or when its ejection is over, which for those who send requests is the same.
    func startSlowly(now: Instant) {
        cell.endSlowStart()
        guard health.state == .healthy else { return }
        let skipsUntil = skipsSlowStartUntil.take()
        let duration = group.slowStart
        guard duration > 0 else { return }
        if let skipsUntil, now < skipsUntil { return }
        var areOthersHealthy = false
        for other in group.registrations
        where other !== self && other.health.state == .healthy && !other.ejection.isEjected {
            areOthersHealthy = true
            guard other.cell.isStartingSlowly(for: duration, now: now) else { return cell.beginSlowStart(now: now) }
        }
        guard !areOthersHealthy else { return }
        // It is the first after an outage of the whole group. Were the next ones to start slowly, it would carry the
        // load of all of them until they have.
        for other in group.registrations where other !== self { other.skipsSlowStartUntil = now + duration }
    }
}

/// How many registrations of a group are in which state.
struct HealthTally: Equatable, Sendable {
    private var counts: [TargetState: Int] = [:]

    /// The count of `state`.
    subscript(_ state: TargetState) -> Int {
        get { counts[state, default: 0] }
        set { counts[state] = newValue }
    }

    /// One registration changed its state.
    mutating func move(from: TargetState, to: TargetState) {
        self[from] -= 1
        self[to] += 1
    }
}
