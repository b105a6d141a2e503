import ArgumentParser

/// What all commands that ask a running apus have in common.
public struct SocketOptions: ParsableArguments {
    /// The default path of the admin socket.
    public static let standardPath = "/run/apus/admin.sock"

    /// The path that was given; nil without one.
    @Option(name: .long, help: ArgumentHelp("Path of the admin socket.", valueName: "path"))
    public var socket: String?

    /// Whether scripts read the answer.
    @Flag(name: .long, help: "Print the answer as JSON, refusals too.")
    public var json = false

    /// Nothing is given yet.
    public init() {}

    /// The socket that is meant.
    public var path: String { socket ?? Console.environment("APUS_SOCKET") ?? Self.standardPath }

    /// Asks, and prints the answer. Errors: `CommandFailure`.
    func perform(_ call: AdminCall) throws {
        let outcome: AdminCall.Outcome
        do throws(AdminClientError) {
            outcome = try call.perform(socket: path, asJSON: json, coloured: Console.isColoured)
        } catch {
            throw failure(error)
        }
        Console.write(outcome.text)
        for warning in outcome.warnings { Console.warn("apus: warning: \(warning)") }
        if outcome.exitStatus != 0 { throw CommandFailure(message: "", status: outcome.exitStatus) }
    }

    /// The exit of a failed call. With `--json` scripts also get the error as JSON, an error of the server unaltered.
    func failure(_ error: AdminClientError) -> CommandFailure {
        if json { Console.write(error.refusal.json) }
        return CommandFailure(error)
    }
}
