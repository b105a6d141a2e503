import Core
import Model

/// Swaps: one target group takes over from another at once.
enum SwapRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/load-balancers/{lb}/listeners/{port}/swap", ("POST", .targets, swap)),
            .init("/v1/load-balancers/{lb}/listeners/{port}/rules/{priority}/swap", ("POST", .targets, swap)),
        ]
    }

    private static func swap(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        let swap = try call.swap()
        let status = call.status
        call.services.swaps.swap(swap, by: call.request.user, if: call.condition, for: call.requester) { result in
            switch result {
            case .failure(let error): completion(.refused(error))
            case .success(let weights):
                completion(
                    .value([
                        "generation": .int(Int(clamping: status.generation)),
                        "weights": .object(
                            weights.sorted { $0.key < $1.key }.map { Value.Member($0.key, .int($0.value)) }),
                    ]))
            }
        }
    }
}

extension AdminCallContext {
    /// The swap that the path and the body ask for.
    fileprivate func swap() throws(AdminError) -> Swap {
        var (from, to): (String?, String?)
        var enough = Swap.Enough.percent(100)
        var seconds = 0.0
        for member in try request.json().members ?? [] {
            let value = member.value
            switch (member.key, value.string, value.int, value.seconds) {
            case ("from", let name?, _, _): from = name
            case ("to", let name?, _, _): to = name
            case ("minimumHealthyCount", _, let count?, _) where count >= 0: enough = .count(count)
            case ("minimumHealthyPercent", _, _, let percent?) where (0...100).contains(percent):
                enough = .percent(percent)
            case ("waitSeconds", _, _, let time?) where (0...Limits.healthWaitSecondsMax).contains(time): seconds = time
            default: throw Self.swapNotUnderstood
            }
        }
        guard let from, let to, from != to else { throw Self.swapNotUnderstood }
        return Swap(
            loadBalancer: name("lb"), port: try port(), priority: names["priority"] == nil ? nil : try priority(),
            from: from, to: to, enough: enough, timeout: Nanoseconds(seconds: seconds))
    }

    private static let swapNotUnderstood = AdminError(
        code: "ValidationError",
        message: "The body must name two target groups, from and to, and may hold minimumHealthyCount or "
            + "minimumHealthyPercent, up to 100, and waitSeconds, up to \(Int(Limits.healthWaitSecondsMax)).",
        remedy: "Send {\"from\": \"blue\", \"to\": \"green\", \"minimumHealthyPercent\": 50, \"waitSeconds\": 60}.")
}
