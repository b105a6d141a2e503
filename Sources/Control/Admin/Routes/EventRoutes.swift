import Model

/// What happens, as it happens.
enum EventRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/events", ("GET", .read, events))
        ]
    }

    private static func events(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        guard let recent = call.request.query.first(where: { $0.key == "recent" }) else {
            return completion(.events(recent: 0))
        }
        guard let count = Int(recent.value), count >= 0 else {
            throw AdminError(
                code: "ValidationError", message: "recent must be a number of events, but found \"\(recent.value)\".",
                remedy: "Write it as in /v1/events?recent=20.")
        }
        completion(.events(recent: count))
    }
}
