import ArgumentParser
import CLI
import Control

/// `apus run FILE`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serve what a configuration file says.",
        discussion: """
            SIGHUP reads the file again, SIGUSR1 reopens the logs, SIGUSR2 has a new process take over (apus upgrade), \
            SIGTERM finishes and ends.
            """)

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

/// Does what starts something; its errors go to the standard error, one line each, and end the program with status 1.
func attempt<Result>(_ work: () throws(StartError) -> Result) throws -> Result {
    do throws(StartError) {
        return try work()
    } catch {
        let lines = error.description.split(separator: "\n").map { "\(Log.errorPrefix)apus: \($0)" }
        throw CommandFailure.refused(lines.joined(separator: "\n"))
    }
}

/// Ends with the status of what was run.
func finish(with status: Int32) throws {
    if status != 0 { throw CommandFailure(message: "", status: status) }
}
