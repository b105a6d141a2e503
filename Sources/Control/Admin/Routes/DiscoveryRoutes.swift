import Core
import Model

/// The sources of targets.
enum DiscoveryRoutes {
    static var all: [AdminRoutes.Route] { [.init("/v1/discovery", ("GET", list))] }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(["sources": .array(call.status.discovery.map(\.value))]))
    }
}

extension DiscoveryStatus {
    /// As the socket shows it.
    fileprivate var value: Value {
        var value: Value = [
            "targetGroupName": .string(group), "type": .string(kind), "source": .string(place),
            "state": .string(state),
        ]
        value["reason"] = record.reason.map { .string($0) }
        value["lastHeard"] = record.heardAt.map { .string(utcText(nanoseconds: $0)) }
        value["failures"] = .int(Int(clamping: record.failuresCount))
        value["targets"] = .array(targets.map(Self.value))
        value["refused"] = .array(refusals.prefix(Limits.discoveryRefusalsShownMax).map(Self.value))
        value["refusedCount"] = .int(refusals.count)
        let remarks = record.found?.remarks ?? []
        if !remarks.isEmpty { value["remarks"] = .array(remarks.map { .string($0.text) }) }
        return value
    }

    private var state: String {
        switch record.state {
        case .starting: "starting"
        case .following: "following"
        case .away: "away"
        }
    }

    private static func value(_ found: Discovered.Target) -> Value {
        let target = found.target
        return [
            "name": .string(found.name),
            "target": .target(target.id, target.port, weight: target.weight, zone: target.zone),
        ]
    }

    private static func value(_ refusal: FoundTargets.Refusal) -> Value {
        [
            "name": .string(refusal.name), "reason": .string(refusal.mistake.message),
            "remedy": .string(refusal.mistake.remedy),
        ]
    }
}
