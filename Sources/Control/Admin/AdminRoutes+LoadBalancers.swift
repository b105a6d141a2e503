import Model

// Load balancers, their listeners, the listeners' rules, and the weights of forward actions.
extension AdminRoutes {
    static var loadBalancers: [Route] {
        [
            Route("/v1/load-balancers", ("GET", list)).ofGeneration(),
            Route("/v1/load-balancers/{lb}", ("GET", get), ("PUT", put), ("DELETE", delete)).ofGeneration(),
            Route("/v1/load-balancers/{lb}/listeners", ("GET", listListeners)).ofGeneration(),
            Route(
                "/v1/load-balancers/{lb}/listeners/{port}",
                ("GET", getListener), ("PUT", putListener), ("DELETE", deleteListener)
            ).ofGeneration(),
            Route("/v1/load-balancers/{lb}/listeners/{port}/weights", ("PUT", putWeights)),
            Route("/v1/load-balancers/{lb}/listeners/{port}/rules", ("GET", listRules)).ofGeneration(),
            Route(
                "/v1/load-balancers/{lb}/listeners/{port}/rules/{priority}",
                ("GET", getRule), ("PUT", putRule), ("DELETE", deleteRule)
            ).ofGeneration(),
            Route("/v1/load-balancers/{lb}/listeners/{port}/rules/{priority}/weights", ("PUT", putWeights)),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = call.actions.document.loadBalancers.sorted { $0.name < $1.name }
        completion(.value(["loadBalancers": .array(all.map { $0.encoded() })]))
    }

    private static func get(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(try call.loadBalancer().encoded()))
    }

    /// A load balancer that is there keeps its listeners unless the body has a list of them, and a listener of that
    /// list keeps its rules in the same way.
    private static func put(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let sent = try call.object(named: "name", .string(call.name("lb")))
        call.apply(call.warning(completion)) { document throws(AdminError) in
            var body = sent
            if let loadBalancer = document.loadBalancers.first(where: { $0.name == call.name("lb") }) {
                body.keep("listeners", of: loadBalancer.encoded())
                body["listeners"] = body["listeners"]?.keepingRules(of: loadBalancer)
            }
            return .putLoadBalancer(try call.read(body, LoadBalancer.init(_:)))
        }
    }

    private static func delete(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        call.apply(.deleteLoadBalancer(name: call.name("lb")), completion)
    }

    private static func listListeners(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = try call.loadBalancer().listeners.sorted { $0.port < $1.port }
        completion(.value(["listeners": .array(all.map { $0.encoded() })]))
    }

    private static func getListener(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(try call.listener().encoded()))
    }

    /// A listener that is there keeps its rules unless the body has a list of them.
    private static func putListener(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let port = try call.port()
        let sent = try call.object(named: "port", .int(port))
        call.apply(call.warning(completion)) { document throws(AdminError) in
            var body = sent
            let loadBalancer = document.loadBalancers.first { $0.name == call.name("lb") }
            if let listener = loadBalancer?.listeners.first(where: { $0.port == port }) {
                body.keep("rules", of: listener.encoded())
            }
            return .putListener(loadBalancer: call.name("lb"), try call.read(body, Listener.init(_:)))
        }
    }

    private static func deleteListener(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        call.apply(.deleteListener(loadBalancer: call.name("lb"), port: try call.port()), completion)
    }

    private static func listRules(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let listener = try call.listener()
        let all = listener.rules.sorted { $0.priority < $1.priority }
        completion(
            .value([
                "rules": .array(all.map { $0.encoded() }),
                "defaultActions": .array(listener.defaultActions.map { $0.encoded() }),
            ]))
    }

    private static func getRule(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let priority = try call.priority()
        guard let rule = try call.listener().rules.first(where: { $0.priority == priority }) else {
            throw AdminError(
                code: "RuleNotFound",
                message: "Listener \(call.name("lb")):\(call.name("port")) has no rule with priority \(priority).",
                remedy: "See \"apus rules list \(call.name("lb")):\(call.name("port"))\" for those there are.")
        }
        completion(.value(rule.encoded()))
    }

    private static func putRule(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let body = try call.object(named: "priority", .int(try call.priority()))
        let rule = try call.read(body, Rule.init(_:))
        let change = Change.putRule(loadBalancer: call.name("lb"), port: try call.port(), rule)
        call.apply(change, call.warning(completion))
    }

    private static func deleteRule(
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

extension AdminCallContext {
    fileprivate func port() throws(AdminError) -> Int { try number("port", orElse: .listenerNotFound) }

    fileprivate func priority() throws(AdminError) -> Int { try number("priority", orElse: .ruleNotFound) }

    /// Adds to the answer what is to be warned of in the load balancer, or the listener, that the path names.
    fileprivate func warning(_ completion: @escaping (AdminAnswer) -> Void) -> (AdminAnswer) -> Void {
        { [actions, names] answer in
            guard case .value(var value, let generation) = answer else { return completion(answer) }
            let warnings = actions.document.warnings(loadBalancer: names["lb"], port: names["port"].flatMap { Int($0) })
            if !warnings.isEmpty { value["warnings"] = .array(warnings.map { Warning($0, DocumentPlaces()).value }) }
            completion(.value(value, generation: generation))
        }
    }

    fileprivate func loadBalancer() throws(AdminError) -> LoadBalancer {
        guard let found = actions.document.loadBalancers.first(where: { $0.name == name("lb") }) else {
            throw AdminError(
                code: "LoadBalancerNotFound", message: "There is no load balancer \(name("lb")).",
                remedy: "See \"apus listeners\" for those there are.")
        }
        return found
    }

    fileprivate func listener() throws(AdminError) -> Listener {
        let port = try port()
        guard let found = try loadBalancer().listeners.first(where: { $0.port == port }) else {
            throw AdminError(
                code: "ListenerNotFound", message: "Load balancer \(name("lb")) has no listener on port \(port).",
                remedy: "See \"apus listeners\" for those there are.")
        }
        return found
    }
}

extension Value {
    /// As a list of listeners: each that says nothing of rules, with those that `loadBalancer` has on its port.
    fileprivate func keepingRules(of loadBalancer: LoadBalancer) -> Value {
        guard let listeners = array else { return self }
        return .array(
            listeners.map { listener in
                guard let old = loadBalancer.listeners.first(where: { $0.port == listener["port"]?.int }) else {
                    return listener
                }
                var listener = listener
                listener.keep("rules", of: old.encoded())
                return listener
            })
    }
}
