import ArgumentParser
import Model

/// `apus instances …`.
struct InstancesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instances", abstract: "The instance registry: which address each instance id has.",
        subcommands: [List.self, Set.self, Delete.self], defaultSubcommand: List.self)

    /// `apus instances list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List instances.")

        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.instances) }
    }

    /// `apus instances set ID ADDRESS`.
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give an instance an address.")

        @Argument(help: "The instance id.")
        var id: String
        @Argument(help: "An IPv4 or IPv6 address.")
        var address: String
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.setInstance(id, address: address)) }
    }

    /// `apus instances delete ID`.
    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an instance; its targets become unused.")

        @Argument(help: "The instance id.")
        var id: String
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.deleteInstance(id)) }
    }
}

extension AdminCall {
    /// The instance registry.
    static var instances: AdminCall { AdminCall("GET", "/v1/instances", view: AdminView.instances) }

    /// Adds or replaces an entry of the registry.
    static func setInstance(_ id: String, address: String) -> AdminCall {
        AdminCall("PUT", "/v1/instances/\(escaped(id))", ["address": .string(address)]) { answer, _ in
            AdminView.done("Set \(id) to \(address)", answer)
        }
    }

    /// Removes an entry of the registry.
    static func deleteInstance(_ id: String) -> AdminCall {
        AdminCall("DELETE", "/v1/instances/\(escaped(id))") { answer, _ in AdminView.done("Deleted \(id)", answer) }
    }
}

extension AdminView {
    static func instances(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(("instance", .left), ("address", .left))
        for instance in answer["instances"]?.array ?? [] { table.add(cell(instance["id"]), cell(instance["address"])) }
        return table.text(coloured: coloured, otherwise: "The instance registry is empty.")
    }
}
