import ArgumentParser
import Core
import Model

/// `apus upgrade [BINARY]`.
struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Have a new process take over without a loss, of a newer apus or of the same.",
        discussion: """
            The new process gets the listening sockets, health and keys, and says when it serves; then the old one \
            finishes what it has. If the new one does not get ready, the old one goes on as if nothing had been.
            """)

    @Argument(
        help: ArgumentHelp(
            "The program to start; else what is by now at the path of the running one.", valueName: "binary"))
    var binary: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long the old process may finish connections; else runtime.shutdownGraceSeconds.",
            valueName: "seconds"))
    var grace: Int?
    @OptionGroup var socket: SocketOptions

    func validate() throws {
        if let grace, grace < 0 { throw ValidationError("--grace must be 0 or more.") }
    }

    func run() throws {
        let path = binary.map { $0.hasPrefix("/") ? $0 : "\(Folder.current)/\($0)" }
        if !socket.json { Console.write("starting \(path ?? "the program of the running process") …\n") }
        try socket.perform(.upgrade(to: path, graceSeconds: grace))
    }
}

extension AdminCall {
    /// Has a new process take over.
    static func upgrade(to binary: String?, graceSeconds: Int?) -> AdminCall {
        var body: Value = [:]
        body["binary"] = binary.map { .string($0) }
        body["graceSeconds"] = graceSeconds.map { .int($0) }
        return AdminCall("POST", "/v1/upgrade", body, isRepeatable: false, view: AdminView.upgrade)
    }
}

extension AdminView {
    static func upgrade(_ answer: Value, _ coloured: Bool) -> String {
        let (old, new) = (answer["from"] ?? [:], answer["to"] ?? [:])
        let count = old["connections"]?.int ?? 0
        return "upgraded: pid \(text(old["pid"])) (\(text(old["version"]))) -> pid \(text(new["pid"])) "
            + "(\(text(new["version"]))); \(counted(count, "connection")) \(count == 1 ? "finishes" : "finish") "
            + "in the old one\n"
    }
}
