import ArgumentParser
import Model

/// `apus events`.
struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Print what happens, as it happens: health, registrations, changes, reloads.")

    @Option(name: .long, help: "Begin with the last so many events.")
    var recent = 0
    @OptionGroup var socket: SocketOptions

    func validate() throws {
        if recent < 0 { throw ValidationError("--recent must be 0 or more.") }
    }

    func run() throws {
        do throws(AdminClientError) {
            try EventView.follow(socket: socket.path, recent: recent, asJSON: socket.json)
        } catch {
            throw socket.failure(error)
        }
    }
}

/// How people see the events of the admin socket.
public enum EventView {
    /// Writes each event of the server at `socket` to the standard output, until the server ends or standard output is
    /// closed.
    static func follow(socket: String, recent: Int, asJSON: Bool) throws(AdminClientError) {
        try AdminClient(path: socket).lines("/v1/events?recent=\(recent)") { line in
            guard let text = asJSON ? line + "\n" : sentence(line) else { return true }
            return Console.write(text)
        }
    }

    /// A line of the stream for a person: the time of day and what happened; nil for a sign of life.
    public static func sentence(_ line: String) -> String? {
        guard let event = try? Value.parse(json: line), let name = event["event"]?.string else { return line + "\n" }
        if name == "heartbeat" { return nil }
        let time = AdminView.text(event["time"])
        var words = [time, name]
        for member in event.members ?? [] where !["sequence", "time", "event"].contains(member.key) {
            words.append(Self.words(member))
        }
        return words.joined(separator: "  ") + "\n"
    }

    private static func words(_ member: Value.Member) -> String {
        switch member.key {
        case "target" where member.value["finished"] != nil:
            let report = member.value
            return "\(AdminView.target(report))  finished=\(AdminView.text(report["finished"]))  "
                + "cut=\(AdminView.text(report["cut"]))  \(left(report))took=\(AdminView.text(report["seconds"]))s"
        case "target": return AdminView.target(member.value)
        case "targets": return (member.value.array ?? []).map(AdminView.target).joined(separator: " ")
        case "changes": return (member.value.array ?? []).map { AdminView.text($0) }.joined(separator: "; ")
        default: return "\(member.key)=\(AdminView.text(member.value))"
        }
    }

    /// The connections that continue, if there are any.
    private static func left(_ report: Value) -> String {
        guard let left = report["left"]?.int, left > 0 else { return "" }
        return "left=\(left)  "
    }
}
