import ArgumentParser
import Control

extension Apus {
    /// `apus rules …`.
    struct Rules: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List, add and remove the rules of a listener.", subcommands: [List.self, Put.self, Delete.self])

        /// `apus rules list LB:PORT`.
        struct List: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "The rules in the order in which they are tried.")

            @Argument(help: ArgumentHelp("The listener.", valueName: "lb:port"), transform: ListenerOrRule.read)
            var listener: ListenerOrRule
            @OptionGroup var socket: SocketOptions

            func run() throws { try socket.perform(.rules(of: listener)) }
        }

        /// `apus rules put LB:PORT/PRIORITY …`.
        struct Put: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Add a rule, or replace the one of its priority.",
                discussion: """
                    As in: apus rules put web:8080/10 --path '/v1/*' --forward api
                    Or, for other actions, as in the file:
                    apus rules put web:8080/10 --body '{"conditions":[…],"actions":[…]}'
                    """)

            @Argument(help: ArgumentHelp("The rule.", valueName: "lb:port/priority"), transform: ListenerOrRule.read)
            var rule: ListenerOrRule
            @Option(name: .long, help: "A host that matches, with * and ?. May be given several times.")
            var host: [String] = []
            @Option(name: .long, help: "A path that matches, with * and ?. May be given several times.")
            var path: [String] = []
            @Option(
                name: .long,
                help: ArgumentHelp("Where requests go. May be given several times.", valueName: "group[=n]"),
                transform: GroupWeight.read)
            var forward: [GroupWeight] = []
            @Option(name: .long, help: ArgumentHelp("The whole rule as in the file.", valueName: "json"))
            var body: String?
            @OptionGroup var socket: SocketOptions

            func validate() throws {
                try requirePriority(of: rule)
                let hasFlags = !(host.isEmpty && path.isEmpty && forward.isEmpty)
                if hasFlags == (body != nil) {
                    throw ValidationError("Give either --body, or --forward with --host or --path.")
                }
                if hasFlags && forward.isEmpty { throw ValidationError("Give --forward: where its requests go.") }
                if hasFlags && host.isEmpty && path.isEmpty {
                    throw ValidationError("Give --host or --path: which requests it is for.")
                }
                try requireSense(of: forward)
            }

            func run() throws {
                guard let body else {
                    return try socket.perform(.putRule(rule, hosts: host, paths: path, forward: forward))
                }
                let call: AdminCall
                do throws(AdminClientError) { call = try .putRule(rule, json: body) } catch {
                    throw socket.failure(error)
                }
                try socket.perform(call)
            }
        }

        /// `apus rules delete LB:PORT/PRIORITY`.
        struct Delete: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Remove a rule.")

            @Argument(help: ArgumentHelp("The rule.", valueName: "lb:port/priority"), transform: ListenerOrRule.read)
            var rule: ListenerOrRule
            @OptionGroup var socket: SocketOptions

            func validate() throws { try requirePriority(of: rule) }

            func run() throws { try socket.perform(.deleteRule(rule)) }
        }
    }
}

/// Refuses weights that no server takes: a group twice, or beyond 999.
func requireSense(of weights: [GroupWeight]) throws {
    var seen: Set<String> = []
    for weight in weights {
        guard seen.insert(weight.group).inserted else { throw ValidationError("Name \(weight.group) once.") }
        guard (0...999).contains(weight.weight) else {
            throw ValidationError("The weight of \(weight.group) must be from 0 to 999, but is \(weight.weight).")
        }
    }
}

private func requirePriority(of rule: ListenerOrRule) throws {
    if rule.priority == nil { throw ValidationError("Name the rule by its priority, as in \(rule)/10.") }
}
