import ArgumentParser
import CLI
import Control

/// `apus check FILE`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
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
        var check = ConfigurationCheck(file: file)
        if fileOnly {
            check.leaveHostAside()
        } else if let document = check.document {
            check.examineHost(
                running: .find(
                    for: document, content: check.content, file: check.report.file, folder: check.folder,
                    elsewhere: socket.path))
        }
        Console.write(socket.json ? check.report.json : check.report.text)
        try attempt { () throws(StartError) in
            if let error = check.error { throw error }
        }
    }
}

/// `apus schema`.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of configuration files, for editors.")

    func run() { Console.write(Control.schema) }
}
