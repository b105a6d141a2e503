import ArgumentParser
import Model

/// `apus groups`.
struct GroupsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "groups", abstract: "List target groups.")

    @OptionGroup var socket: SocketOptions

    func run() throws { try socket.perform(.groups) }
}

extension AdminCall {
    /// All target groups.
    static var groups: AdminCall { AdminCall("GET", "/v1/target-groups", view: AdminView.groups) }
}

extension AdminView {
    static func groups(_ answer: Value, _ coloured: Bool) -> String {
        let discovered = answer["discovered"]?.members ?? []
        var table = TextTable(
            ("name", .left), ("protocol", .left), ("port", .right), ("type", .left), ("healthy", .right),
            ("health check", .left), (discovered.isEmpty ? "" : "from", .left))
        for group in answer["targetGroups"]?.array ?? [] {
            let health = answer["health"]?[text(group["name"])]
            let isFailedOpen = health?["failOpen"]?.bool ?? false
            table.add(
                cell(group["name"]), cell(group["protocol"]), cell(group["port"]), cell(group["targetType"]),
                TextTable.Cell("\(text(health?["healthy"]))/\(text(health?["registered"]))", isFailedOpen ? .bad : nil),
                TextTable.Cell(healthCheck(group)),
                TextTable.Cell(discovered.isEmpty ? "" : origin(text(group["name"]), in: answer)))
        }
        return table.text(coloured: coloured, otherwise: "There are no target groups.")
    }

    /// Where an object comes from, if `answer` says that it was discovered: from the labels of which containers.
    static func origin(_ name: String, in answer: Value) -> String {
        guard let containers = answer["discovered"]?[name]?.array else { return "" }
        return containers.isEmpty ? "labels, no container" : "labels of " + containers.map(text).joined(separator: ", ")
    }

    private static func healthCheck(_ group: Value) -> String {
        let how = text(group["healthCheckProtocol"])
        let path = how == "TCP" ? "" : " \(text(group["healthCheckPath"]))"
        return "\(how)\(path) every \(text(group["healthCheckIntervalSeconds"])) s"
    }
}
