import Foundation
import Glibc
import TestRuns

/// The program under test, run from a configuration file in a folder of its own.
///
/// Shape:  killed, and its folder removed, on deinit. Any thread may use it.
/// Errors: `ApusFailure`, with what the program wrote on standard error.
final class ApusProcess: Sendable {
    /// Where its file, state, socket and logs lie.
    let folder: String
    /// Ports of the listeners, in the document's order.
    let ports: [UInt16]
    private let document: Locked<Document>
    private let child: Locked<ChildProcess>

    /// The admin socket.
    var socketPath: String { "\(folder)/admin.sock" }
    /// The file it was started with.
    var configurationPath: String { "\(folder)/apus.yaml" }
    /// The access log.
    var accessLogPath: String { "\(folder)/access.log" }
    /// The folder of what was changed at run time.
    var statePath: String { "\(folder)/state" }
    /// The first listener's port.
    var port: UInt16 { ports[0] }
    /// The running process; another one after `restart`.
    var process: ChildProcess { child.value }

    /// The condition for which `start` waits.
    enum Readiness { case answering, targetsHealthy }

    /// Starts Apus with `document`. If another process takes a port in between, another one is tried, twice.
    /// `descriptors` lowers the process's limit of open files; `namespace` is the network namespace where it runs.
    /// `launcher` gets the folder before the process is started there, and returns the words before its own.
    static func start(
        _ document: Document, until readiness: Readiness = .targetsHealthy, descriptors: Int? = nil,
        namespace: String? = nil, launcher: (String) throws -> [String] = { _ in [] }
    ) throws -> ApusProcess {
        var attempt = 1
        while true {
            do {
                let apus = try ApusProcess(
                    document, descriptors: descriptors, namespace: namespace, launcher: launcher)
                try apus.wait(until: readiness)
                return apus
            } catch let failure as ApusFailure where failure.isPortTaken && attempt < 3 {
                attempt += 1
            }
        }
    }

    private init(
        _ document: Document, descriptors: Int?, namespace: String?, launcher: (String) throws -> [String]
    ) throws {
        folder = try temporaryFolder()
        ports = try document.listeners.map { try $0.port ?? PortAllocator.port() }
        self.document = Locked(document)
        let text = document.text(ports: ports, folder: folder)
        try text.write(toFile: "\(folder)/apus.yaml", atomically: true, encoding: .utf8)
        do {
            let before = try launcher(folder)
            child = Locked(
                try Self.launch(folder: folder, descriptors: descriptors, namespace: namespace, before: before))
        } catch {
            removeFolder(folder)
            throw error
        }
    }

    deinit {
        process.kill()
        removeFolder(folder)
    }

    // MARK: life

    /// Starts it again over the same folder, after `kill` or `terminate`, with more `options` if there are any.
    func restart(until readiness: Readiness = .targetsHealthy, options: [String] = []) throws {
        let started = try Self.launch(folder: folder, options: options)
        child.withLock { $0 = started }
        try wait(until: readiness)
    }

    /// Ends it, has the keys of cookies on disk be older by so many seconds, and starts it again. Returns their file as
    /// it was before.
    @discardableResult
    func restart(withCookieKeysOlderBy seconds: Int) throws -> JSON {
        let path = "\(statePath)/cookie-keys.json"
        _ = eventually { FileManager.default.fileExists(atPath: path) }
        guard terminate() == .exited(0) else { throw ApusFailure(status: process.exitStatus, errors: errors) }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let file = JSON(parsing: Array(text.utf8))
        let times = file["keys"].elements.compactMap { $0["createdAt"].int }
        let older = times.reduce(text) { $0.replacingOccurrences(of: "\($1)", with: "\($1 - seconds)") }
        try older.write(toFile: path, atomically: true, encoding: .utf8)
        try restart()
        return file
    }

    /// Sends SIGTERM. Returns the exit status, or `nil` if it still runs after `seconds`.
    func terminate(within seconds: Double = 20) -> ChildProcess.ExitStatus? {
        process.signal(SIGTERM)
        return process.waitForExit(within: seconds)
    }

    /// SIGKILL, as a crash.
    func kill() { process.kill() }

    /// Puts another document in the file's place. The ports stay; there are as many listeners as before.
    func write(_ document: Document) throws {
        self.document.withLock { $0 = document }
        try write(text: document.text(ports: ports, folder: folder))
    }

    /// Replaces the file by `text`, valid or not.
    func write(text: String) throws {
        try text.write(toFile: configurationPath, atomically: true, encoding: .utf8)
    }

    // MARK: doors

    /// A client connected to the first listener, from `source` and `sourcePort` where they are given.
    func client(
        receiveBuffer: Int32? = nil, source: String? = nil, sourcePort: UInt16 = 0
    ) throws -> RawClient {
        try RawClient(
            port: port, host: document.value.addresses[0], receiveBuffer: receiveBuffer, source: source,
            sourcePort: sourcePort)
    }

    /// One request on the admin socket, over a connection of its own. `timeout` in seconds is for `wait: true`.
    @discardableResult
    func admin(_ method: String, _ path: String, _ body: JSON? = nil, timeout: Double = 15) throws -> AdminAnswer {
        try admin(method, path, text: body?.text, timeout: timeout)
    }

    /// The same with a body that need not be JSON, and with these field lines beside the usual ones.
    func admin(
        _ method: String, _ path: String, text: String?, fields: [String] = [], timeout: Double = 15
    ) throws -> AdminAnswer {
        let client = try AdminClient(path: socketPath)
        client.timeout = timeout
        return try client.ask(method, path, text: text, fields: fields)
    }

    /// What a run of the command line wrote and ended with.
    struct CommandResult: Sendable {
        let status: ChildProcess.ExitStatus?
        let output: String
        let errors: String
        var json: JSON { JSON(parsing: Array(output.utf8)) }
    }

    /// Runs `apus ARGUMENTS` against this process's socket.
    func command(_ arguments: String..., within seconds: Double = 20) throws -> CommandResult {
        try Self.command(arguments, socket: socketPath, folder: folder, within: seconds)
    }

    /// Runs `apus ARGUMENTS` in `folder`, with `APUS_SOCKET` set.
    static func command(
        _ arguments: [String], socket: String, folder: String, within seconds: Double = 20
    ) throws -> CommandResult {
        let child = try ChildProcess(
            [binary] + arguments, environment: ["APUS_SOCKET": socket], folder: folder, label: UUID().uuidString)
        let status = child.waitForExit(within: seconds)
        return CommandResult(status: status, output: child.standardOutput, errors: child.standardError)
    }

    // MARK: what it tells

    /// The sum of a metric over its labels; `labels` are texts that the series' label part must hold.
    func metric(_ name: String, _ labels: String...) throws -> Double { try metric(name, labels) }

    /// The same.
    func metric(_ name: String, _ labels: [String]) throws -> Double {
        let lines = try admin("GET", "/metrics").text.split(separator: "\n")
        let series = lines.filter { line in
            guard line.hasPrefix(name), let next = line.dropFirst(name.count).first else { return false }
            return (next == "{" || next == " ") && labels.allSatisfy { line.contains($0) }
        }
        return series.compactMap { Double($0.split(separator: " ").last ?? "") }.reduce(0, +)
    }

    /// The states of a group's targets: `127.0.0.1:8080` → `healthy`.
    func states(of group: String) throws -> [String: String] {
        let answer = try admin("GET", "/v1/target-groups/\(group)/targets")
        let pairs = answer.json["targetHealthDescriptions"].elements.map { entry in
            let target = entry["target"]
            let port = UInt16(exactly: target["port"].int ?? 0) ?? 0
            let address = Document.Address(id: target["id"].string ?? "?", port: port)
            return (address.text, entry["targetHealth"]["state"].string ?? "?")
        }
        return Dictionary(pairs) { _, last in last }
    }

    /// The state of one target, waited for.
    func target(
        _ address: Document.Address, in group: String = "blue", becomes state: String, within seconds: Double = 15
    ) -> Bool {
        eventually(within: seconds) { (try? states(of: group))?[address.text] == state }
    }

    /// The access log as it is now.
    var accessLog: [AccessLogLine] {
        let text = (try? String(contentsOfFile: accessLogPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { AccessLogLine(String($0)) }
    }

    /// The access log as it is now, in JSON.
    var accessEntries: [JSON] {
        let text = (try? String(contentsOfFile: accessLogPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { JSON(parsing: Array($0.utf8)) }
    }

    /// The connection log as it is now, in JSON: the lines of flows have an `ended`.
    var connectionLog: [JSON] {
        let text = (try? String(contentsOfFile: "\(folder)/connection.log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { JSON(parsing: Array($0.utf8)) }
    }

    /// What it wrote on standard error.
    var errors: String { process.standardError }

    private func wait(until readiness: Readiness) throws {
        let groups = readiness == .answering ? [] : document.value.groups.filter { !$0.targets.isEmpty }
        let ready = eventually(within: 20) {
            if process.exitStatus != nil { return true }
            guard (try? admin("GET", "/v1/status"))?.status == 200 else { return false }
            return groups.allSatisfy { group in
                let states = (try? states(of: group.name)) ?? [:]
                return states.count >= group.targets.count && states.values.allSatisfy { $0 != "initial" }
            }
        }
        guard ready, process.exitStatus == nil else {
            throw ApusFailure(status: process.exitStatus, errors: errors)
        }
    }

    private static func launch(
        folder: String, descriptors: Int? = nil, namespace: String? = nil, before: [String] = [],
        options: [String] = []
    ) throws -> ChildProcess {
        var words = before + [binary, "run", "\(folder)/apus.yaml"] + options
        if let namespace { words = ["ip", "netns", "exec", namespace] + words }
        if let descriptors { words = ["/bin/sh", "-c", "ulimit -n \(descriptors); exec \"$@\"", "sh"] + words }
        return try ChildProcess(words, folder: folder, label: "apus")
    }

    /// `APUS_BINARY`, or the one that was built beside the tests.
    static let binary: String = {
        if let given = ProcessInfo.processInfo.environment["APUS_BINARY"] { return given }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (tests as NSString).deletingLastPathComponent + "/apus"
    }()
}

/// Apus did not become ready.
struct ApusFailure: Error, CustomStringConvertible {
    /// `nil` when it still ran at the deadline.
    let status: ChildProcess.ExitStatus?
    /// What it wrote on standard error.
    let errors: String
    /// Whether a listener's port was the cause.
    var isPortTaken: Bool { errors.contains("in use") }
    var description: String {
        let how = status.map { "ended with \($0)" } ?? "was not ready in time"
        return "apus \(how); standard error:\n\(errors.suffix(4_000))"
    }
}

/// A new folder, its path short enough for a Unix socket in it. It is removed at the latest when the tests have ended.
func temporaryFolder() throws -> String { try TestRun.makeFolder() }

/// Removes a folder and what is in it.
func removeFolder(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
