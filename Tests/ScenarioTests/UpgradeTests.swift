import Foundation
import Glibc
import TestCertificates
import Testing

/// Another process takes over from a running one.
@Suite(.serialized) struct UpgradeTests {
    private static let authority = TestAuthority()

    // MARK: Nothing is lost

    @Test("20 upgrades in a row under HTTP/1, HTTP/2, gRPC and WebSocket load: no request fails, none is refused")
    func requests() throws {
        let site = try UpgradingApus(try Self.web())
        let apus = site.apus
        let roots = Self.authority.own.certificatePath
        let loops = try [
            ("kept", ClosedLoop(to: apus, connections: 6, seconds: 170, label: "kept-")),
            ("fresh", ClosedLoop(to: apus, connections: 4, seconds: 170, label: "fresh-", isFresh: true)),
            ("posts", ClosedLoop(to: apus, method: "POST", connections: 3, seconds: 170, label: "post-")),
        ]
        let kinds: [(SteadyLoad.Kind, Int)] = [(.http2, 2), (.grpc, 2), (.websocket, 4)]
        let steady = try kinds.map { kind, count in
            try SteadyLoad(
                kind, port: apus.ports[1], roots: roots, clients: count, seconds: 170, in: apus.folder)
        }
        #expect(loops.allSatisfy { $0.1.goesOn(for: 20) })
        #expect(steady.allSatisfy { load in eventually(within: 30) { load.soFar.answeredCount >= 20 } })
        for number in 1...20 {
            let result = try site.upgrade("--grace", "150")
            #expect(result.status == .exited(0), "\(number): \(result.output) \(result.errors)")
            let counts = steady.map(\.soFar.answeredCount)
            #expect(loops.allSatisfy { $0.1.goesOn(for: 5) })
            #expect(eventually(within: 20) { zip(steady, counts).allSatisfy { $0.soFar.answeredCount > $1 } })
        }
        #expect(site.ids.count == 21, "each is another process")
        for (name, loop) in loops {
            let report = loop.finish()
            #expect(report.failedCount == 0, "\(name): \(report.outcomes) \(report.failures.prefix(5))")
        }
        for load in steady {
            let report = load.finish()
            #expect(report.failedCount == 0, "\(report.failedCount) \(report.failures.prefix(5))")
        }
        #expect(eventually(within: 20) { site.ids.dropLast().allSatisfy { !site.isRunning($0) || $0 == site.ids[0] } })
        #expect(apus.process.waitForExit(within: 20) == .exited(0))
        #expect(try apus.admin("GET", "/v1/status").json["finishing"].elements.isEmpty)
    }

    /// HTTP and HTTPS, with targets for everything that `SteadyLoad` sends.
    private static func web() throws -> Document {
        let rules = [
            Document.rule(10, "path-pattern", ["/test.Echo/*"], Document.forward("calls")),
            Document.rule(20, "path-pattern", ["/socket/*"], Document.forward("sockets")),
        ]
        var secure = Document.Listener(defaultAction: Document.forward("blue"), rules: rules)
        secure.certificates = [authority.issue(["localhost"])]
        return Document(
            listeners: [.init(defaultAction: Document.forward("blue")), secure],
            groups: [
                .init("blue", servers: [try TargetServer("a"), try TargetServer("b")]),
                .init(
                    "calls", program: try PortServer.python("grpc_target"),
                    settings: ["protocolVersion": "GRPC", "healthCheckPath": "/"]),
                .init(
                    "sockets", program: try PortServer.python("websocket_target"),
                    settings: ["healthCheckProtocol": "TCP"]),
            ])
    }

    @Test("20 upgrades in a row under TCP and UDP load: no connection breaks, no datagram is lost, flows keep targets")
    func flows() throws {
        let targets = try ["a", "b", "c"].map { name in try DatagramTarget { [Array("\(name) ".utf8) + $0] } }
        var document = Document.datagrams()
        document.groups = [
            .init("blue", datagrams: targets), .init("streams", streams: [try StreamTarget(), try StreamTarget()]),
        ]
        document.listeners.append(
            .init(defaultAction: Document.forward("streams"), settings: ["protocol": "TCP"]))
        let site = try UpgradingApus(document)
        let load = FlowLoad(site.apus)
        #expect(load.goesOn())
        for number in 1...20 {
            let result = try site.upgrade("--grace", "150")
            #expect(result.status == .exited(0), "\(number): \(result.output) \(result.errors)")
            #expect(load.goesOn())
        }
        #expect(load.finish() == [])
        #expect(site.ids.count == 21)
        let flows = try site.apus.admin("GET", "/v1/status").json["flows"]
        #expect((flows["udp"]["active"].int ?? 0) >= FlowLoad.steadyCount, "\(flows.text)")
        #expect(site.apus.process.waitForExit(within: 30) == .exited(0), "its tunnels have ended")
    }

    // MARK: What goes over

    @Test("Health, changes made at run time and the address of the metrics go over; changes wait, and none is lost")
    func state() throws {
        let targets = try [TargetServer("a"), TargetServer("b")]
        targets[1].healthStatus.withLock { $0 = 503 }
        var document = Document(targets[0], targets[1])
        let metrics = try PortAllocator.port()
        document.metrics = "127.0.0.1:\(metrics)"
        let site = try UpgradingApus(document)
        let apus = site.apus
        #expect(apus.target(targets[1].address, becomes: "unhealthy"))
        let before = try apus.states(of: "blue")
        let stopping = Locked(false)
        // Each change is acknowledged, or refused with 503 since the process that was asked is on its way out.
        let changes = Background { () throws -> [String] in
            var made: [String] = []
            while !stopping.value {
                let id = "10.1.\(made.count / 200).\(1 + made.count % 200)"
                let name = "i-\(made.count)"
                // A connection that the old process has taken ends with it.
                let answer = try? apus.admin("PUT", "/v1/instances/\(name)", ["address": .string(id)])
                if answer?.status == 200 { made.append(name) }
                if let answer, answer.status != 200, answer.status != 503 {
                    throw SocketError(call: answer.text, code: 0)
                }
            }
            return made
        }
        for _ in 0..<3 { #expect(try site.upgrade().status == .exited(0)) }
        #expect(try apus.states(of: "blue") == before)
        stopping.withLock { $0 = true }
        let made = try changes.value()
        #expect(made.count > 3)
        let known = try apus.admin("GET", "/v1/instances").json["instances"].elements.compactMap { $0["id"].string }
        #expect(Set(made).subtracting(known) == [])
        let page = try RawClient(port: metrics)
        #expect(try page.get("/metrics").status == 200)
    }

    @Test("A script that changes things by commands, one after the other, notices no upgrade")
    func commands() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let stopping = Locked(false)
        let count = Locked(0)
        let script = Background { [apus = site.apus] () throws -> [String] in
            var failures: [String] = []
            while !stopping.value {
                let number = count.withLock { number in
                    number += 1
                    return number
                }
                let result = try apus.command("instances", "set", "i-\(number % 50)", "10.1.0.\(number % 250)")
                if result.status != .exited(0) { failures.append(result.errors) }
            }
            return failures
        }
        for _ in 0..<5 {
            let before = count.value
            #expect(try site.upgrade().status == .exited(0))
            #expect(eventually(within: 30) { count.value > before + 3 })
        }
        stopping.withLock { $0 = true }
        #expect(try script.value() == [])
    }

    @Test("What discovery has found goes over, even while its source is away: no request fails, no target is gone")
    func discovered() throws {
        let targets = try [TargetServer("one"), TargetServer("two")]
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let path = folder + "/blue.json"
        func list(_ servers: [TargetServer]) throws {
            let all = servers.map { #"{"id": "\#($0.name)", "address": "127.0.0.1", "port": \#($0.port)}"# }
            try "[\(all.joined(separator: ","))]".write(toFile: path, atomically: true, encoding: .utf8)
        }
        try list(targets)
        let settings: JSON = ["file": ["path": .string(path)]]
        let site = try UpgradingApus(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", settings: ["discovery": settings])]), until: .answering)
        let apus = site.apus
        for target in targets { #expect(apus.target(target.address, becomes: "healthy")) }
        let before = try apus.states(of: "blue")
        let load = try ClosedLoop(to: apus, connections: 4, seconds: 120, label: "found-", isFresh: true)
        #expect(load.goesOn(for: 20))
        #expect(try site.upgrade().status == .exited(0))
        #expect(try apus.states(of: "blue") == before)
        func source() throws -> String? { try apus.admin("GET", "/v1/discovery").json["sources"][0]["state"].string }
        #expect(try eventually { try source() == "following" })
        try FileManager.default.removeItem(atPath: path)
        #expect(try eventually { try source() == "away" })
        // What the file said is handed over, then what the process that hands it over could never read itself.
        for _ in 0..<2 {
            #expect(try site.upgrade().status == .exited(0))
            #expect(try apus.states(of: "blue") == before)
            #expect(try eventually { try source() == "away" })
            #expect(try apus.states(of: "blue") == before, "what was known stays")
            let told = try apus.admin("GET", "/v1/discovery").json["sources"][0]["targets"].elements
            #expect(told.count == 2, "what was handed over is shown until the source has spoken: \(told.map(\.text))")
            #expect(load.goesOn(for: 20))
        }
        let shown = try apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"].elements
        #expect(shown.count == 2 && shown.allSatisfy { $0["layer"].string == "discovered" }, "\(shown.map(\.text))")
        let report = load.finish()
        #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
        try list([targets[1]])
        #expect(
            try eventually { try apus.states(of: "blue")[targets[0].address.text] != "healthy" },
            "its own source has been heard")
    }

    @Test("While an idle client keeps its connection, status shows both processes; its next response is its last")
    func finishing() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let client = try site.apus.client()
        #expect(try client.get("/before").status == 200)
        let old = site.id
        let result = try site.upgrade("--grace", "100")
        #expect(result.output.contains("upgraded: pid \(old) ("), "\(result.output)")
        #expect(result.output.contains("1 connection finishes in the old one"), "\(result.output)")
        let finishing = try site.apus.admin("GET", "/v1/status").json["finishing"]
        #expect(finishing[0]["pid"].int == Int(old), "\(finishing.text)")
        #expect(try site.apus.command("status").output.contains("finishing      process \(old)"))
        // Another one knows of both.
        try site.upgrade()
        #expect(eventually { (try? site.apus.admin("GET", "/v1/status"))?.json["finishing"][0]["pid"].int == Int(old) })
        #expect(site.isRunning(old))
        let answer = try client.get("/after")
        #expect(answer.status == 200 && answer["connection"] == "close")
        #expect(site.apus.process.waitForExit(within: 20) == .exited(0))
        #expect(eventually { (try? site.apus.admin("GET", "/v1/status"))?.json["finishing"].elements.isEmpty == true })
    }

    @Test("deregister --wait says that a target is safe to stop once the old process is done as well")
    func deregistration() throws {
        let targets = try [TargetServer("a"), TargetServer("b")]
        let site = try UpgradingApus(Document(targets[0], targets[1]))
        let client = try site.apus.client()
        #expect(try client.get("/before").status == 200)
        try site.upgrade("--grace", "100")
        let isDone = Locked(false)
        let waiting = Background { [apus = site.apus, address = targets[0].address] in
            let body: JSON = ["targets": [address.json], "wait": true]
            let answer = try apus.admin("POST", "/v1/target-groups/blue/deregister", body, timeout: 60)
            isDone.withLock { $0 = true }
            return answer.status
        }
        #expect(eventually { site.apus.errors.contains("a deregistered target is drained") }, "the new one is done")
        #expect(!isDone.value, "the client's connection may still bring a request to it")
        #expect(try client.get("/last").status == 200)
        #expect(try waiting.value() == 200)
    }

    @Test("One SIGTERM lets the old process finish")
    func termination() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let client = try site.apus.client()
        #expect(try client.get("/before").status == 200)
        try site.upgrade("--grace", "100")
        site.apus.process.signal(SIGTERM)
        #expect(try client.get("/last").status == 200)
        #expect(site.apus.process.waitForExit(within: 20) == .exited(0))
    }

    @Test("SIGUSR2 does the same")
    func signal() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        site.apus.process.signal(SIGUSR2)
        #expect(site.apus.process.waitForExit(within: 60) == .exited(0))
        #expect(eventually { site.noteSuccessor() })
        expectServes(site.apus)
    }

    // MARK: What fails

    @Test(
        "A new binary that is missing, ends, speaks another way or refuses the file: the old process goes on",
        arguments: ["missing", "text", "ends", "nonsense", "newer", "refuses"])
    func broken(how: String) throws {
        let document = Document(try TargetServer("a"))
        let site = try UpgradingApus(document)
        let (path, reason) = try Self.broken(how, site)
        let result = try site.upgrade(path)
        #expect(result.status == .exited(1), "\(result.output)")
        #expect(result.errors.contains(reason) && result.errors.contains("nothing has changed"), "\(result.errors)")
        #expect(site.ids.count == 1 && site.apus.process.exitStatus == nil)
        expectServes(site.apus)
        #expect(try site.apus.admin("PUT", "/v1/instances/i-1", ["address": "10.0.0.1"]).status == 200)
        #expect(eventually { site.apus.errors.contains("an upgrade failed") })
        #expect(eventually { Tool.children(of: site.id).isEmpty }, "what was started is gone")
        try site.apus.write(document)
        #expect(try site.upgrade().status == .exited(0), "the next one succeeds")
    }

    private static func broken(_ how: String, _ site: UpgradingApus) throws -> (path: String, reason: String) {
        switch how {
        case "missing": return ("\(site.apus.folder)/nowhere", "No such file or directory")
        case "text":
            let path = try site.program("text", "")
            try "no program\n".write(toFile: path, atomically: false, encoding: .utf8)
            return (path, "Exec format error")
        case "ends": return (try site.program("ends", "exit 7"), "with status 7")
        case "nonsense":
            return (try site.program("nonsense", Self.saying("good day")), "does not speak as apus does")
        case "newer":
            let hello = #"{"message":"hello","protocol":2,"version":"9.0.0"}"#
            return (try site.program("newer", Self.saying(hello)), "apus 9.0.0")
        default:
            try site.apus.write(text: "surprise: 1")
            return (ApusProcess.binary, "surprise")
        }
    }

    /// A script that says something over the connection, and waits to be killed.
    private static func saying(_ text: String) -> String {
        let code =
            "import socket, time; s = socket.socket(fileno=3); s.send(b'\(text)'); s.recv(65536); time.sleep(600)"
        return "exec \(Tool.python) -c '\(code.replacingOccurrences(of: "'", with: "'\\''"))'"
    }

    @Test("Two upgrades at once: the second is refused with 409")
    func twoAtOnce() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let slow = try site.program(
            "slow", "while [ ! -e \(site.apus.folder)/go ]; do sleep 0.1; done; exec $APUS \"$@\"")
        let first = Background { [apus = site.apus] in
            try apus.admin("POST", "/v1/upgrade", ["binary": .string(slow)], timeout: 60)
        }
        #expect(eventually { !Tool.children(of: site.id).isEmpty })
        #expect(try site.apus.admin("POST", "/v1/upgrade").status == 409)
        try "".write(toFile: "\(site.apus.folder)/go", atomically: true, encoding: .utf8)
        #expect(try first.value().status == 200)
        #expect(eventually { site.noteSuccessor() })
        expectServes(site.apus)
    }

    @Test("kill -9 of the new process before it is ready: the old one goes on")
    func killedNew() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let stuck = try site.program("stuck", "exec sleep 600")
        let first = Background { [apus = site.apus] in
            try apus.admin("POST", "/v1/upgrade", ["binary": .string(stuck)], timeout: 60)
        }
        let child = try #require(eventually { Tool.children(of: site.id).first })
        kill(child, SIGKILL)
        let answer = try first.value()
        #expect(answer.status == 500 && answer.text.contains("by signal 9"), "\(answer.text)")
        expectServes(site.apus)
        #expect(try site.upgrade().status == .exited(0))
    }

    @Test("kill -9 of the old process once the new one has everything: the new one serves")
    func killedOld() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let program = try GatedProgram("gated", "exec $APUS run /dev/fd/9", for: site)
        let first = Background { [apus = site.apus, path = program.path] in
            try? apus.admin("POST", "/v1/upgrade", ["binary": .string(path)], timeout: 60)
        }
        let child = try #require(eventually { Tool.children(of: site.id).first })
        #expect(eventually { program.isRead(by: child) })
        site.apus.kill()
        try program.open()
        _ = try? first.value()
        #expect(eventually(within: 30) { site.noteSuccessor() })
        #expect(site.id == child)
        expectServes(site.apus)
    }

    @Test("A new process whose upgrade has failed does not take over, though a script that started it was killed")
    func wrapped() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let program = try GatedProgram("wrapped", "$APUS run /dev/fd/9 & wait", for: site)
        let answer = Background { [apus = site.apus, path = program.path] in
            try apus.admin("POST", "/v1/upgrade", ["binary": .string(path)], timeout: 60)
        }
        let script = try #require(eventually { Tool.children(of: site.id).first })
        let child = try #require(eventually { Tool.children(of: script).first })
        #expect(eventually { program.isRead(by: child) })
        kill(script, SIGKILL)
        #expect(try answer.value().status == 500)
        try program.open()
        #expect(eventually(within: 30) { GatedProgram.program(of: child) == nil })
        expectServes(site.apus)
        #expect(try site.apus.admin("GET", "/v1/status").json["pid"].int == Int(site.id))
    }

    @Test("kill -9 of the new process once it serves: another start takes the folder and the sockets")
    func killedSuccessor() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        let client = try site.apus.client()
        #expect(try client.get("/").status == 200)
        try site.upgrade("--grace", "100")
        #expect(site.isRunning(site.ids[0]), "it waits for its client")
        kill(site.id, SIGKILL)
        #expect(eventually { !site.isRunning(site.id) })
        let old = site.apus.process
        try site.apus.restart()
        expectServes(site.apus)
        #expect(try client.get("/last").status == 200)
        #expect(old.waitForExit(within: 20) == .exited(0))
    }

    @Test("A downgrade to a version that knows less")
    func downgrade() throws {
        let site = try UpgradingApus(Document(try TargetServer("a")))
        // It drops whatever it is told of targets and keys.
        let path = try site.program(
            "older", "exec \(Tool.python) \(Tool.script("older_apus")) $APUS \"$@\"")
        let result = try site.upgrade(path)
        #expect(result.status == .exited(0), "\(result.errors)")
        #expect(result.output.contains("(0.0.9)"), "\(result.output)")
        expectServes(site.apus)
        #expect(try site.upgrade(ApusProcess.binary).status == .exited(0))
        expectServes(site.apus)
    }
}

/// Clients of a TCP listener and a UDP listener, which check every answer.
///
/// Shape: threads that run until `finish`.
private final class FlowLoad: Sendable {
    /// Clients of UDP whose flow goes on from the beginning to the end.
    static let steadyCount = 6

    private let failures = Locked<[String]>([])
    private let answers = Locked<[Int]>([])
    private let isStopping = Locked(false)
    private let workers: Locked<[Background<Void>]>

    init(_ apus: ApusProcess) {
        workers = Locked([])
        var clients: [Background<Void>] = []
        for number in 0..<Self.steadyCount + 2 {
            clients.append(start { try self.talk(apus, isSteady: number < Self.steadyCount, number) })
        }
        for number in 0..<4 { clients.append(start { try self.stream(apus, isSteady: number < 2, number) }) }
        workers.withLock { $0 = clients }
    }

    private func start(_ work: @escaping @Sendable () throws -> Void) -> Background<Void> {
        let index = answers.withLock { answers in
            answers.append(0)
            return answers.count - 1
        }
        return Background { [self] in
            while !isStopping.value {
                do { try work() } catch { failures.withLock { $0.append("\(index): \(error)") } }
                answers.withLock { $0[index] += 1 }
            }
        }
    }

    /// Datagrams of one client, each answered by the same target.
    private func talk(_ apus: ApusProcess, isSteady: Bool, _ number: Int) throws {
        let client = try DatagramEnd(to: apus)
        var name: Substring?
        var sequence = 0
        while !isStopping.value, isSteady || sequence < 5 {
            sequence += 1
            let text = "\(number)-\(sequence)"
            guard let answer = try client.ask(text, within: 10) else {
                throw SocketError(call: "lost \(text)", code: 0)
            }
            let words = answer.split(separator: " ")
            guard words.count == 2, words[1] == text, name == nil || name == words[0] else {
                throw SocketError(call: "\(answer) instead of \(text) of \(name ?? "")", code: 0)
            }
            name = words[0]
            count(number)
        }
    }

    /// What is echoed over a connection.
    private func stream(_ apus: ApusProcess, isSteady: Bool, _ number: Int) throws {
        let client = try RawClient(port: apus.ports[1])
        var sequence = 0
        while !isStopping.value, isSteady || sequence < 5 {
            sequence += 1
            let text = "\(number)-\(sequence)."
            try client.send(text)
            guard client.wire.receives(text) else { throw SocketError(call: "no \(text)", code: 0) }
            count(Self.steadyCount + 2 + number)
        }
    }

    private func count(_ index: Int) { answers.withLock { $0[index] += 1 } }

    /// Waits until each client was answered a few times more; whether it was.
    func goesOn() -> Bool {
        let before = answers.value
        return eventually(within: 30) { zip(answers.value, before).allSatisfy { $0 >= $1 + 3 } }
    }

    /// Stops all, and returns what has failed.
    func finish() -> [String] {
        isStopping.withLock { $0 = true }
        for worker in workers.value { _ = try? worker.value() }
        return failures.value
    }
}
