import ArgumentParser
import Model

/// `apus status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Version, uptime, workers, connections, requests.")

    @Flag(help: "Say in one line whether it serves, and end with 0 if it does, or with 1: for health checks.")
    var healthcheck = false

    @OptionGroup var socket: SocketOptions

    func run() throws {
        guard healthcheck else { return try socket.perform(.status) }
        let report = HealthReport(socket: socket.path)
        Console.write(socket.json ? report.json : report.line + "\n")
        if !report.isServing { throw CommandFailure(message: "", status: 1) }
    }
}

/// Whether the Apus at a socket serves, as the health check of a container asks: not whether its targets are healthy,
/// as starting it again would not mend them.
struct HealthReport {
    /// False once it has begun to end, and when it does not answer in time.
    let isServing: Bool
    /// All of it on one line.
    let line: String

    /// Asks at `socket`, and waits for `Limits.healthcheckTime` at most.
    init(socket: String) {
        do throws(AdminClientError) {
            _ = try AdminClient(path: socket, timeout: Limits.healthcheckTime).call("GET", "/health")
            isServing = true
            line = "serving"
        } catch {
            isServing = false
            line = "not serving: \(error.refusal.message.split(whereSeparator: \.isNewline).joined(separator: " "))"
        }
    }

    /// The same for scripts.
    var json: String {
        let value: Value = ["serving": .bool(isServing), "message": .string(line)]
        return value.json(pretty: true)
    }
}

extension AdminCall {
    /// Version, uptime, workers, counters.
    static var status: AdminCall { AdminCall("GET", "/v1/status", view: AdminView.status) }
}

extension AdminView {
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
        for process in answer["finishing"]?.array ?? [] {
            lines.append(
                "finishing      process \(text(process["pid"])), apus \(text(process["version"])): "
                    + "\(text(process["connections"])) connections left")
        }
        let failedOpen = (answer["groupsFailedOpen"]?.array ?? []).map(text)
        if !failedOpen.isEmpty {
            lines.append(
                "failing open   \(failedOpen.joined(separator: ", ")): too few targets are healthy, so all are used")
        }
        let failedOver = (answer["groupsFailedOver"]?.array ?? []).map(text)
        if !failedOver.isEmpty {
            lines.append("not ready      \(failedOver.joined(separator: ", ")): too few targets are healthy")
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
}
