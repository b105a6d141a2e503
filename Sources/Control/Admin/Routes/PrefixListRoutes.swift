import Model

/// Prefix lists: networks under names, by which listeners allow or deny clients.
enum PrefixListRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/prefix-lists", ("GET", .read, list)).ofGeneration(),
            .init("/v1/prefix-lists/{list}", ("GET", .read, get), ("PUT", .all, put), ("DELETE", .all, delete))
                .ofGeneration(),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let all = call.status.document.prefixLists.sorted { $0.name < $1.name }
        completion(.value(["prefixLists": .array(all.map { $0.encoded() })]))
    }

    private static func get(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let name = call.name("list")
        let list = try call.status.document.prefixLists.first { $0.name == name }.orThrow(
            .notFound(.resourceNotFound, "There is no prefix list \(name).", listedBy: "prefix-lists"))
        completion(.value(list.encoded()))
    }

    private static func put(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let body = try call.object(named: "name", .string(call.name("list")))
        call.apply(.putPrefixList(try call.read(body, PrefixList.init(_:))), completion)
    }

    private static func delete(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        call.apply(.deletePrefixList(name: call.name("list")), completion)
    }
}
