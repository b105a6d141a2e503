import ArgumentParser
import Model

/// `apus listeners`.
struct ListenersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listeners", abstract: "List the listeners of all load balancers.")

    @OptionGroup var socket: SocketOptions

    func run() throws { try socket.perform(.listeners) }
}

extension AdminCall {
    /// All listeners of all load balancers.
    static var listeners: AdminCall { AdminCall("GET", "/v1/load-balancers", view: AdminView.listeners) }
}

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

    /// `forward to blue (90), green (10)`, `answer 404`, `redirect to https://…`.
    static func action(_ list: Value?) -> String {
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
