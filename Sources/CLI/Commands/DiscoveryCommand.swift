import ArgumentParser
import Model

/// `apus discovery`.
struct DiscoveryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discovery",
        abstract: "Sources of targets: when they were heard last, what they gave, what was refused and why.")

    @OptionGroup var socket: SocketOptions

    func run() throws { try socket.perform(.discovery) }
}

extension AdminCall {
    /// All sources of targets.
    static var discovery: AdminCall { AdminCall("GET", "/v1/discovery", view: AdminView.discovery) }
}

extension AdminView {
    static func discovery(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(
            ("group", .left), ("source", .left), ("state", .left), ("last heard", .left), ("targets", .right),
            ("refused", .right))
        var remarks = ""
        for source in answer["sources"]?.array ?? [] {
            let group = source["targetGroupName"]?.string ?? "by labels"
            let state = text(source["state"])
            let refusedCount = source["refusedCount"]?.int ?? 0
            table.add(
                TextTable.Cell(group), TextTable.Cell("\(text(source["type"])) \(text(source["source"]))"),
                TextTable.Cell(state, state == "following" ? .good : state == "away" ? .bad : .pending),
                cell(source["lastHeard"]), TextTable.Cell("\(source["targets"]?.array?.count ?? 0)"),
                TextTable.Cell("\(refusedCount)", refusedCount > 0 ? .bad : nil))
            if let reason = source["reason"]?.string { remarks += line("\(group): \(reason)") }
            for remark in source["remarks"]?.array ?? [] { remarks += line("\(group): \(text(remark))") }
            let refused = source["refused"]?.array ?? []
            for refusal in refused {
                let (reason, remedy) = (text(refusal["reason"]), text(refusal["remedy"]))
                remarks += line("\(group): \(text(refusal["name"])) is not used: \(reason) \(remedy)")
            }
            if refusedCount > refused.count { remarks += "\(group): … and \(refusedCount - refused.count) more.\n" }
        }
        return table.text(coloured: coloured, otherwise: "Nothing is discovered.") + remarks
    }

    /// A line of what somebody else wrote: control characters become spaces.
    private static func line(_ text: String) -> String { TextTable.Cell(text).text + "\n" }
}
