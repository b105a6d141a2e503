import ArgumentParser
import Model

/// `apus prefix-lists …`.
struct PrefixListsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prefix-lists",
        abstract: "Networks under names, by which listeners allow or deny clients.",
        subcommands: [List.self, Show.self, Set.self, Delete.self], defaultSubcommand: List.self)

    /// `apus prefix-lists list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List prefix lists.")

        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.prefixLists) }
    }

    /// `apus prefix-lists show NAME`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the entries of a prefix list, a line each.")

        @Argument(help: "The prefix list.")
        var name: String
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.prefixList(name)) }
    }

    /// `apus prefix-lists set NAME ENTRY…`.
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a prefix list these entries in place of those that it has; without any, none.",
            discussion: """
                New connections and flows are judged by them at once; what is open stays open.

                  apus prefix-lists set office 198.51.100.0/24 2001:db8::/32
                """)

        @Argument(help: "The prefix list, which is made if it is not there.")
        var name: String
        @Argument(help: "Networks such as 10.0.0.0/8, and names of other prefix lists.")
        var entries: [String] = []
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.setPrefixList(name, entries: entries)) }
    }

    /// `apus prefix-lists delete NAME`.
    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a prefix list that nothing names.")

        @Argument(help: "The prefix list.")
        var name: String
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.deletePrefixList(name)) }
    }
}

extension AdminCall {
    /// All prefix lists.
    static var prefixLists: AdminCall { AdminCall("GET", "/v1/prefix-lists", view: AdminView.prefixLists) }

    /// One prefix list.
    static func prefixList(_ name: String) -> AdminCall {
        AdminCall("GET", "/v1/prefix-lists/\(escaped(name))", view: AdminView.prefixList)
    }

    /// Makes a prefix list, or replaces its entries.
    static func setPrefixList(_ name: String, entries: [String]) -> AdminCall {
        AdminCall("PUT", "/v1/prefix-lists/\(escaped(name))", ["entries": .array(entries.map { .string($0) })]) {
            answer, _ in
            AdminView.done("Set \(name) to \(entries.count == 1 ? "1 entry" : "\(entries.count) entries")", answer)
        }
    }

    /// Removes a prefix list.
    static func deletePrefixList(_ name: String) -> AdminCall {
        AdminCall("DELETE", "/v1/prefix-lists/\(escaped(name))") { answer, _ in
            AdminView.done("Deleted \(name)", answer)
        }
    }
}

extension AdminView {
    static func prefixLists(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(("prefix list", .left), ("entries", .right))
        for list in answer["prefixLists"]?.array ?? [] {
            table.add(cell(list["name"]), TextTable.Cell("\(list["entries"]?.array?.count ?? 0)"))
        }
        return table.text(coloured: coloured, otherwise: "There are no prefix lists.")
    }

    static func prefixList(_ answer: Value, _ coloured: Bool) -> String {
        (answer["entries"]?.array ?? []).compactMap { $0.string.map { "\($0)\n" } }.joined()
    }
}
