import Model

/// Something that happened, as `GET /v1/events` tells it.
///
/// States and reasons are ELBv2's words (docs/elbv2.md, "Target health").
enum Event: Equatable, Sendable {
    /// Health checks, or a change, moved a target to another state.
    case targetHealthChanged(group: String, id: String, port: Int, from: String, to: String, reason: String?)
    /// An attempt on a target has failed: it is passed over while others are eligible.
    case targetSuspected(group: String, id: String, port: Int, cause: String)
    /// A suspect target has answered, or passed a check.
    case targetTrusted(group: String, id: String, port: Int)
    /// A target fails its checks and is used all the same, since too many others were taken out.
    case targetRemovalHeld(group: String, id: String, port: Int)
    /// A target fails requests and gets none for so long.
    case targetEjected(group: String, id: String, port: Int, cause: String, seconds: Double)
    /// A target that was ejected is used again.
    case targetReturned(group: String, id: String, port: Int)
    /// Targets joined a group. Ports are effective.
    case targetsRegistered(group: String, targets: [TargetDescription])
    /// Targets left a group and are draining. Ports are effective.
    case targetsDeregistered(group: String, targets: [TargetDescription])
    /// The last exchange of a deregistered target has ended.
    case targetDrained(group: String, DrainReport)
    /// Too few targets of the group are healthy, so all of them are used.
    case groupFailedOpen(group: String)
    /// Enough targets of a group that had failed open are healthy again.
    case groupRecovered(group: String)
    /// A source of targets does not answer as it should; what was heard before stays.
    case discoveryFailed(group: String?, source: String, reason: String)
    /// A source of targets answers again.
    case discoveryRecovered(group: String?, source: String)
    /// Something that a source has named cannot be a target.
    case discoveryRefused(group: String?, name: String, reason: String)
    /// A source has named an address that means something else on each host or network; it is used.
    case discoveryLocalAddress(group: String, name: String, kind: String, address: String)
    /// The file was read again; `changes` are sentences.
    case configurationReloaded(generation: UInt64, changes: [String])
    /// A change over the socket is durable and published.
    case changeApplied(description: String, user: UInt32?, generation: UInt64)
    /// A listener takes connections.
    case listenerOpened(loadBalancer: String, port: Int)
    /// A listener takes no more connections.
    case listenerClosed(loadBalancer: String, port: Int)
    /// A rollout has begun, moved on, was paused or has ended.
    case rolloutChanged(
        id: Int, action: String, from: String, to: String, phase: String, percent: Int, reason: String?)
    /// The process finishes what is in flight and ends.
    case shutdownBegan
    /// Another process serves from now on, and the one before finishes what it has.
    case processReplaced(from: Int, oldVersion: String, to: Int, newVersion: String)
    /// A process that was to take over did not: the one before goes on.
    case upgradeFailed(binary: String, reason: String)

    /// Its name, as in `target-health-changed`.
    var name: String {
        switch self {
        case .targetHealthChanged: "target-health-changed"
        case .targetSuspected: "target-suspected"
        case .targetTrusted: "target-trusted"
        case .targetRemovalHeld: "target-removal-held"
        case .targetEjected: "target-ejected"
        case .targetReturned: "target-returned"
        case .targetsRegistered: "targets-registered"
        case .targetsDeregistered: "targets-deregistered"
        case .targetDrained: "target-drained"
        case .groupFailedOpen: "group-failed-open"
        case .groupRecovered: "group-recovered"
        case .discoveryFailed: "discovery-failed"
        case .discoveryRecovered: "discovery-recovered"
        case .discoveryRefused: "discovery-refused"
        case .discoveryLocalAddress: "discovery-local-address"
        case .configurationReloaded: "configuration-reloaded"
        case .changeApplied: "change-applied"
        case .listenerOpened: "listener-opened"
        case .listenerClosed: "listener-closed"
        case .rolloutChanged: "rollout-changed"
        case .shutdownBegan: "shutdown-began"
        case .processReplaced: "process-replaced"
        case .upgradeFailed: "upgrade-failed"
        }
    }

    /// A group, where it is about one.
    private static func group(_ name: String?) -> [Value.Member] {
        name.map { [Value.Member("targetGroupName", .string($0))] } ?? []
    }

    /// What it says beside its name.
    var members: [Value.Member] {
        switch self {
        case .targetHealthChanged(let group, let id, let port, let from, let to, let reason):
            var members = [Value.Member("targetGroupName", .string(group)), Value.Member("target", .target(id, port))]
            members += [Value.Member("from", .string(from)), Value.Member("to", .string(to))]
            if let reason { members.append(Value.Member("reason", .string(reason))) }
            return members
        case .targetSuspected(let group, let id, let port, let cause):
            return [
                Value.Member("targetGroupName", .string(group)), Value.Member("target", .target(id, port)),
                Value.Member("cause", .string(cause)),
            ]
        case .targetEjected(let group, let id, let port, let cause, let seconds):
            return [
                Value.Member("targetGroupName", .string(group)), Value.Member("target", .target(id, port)),
                Value.Member("cause", .string(cause)), Value.Member("seconds", .number(seconds)),
            ]
        case .targetTrusted(let group, let id, let port), .targetRemovalHeld(let group, let id, let port),
            .targetReturned(let group, let id, let port):
            return [Value.Member("targetGroupName", .string(group)), Value.Member("target", .target(id, port))]
        case .targetsRegistered(let group, let targets), .targetsDeregistered(let group, let targets):
            return [
                Value.Member("targetGroupName", .string(group)),
                Value.Member("targets", .array(targets.map { .target($0.id, $0.port) })),
            ]
        case .targetDrained(let group, let report):
            return [Value.Member("targetGroupName", .string(group)), Value.Member("target", report.value)]
        case .groupFailedOpen(let group), .groupRecovered(let group):
            return [Value.Member("targetGroupName", .string(group))]
        case .discoveryFailed(let group, let source, let reason):
            return Self.group(group) + [
                Value.Member("source", .string(source)), Value.Member("reason", .string(reason)),
            ]
        case .discoveryRecovered(let group, let source):
            return Self.group(group) + [Value.Member("source", .string(source))]
        case .discoveryRefused(let group, let name, let reason):
            return Self.group(group) + [Value.Member("name", .string(name)), Value.Member("reason", .string(reason))]
        case .discoveryLocalAddress(let group, let name, let kind, let address):
            return [
                Value.Member("targetGroupName", .string(group)), Value.Member("name", .string(name)),
                Value.Member("kind", .string(kind)), Value.Member("address", .string(address)),
            ]
        case .configurationReloaded(let generation, let changes):
            return [
                Value.Member("generation", .int(Int(clamping: generation))),
                Value.Member("changes", .array(changes.map { .string($0) })),
            ]
        case .changeApplied(let description, let user, let generation):
            var members = [Value.Member("generation", .int(Int(clamping: generation)))]
            members.append(Value.Member("change", .string(description)))
            if let user { members.append(Value.Member("uid", .int(Int(user)))) }
            return members
        case .listenerOpened(let loadBalancer, let port), .listenerClosed(let loadBalancer, let port):
            return [Value.Member("loadBalancerName", .string(loadBalancer)), Value.Member("port", .int(port))]
        case .rolloutChanged(let id, let action, let from, let to, let phase, let percent, let reason):
            var members = [
                Value.Member("rollout", .int(id)), Value.Member("action", .string(action)),
                Value.Member("from", .string(from)), Value.Member("to", .string(to)),
                Value.Member("phase", .string(phase)), Value.Member("percent", .int(percent)),
            ]
            if let reason { members.append(Value.Member("reason", .string(reason))) }
            return members
        case .shutdownBegan:
            return []
        case .processReplaced(let old, let oldVersion, let new, let newVersion):
            return [
                Value.Member("from", ["pid": .int(old), "version": .string(oldVersion)]),
                Value.Member("to", ["pid": .int(new), "version": .string(newVersion)]),
            ]
        case .upgradeFailed(let binary, let reason):
            return [Value.Member("binary", .string(binary)), Value.Member("reason", .string(reason))]
        }
    }
}

extension DrainReport {
    /// As the socket shows it; seconds are rounded to milliseconds.
    var value: Value {
        [
            "id": .string(id), "port": .int(port), "finished": .int(finished), "cut": .int(cut), "left": .int(left),
            "seconds": .number((seconds * 1000).rounded() / 1000),
        ]
    }
}
