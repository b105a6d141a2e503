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
    /// Whether it may be asked again when the process that was asked is being replaced: asked twice, it means the same.
    let isRepeatable: Bool

    init(
        _ method: String, _ target: String, _ body: Value? = nil, isRepeatable: Bool = true,
        tellsOfCuts: @escaping (Value) -> Bool = { _ in false },
        view: @escaping (Value, Bool) -> String
    ) {
        self.method = method
        self.target = target
        self.body = body
        self.isRepeatable = isRepeatable
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
        let answer = try ask(AdminClient(path: socket), within: Limits.replacementTime)
        return Outcome(
            text: asJSON ? answer.json(pretty: true) : view(answer, coloured),
            warnings: (answer["warnings"]?.array ?? []).compactMap { Warning($0)?.description },
            exitStatus: tellsOfCuts(answer) ? 4 : 0)
    }

    /// Asks. A process that is being replaced (`apus upgrade`, a restart) is not the last word: the one that follows is
    /// asked, for as long as `time`.
    func ask(_ client: AdminClient, within time: Nanoseconds) throws(AdminClientError) -> Value {
        let deadline = Instant.now() + time
        var wasRefused = false
        while true {
            do throws(AdminClientError) {
                return try client.call(method, target, body: body)
            } catch {
                let isReplaced = error.isOfReplacedProcess || wasRefused && error.exitStatus == 3
                guard isRepeatable, isReplaced, Instant.now() < deadline else { throw error }
                wasRefused = true
            }
            // An upgrade has another process at the socket at once; a restart takes a moment.
            var poller = Poller()
            _ = poller.wait(until: Instant.now() + Limits.replacementPause, now: Instant.now())
        }
    }
}

extension AdminClientError {
    /// Whether the process that was asked has said that it is stopping, or has ended with the connection in its hands.
    fileprivate var isOfReplacedProcess: Bool {
        switch self {
        case .refused(let error): error.code == "OperationNotPermitted" && error.status == 503
        case .unanswered: true
        case .noServer, .forbidden, .broken, .late: false
        }
    }
}
