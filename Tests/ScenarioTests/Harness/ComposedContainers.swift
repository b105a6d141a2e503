import Foundation
import Testing

/// The containers of a Compose file, run by a daemon of their own.
///
/// Shape:  gone when let go. No Compose is needed: `compose.py` says what it would run.
final class ComposedContainers: Sendable {
    let containers: Containers
    /// The project's name.
    let name: String

    /// Starts what `file` describes, and waits until its service "apus" is healthy.
    init(_ file: String) throws {
        containers = try Containers(count: 0)
        try ContainerImage.load(into: containers)
        let folder = containers.folder
        let commands = try Tool.run([Tool.python, Tool.script("compose"), file, containers.socket], in: folder)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        name = String(text.split(separator: "\n").first { $0.hasPrefix("name: ") }?.dropFirst(6) ?? "")
        for command in commands.split(separator: "\n") {
            try runShell("/usr/bin/docker -H unix://\(containers.socket) \(command)", in: folder)
        }
        guard try containers.becomes(container("apus"), "healthy") else {
            throw ApusFailure(status: nil, errors: logs)
        }
    }

    /// The name of a service's container.
    func container(_ service: String, _ number: Int = 1) -> String { "\(name)-\(service)-\(number)" }

    /// What Apus has written.
    var logs: String { containers.logs(container("apus")) }
    /// What discovery says, for people.
    var discovery: String { (try? apus("discovery")) ?? "" }

    /// Runs `apus ARGUMENTS` in the container of Apus, and returns what it prints.
    func apus(_ words: String...) throws -> String {
        try Tool.run(
            ["/usr/bin/docker", "-H", "unix://\(containers.socket)", "exec", container("apus"), "apus"] + words,
            in: containers.folder, expectsSuccess: false)
    }

    /// Whether so many targets of a group, and no more, are healthy, or become so.
    func has(_ count: Int, healthyIn group: String) throws -> Bool {
        try eventually(within: 30) {
            let targets = try JSON(parsing: Array(apus("targets", "list", group, "--json").utf8))
            let states = targets["targetHealthDescriptions"].elements.map { $0["targetHealth"]["state"].string }
            return states.count == count && states.allSatisfy { $0 == "healthy" }
        }
    }
}
