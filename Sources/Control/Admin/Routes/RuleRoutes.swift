import Model

/// The rules of a listener, and the weights of forward actions.
enum RuleRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/load-balancers/{lb}/listeners/{port}/weights", ("PUT", .targets, putWeights)),
            .init("/v1/load-balancers/{lb}/listeners/{port}/rules", ("GET", .read, list)).ofGeneration(),
            .init(
                "/v1/load-balancers/{lb}/listeners/{port}/rules/{priority}",
                ("GET", .read, get), ("PUT", .all, put), ("DELETE", .all, delete)
            ).ofGeneration(),
            .init("/v1/load-balancers/{lb}/listeners/{port}/rules/{priority}/weights", ("PUT", .targets, putWeights)),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let listener = try call.listener()
        let all = listener.rules.sorted { $0.priority < $1.priority }
        let discovered = call.status.claimed.priorities(loadBalancer: call.name("lb"), port: listener.port)
        completion(
            .value([
                "rules": .array(all.map { $0.encoded() }),
                "defaultActions": .array(listener.defaultActions.map { $0.encoded() }),
                "discovered": .object(
                    discovered.sorted { $0.key < $1.key }.map { priority, containers in
                        Value.Member("\(priority)", .array(containers.map { .string($0) }))
                    }),
            ]))
    }

    private static func get(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let priority = try call.priority()
        let listener = "\(call.name("lb")):\(call.name("port"))"
        let rule = try call.listener().rules.first { $0.priority == priority }.orThrow(
            .notFound(
                .ruleNotFound, "Listener \(listener) has no rule with priority \(priority).",
                listedBy: "rules list \(listener)"))
        completion(.value(rule.encoded()))
    }

    private static func put(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let body = try call.object(named: "priority", .int(try call.priority()))
        let rule = try call.read(body, Rule.init(_:))
        let change = Change.putRule(loadBalancer: call.name("lb"), port: try call.port(), rule)
        call.apply(change, call.warning(completion))
    }

    private static func delete(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let (port, priority) = (try call.port(), try call.priority())
        call.apply(.deleteRule(loadBalancer: call.name("lb"), port: port, priority: priority), completion)
    }

    /// The weights of a rule, or of the listener's default action when the path names no rule.
    private static func putWeights(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let priority = call.names["priority"] == nil ? nil : try call.priority()
        let weights = try call.read(try call.request.json(), ForwardAction.weights)
        guard !weights.isEmpty else {
            throw AdminError(
                code: "ValidationError", message: "The body must name at least one target group.",
                remedy: "Write it as in {\"blue\": 90, \"green\": 10}.")
        }
        let port = try call.port()
        let change = Change.setWeights(loadBalancer: call.name("lb"), port: port, priority: priority, weights)
        call.apply(change, call.warning(completion))
    }
}
