import ArgumentParser
import Control

/// The command line: one binary that serves, and that asks the one which serves.
///
/// Source: README.md.
struct Apus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "A load balancer for containers, in the words of Elastic Load Balancing.",
        discussion: """
            Commands that ask a running apus find its socket by --socket, else by APUS_SOCKET, else at \
            \(SocketOptions.standardPath).
            Exit status: 0 done, 1 refused, 2 wrong usage, 3 no server, 4 done, but exchanges were cut.
            """,
        version: apusVersionAndLibraries,
        groupedSubcommands: [
            CommandGroup(name: "Serve", subcommands: [Run.self, Check.self, Demo.self, Schema.self]),
            CommandGroup(
                name: "Ask a running apus",
                subcommands: [
                    Status.self, Reload.self, Targets.self, Groups.self, Listeners.self, Rules.self, Weights.self,
                    Instances.self, Events.self,
                ]),
            CommandGroup(name: "For the demo and for tests", subcommands: [DemoTarget.self]),
        ])
}

/// Why a command was not done: what to print, and with which status to end.
struct CommandFailure: Error {
    /// A line for the standard error; empty when all is said.
    let message: String
    /// 1 refused, 3 no server, 4 done, but exchanges were cut.
    let status: Int32

    /// The server, or control, said no.
    static func refused(_ message: String) -> CommandFailure { CommandFailure(message: message, status: 1) }

    /// A call to the admin socket that brought nothing. All mistakes are shown when there are several.
    init(_ error: AdminClientError) {
        let lines = error.refusal.lines.map { "apus: \($0)" }
        self.init(message: lines.joined(separator: "\n"), status: error.exitStatus)
    }

    init(message: String, status: Int32) {
        self.message = message
        self.status = status
    }
}
