import Model

/// The listeners of a load balancer.
enum ListenerRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/load-balancers/{lb}/listeners", ("GET", .read, list)).ofGeneration(),
            .init(
                "/v1/load-balancers/{lb}/listeners/{port}", ("GET", .read, get), ("PUT", .all, put),
                ("DELETE", .all, delete)
            ).ofGeneration(),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = try call.loadBalancer().listeners.sorted { $0.port < $1.port }
        completion(.value(["listeners": .array(all.map { $0.encoded() })]))
    }

    private static func get(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(try call.listener().encoded()))
    }

    /// A listener that is there keeps its rules unless the body has a list of them.
    private static func put(
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

    private static func delete(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        call.apply(.deleteListener(loadBalancer: call.name("lb"), port: try call.port()), completion)
    }
}

// What the routes of load balancers, listeners and rules have in common.
extension AdminCallContext {
    /// The port that the path names.
    func port() throws(AdminError) -> Int { try number("port", orElse: .listenerNotFound) }

    /// The priority that the path names.
    func priority() throws(AdminError) -> Int { try number("priority", orElse: .ruleNotFound) }

    /// Adds the warnings about the load balancer, or the listener, that the path names to the answer.
    func warning(_ completion: @escaping (AdminAnswer) -> Void) -> (AdminAnswer) -> Void {
        { [status, names] answer in
            guard case .value(var value, let generation) = answer else { return completion(answer) }
            let warnings = status.document.warnings(loadBalancer: names["lb"], port: names["port"].flatMap { Int($0) })
            if !warnings.isEmpty { value["warnings"] = .array(warnings.map { Warning($0, DocumentPlaces()).value }) }
            completion(.value(value, generation: generation))
        }
    }

    /// The load balancer that the path names.
    func loadBalancer() throws(AdminError) -> LoadBalancer {
        try status.document.loadBalancers.first { $0.name == name("lb") }.orThrow(
            .notFound(
                .loadBalancerNotFound, "There is no load balancer \(name("lb")).", listedBy: "listeners"))
    }

    /// The listener that the path names.
    func listener() throws(AdminError) -> Listener {
        let port = try port()
        return try loadBalancer().listeners.first { $0.port == port }.orThrow(
            .notFound(
                .listenerNotFound, "Load balancer \(name("lb")) has no listener on port \(port).", listedBy: "listeners"
            ))
    }
}
