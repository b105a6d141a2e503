import ArgumentParser
import Model

/// `apus explain [METHOD] URL`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "What would become of a request, and why: rule by rule, target by target.",
        discussion: """
            As in: apus explain http://api.example.com:8080/v1/users -H 'X-User: 7' --source 198.51.100.7
            Nothing is sent. It is decided by what decides about traffic, of what is in force.
            """)

    @Argument(help: ArgumentHelp("A method, if it is not GET, and the URL.", valueName: "[method] url"))
    var words: [String]
    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: "A field, as in 'X-User: 7'. May be given several times.")
    var headers: [String] = []
    @Option(name: .long, help: ArgumentHelp("The client's address; else 127.0.0.1.", valueName: "address"))
    var source: String?
    @Option(name: .long, help: ArgumentHelp("The listener; else the one with the URL's port.", valueName: "lb:port"))
    var listener: String?
    @OptionGroup var socket: SocketOptions

    func validate() throws {
        guard (1...2).contains(words.count) else { throw ValidationError("Give a URL, or a method and a URL.") }
        for header in headers where !header.contains(":") {
            throw ValidationError("Write a field with its value, as in 'X-User: 7'.")
        }
    }

    func run() throws {
        var body: Value = ["url": .string(words[words.count - 1])]
        if words.count == 2 { body["method"] = .string(words[0]) }
        body["source"] = source.map { .string($0) }
        body["listener"] = listener.map { .string($0) }
        if !headers.isEmpty {
            body["headers"] = .array(
                headers.map { header in
                    let name = header.prefix { $0 != ":" }
                    let value = header.dropFirst(name.count + 1).drop { $0 == " " }
                    return ["name": .string(String(name)), "value": .string(String(value))]
                })
        }
        try socket.perform(.explain(body))
    }
}

extension AdminCall {
    /// What would become of a request.
    static func explain(_ body: Value) -> AdminCall {
        AdminCall("POST", "/v1/explain", body, view: AdminView.explanation)
    }
}

extension AdminView {
    static func explanation(_ answer: Value, _ coloured: Bool) -> String {
        var text = "listener \(self.text(answer["listener"]))\n"
        if answer["clientDenied"]?.bool == true {
            text += "The client's connection is reset: apus.allow or apus.deny does not let it in. Otherwise:\n"
        }
        var table = TextTable(("rule", .right), ("condition", .left), ("holds", .left), ("", .left))
        for rule in answer["rules"]?.array ?? [] {
            let conditions = rule["conditions"]?.array ?? []
            let decides = rule["decides"]?.bool == true
            for (index, one) in conditions.enumerated() {
                let holds = one["holds"]?.bool
                table.add(
                    TextTable.Cell(index == 0 ? self.text(rule["priority"]) : ""),
                    TextTable.Cell(condition(one["condition"] ?? [:])),
                    TextTable.Cell(
                        holds.map { $0 ? "yes" : "no" } ?? "not decided",
                        holds == true ? .good : holds == false ? .pending : .bad),
                    TextTable.Cell(index == 0 && decides ? "<- decides" : ""))
            }
        }
        let areRulesAsked = answer["outcome"]?.string != "refused" || answer["rules"]?.array?.isEmpty == false
        if areRulesAsked { text += table.text(coloured: coloured, otherwise: "It has no rules.") }
        switch answer["outcome"]?.string {
        case "refused":
            return text + "answered with \(self.text(answer["status"])) \(self.text(answer["reason"]))\n"
        case "forward": return text + forwarded(answer, coloured)
        default:
            return text + "\(which(answer)): \(self.text(answer["outcome"]))\n"
        }
    }

    private static func which(_ answer: Value) -> String {
        // As one expression of optionals the optimizer of Swift 6.3.1 fails.
        guard let priority = answer["rule"]?.int else { return "the default action" }
        return "rule \(priority)"
    }

    private static func forwarded(_ answer: Value, _ coloured: Bool) -> String {
        var text = "\(which(answer)) forwards"
        if let host = answer["transformedHost"]?.string { text += ", with host \(host)" }
        if let url = answer["transformedUrl"]?.string { text += ", as \(url)" }
        text += ":\n"
        var table = TextTable(
            ("group", .left), ("share", .right), ("target", .left), ("weight", .right), ("state", .left),
            ("eligible", .left), ("", .left))
        for group in answer["targetGroups"]?.array ?? [] {
            let targets = group["targets"]?.array ?? []
            let name = TextTable.Cell(self.text(group["targetGroupName"]))
            let share = TextTable.Cell("\(self.text(group["sharePercent"])) %")
            if targets.isEmpty {
                let dash = TextTable.Cell("-")
                table.add(name, share, TextTable.Cell("no target"), dash, dash, dash, TextTable.Cell(""))
            }
            for (index, one) in targets.enumerated() {
                let isEligible = one["eligible"]?.bool == true
                let suspect = one["suspect"]?.bool == true ? " (suspect)" : ""
                table.add(
                    index == 0 ? name : TextTable.Cell(""), index == 0 ? share : TextTable.Cell(""),
                    TextTable.Cell(target(one)), cell(one["weight"]),
                    TextTable.Cell(self.text(one["state"]) + suspect),
                    TextTable.Cell(isEligible ? "yes" : "no", isEligible ? .good : .bad),
                    TextTable.Cell(one["picked"]?.bool == true ? picked(group) : ""))
            }
        }
        text += table.text(coloured: coloured, otherwise: "no target group")
        if let cohort = answer["cohort"] { text += "Its user belongs to \(self.text(cohort)) (apus.cohorts).\n" }
        if answer["sticky"]?.bool == true { text += "A client whose cookie names a group stays with that.\n" }
        if answer["rateLimited"]?.bool == true { text += "The rule has a rate limit, beyond which it answers 429.\n" }
        for group in answer["targetGroups"]?.array ?? [] where group["failOpen"]?.bool == true {
            text += "Too few targets of \(self.text(group["targetGroupName"])) are healthy: all are used (fail open).\n"
        }
        return text
    }

    /// Why one of the eligible targets is marked.
    private static func picked(_ group: Value) -> String {
        switch group["algorithm"]?.string {
        case "apus.consistent_hash": "<- by its hash"
        case "round_robin": "<- in turn, as the others"
        default: "<- as things are now"
        }
    }
}
