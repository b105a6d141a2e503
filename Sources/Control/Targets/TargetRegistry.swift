import Core
import Logging
import Model
import Proxy
import Routing

/// Told of changes of the health of targets.
protocol TargetStateObserver: AnyObject {
    /// The state of `registration` has changed.
    func stateChanged(_ registration: Registration, from: TargetState, to: TargetState, now: Instant)
    /// Not all targets of `group` are used any more, whatever has ended that: a check, or a change of the document.
    func failOpenEnded(_ group: GroupState, now: Instant)
}

/// All target groups and their registrations: what outlives snapshots.
///
/// `reconcile` brings them in line with a document and touches nothing that the document did not change. Ids are
/// dense and stay taken until every worker is done with what they named.
///
/// Shape: one object of the control thread.
final class TargetRegistry {
    /// What a document changed.
    struct Reconciliation {
        /// Registrations that are new.
        var arrived: [Registration] = []
        /// Registrations that left their group. Workers know those with `isPublished`; the others are gone already.
        var departed: [Registration] = []
        /// Groups whose health check is another one than before, or which came into use.
        var rescheduled: [GroupState] = []
        /// Groups that are not in use any more.
        var idled: [GroupState] = []
        /// Groups that the document no longer has.
        var withdrawn: [GroupState] = []
    }

    /// The groups of the document by name.
    private(set) var groups: [String: GroupState] = [:]
    /// The targets that have not left their groups, by `TargetPlan.id`.
    private var registrations: [Int: Registration] = [:]
    /// Groups that the document no longer has, and of which a worker may still hold a plan or a target.
    private(set) var withdrawn: [GroupState] = []
    private let workerCount: Int
    private let events: EventLog
    private let logger: Logger
    private var groupIDs = IDPool()
    private var registrationIDs = IDPool()
    private var document = Document()
    /// Of each group in use the first load balancer, as logs name it.
    private var loadBalancers: [String: String] = [:]
    /// Groups whose load balancers use the targets of this zone only.
    private var namesWithoutOtherZones: Set<String> = []
    /// The zone in which this process runs.
    private var zone: String?
    /// The address of each instance.
    private var addresses: [String: String] = [:]
    /// What is said of the containers of targets, by group; of those that are not here nothing is.
    private(set) var containers: [String: [TargetKey: ContainerHealth]] = [:]
    /// Grows whenever a group comes or goes, and with it the ids that names stand for.
    private(set) var membership: UInt64 = 0

    /// Times that a target failed its checks and stayed in use, since too many others had been taken out.
    private(set) var removalsHeld: UInt64 = 0

    /// Told of every change of a target's state, after it was logged, and of groups that do not use all targets any
    /// more.
    weak var observer: (any TargetStateObserver)?

    /// What another process knew of the targets of the first document, by group.
    var memories: [String: [TargetKey: TargetMemory]] = [:]

    /// A registry without groups.
    init(workerCount: Int, events: EventLog, logger: Logger) {
        self.workerCount = workerCount
        self.events = events
        self.logger = logger
    }

    /// Takes over `new`, which is valid. A target of `renewed`, by group, was deregistered and registered again
    /// between two documents: it leaves, and a new registration stands in its place.
    func reconcile(with new: Document, renewed: [String: Set<TargetKey>], now: Instant) -> Reconciliation {
        var result = Reconciliation()
        let names = Set(new.targetGroups.map(\.name))
        for group in groups.values where !names.contains(group.name) { withdraw(group, &result, now: now) }
        if new.loadBalancers != document.loadBalancers {
            loadBalancers = new.loadBalancersByGroup
            namesWithoutOtherZones = new.groupsWithoutOtherZones
        }
        let isOtherZone = new.runtime.availabilityZone != zone
        zone = new.runtime.availabilityZone
        let instancesDiffer = new.instances != document.instances
        if instancesDiffer {
            addresses = Dictionary(new.instances.map { ($0.id, $0.address) }, uniquingKeysWith: { $1 })
        }
        for configuration in new.targetGroups {
            let group = groups[configuration.name] ?? add(configuration)
            group.loadBalancer = loadBalancers[group.name]
            let isInUse = group.loadBalancer != nil
            let (old, oldZones, wasInUse) = (group.configuration, group.zones, group.isInUse)
            group.configuration = configuration
            group.isBeingChanged = true
            // Whoever is healthy when slow start is configured again has its share.
            if group.slowStart == 0 { for registration in group.registrations { registration.cell.endSlowStart() } }
            if old.healthCheck != configuration.healthCheck || isInUse && !group.isInUse {
                result.rescheduled.append(group)
            }
            if group.isInUse && !isInUse { result.idled.append(group) }
            setInUse(isInUse, group, now: now)
            let targetsDiffer =
                old.targets != configuration.targets || old.port != configuration.port
                || old.targetType != configuration.targetType || group.byKey.isEmpty
            let renewed = renewed[group.name] ?? []
            group.zones = ZonePolicy(
                configuration.attributes.health,
                loadBalancersUseOtherZones: !namesWithoutOtherZones.contains(group.name))
            if targetsDiffer || isOtherZone || !renewed.isEmpty
                || instancesDiffer && configuration.targetType == .instance
            {
                reconcile(group, renewed, &result, now: now)
            }
            let isChecked = configuration.healthCheck.isEnabled
            if !isChecked || !old.healthCheck.isEnabled {
                for registration in group.registrations {
                    change(isChecked ? .checksEnabled : .checksDisabled, registration, now: now)
                }
            }
            group.isBeingChanged = false
            if targetsDiffer || old != configuration || group.zones != oldZones || isInUse != wasInUse || isOtherZone
                || instancesDiffer || !renewed.isEmpty
            {
                group.recount()
            }
            evaluate(group, now: now)
        }
        document = new
        memories = [:]
        return result
    }

    /// The registered target that workers call `id`; nil if it has left its group.
    func registration(_ id: Int) -> Registration? { registrations[id] }

    /// Every worker is done with `registration`: its id may name another.
    func release(_ registration: Registration) {
        let group = registration.group
        guard group.draining.removeValue(forKey: registration.id) != nil else { return }
        group.tally[.draining] -= 1
        registrationIDs.release(registration.id)
    }

    /// Every worker works without `group` and its targets are drained: its id may name another.
    /// Returns false when it is not over yet, or when the group has come back.
    func release(_ group: GroupState) -> Bool {
        guard !group.isPresent, group.draining.isEmpty, let index = withdrawn.firstIndex(where: { $0 === group })
        else { return false }
        withdrawn.remove(at: index)
        groupIDs.release(group.id)
        return true
    }

    /// A group with that name; one that has not quite gone comes back with its id and counters.
    private func add(_ configuration: TargetGroup) -> GroupState {
        membership += 1
        if let index = withdrawn.firstIndex(where: { $0.name == configuration.name }) {
            let group = withdrawn.remove(at: index)
            group.isPresent = true
            groups[group.name] = group
            return group
        }
        let group = GroupState(id: groupIDs.take(), configuration: configuration, workerCount: workerCount)
        groups[group.name] = group
        return group
    }

    private func withdraw(_ group: GroupState, _ result: inout Reconciliation, now: Instant) {
        membership += 1
        groups[group.name] = nil
        group.isPresent = false
        group.isInUse = false
        group.isFailedOpen = false
        for registration in group.registrations { depart(registration, &result, now: now) }
        group.registrations = []
        group.byKey = [:]
        withdrawn.append(group)
        result.withdrawn.append(group)
    }

    private func setInUse(_ isInUse: Bool, _ group: GroupState, now: Instant) {
        guard isInUse != group.isInUse else { return }
        group.isInUse = isInUse
        for registration in group.registrations where registration.address != nil {
            registration.skipsSlowStartUntil = isInUse ? .distantFuture : nil
            change(isInUse ? .becameUsable : .becameUnusable(.notInUse), registration, now: now)
        }
    }

    /// Brings the targets of one group in line with its configuration.
    private func reconcile(
        _ group: GroupState, _ renewed: Set<TargetKey>, _ result: inout Reconciliation, now: Instant
    ) {
        var isFirst = true
        var new: [Registration] = []
        var remaining = group.byKey
        var kept: [Registration] = []
        kept.reserveCapacity(group.configuration.targets.count)
        for target in group.configuration.targets {
            let key = group.configuration.key(of: target)
            let (address, cause) = resolve(key, in: group)
            let old = remaining.removeValue(forKey: key)
            if let old, old.address == address, old.quicServerID == target.quicServerID, !renewed.contains(key) {
                old.weight = target.weight ?? 1
                old.zone = target.zone
                old.isInOtherZone = isInOtherZone(target)
                isFirst = false
                kept.append(old)
                continue
            }
            if let old { depart(old, &result, now: now) }
            let memory = cause == nil ? memories[group.name]?[key] : nil
            let container = containers[group.name]?[key] ?? .passing
            let health =
                memory.map { HealthState($0.phase, registeredAt: $0.registeredAt, container: container) }
                ?? HealthState(registeredAt: now, unused: cause, container: container)
            let registration = Registration(
                id: registrationIDs.take(), group: group, key: key, address: address, weight: target.weight ?? 1,
                quicServerID: target.quicServerID, health: health)
            if let memory { registration.restore(memory) }
            registration.zone = target.zone
            registration.isInOtherZone = isInOtherZone(target)
            registrations[registration.id] = registration
            group.tally[registration.health.state] += 1
            new.append(registration)
            kept.append(registration)
        }
        // Of the old ones none is left that could carry the load while the new ones start slowly.
        if isFirst {
            for registration in new where registration.health.state != .healthy {
                registration.skipsSlowStartUntil = .distantFuture
            }
        }
        result.arrived += new
        for registration in remaining.values { depart(registration, &result, now: now) }
        group.registrations = kept
        group.byKey = Dictionary(kept.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
    }

    /// Whether a target is in another zone than this process.
    private func isInOtherZone(_ target: TargetDescription) -> Bool {
        guard let zone, let other = target.zone, other != "all" else { return false }
        return other != zone
    }

    /// Where a target is, or why it cannot be used.
    private func resolve(_ key: TargetKey, in group: GroupState) -> (SocketAddress?, HealthState.UnusedCause?) {
        let isInstance = group.configuration.targetType == .instance
        guard let literal = isInstance ? addresses[key.id] : key.id else { return (nil, .invalidState) }
        guard let port = UInt16(exactly: key.port), let address = SocketAddress(literal: literal, port: port),
            Self.canBeATarget(literal)
        else { return (nil, .ipUnusable) }
        return (address, group.isInUse ? nil : .notInUse)
    }

    /// Most addresses begin as none does that cannot be a target's, and need not be read a second time: this is asked
    /// for every target of a group whenever one of them changes.
    private static func canBeATarget(_ literal: String) -> Bool {
        guard let first = literal.utf8.first, "02fF:".utf8.contains(first) else { return true }
        return IPAddress(literal)?.isUnicast ?? false
    }

    private func depart(_ registration: Registration, _ result: inout Reconciliation, now: Instant) {
        change(.deregistered, registration, now: now)
        registrations[registration.id] = nil
        registration.group.draining[registration.id] = registration
        result.departed.append(registration)
        if !registration.isPublished { release(registration) }
    }
}

extension TargetRegistry: CheckReceiver, TargetStates {
    func state(of key: TargetKey, inGroup name: String) -> TargetState? { groups[name]?.byKey[key]?.health.state }

    /// Handles a health event of a target: workers, the event log and our own log are notified of the change.
    func receive(_ event: HealthState.Event, _ registration: Registration, now: Instant) {
        change(event, registration, now: now)
        if event == .checkPassed, registration.cell.clearSuspicion() {
            registration.group.cell.flip()
            tellTrusted(registration)
        }
        evaluate(registration.group, now: now)
    }

    func skipsCheck(of registration: Registration) -> Bool { registration.isProvenByTraffic() }

    /// A worker could not connect to the target that workers call `id`; it may have left its group since.
    func connectFailed(_ id: Int, now: Instant) {
        guard let registration = registration(id), registration.isWatchedPassively else { return }
        receive(.checkFailed(.failed), registration, now: now)
    }

    /// Workers pass over the target that they call `id`, since an attempt on it has failed.
    func suspected(_ id: Int, cause: String, after duration: Nanoseconds) {
        guard let registration = registration(id) else { return }
        let (group, key) = (registration.group.name, registration.key)
        events.post(.targetSuspected(group: group, id: key.id, port: key.port, cause: cause))
        logger.warning(
            "a target is suspect: it is passed over while others can be used",
            metadata: [
                "group": "\(group)", "target": "\(key)", "cause": "\(cause)",
                "after": "\(duration / 1_000_000) ms",
            ])
    }

    /// Workers use the target that they call `id` again.
    func trusted(_ id: Int) {
        if let registration = registration(id) { tellTrusted(registration) }
    }

    private func tellTrusted(_ registration: Registration) {
        let (group, key) = (registration.group.name, registration.key)
        events.post(.targetTrusted(group: group, id: key.id, port: key.port))
        logger.info(
            "a target is not suspect any more", metadata: ["group": "\(group)", "target": "\(key)"])
    }

    private func tellHeld(_ registration: Registration) {
        removalsHeld += 1
        let (group, key) = (registration.group, registration.key)
        events.post(.targetRemovalHeld(group: group.name, id: key.id, port: key.port))
        logger.warning(
            "a target fails its health checks and is used all the same: too many were taken out in the last minute",
            metadata: [
                "group": "\(group.name)", "target": "\(key)",
                "maxRemovalsPercent": "\(group.configuration.attributes.health.maxRemovalsPercent)",
            ])
    }

    /// As `receive`, but in the middle of a reconciliation, when the group's tally says nothing yet.
    private func change(_ event: HealthState.Event, _ registration: Registration, now: Instant) {
        let before = registration.health.state
        let effect = registration.step(event, now: now)
        if effect == .removalWasHeld { return tellHeld(registration) }
        if effect != .nothing { tellChange(of: registration, from: before, now: now) }
    }

    /// Tells everybody of another state.
    private func tellChange(of registration: Registration, from before: TargetState, now: Instant) {
        let group = registration.group
        let after = registration.health.state
        if before.isUsable || after.isUsable { group.cell.flip() }
        let reason = registration.health.reason
        events.post(
            .targetHealthChanged(
                group: group.name, id: registration.key.id, port: registration.key.port, from: before.rawValue,
                to: after.rawValue, reason: reason?.code))
        logger.log(
            level: after == .unhealthy ? .warning : .info, "a target's health changed",
            metadata: [
                "group": "\(group.name)", "target": "\(registration.key)", "from": "\(before.rawValue)",
                "to": "\(after.rawValue)", "reason": "\(reason?.code ?? "-")",
            ])
        if before != after { observer?.stateChanged(registration, from: before, to: after, now: now) }
    }

    /// Checks whether a group in use has too few healthy targets (fail open), logs a warning once, and tells when that
    /// has ended.
    ///
    /// A group whose first checks are not decided is not called failed: it has only just begun.
    private func evaluate(_ group: GroupState, now: Instant) {
        let usedAllTargets = group.usedAllTargets
        group.usedAllTargets = group.usesAllTargets
        if usedAllTargets, !group.usesAllTargets { observer?.failOpenEnded(group, now: now) }
        let tally = group.tally
        let isFailedOpen =
            group.isInUse && group.usesAllTargets && group.routable.registered > 0 && tally[.unhealthy] > 0
            && (group.isFailedOpen || tally[.initial] == 0)
        guard isFailedOpen != group.isFailedOpen else { return }
        group.isFailedOpen = isFailedOpen
        if isFailedOpen {
            events.post(.groupFailedOpen(group: group.name))
            logger.warning(
                "too few targets of the group are healthy: all of them are used",
                metadata: [
                    "group": "\(group.name)", "targets": "\(group.routable.registered)",
                    "healthy": "\(group.routable.healthy)",
                ])
        } else if group.routable.healthy > 0 {
            events.post(.groupRecovered(group: group.name))
            logger.notice(
                "enough targets of the group are healthy again: only healthy ones are used",
                metadata: ["group": "\(group.name)", "healthy": "\(group.routable.healthy)"])
        }
    }
}

extension TargetRegistry {
    /// Takes what is said of the containers of targets now, by group: of those that are registered, and of those that
    /// will be.
    func take(_ containers: [String: [TargetKey: ContainerHealth]], now: Instant) {
        let before = self.containers
        guard containers != before else { return }
        self.containers = containers
        for name in Set(containers.keys).union(before.keys) where containers[name] != before[name] {
            guard let group = groups[name] else { continue }
            for registration in group.registrations { change(container(of: registration), registration, now: now) }
            evaluate(group, now: now)
        }
    }

    private func container(of registration: Registration) -> ContainerHealth {
        containers[registration.group.name]?[registration.key] ?? .passing
    }

    private func change(_ container: ContainerHealth, _ registration: Registration, now: Instant) {
        guard registration.health.container != container else { return }
        let before = registration.health.state
        if registration.step(container, now: now) != .nothing { tellChange(of: registration, from: before, now: now) }
    }

    /// The stays of a target in a group, or in one that was removed, that are not over yet.
    func draining(_ key: TargetKey, inGroup name: String) -> [Registration] {
        let group = groups[name] ?? withdrawn.first { $0.name == name }
        return group?.draining.values.filter { $0.key == key }.sorted { $0.id < $1.id } ?? []
    }
}

extension Document {
    /// Of each group to which some action forwards the first load balancer, as logs name it.
    fileprivate var loadBalancersByGroup: [String: String] {
        var names: [String: String] = [:]
        for loadBalancer in loadBalancers {
            let name = loadBalancer.type.logName(of: loadBalancer.name)
            for group in loadBalancer.listeners.flatMap(\.groupNames) where names[group] == nil { names[group] = name }
        }
        return names
    }
}

extension LoadBalancer.Kind {
    /// The name in logs of a load balancer of this kind, as in `app/web`.
    func logName(of name: String) -> String { "\(self == .network ? "net" : "app")/\(name)" }
}
