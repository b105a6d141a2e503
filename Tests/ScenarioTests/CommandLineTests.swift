import Foundation
import Glibc
import Testing

/// The command line for people and scripts.
@Suite struct CommandLineTests {
    private func start() throws -> (ApusProcess, TargetServer, TargetServer) {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let document = Document(
            listeners: [
                .init(
                    defaultAction: Document.forward(["blue": 90, "green": 10]),
                    rules: [Document.rule(10, "path-pattern", ["/v1/*"], Document.forward("green"))])
            ],
            groups: [.init("blue", servers: [blue]), .init("green", servers: [green])])
        return (try ApusProcess.start(document), blue, green)
    }

    @Test("Exit statuses: 0 done, 1 refused, 2 usage, 3 no server")
    func exitStatuses() throws {
        let (apus, blue, _) = try start()
        #expect(try apus.command("status").status == .exited(0))
        let refused = try apus.command("targets", "register", "nowhere", "127.0.0.1:80")
        #expect(refused.status == .exited(1))
        #expect(refused.errors.contains("nowhere"), "\(refused.errors)")
        #expect(refused.output.isEmpty)
        #expect(try apus.command("targets", "frobnicate").status == .exited(2))
        #expect(try apus.command("weights").status == .exited(2))
        #expect(try apus.command("--no-such-option").status == .exited(2))
        let toScripts = try apus.command("targets", "register", "nowhere", "127.0.0.1:80", "--json")
        #expect(toScripts.status == .exited(1) && toScripts.errors == refused.errors)
        #expect(toScripts.json["error"]["code"] == "TargetGroupNotFound", "\(toScripts.output)")
        #expect(apus.terminate() == .exited(0))
        // Wrong usage is reported without connecting to the server.
        for words in [
            ["rules", "put", "web:80/1", "--forward", "blue"], ["weights", "web:80", "blue=1", "blue=2"],
            ["weights", "web:80", "blue=1000"], ["rules", "put", "web:80/1", "--path", "/", "--forward", "blue=1000"],
        ] {
            let usage = try ApusProcess.command(words, socket: apus.socketPath, folder: apus.folder)
            #expect(usage.status == .exited(2), "\(words): \(usage.errors)")
        }
        let nobody = try apus.command("status")
        #expect(nobody.status == .exited(3))
        #expect(nobody.errors.contains("admin.sock"), "\(nobody.errors)")
        #expect(blue.requests.isEmpty)
    }

    @Test("Tables for people, JSON for scripts")
    func tablesAndJSON() throws {
        let (apus, blue, _) = try start()
        let readers = [
            ["status"], ["groups"], ["listeners"], ["targets", "list", "blue"], ["rules", "list", "web:\(apus.port)"],
            ["instances", "list"],
        ]
        for words in readers {
            let table = try ApusProcess.command(words, socket: apus.socketPath, folder: apus.folder)
            #expect(table.status == .exited(0), "\(words): \(table.errors)")
            #expect(!table.output.isEmpty && table.json == .null, "\(words): \(table.output)")
            let json = try ApusProcess.command(words + ["--json"], socket: apus.socketPath, folder: apus.folder)
            #expect(json.status == .exited(0), "\(words): \(json.errors)")
            #expect(json.json != .null, "\(words): \(json.output)")
        }
        let lines = try apus.command("targets", "list", "blue").output.split(separator: "\n")
        try #require(lines.count >= 2)
        let row = try #require(lines.first { $0.contains("\(blue.port)") })
        #expect(row.contains("127.0.0.1") && row.contains("healthy"))
        let json = try apus.command("targets", "list", "blue", "--json").json
        #expect(json["targetHealthDescriptions"][0]["target"]["port"].int == Int(blue.port))
    }

    @Test(
        "A health check has one line and two exit statuses: 0 while it serves, 1 once it stops, stands still or is gone"
    )
    func healthcheck() throws {
        let gate = Gate()
        let blue = try TargetServer("blue", script: TargetScript.held(by: gate, body: "blue\n"))
        let apus = try ApusProcess.start(Document(blue))
        func check(_ status: Int32, _ line: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let result = try apus.command("status", "--healthcheck")
            let isSo = result.status == .exited(status) && result.output.hasPrefix(line) && result.errors.isEmpty
            #expect(isSo, "\(result)", sourceLocation: sourceLocation)
            #expect(result.output.split(separator: "\n").count == 1, sourceLocation: sourceLocation)
        }
        try check(0, "serving\n")
        #expect(try apus.command("status", "--healthcheck", "--json").json["serving"] == true)
        apus.process.signal(SIGSTOP)
        try check(1, "not serving: What answers at \(apus.socketPath) says nothing.\n")
        apus.process.signal(SIGCONT)
        try check(0, "serving\n")
        let client = try apus.client()
        try client.send("GET /held HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { blue.requests.contains { $0.target == "/held" } })
        apus.process.signal(SIGTERM)
        #expect(try eventually { try apus.admin("GET", "/health").status == 503 })
        try check(1, "not serving: This Apus is stopping")
        gate.open()
        #expect(try client.response().status == 200)
        #expect(apus.process.waitForExit() == .exited(0))
        try check(1, "not serving: No apus answers at \(apus.socketPath)")
        #expect(try apus.command("status", "--healthcheck", "--json").json["serving"] == false)
    }

    @Test("--socket wins over APUS_SOCKET")
    func socketOption() throws {
        let (apus, _, _) = try start()
        let words = ["status", "--socket", apus.socketPath]
        #expect(try ApusProcess.command(words, socket: "/nowhere.sock", folder: apus.folder).status == .exited(0))
        #expect(try ApusProcess.command(["status"], socket: "/nowhere.sock", folder: apus.folder).status == .exited(3))
    }

    @Test("A deployment: register, change weights, deregister --wait")
    func deployment() throws {
        let (apus, blue, _) = try start()
        let new = try TargetServer("new")
        let address = "127.0.0.1:\(new.port)"
        #expect(try apus.command("targets", "register", "blue", address).status == .exited(0))
        #expect(apus.target(.init(port: new.port), becomes: "healthy"))
        let drained = try apus.command("targets", "deregister", "blue", "127.0.0.1:\(blue.port)", "--wait", "--json")
        #expect(drained.status == .exited(0), "\(drained.errors)")
        #expect(drained.json["targets"][0]["cut"].int == 0)
        #expect(drained.json["targets"][0]["port"].int == Int(blue.port))
        #expect(try apus.command("weights", "web:\(apus.port)", "blue=1", "green=0").status == .exited(0))
        let report = LoadGenerator(port: apus.port, requests: 50).waitForEnd()
        #expect(report.count(of: "new\n") == 50)
        expectLogged(by: apus, "/load/0-1 ", status: 200, target: address)

        #expect(try apus.command("weights", "web:\(apus.port)", "blue=1", "nowhere=1").status == .exited(1))
        #expect(try apus.command("weights", "web:\(apus.port)", "blue=lots").status == .exited(2))
    }

    @Test("Rules and instances are added, listed and deleted")
    func rulesAndInstances() throws {
        let (apus, _, _) = try start()
        #expect(try apus.command("instances", "set", "i-7", "10.0.0.7").status == .exited(0))
        #expect(try apus.command("instances", "list").output.contains("10.0.0.7"))
        #expect(try apus.command("instances", "delete", "i-7").status == .exited(0))
        #expect(try !apus.command("instances", "list").output.contains("i-7"))
        #expect(try apus.command("rules", "list", "web:\(apus.port)").output.contains("/v1/*"))
        #expect(try apus.command("rules", "delete", "web:\(apus.port)/10").status == .exited(0))
        #expect(try !apus.command("rules", "list", "web:\(apus.port)").output.contains("/v1/*"))
        #expect(try apus.command("rules", "delete", "web:\(apus.port)/10").status == .exited(1))
    }

    @Test("check accepts what run accepts, schema is JSON, and help is not an error")
    func offline() throws {
        let (apus, _, _) = try start()
        let checked = try apus.command("check", apus.configurationPath)
        #expect(checked.status == .exited(0), "\(checked.errors)")
        let good = try apus.command("check", apus.configurationPath, "--json")
        #expect(good.status == .exited(0) && good.json["valid"] == true && good.json["errors"] == [])
        try apus.write(text: "loadBalancers: []\nnonsense: 1\n")
        let bad = try apus.command("check", apus.configurationPath, "--json")
        #expect(bad.status == .exited(1) && bad.json["valid"] == false)
        #expect(bad.json["file"] == .string(apus.configurationPath) && bad.json["errors"][0]["line"] == 2)
        #expect(bad.errors.contains("nonsense"), "\(bad.errors)")
        let schema = try apus.command("schema")
        #expect(schema.status == .exited(0))
        #expect(schema.json["properties"]["loadBalancers"] != .null)
        #expect(try apus.command("--help").status == .exited(0))
        #expect(try apus.command("--version").status == .exited(0))
    }

    @Test("events prints what happens until it is stopped")
    func events() throws {
        let (apus, _, _) = try start()
        let watching = try ChildProcess(
            [ApusProcess.binary, "events", "--json", "--socket", apus.socketPath], folder: apus.folder, label: "events")
        let port = try PortAllocator.port()
        // The watcher may still be connecting: register until it has seen one registration.
        let seen = try eventually {
            _ = try apus.command("targets", "register", "blue", "127.0.0.1:\(port)")
            _ = try apus.command("targets", "deregister", "blue", "127.0.0.1:\(port)")
            return watching.standardOutput.contains("\(port)")
        }
        #expect(seen, "\(watching.standardError)")
        #expect(watching.exitStatus == nil)
        watching.signal(SIGINT)
        #expect(watching.waitForExit() != nil)
    }

    @Test("With --json every error is JSON of the same shape, with numbers as numbers")
    func refusalsForScripts() throws {
        let (apus, _, _) = try start()
        func error(_ words: String...) throws -> JSON {
            let result = try ApusProcess.command(words + ["--json"], socket: apus.socketPath, folder: apus.folder)
            #expect(result.status != .exited(0))
            #expect(!result.errors.isEmpty, "the error is also text on standard error")
            let error = result.json["error"]
            for key in ["code", "message", "remedy"] {
                #expect(error[key].string?.isEmpty == false, "\(result.output)")
            }
            return error
        }
        #expect(try error("targets", "register", "nowhere", "127.0.0.1:80")["code"] == "TargetGroupNotFound")
        #expect(try error("weights", "web")["code"] == "UsageError")
        // The unknown word is reported, not the option after it.
        #expect(try error("nosuch")["message"] == "Unexpected argument 'nosuch'")
        #expect(try error("targets", "lst")["message"] == "Unexpected argument 'lst'")
        #expect(try error("target", "list")["remedy"] == "Did you mean \"apus targets list\"?")
        #expect(try error("status", "--socket", "/nowhere.sock")["code"] == "NoServer")
        #expect(try error("events", "--socket", "/nowhere.sock")["code"] == "NoServer")

        // A reload, check on the socket, check on the command line: the same details.
        try apus.write(text: "loadBalancers: []\nnonsense: 1\nlgos: {}\n")
        let reload = try error("reload")["details"]
        #expect(reload.elements.count == 2)
        #expect(reload[0]["line"].int == 2 && reload[0]["column"].int == 1 && reload[0]["code"] == "ValidationError")
        let checked = try apus.command("check", apus.configurationPath, "--json")
        #expect(checked.json["errors"] == reload)
        let text = try String(contentsOfFile: apus.configurationPath, encoding: .utf8)
        let socket = try apus.admin("POST", "/v1/check?file=\(apus.configurationPath)", text: text)
        #expect(socket.json["error"]["details"] == reload)

        let targets = try apus.command("targets", "list", "blue", "--json").json["targetHealthDescriptions"]
        #expect(targets[0]["healthCheckPort"].int == targets[0]["target"]["port"].int)
        #expect(targets[0]["healthCheckPort"].int != nil)
        let rules = try apus.command("rules", "list", "web:\(apus.port)", "--json").json
        #expect(rules["rules"].elements.map { $0["priority"].int } == [10])
        #expect(rules["defaultActions"].elements.count == 1)
        #expect(rules["protocol"] == .null, "rules, and not the whole listener")
    }

    @Test(
        "An argument that cannot be parsed is rejected with an example",
        arguments: [
            (["rules", "list", "web"], "as in web:8080"), (["rules", "list", "web:99999"], "from 1 to 65535"),
            (["rules", "delete", "web:80/x"], "as in web:80/10"),
            (["weights", "web:80", "blue=lots"], "as in blue=50"),
            (["targets", "register", "blue", "10.0.0.1:99999"], "as in 10.0.0.5:8080"),
            (["target", "list"], "Did you mean \"apus targets list\"?"),
            (["targets", "lst", "blue"], "Did you mean \"apus targets list blue\"?"),
            (["sttaus"], "Did you mean \"apus status\"?"),
        ])
    func examples(words: [String], example: String) throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let usage = try ApusProcess.command(words, socket: "", folder: folder)
        #expect(usage.status == .exited(2))
        #expect(usage.errors.contains(example), "\(usage.errors)")
    }

    @Test(
        "A socket of another user: exit 1, and which user may use it",
        .enabled(if: getuid() == 0, "only root can drop capabilities"))
    func forbiddenSocket() throws {
        let (apus, _, _) = try start()
        let owner: [FileAttributeKey: Any] = [.ownerAccountID: 65_534, .groupOwnerAccountID: 65_534]
        try FileManager.default.setAttributes(owner, ofItemAtPath: apus.socketPath)
        // Root without capabilities has no access to other users' files.
        let words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", ApusProcess.binary]
        for arguments in [["status"], ["check", apus.configurationPath]] {
            let asking = try ChildProcess(
                words + arguments, environment: ["APUS_SOCKET": apus.socketPath], folder: apus.folder, label: "ask")
            let status = asking.waitForExit()
            let said = asking.standardError + asking.standardOutput
            #expect(said.contains("Permission denied"), "\(said)")
            #expect(!said.contains("Start one"), "\(said)")
            if arguments[0] == "status" {
                #expect(status == .exited(1))
                #expect(said.contains("Run it as root"), "\(said)")
            } else {
                #expect(status == .exited(0), "its ports may be its own: \(said)")
                #expect(said.contains("what is in use may be its own"), "\(said)")
            }
        }
    }
}
