import Core
import Model

/// One thing the command line asks of a running Apus: the request, and how people see the answer.
///
/// Each command adds its own in its file, next to the view of the answer.
struct AdminCall {
    /// As in `GET`.
    let method: String
    /// Path and query.
    let target: String
    /// What is sent; nil for nothing.
    let body: Value?
    /// The answer as text for a person, whether in colours or not.
    let view: (Value, _ coloured: Bool) -> String
    /// Whether the response reports that something was cut, or will be.
    let tellsOfCuts: (Value) -> Bool

    init(
        _ method: String, _ target: String, _ body: Value? = nil,
        tellsOfCuts: @escaping (Value) -> Bool = { _ in false },
        view: @escaping (Value, Bool) -> String
    ) {
        self.method = method
        self.target = target
        self.body = body
        self.tellsOfCuts = tellsOfCuts
        self.view = view
    }

    /// What a call brought that was not refused.
    struct Outcome: Sendable {
        /// What to print, with its last line feed.
        let text: String
        /// What to say on the standard error: a line each.
        let warnings: [String]
        /// With which status the command ends: 0, or 4 if something was cut.
        let exitStatus: Int32
    }

    /// Asks the server at `socket`, and waits for its answer.
    func perform(socket: String, asJSON: Bool, coloured: Bool) throws(AdminClientError) -> Outcome {
        let answer = try AdminClient(path: socket).call(method, target, body: body)
        return Outcome(
            text: asJSON ? answer.json(pretty: true) : view(answer, coloured),
            warnings: (answer["warnings"]?.array ?? []).compactMap { Warning($0)?.description },
            exitStatus: tellsOfCuts(answer) ? 4 : 0)
    }
}
