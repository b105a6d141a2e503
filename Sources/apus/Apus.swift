import ArgumentParser
import CLI
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
        version: Control.versionAndLibraries,
        groupedSubcommands: [
            CommandGroup(
                name: "Serve",
                subcommands: [
                    RunCommand.self, ProxyCommand.self, CheckCommand.self, DemoCommand.self, SchemaCommand.self,
                ]),
            CommandGroup(name: "Ask a running apus", subcommands: AdminCommands.all),
            CommandGroup(name: "For the demo and for tests", subcommands: [DemoTargetCommand.self]),
        ])
}
