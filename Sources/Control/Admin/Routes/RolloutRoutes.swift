import Core
import Model

/// Rollouts: one target group takes over from another.
enum RolloutRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/rollouts", ("GET", .read, list), ("POST", .targets, start)),
            .init("/v1/rollouts/{id}", ("GET", .read, get)),
            .init("/v1/rollouts/{id}/{order}", ("POST", .targets, perform)),
        ]
    }

    private static func list(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(["rollouts": .array(call.services.rollouts.statuses.map(\.value))]))
    }

    private static func get(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let id = try call.rolloutID()
        let status = try call.services.rollouts.statuses.first { $0.record.id == id }.orThrow(.noRollout(id))
        completion(.value(status.value))
    }

    private static func start(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let rollout = try call.read(try call.request.json(), Rollout.init(_:))
        call.services.rollouts.start(rollout, by: call.request.user) { result in
            switch result {
            case .failure(let error): completion(.refused(error))
            case .success(let status): completion(.value(status.value))
            }
        }
    }

    private static func perform(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let id = try call.rolloutID()
        guard let order = RolloutOrder(rawValue: call.name("order")) else {
            throw AdminError(
                code: "PathNotFound", status: 404, message: "A rollout cannot be told to \(call.name("order")).",
                remedy: "Use \(RolloutOrder.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        call.services.rollouts.perform(order, on: id) { result in
            switch result {
            case .failure(let error): completion(.refused(error))
            case .success(let status): completion(.value(status.value))
            }
        }
    }
}

extension AdminCallContext {
    /// The number in the path. Errors: what stands there is not a number.
    fileprivate func rolloutID() throws(AdminError) -> Int {
        try Int(name("id")).orThrow(
            AdminError(
                code: "RolloutNotFound", status: 404,
                message: "A rollout has a number, but found \"\(name("id"))\".",
                remedy: "See \"apus rollout history\" for those there are."))
    }
}

extension RolloutStatus {
    /// As the socket shows it.
    fileprivate var value: Value {
        var value: Value = [
            "id": .int(record.id), "phase": .string(record.phase.rawValue), "step": .int(record.step + 1),
            "percent": .int(record.weights[record.rollout.to] ?? 0), "requests": .int(Int(clamping: requests)),
            "startedAt": .string(utcText(nanoseconds: record.startedAt)), "rollout": record.rollout.encoded(),
        ]
        value["uid"] = record.user.map { .int(Int($0)) }
        value["endedAt"] = record.endedAt.map { .string(utcText(nanoseconds: $0)) }
        value["reason"] = record.reason.map { .string($0) }
        value["waitsFor"] = waitsFor.map { .string($0) }
        value["guards"] = .array(readings.map { $0.reading.value($0.name) })
        return value
    }
}
