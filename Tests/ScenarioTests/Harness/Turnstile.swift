/// A target that answers only as many requests as it is let, in the order in which they came, and records how many it
/// had at once.
final class Turnstile: Sendable {
    private let state = Locked(State())

    private struct State {
        var paths: [String] = []
        var allowedCount = 0
        var inFlight = 0
        var inFlightMax = 0
    }

    /// The most requests that it has had at once.
    var inFlightMax: Int { state.withLock { $0.inFlightMax } }
    /// The targets of the requests that came so far, in their order.
    var paths: [String] { state.withLock { $0.paths } }
    /// How many those are.
    var arrivedCount: Int { state.withLock { $0.paths.count } }

    /// Lets so many more requests be answered.
    func allow(_ count: Int = 1) { state.withLock { $0.allowedCount += count } }

    /// Lets all requests be answered from now on.
    func open() { state.withLock { $0.allowedCount = .max / 2 } }

    /// The script of the target.
    func script(_ body: String = "blue\n") -> TargetServer.Script {
        { [state] connection in
            while let request = try connection.request() {
                let number = state.withLock { state in
                    state.paths.append(request.target)
                    state.inFlight += 1
                    state.inFlightMax = max(state.inFlightMax, state.inFlight)
                    return state.paths.count
                }
                _ = eventually(within: 60) { state.withLock { $0.allowedCount } >= number }
                // Apus may send the next one as soon as it has the answer.
                state.withLock { $0.inFlight -= 1 }
                try connection.respond(body: body)
            }
        }
    }
}
