import ArgumentParser
import Model

/// `apus reload`.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the configuration file read again, with what was changed at run time on top.")

    @Flag(name: .long, help: "Put aside what was changed at run time.")
    var discardChanges = false
    @OptionGroup var socket: SocketOptions

    func run() throws { try socket.perform(.reload(discardingChanges: discardChanges)) }
}

extension AdminCall {
    /// Reads the file again.
    static func reload(discardingChanges: Bool) -> AdminCall {
        AdminCall("POST", "/v1/reload", discardingChanges ? ["discardChanges": true] : nil, view: AdminView.reload)
    }
}

extension AdminView {
    static func reload(_ answer: Value, _ coloured: Bool) -> String {
        var lines: [String] = []
        func add(_ heading: String, _ key: String) {
            guard let list = answer[key]?.array, !list.isEmpty else { return }
            lines.append(heading)
            lines += list.map { "  \(text($0))" }
        }
        add("Changed:", "changes")
        add(
            "Changes made at run time that do not fit the file any more, and are kept for the next reload:",
            "changesNotApplied")
        lines += overrides(answer)
        add("Takes effect at the next start only:", "needsRestart")
        if (answer["changes"]?.array ?? []).isEmpty { lines.insert("Nothing in force has changed.", at: 0) }
        if let aside = answer["putAside"] { lines.append("What was changed at run time is kept in \(text(aside)).") }
        return lines.map { $0 + "\n" }.joined() + done("Reloaded", answer)
    }
}
