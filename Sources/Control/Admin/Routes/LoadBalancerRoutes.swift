import Model

/// Load balancers.
enum LoadBalancerRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/load-balancers", ("GET", .read, list)).ofGeneration(),
            .init("/v1/load-balancers/{lb}", ("GET", .read, get), ("PUT", .all, put), ("DELETE", .all, delete))
                .ofGeneration(),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = call.status.document.loadBalancers.sorted { $0.name < $1.name }
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
