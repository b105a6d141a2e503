import Model

/// The instance registry.
enum InstanceRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/instances", ("GET", .read, list)).ofGeneration(),
            .init("/v1/instances/{id}", ("GET", .read, get), ("PUT", .targets, put), ("DELETE", .targets, delete))
                .ofGeneration(),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = call.status.document.instances.sorted { $0.id < $1.id }
        completion(.value(["instances": .array(all.map { $0.encoded() })]))
    }

    private static func get(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let id = call.name("id")
        let instance = try call.status.document.instances.first { $0.id == id }.orThrow(
            .notFound(.resourceNotFound, "There is no instance \(id).", listedBy: "instances"))
        completion(.value(instance.encoded()))
    }

    private static func put(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let body = try call.object(named: "id", .string(call.name("id")))
        call.apply(.putInstance(try call.read(body, Instance.init(_:))), completion)
    }

    private static func delete(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        call.apply(.deleteInstance(id: call.name("id")), completion)
    }
}
