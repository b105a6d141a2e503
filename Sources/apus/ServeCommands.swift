import ArgumentParser
import Control

extension Apus {
    /// `apus run FILE`.
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve what a configuration file says.",
            discussion: "SIGHUP reads the file again, SIGUSR1 opens the access log anew, SIGTERM finishes and ends.")

        @Argument(help: "The configuration, in YAML or JSON.")
        var file: String

        @Flag(name: .long, help: "Put aside what was changed at run time, and start from the file alone.")
        var discardChanges = false

        func run() throws {
            Log.bootstrap()
            try finish(
                with: attempt { () throws(StartError) in
                    try Control.start(file: file, discardingChanges: discardChanges)
                })
        }
    }

    /// `apus check FILE`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what run and reload would say about a configuration file, and what cannot be known.",
            discussion: """
                Looks at the file and at this host: ports, folders, the user, certificates. An apus that runs with the \
                file's admin.socket is asked what a reload would say; its own ports are not in its way.
                """)

        @Argument(help: "The configuration, in YAML or JSON; - reads the standard input.")
        var file: String

        @Flag(name: .long, help: "Leave this host aside, as for a file that is for another one.")
        var fileOnly = false

        @OptionGroup var socket: SocketOptions

        func run() throws {
            let report = Control.check(file: file, socket: socket.path, fileOnly: fileOnly)
            Console.write(socket.json ? report.json : report.text)
            try attempt { () throws(StartError) in
                if let error = report.error { throw error }
            }
        }
    }

    /// `apus demo [FILE]`.
    struct Demo: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try it: sample targets in two versions, with the load balancer in front.")

        @Argument(help: "The configuration to try.")
        var file = "conf/quickstart.yaml"

        func run() throws {
            Log.bootstrap(level: .error)  // the demo tells what happens in its own words
            let program = Console.program
            try finish(with: attempt { () throws(StartError) in try DemoCommand.run(file: file, program: program) })
        }
    }

    /// `apus demo-target`, which the demo and the tests start.
    struct DemoTarget: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "demo-target", abstract: "A target that answers with its name.", shouldDisplay: false)

        @Option(help: "What it answers.")
        var name: String

        @Option(help: "The port it listens on.")
        var port: UInt16

        @Option(help: "The address it listens on.")
        var address = "127.0.0.1"

        @Option(help: "The process with which it ends.")
        var parent: Int32?

        func run() throws {
            try attempt { () throws(StartError) in
                try DemoTargetCommand.run(name: name, address: address, port: port, parent: parent)
            }
        }
    }

    /// `apus schema`.
    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JSON Schema of configuration files, for editors.")

        func run() { Console.write(Control.schema) }
    }
}

/// Does what starts something; its errors go to the standard error, one line each, and end the program with status 1.
private func attempt<Result>(_ work: () throws(StartError) -> Result) throws -> Result {
    do throws(StartError) {
        return try work()
    } catch {
        let lines = error.description.split(separator: "\n").map { "apus: \($0)" }
        throw CommandFailure.refused(lines.joined(separator: "\n"))
    }
}

/// Ends with the status of what was run.
private func finish(with status: Int32) throws {
    if status != 0 { throw CommandFailure(message: "", status: status) }
}
