/// Why a command was not done: what to print, and with which status to end.
public struct CommandFailure: Error {
    /// A line for standard error; empty if there is nothing to add.
    public let message: String
    /// 1 refused, 3 no server, 4 done, but exchanges were cut.
    public let status: Int32

    /// The server, or control, rejected the request.
    public static func refused(_ message: String) -> CommandFailure { CommandFailure(message: message, status: 1) }

    /// A call to the admin socket that brought nothing. All mistakes are shown when there are several.
    init(_ error: AdminClientError) {
        let lines = error.refusal.lines.map { "apus: \($0)" }
        self.init(message: lines.joined(separator: "\n"), status: error.exitStatus)
    }

    /// A failure with a message for the standard error, empty when all is said, and the exit status.
    public init(message: String, status: Int32) {
        self.message = message
        self.status = status
    }
}
