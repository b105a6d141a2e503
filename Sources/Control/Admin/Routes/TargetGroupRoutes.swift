import Model

/// Target groups: their settings, attributes and health checks.
enum TargetGroupRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/target-groups", ("GET", .read, list)).ofGeneration(),
            .init("/v1/target-groups/{tg}", ("GET", .read, get), ("PUT", .all, put), ("DELETE", .all, delete))
                .ofGeneration(),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = call.status.document.targetGroups.sorted { $0.name < $1.name }
        // Beside the groups, not in them: what is shown of a group can be put as it is.
        let failedOpen = Set(call.status.groupsFailedOpen)
        var health: [Value.Member] = []
        for group in all {
            let states = try call.status.targetHealth(group: group.name, targets: nil).map(\.state)
            let summary: Value = [
                "healthy": .int(states.count(where: \.isUsable)), "registered": .int(states.count { $0 != .draining }),
                "failOpen": .bool(failedOpen.contains(group.name)),
            ]
            health.append(Value.Member(group.name, summary))
        }
        let discovered = call.status.claimed.containers.sorted { $0.key < $1.key }.map { name, containers in
            Value.Member(name, .array(containers.map { .string($0) }))
        }
        completion(
            .value([
                "targetGroups": .array(all.map { $0.encoded() }), "health": .object(health),
                "discovered": .object(discovered),
            ]))
    }

    private static func get(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let name = call.name("tg")
        let group = try call.status.document.targetGroups.first { $0.name == name }.orThrow(.noTargetGroup(name))
        completion(.value(group.encoded()))
    }

    /// A group, its attributes, its health check: its targets stay unless the body has a list of them, and so does its
    /// type, which cannot change.
    private static func put(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let sent = try call.object(named: "name", .string(call.name("tg")))
        call.apply(completion) { document throws(AdminError) in
            var body = sent
            if let group = document.targetGroups.first(where: { $0.name == call.name("tg") }) {
                body.keep("targetType", "targets", of: group.encoded())
            }
            return .putTargetGroup(try call.read(body, TargetGroup.init(_:)))
        }
    }

    private static func delete(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        call.apply(.deleteTargetGroup(name: call.name("tg")), completion)
    }
}
