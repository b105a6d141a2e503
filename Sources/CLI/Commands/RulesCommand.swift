import ArgumentParser
import Model

/// `apus rules …`.
struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "List, add and remove the rules of a listener.",
        subcommands: [List.self, Put.self, Delete.self])

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

extension AdminCall {
    /// The rules of a listener, its default action last.
    static func rules(of listener: ListenerOrRule) -> AdminCall {
        AdminCall("GET", "\(listener.listenerPath)/rules", view: AdminView.rules)
    }

    /// Adds or replaces a rule. `conditions` and `actions` are as in the file. Errors: `listener` names no priority.
    static func putRule(_ rule: ListenerOrRule, hosts: [String], paths: [String], forward: [GroupWeight])
        -> AdminCall
    {
        var conditions: [Value] = []
        func add(_ field: String, _ values: [String]) {
            if values.isEmpty { return }
            conditions.append(["field": .string(field), "values": .array(values.map { .string($0) })])
        }
        add("host-header", hosts)
        add("path-pattern", paths)
        let groups = forward.map { weight -> Value in
            ["targetGroupName": .string(weight.group), "weight": .int(weight.weight)]
        }
        let action: Value = ["type": "forward", "forwardConfig": ["targetGroups": .array(groups)]]
        return putRule(rule, ["conditions": .array(conditions), "actions": [action]])
    }

    /// Adds or replaces a rule that is given as JSON. Errors: what is wrong with the JSON.
    static func putRule(_ rule: ListenerOrRule, json: String) throws(AdminClientError) -> AdminCall {
        do throws(ConfigErrors) {
            return putRule(rule, try Value.parse(json: json, file: ""))
        } catch {
            throw .refused(AdminError(error))
        }
    }

    private static func putRule(_ rule: ListenerOrRule, _ body: Value) -> AdminCall {
        AdminCall("PUT", rule.path, body) { answer, _ in AdminView.done("Put rule \(rule)", answer) }
    }

    /// Removes a rule.
    static func deleteRule(_ rule: ListenerOrRule) -> AdminCall {
        AdminCall("DELETE", rule.path) { answer, _ in AdminView.done("Deleted rule \(rule)", answer) }
    }
}

extension AdminView {
    /// The rules of one listener, its default action last, where it is tried.
    static func rules(_ answer: Value, _ coloured: Bool) -> String {
        let isDiscovered = answer["discovered"]?.members?.isEmpty == false
        var table = TextTable(
            ("priority", .right), ("if", .left), ("then", .left), (isDiscovered ? "from" : "", .left))
        let rules = (answer["rules"]?.array ?? []).sorted { ($0["priority"]?.int ?? 0) < ($1["priority"]?.int ?? 0) }
        for rule in rules {
            let conditions = (rule["conditions"]?.array ?? []).map(condition).joined(separator: " and ")
            table.add(
                cell(rule["priority"]), TextTable.Cell(conditions.isEmpty ? "always" : conditions),
                TextTable.Cell(action(rule["actions"])),
                TextTable.Cell(isDiscovered ? origin(text(rule["priority"]), in: answer) : ""))
        }
        table.add("default", "always", TextTable.Cell(action(answer["defaultActions"])), "")
        return table.text(coloured: coloured, otherwise: "")
    }

    static func condition(_ value: Value) -> String {
        let configs = [
            "hostHeaderConfig", "pathPatternConfig", "httpHeaderConfig", "httpRequestMethodConfig", "queryStringConfig",
            "sourceIpConfig",
        ]
        let config = configs.lazy.compactMap { value[$0] }.first ?? value
        let field = text(value["field"])
        let subject =
            switch field {
            case "host-header": "host"
            case "path-pattern": "path"
            case "http-header": "field \(text(config["httpHeaderName"]))"
            case "http-request-method": "method"
            case "query-string": "query"
            default: field
            }
        if let expressions = (config["regexValues"] ?? value["regexValues"])?.array {
            return "\(subject) matches \(expressions.map(text).joined(separator: " or "))"
        }
        if let family = config["ipAddressType"] { return "\(subject) is \(text(family))" }
        let values = (config["values"]?.array ?? []).map { value in
            value.members == nil ? text(value) : "\(value["key"].map(text) ?? "*")=\(text(value["value"]))"
        }
        return "\(subject) is \(values.joined(separator: " or "))"
    }
}

private func requirePriority(of rule: ListenerOrRule) throws {
    if rule.priority == nil { throw ValidationError("Name the rule by its priority, as in \(rule)/10.") }
}
