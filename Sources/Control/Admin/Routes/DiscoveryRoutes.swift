import Core
import Model

/// The sources of targets.
enum DiscoveryRoutes {
    static var all: [AdminRoutes.Route] { [.init("/v1/discovery", ("GET", .read, list))] }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(["sources": .array(call.status.discovery.map(\.value))]))
    }
}

extension DiscoveryStatus {
    /// As the socket shows it.
    fileprivate var value: Value {
        var value: Value = [:]
        value["targetGroupName"] = group.map { .string($0) }
        value["type"] = .string(kind)
        value["source"] = .string(place)
        value["state"] = .string(state)
        value["reason"] = record.reason.map { .string($0) }
        value["lastHeard"] = record.heardAt.map { .string(utcText(nanoseconds: $0)) }
        value["failures"] = .int(Int(clamping: record.failuresCount))
        let claimed = record.found?.claims.compactMap { one in one.claim.target.map { ($0, one.claim.group) } } ?? []
        value["targets"] = .array(
            targets.map { Self.value($0) } + claimed.map { Self.value($0, ofGroup: $1) })
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

    /// A target that was found; one that asks for a group by its labels names that.
    private static func value(_ found: Discovered.Target, ofGroup group: String? = nil) -> Value {
        let target = found.target
        var value: Value = [
            "name": .string(found.name),
            "target": .target(target.id, target.port, weight: target.weight, zone: target.zone),
        ]
        value["targetGroupName"] = group.map { .string($0) }
        return value
    }

    private static func value(_ refusal: FoundTargets.Refusal) -> Value {
        [
            "name": .string(refusal.name), "reason": .string(refusal.mistake.message),
            "remedy": .string(refusal.mistake.remedy),
        ]
    }
}
