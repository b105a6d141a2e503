import Model

// Listeners and rules.
extension AdminView {
    static func listeners(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(
            ("load balancer", .left), ("addresses", .left), ("port", .right), ("protocol", .left), ("tls", .left),
            ("rules", .right), ("default action", .left))
        for loadBalancer in answer["loadBalancers"]?.array ?? [] {
            let addresses = (loadBalancer["addresses"]?.array ?? []).map(text).joined(separator: " ")
            for listener in loadBalancer["listeners"]?.array ?? [] {
                table.add(
                    cell(loadBalancer["name"]), TextTable.Cell(addresses), cell(listener["port"]),
                    cell(listener["protocol"]), TextTable.Cell(tls(listener)),
                    "\(listener["rules"]?.array?.count ?? 0)",
                    TextTable.Cell(action(listener["defaultActions"])))
            }
        }
        return table.text(coloured: coloured, otherwise: "There are no listeners.")
    }

    /// `2 certificates, TLS13-1-2-Res-2021-06`; a dash for a listener without.
    private static func tls(_ listener: Value) -> String {
        guard let certificates = listener["certificates"]?.array, !certificates.isEmpty else { return "-" }
        let policy = listener["sslPolicy"]?.string ?? SecurityPolicy.standard.name
        let name = policy.hasPrefix(SecurityPolicy.prefix) ? policy.dropFirst(SecurityPolicy.prefix.count) : policy[...]
        return "\(certificates.count) certificate\(certificates.count == 1 ? "" : "s"), \(name)"
    }

    /// The rules of one listener, its default action last, where it is tried.
    static func rules(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(("priority", .right), ("if", .left), ("then", .left))
        let rules = (answer["rules"]?.array ?? []).sorted { ($0["priority"]?.int ?? 0) < ($1["priority"]?.int ?? 0) }
        for rule in rules {
            let conditions = (rule["conditions"]?.array ?? []).map(condition).joined(separator: " and ")
            table.add(
                cell(rule["priority"]), TextTable.Cell(conditions.isEmpty ? "always" : conditions),
                TextTable.Cell(action(rule["actions"])))
        }
        table.add("default", "always", TextTable.Cell(action(answer["defaultActions"])))
        return table.text(coloured: coloured, otherwise: "")
    }

    private static func condition(_ value: Value) -> String {
        let field = text(value["field"])
        let config = value["hostHeaderConfig"] ?? value["pathPatternConfig"] ?? value
        let values = (config["values"]?.array ?? []).map(text).joined(separator: " or ")
        return "\(field == "host-header" ? "host" : field == "path-pattern" ? "path" : field) is \(values)"
    }

    /// `forward to blue (90), green (10)`, `answer 404`, `redirect to https://…`.
    private static func action(_ list: Value?) -> String {
        guard let action = list?.array?.first else { return "-" }
        switch action["type"]?.string {
        case "forward":
            if let group = action["targetGroupName"] { return "forward to \(text(group))" }
            let groups = action["forwardConfig"]?["targetGroups"]?.array ?? []
            if groups.count == 1 { return "forward to \(text(groups[0]["targetGroupName"]))" }
            let shares = groups.map { "\(text($0["targetGroupName"])) (\(text($0["weight"])))" }
            return "forward to \(shares.joined(separator: ", "))"
        case "fixed-response": return "answer \(text(action["fixedResponseConfig"]?["statusCode"]))"
        case "redirect":
            let config = action["redirectConfig"] ?? [:]
            func part(_ key: String, _ otherwise: String) -> String { config[key]?.string ?? otherwise }
            let query = part("query", "#{query}")
            return "redirect to \(part("protocol", "#{protocol}").lowercased())://\(part("host", "#{host}")):"
                + "\(part("port", "#{port}"))\(part("path", "/#{path}"))\(query.isEmpty ? "" : "?\(query)")"
        default: return text(action["type"])
        }
    }
}
