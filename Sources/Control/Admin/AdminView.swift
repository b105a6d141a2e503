import Model

/// How people see the answers of the admin socket: tables with units, states in plain words.
///
/// Shape: pure functions from an answer to lines of text; what an answer lacks is shown as a dash.
enum AdminView {
    /// A change that was made, with the generation that holds it.
    static func done(_ what: String, _ answer: Value) -> String {
        "\(what) (generation \(text(answer["generation"]))).\n"
    }

    static func status(_ answer: Value, _ coloured: Bool) -> String {
        let counters = answer["counters"] ?? [:]
        var lines = [
            "apus \(text(answer["version"])), running for \(duration(answer["uptimeSeconds"]?.int ?? 0)) "
                + "as process \(text(answer["pid"]))",
            "libraries      OpenSSL \(text(answer["libraries"]?["openssl"])), "
                + "nghttp2 \(text(answer["libraries"]?["nghttp2"]))",
            "TLS            in this process; kTLS is not used",
            "configuration  \(text(answer["configurationFile"])), generation \(text(answer["generation"]))",
            "connections    \(text(counters["clientConnectionsActive"])) open, "
                + "\(text(counters["clientConnections"])) since the start",
            "requests       \(text(counters["requestsActive"])) going on, "
                + "\(text(counters["requests"])) since the start",
            "errors         \(text(counters["targetResponses5xx"])) × 5xx from targets, "
                + "\(text(counters["generatedResponses5xx"])) × 5xx made here, \(text(counters["retries"])) retries",
            "cut            \(text(counters["connectionsCutByConfiguration"])) connections by configuration, "
                + "\(text(counters["exchangesCutByDeregistration"])) exchanges by deregistration",
        ]
        if let flows = answer["flows"]?.members?.filter({ $0.value["total"]?.int ?? 0 > 0 }), !flows.isEmpty {
            let active = flows.map { "\(text($0.value["active"])) \($0.key)" }.joined(separator: ", ")
            let total = flows.reduce(0) { $0 + ($1.value["total"]?.int ?? 0) }
            lines.insert("flows          \(active) going on, \(total) since the start", at: 6)
        }
        let failedOpen = (answer["groupsFailedOpen"]?.array ?? []).map(text)
        if !failedOpen.isEmpty {
            lines.append("failing open   \(failedOpen.joined(separator: ", ")): no target is healthy, so all are used")
        }
        let waiting = answer["changesNotApplied"]?.array ?? []
        if !waiting.isEmpty {
            lines.append("")
            lines.append("Changes made at run time that do not fit the file any more:")
            lines += waiting.map { "  \(text($0))" }
        }
        let overrides = overrides(answer)
        if !overrides.isEmpty { lines += [""] + overrides }
        var table = TextTable(
            ("worker", .right), ("connections", .right), ("to targets", .right), ("requests", .right), ("held", .right))
        for worker in answer["workers"]?.array ?? [] {
            table.add(
                cell(worker["index"]), cell(worker["clientConnectionsActive"]), cell(worker["targetConnectionsActive"]),
                cell(worker["requests"]), TextTable.Cell(bytes(worker["bytesHeld"]?.int ?? 0)))
        }
        return lines.map { $0 + "\n" }.joined() + "\n" + table.text(coloured: coloured, otherwise: "No workers.")
    }

    static func reload(_ answer: Value, _ coloured: Bool) -> String {
        var lines: [String] = []
        func add(_ heading: String, _ key: String) {
            guard let list = answer[key]?.array, !list.isEmpty else { return }
            lines.append(heading)
            lines += list.map { "  \(text($0))" }
        }
        add("Changed:", "changes")
        add(
            "Changes made at run time that do not fit the file any more, and are kept for the next reload:",
            "changesNotApplied")
        lines += overrides(answer)
        add("Takes effect at the next start only:", "needsRestart")
        if (answer["changes"]?.array ?? []).isEmpty { lines.insert("Nothing in force has changed.", at: 0) }
        if let aside = answer["putAside"] { lines.append("What was changed at run time is kept in \(text(aside)).") }
        return lines.map { $0 + "\n" }.joined() + done("Reloaded", answer)
    }

    static func groups(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(
            ("name", .left), ("protocol", .left), ("port", .right), ("type", .left), ("healthy", .right),
            ("health check", .left))
        for group in answer["targetGroups"]?.array ?? [] {
            let health = answer["health"]?[text(group["name"])]
            let isFailedOpen = health?["failOpen"]?.bool ?? false
            table.add(
                cell(group["name"]), cell(group["protocol"]), cell(group["port"]), cell(group["targetType"]),
                TextTable.Cell("\(text(health?["healthy"]))/\(text(health?["registered"]))", isFailedOpen ? .bad : nil),
                TextTable.Cell(healthCheck(group)))
        }
        return table.text(coloured: coloured, otherwise: "There are no target groups.")
    }

    static func targets(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(("target", .left), ("checked at", .left), ("state", .left), ("why", .left))
        for description in answer["targetHealthDescriptions"]?.array ?? [] {
            let health = description["targetHealth"] ?? [:]
            let state = text(health["state"])
            let checked = text(description["healthCheckPort"])
            // One that fails its checks is not used anyway.
            let isSuspect = state == "healthy" && description["suspect"]?.bool ?? false
            let why = isSuspect ? "An attempt failed; passed over for now" : health["description"]?.string ?? ""
            table.add(
                TextTable.Cell(target(description["target"])), TextTable.Cell(checked == "-" ? "-" : "port \(checked)"),
                TextTable.Cell(isSuspect ? "\(state), suspect" : state, isSuspect ? .pending : tones[state]),
                TextTable.Cell(why))
        }
        return table.text(coloured: coloured, otherwise: "There are no targets.")
    }

    /// Targets that left `group`, without waiting for the end of their exchanges.
    static func deregistered(_ answer: Value, from group: String) -> String {
        let targets = answer["targets"]?.array ?? []
        let strangers = targets.filter { $0["registered"]?.bool == false }
        var text = strangers.map { "\(target($0)) was not registered.\n" }.joined()
        let count = targets.count - strangers.count
        if count > 0 { text += done("Deregistered \(counted(count, "target")) from \(group); draining", answer) }
        return text
    }

    /// Whether the draining of some target cut exchanges, or left connections that stopping the target now would cut.
    static func tellsOfCuts(_ answer: Value) -> Bool {
        (answer["targets"]?.array ?? []).contains { $0["cut"]?.int ?? 0 > 0 || $0["left"]?.int ?? 0 > 0 }
    }

    /// How the draining of targets ended.
    static func drained(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(("target", .left), ("finished", .right), ("cut", .right), ("took", .right), ("", .left))
        var cutCount = 0
        var leftCount = 0
        for report in answer["targets"]?.array ?? [] {
            let cut = report["cut"]?.int ?? 0
            let left = report["left"]?.int ?? 0
            cutCount += cut
            leftCount += left
            table.add(
                TextTable.Cell(target(report)), cell(report["finished"]),
                TextTable.Cell("\(cut)", cut > 0 ? .bad : nil),
                TextTable.Cell("\(text(report["seconds"])) s"),
                left == 0 ? "" : TextTable.Cell("\(counted(left, "connection")) still open", .bad))
        }
        let end =
            leftCount > 0
            ? "The time is over: to stop now cuts \(counted(leftCount, "connection"))."
            : cutCount == 0
                ? "Drained: safe to stop."
                : "Drained: \(counted(cutCount, "exchange")) \(cutCount == 1 ? "was" : "were") cut."
        return table.text(coloured: coloured, otherwise: "There are no targets.") + end + "\n"
    }

    static func instances(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(("instance", .left), ("address", .left))
        for instance in answer["instances"]?.array ?? [] { table.add(cell(instance["id"]), cell(instance["address"])) }
        return table.text(coloured: coloured, otherwise: "The instance registry is empty.")
    }

    // MARK: Parts

    private static let tones: [String: TextTable.Tone] = [
        "healthy": .good, "initial": .pending, "draining": .pending, "unhealthy": .bad, "unused": .faint,
    ]

    /// A cell with what `value` says.
    static func cell(_ value: Value?) -> TextTable.Cell { TextTable.Cell(text(value)) }

    /// A value in plain words; a dash for none.
    static func text(_ value: Value?) -> String {
        guard let value else { return "-" }
        return value.string ?? value.json()
    }

    /// `10.0.0.5:80`, `[::1]:80`.
    static func target(_ value: Value?) -> String {
        TargetName(id: text(value?["id"]), port: value?["port"]?.int).description
    }

    private static func healthCheck(_ group: Value) -> String {
        let how = text(group["healthCheckProtocol"])
        let path = how == "TCP" ? "" : " \(text(group["healthCheckPath"]))"
        return "\(how)\(path) every \(text(group["healthCheckIntervalSeconds"])) s"
    }

    /// The two largest units: `3 d 4 h`, `5 min 6 s`.
    static func duration(_ seconds: Int) -> String {
        let parts = [
            (seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        let shown = parts.drop { $0.0 == 0 }.prefix(2).filter { $0.0 > 0 }
        return shown.isEmpty ? "0 s" : shown.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }

    /// `512 B`, `1.5 MiB`.
    static func bytes(_ count: Int) -> String {
        var (value, unit) = (Double(count), "B")
        for larger in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 { (value, unit) = (value / 1024, larger) }
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 || unit == "B" ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
