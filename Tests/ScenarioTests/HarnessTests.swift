import Foundation
import Glibc
import TestRuns
import Testing

/// The harness itself: clients directly against scripted targets.
@Suite struct HarnessTests {
    @Test("A target records every byte and answers requests in order")
    func recordsAndAnswers() throws {
        let target = try TargetServer("blue")
        let client = try RawClient(port: target.port)
        let sent =
            "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n0\r\nT: 1\r\n\r\n"
        try client.send(sent)
        #expect(try client.response().text == "blue\n")
        #expect(try client.response().status == 200)
        #expect(target.received == Array(sent.utf8))
        #expect(target.requests.map(\.target) == ["/a", "/b"])
        #expect(target.requests[1].text == "abc")
        #expect(target.requests[1].trailers == [.init(name: "T", value: "1")])
    }

    @Test("Health checks are answered separately and not recorded")
    func healthChecks() throws {
        let target = try TargetServer()
        target.healthStatus.withLock { $0 = 503 }
        let check = try RawClient(port: target.port)
        let answer = try check.exchange("GET /health HTTP/1.1\r\nHost: h\r\nUser-Agent: ELB-HealthChecker/2.0\r\n\r\n")
        #expect(answer.status == 503)
        #expect(check.ended())
        #expect(target.healthChecksCount == 1)
        #expect(target.connections.isEmpty)
    }

    static let responses: [(String, String, Message.Framing, String)] = [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", .length(2), "hi"),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", .chunked, "hi"),
        ("GET", "HTTP/1.1 200 OK\r\n\r\nuntil the end", .endOfConnection, "until the end"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", .none, ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", .none, ""),
    ]

    @Test("A client reads a response with every kind of framing", arguments: responses)
    func framings(method: String, response: String, framing: Message.Framing, body: String) throws {
        let target = try TargetServer(script: TargetScript.rawThenClose(response))
        let answer = try RawClient(port: target.port).exchange("\(method) / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(answer.framing == framing)
        #expect(answer.text == body)
    }

    @Test(
        "A client rejects invalid responses",
        arguments: [
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        ])
    func refuses(response: String) throws {
        let target = try TargetServer(script: TargetScript.rawThenClose(response))
        let client = try RawClient(port: target.port)
        #expect(throws: WireError.self) { try client.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n") }
    }

    @Test("A reset and an end of stream are distinguished")
    func endings() throws {
        let target = try TargetServer { connection in
            _ = try connection.head()
            connection.reset()
        }
        let client = try RawClient(port: target.port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(client.socket.read(by: .after(10)) == .reset)
        let mute = try TargetServer(script: TargetScript.silence)
        let silent = try RawClient(port: mute.port)
        try silent.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(silent.socket.read(by: .after(0.05)) == .silence)
    }

    @Test("Load is counted, and a target that closes idle connections causes failures without Apus")
    func load() throws {
        let steady = try TargetServer("steady")
        let report = LoadGenerator(port: steady.port, requests: 300).waitForEnd()
        #expect(report.statuses == [200: 300])
        #expect(report.badCount == 0)
        #expect(report.count(of: "steady\n") == 300)
        #expect(Set(steady.requests.map(\.target)).count == 300)

        let closing = try TargetServer(script: TargetScript.closingIdle(body: "", seed: 1))
        let harmed = LoadGenerator(port: closing.port, method: "POST", requests: 300).waitForEnd()
        #expect(harmed.answeredCount + harmed.failures.count == 300)
        #expect(!harmed.failures.isEmpty)
    }

    @Test("Bodies of any size are relayed without being recorded")
    func largeBodies() throws {
        let source = try TargetServer(script: TargetScript.zeroes)
        let client = try RawClient(port: source.port)
        try client.send("GET /50000000 HTTP/1.1\r\nHost: h\r\n\r\n")
        let answer = try client.response(keep: .countOnly)
        #expect(answer.bodyCount == 50_000_000)
        #expect(answer.body.isEmpty)
        #expect(client.wire.received.count < 1 << 20)
    }

    @Test("A program's output, exit status and memory are reported")
    func programs() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let short = try ChildProcess(
            ["/bin/sh", "-c", "echo $WORD; echo no >&2; exit 3"], environment: ["WORD": "yes"], folder: folder,
            label: "short")
        #expect(short.waitForExit() == .exited(3))
        #expect(short.standardOutput == "yes\n")
        #expect(short.standardError == "no\n")
        let long = try ChildProcess(["sleep", "600"], folder: folder, label: "long")
        #expect(try #require(long.memory("VmRSS")) > 0)
        #expect(long.exitStatus == nil)
        long.kill()
        #expect(long.exitStatus == .signalled(SIGKILL))
    }

    @Test("Folders and processes of a test run are removed when its process ends")
    func runsLeaveNothing() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let run = TestRun.makeName()
        let process = try ChildProcess(["sleep", "600"], folder: folder, label: "process")
        TestRun.startKeeper(of: run, pid: process.pid)
        let made = try TestRun.makeFolder(of: run)
        let words = ["/bin/sh", "-c", "sleep 600 & echo $!; wait"]
        let shell = try ChildProcess(words, environment: [TestRun.mark: run], folder: folder, label: "shell")
        let other = try ChildProcess(["sleep", "600"], folder: folder, label: "other")
        let child = eventually { shell.standardOutput.split(separator: "\n").first }
        let sleeper = "/proc/\(try #require(child))"
        #expect(FileManager.default.fileExists(atPath: sleeper))
        process.kill()
        #expect(shell.waitForExit() != nil)
        #expect(eventually { !FileManager.default.fileExists(atPath: made) })
        #expect(eventually { !FileManager.default.fileExists(atPath: sleeper) })
        #expect(other.exitStatus == nil)
    }

    @Test("A document is JSON in the file's shape, and JSON reads back as written")
    func documents() throws {
        let target = try TargetServer()
        var document = Document(target, attributes: ["idle_timeout.timeout_seconds": 1])
        document.instances = ["i-1": "127.0.0.1"]
        document.listeners[0].rules = [
            Document.rule(10, "path-pattern", ["/v1/*"], Document.forward(["blue": 90, "green": 10]))
        ]
        let json = JSON(parsing: Array(document.text(ports: [8080], folder: "/tmp/x").utf8))
        let loadBalancer = json["loadBalancers"][0]
        #expect(loadBalancer["attributes"]["idle_timeout.timeout_seconds"] == 1)
        #expect(loadBalancer["listeners"][0]["port"].int == 8080)
        let action = loadBalancer["listeners"][0]["rules"][0]["actions"][0]
        #expect(action["forwardConfig"]["targetGroups"][0] == ["targetGroupName": "blue", "weight": 90])
        #expect(json["targetGroups"][0]["targets"][0]["port"].int == Int(target.port))
        #expect(json["targetGroups"][0]["healthCheckIntervalSeconds"] == 0.5)
        #expect(json["instances"][0] == ["id": "i-1", "address": "127.0.0.1"])
        #expect(JSON(parsing: Array(json.text.utf8)) == json)
        #expect(json["nothing"][7]["here"] == .null)
    }

    @Test("The fields of an access log line are parsed")
    func logLines() {
        let line = AccessLogLine(
            "http 2026-01-01T00:00:00.000000Z app/web/1 127.0.0.1:1 - -1 -1 -1 400 - 10 20 "
                + "\"GET http://h:80/a?b c HTTP/1.1\" \"an agent\" - -"
        )
        #expect(line.kind == "http")
        #expect(line.status == 400)
        #expect(line.targetStatus == nil)
        #expect(line.target == "-")
        #expect(line.request == "GET http://h:80/a?b c HTTP/1.1")
        #expect(line.fieldsCount == 16)
    }

    @Test("Ports are allocated once, and `eventually` waits for a condition")
    func portsAndWaiting() throws {
        let ports = try (0..<50).map { _ in try PortAllocator.port() }
        #expect(Set(ports).count == 50)
        var asked = 0
        #expect(
            eventually {
                asked += 1
                return asked == 3
            })
        #expect(!eventually(within: 0.01) { false })
        #expect(always(for: 0.01) { true })
    }

    @Test("A gated target accepts connections only while its gate is open")
    func gatedTarget() throws {
        let target = try GatedTarget("gated")
        target.open()
        #expect(try RawClient(port: target.address.port).get("/").text == "gated\n")
        try target.close()
        let waiting = Background { try RawClient(port: target.address.port).get("/").text }
        #expect(always(for: 0.3) { !waiting.isDone })
        target.open()
        #expect(try waiting.value() == "gated\n")
        #expect(target.acceptedCount == 2)
    }

    @Test(
        "An unplugged host is silent, a rebooted one resets old connections, and POSTs stay recorded",
        .enabled(if: TargetHosts.areAllowed, "network namespaces cannot be made here"))
    func targetHosts() throws {
        let targets = try TargetHosts(count: 2)
        let host = targets.hosts[1]
        func curl(_ path: String, _ more: String...) throws -> String {
            let url = "http://\(host.address.text)/\(path)"
            let words = ["curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-m", "1"]
            return try Tool.run(targets.words(words + more + [url]), in: targets.folder, expectsSuccess: false)
        }
        func post(_ id: String) throws -> String { try curl(id, "-d", "x") }
        #expect(try post("first").contains("target-2\n"))
        try host.unplug()
        #expect(try curl("lost", "--retry", "0").contains("(28)"), "no answer, no RST")
        try host.plug()
        #expect(try post("second").contains("target-2\n"))
        host.powerOff()
        #expect(try curl("lost", "--retry", "0").contains("(28)"))
        try host.powerOn()
        #expect(try post("third").contains("target-2\n"))
        try host.kill()
        #expect(try curl("lost", "--retry", "0").contains("(7)"), "refused")
        #expect(host.processed == ["first", "second", "third"])
        #expect(targets.processed == host.processed)
    }
}
