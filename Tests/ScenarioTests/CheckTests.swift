import Foundation
import Glibc
import Testing

/// `apus check` reports what `run` and `reload` would report, and what it cannot check.
@Suite struct CheckTests {
    private let folder: String

    init() throws { folder = try temporaryFolder() }

    private static func document(_ addresses: [String] = [Socket.loopback]) -> Document {
        let action: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        var document = Document(listeners: [.init(defaultAction: action)], groups: [])
        document.addresses = addresses
        return document
    }

    /// The errors, one on each line, without log lines.
    private func mistakes(
        _ command: String, _ file: String = "apus.yaml"
    ) throws -> (lines: [String], status: Int32?, all: String) {
        let result = try ApusProcess.command(
            [command, "\(folder)/\(file)"], socket: "\(folder)/nobody.sock", folder: folder)
        guard case .exited(let status)? = result.status else { return ([result.errors], nil, "") }
        let lines = result.errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("apus: ") }
        return (lines, status, result.output + result.errors)
    }

    private func write(_ text: String, _ file: String = "apus.yaml") throws {
        try text.write(toFile: "\(folder)/\(file)", atomically: true, encoding: .utf8)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        /// What is wrong.
        let testDescription: String
        /// The text of the error.
        let words: [String]
        /// Breaks the document, given the folder and a port that is in use.
        let change: @Sendable (_ text: String, _ folder: String, _ taken: UInt16) -> String
    }

    static let refusals = [
        Case(testDescription: "a port in use", words: ["must be free to listen on", "in use"]) { text, _, taken in
            text.replacing("\"port\":1,", with: "\"port\":\(taken),")
        },
        Case(testDescription: "an address of another host", words: ["192.0.2.1", "an address that this host has"]) {
            text, _, _ in text.replacing("\"127.0.0.1\"", with: "\"192.0.2.1\"")
        },
        Case(testDescription: "a port in use for the metrics", words: ["must be free to listen on", "in use"]) {
            text, _, taken in
            text.replacing("\"admin\":{", with: "\"admin\":{\"metrics\":\"127.0.0.1:\(taken)\",")
        },
        Case(
            testDescription: "an address of another host for the metrics",
            words: ["192.0.2.1:9099", "an address that this host has"]
        ) { text, _, _ in
            text.replacing("\"admin\":{", with: "\"admin\":{\"metrics\":\"192.0.2.1:9099\",")
        },
        Case(testDescription: "a user who is not there", words: ["runtime.user is nosuch", "no such user"]) {
            text, _, _ in text.replacing("\"workers\":2", with: "\"workers\":2,\"user\":\"nosuch\"")
        },
        Case(testDescription: "a log folder that cannot be made", words: ["logs.access", "No such file or directory"]) {
            text, folder, _ in text.replacing("\(folder)/access.log", with: "\(folder)/a/b/access.log")
        },
        Case(testDescription: "a log that is a folder", words: ["logs.connection cannot be opened", "Is a directory"]) {
            text, folder, _ in text.replacing("\(folder)/connection.log", with: folder)
        },
        Case(testDescription: "a state folder that cannot be made", words: ["cannot be made", "Not a directory"]) {
            text, folder, _ in text.replacing("\(folder)/state", with: "\(folder)/file/state")
        },
        Case(testDescription: "an admin socket where a file lies", words: ["listen on", "no socket is there"]) {
            text, folder, _ in text.replacing("\(folder)/admin.sock", with: "\(folder)/file")
        },
        Case(testDescription: "an admin socket without a folder", words: ["a/b/admin.sock", "No such file"]) {
            text, folder, _ in text.replacing("\(folder)/admin.sock", with: "\(folder)/a/b/admin.sock")
        },
        Case(testDescription: "a state that is damaged", words: ["cannot be read", "--discard-changes"]) {
            text, folder, _ in text.replacing("\(folder)/state", with: "\(folder)/damaged")
        },
    ]

    @Test("check reports what run reports, and leaves nothing behind", arguments: refusals) func refused(_ test: Case)
        throws
    {
        defer { removeFolder(folder) }
        if test.testDescription.contains("user"), getuid() != 0 { return }
        let taken = try Socket.listening()
        try write("precious", "file")
        try FileManager.default.createDirectory(atPath: "\(folder)/damaged", withIntermediateDirectories: false)
        try write("{}", "damaged/state.json")
        let text = Self.document().text(ports: [1], folder: folder)
        let wrong = test.change(text, folder, try taken.localPort())
        try #require(wrong != text)
        let free = try PortAllocator.port()
        try write(wrong.replacing("\"port\":1,", with: "\"port\":\(free),"))
        let before = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        let checked = try mistakes("check")
        #expect(checked.status == 1)
        let after = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        #expect(after.filter { !$0.hasSuffix(".stdout") && !$0.hasSuffix(".stderr") } == before)
        #expect(checked.lines.count == 1, "\(checked.lines)")
        for word in test.words { #expect(checked.lines.joined().contains(word), "\(checked.lines)") }
        #expect(checked.lines.joined().contains("apus.yaml:1:"), "it names the place: \(checked.lines)")
        #expect(!checked.all.contains("is missing: apus run makes it"), "\(checked.all)")
        let ran = try mistakes("run")
        #expect(ran.status == 1 && ran.lines == checked.lines, "\(ran.lines)")
        #expect(try String(contentsOfFile: "\(folder)/file", encoding: .utf8) == "precious")
    }

    @Test("With --file-only the host is not checked, and the output says so")
    func fileOnly() throws {
        defer { removeFolder(folder) }
        let taken = try Socket.listening()
        let text = Self.document(["127.0.0.1"]).text(ports: [try taken.localPort()], folder: "/nowhere")
        try write(text.replacing("\"workers\":2", with: "\"workers\":2,\"user\":\"nosuch\""))
        let words = ["check", "--file-only", "\(folder)/apus.yaml"]
        let checked = try ApusProcess.command(words, socket: "", folder: folder)
        #expect(checked.status == .exited(0), "\(checked.errors)")
        #expect(checked.output.contains("note: This host was left aside"), "\(checked.output)")
        try write("nonsense: 1")
        #expect(try ApusProcess.command(words, socket: "", folder: folder).status == .exited(1))
    }

    @Test("All errors are reported at once")
    func everything() throws {
        defer { removeFolder(folder) }
        let taken = try Socket.listening()
        try write("precious", "file")
        let port = try taken.localPort()
        var text = Self.document().text(ports: [port], folder: folder)
        text = text.replacing("\(folder)/access.log", with: "\(folder)/a/b/access.log")
        text = text.replacing("\(folder)/state", with: "\(folder)/file/state")
        try write(text)
        #expect(try mistakes("check").lines.count == 3)
    }

    @Test("Overlapping listeners are reported by check, run and the socket")
    func overlap() throws {
        defer { removeFolder(folder) }
        let port = try PortAllocator.port()
        let text = Self.document(["127.0.0.1"]).text(ports: [port], folder: folder)
        let other =
            ",{\"name\":\"all\",\"addresses\":[\"0.0.0.0\"],\"listeners\":[{\"protocol\":\"HTTP\",\"port\":\(port),"
            + "\"defaultActions\":[{\"type\":\"fixed-response\",\"fixedResponseConfig\":{\"statusCode\":200}}]}]}]"
        let start = try #require(text.range(of: "\"loadBalancers\":["))
        let end = try #require(text.range(of: "}],\"logs\"", range: start.upperBound..<text.endIndex))
        try write(text.replacingCharacters(in: end, with: "}\(other),\"logs\""))
        for command in ["check", "run"] {
            let said = try mistakes(command)
            #expect(said.status == 1 && said.lines.count == 1, "\(said.lines)")
            #expect(
                said.lines.joined().contains("0.0.0.0 is every IPv4 address, so 127.0.0.1 as well"), "\(said.lines)")
            #expect(!said.lines.joined().contains("Stop the program"))
        }
        let apus = try ApusProcess.start(Self.document(["127.0.0.1"]))
        let body: JSON = [
            "addresses": ["0.0.0.0"],
            "listeners": [
                [
                    "protocol": "HTTP", "port": JSON(apus.port),
                    "defaultActions": [["type": "fixed-response", "fixedResponseConfig": ["statusCode": 200]]],
                ]
            ],
        ]
        let refused = try apus.admin("PUT", "/v1/load-balancers/all", body)
        #expect(refused.status == 409 && refused.errorCode == "DuplicateListener", "\(refused.text)")
    }

    @Test("check asks the running Apus: its own ports are free for it, another program's are not")
    func running() throws {
        defer { removeFolder(folder) }
        let apus = try ApusProcess.start(Self.document())
        func check() throws -> ApusProcess.CommandResult { try apus.command("check", apus.configurationPath) }
        let same = try check()
        #expect(same.status == .exited(0), "\(same.errors)")
        #expect(same.output.contains("process \(apus.process.pid)) was asked"), "\(same.output)")
        let config = try apus.admin("GET", "/v1/config").text
        #expect(try apus.admin("POST", "/v1/check", text: config).status == 200)

        let taken = try Socket.listening()
        let port = try taken.localPort()
        let text = try String(contentsOfFile: apus.configurationPath, encoding: .utf8)
        try apus.write(text: text.replacing("\"port\":\(apus.port)", with: "\"port\":\(port)"))
        let other = try check()
        #expect(other.status == .exited(1))
        #expect(other.errors.contains("127.0.0.1:\(port) must be free to listen on"), "\(other.errors)")
        let answer = try apus.admin("POST", "/v1/check", text: config.replacing("\(apus.port)", with: "\(port)"))
        #expect(answer.status == 400 && answer.text.contains("127.0.0.1:\(port) must be free"), "\(answer.text)")
        let reload = try apus.command("reload")
        #expect(reload.status == .exited(1) && reload.errors == other.errors, "\(reload.errors)")

        // A file that names another socket is still this one's; without being told where it is, its ports are not
        // another program's either.
        let moved = text.replacing("/admin.sock", with: "/moved.sock")
        try apus.write(text: moved)
        let asked = try check()
        #expect(asked.status == .exited(0), "\(asked.errors)")
        #expect(asked.output.contains("at the next start only: admin.socket"), "\(asked.output)")
        let words = ["check", apus.configurationPath]
        let blind = try ApusProcess.command(words, socket: "\(folder)/nobody.sock", folder: folder)
        #expect(blind.status == .exited(1) && blind.errors.contains("Another Apus is running"), "\(blind.errors)")
        #expect(!blind.errors.contains("Stop the program"), "\(blind.errors)")

        // Another Apus by mistake at this one's socket is told what a start would say.
        let second = text.replacing("\(apus.folder)/state", with: "\(folder)/state")
        try write(second.replacing("\"port\":\(apus.port)", with: "\"port\":\(try PortAllocator.port())"), "other.yaml")
        #expect(try mistakes("check", "other.yaml").lines.joined().contains("another process answers there"))
        #expect(try mistakes("run", "other.yaml").lines == mistakes("check", "other.yaml").lines)

        // From one address to all: the reload takes what it has already.
        try apus.write(text: text.replacing("\"127.0.0.1\"", with: "\"0.0.0.0\""))
        #expect(try check().status == .exited(0))
        #expect(try apus.command("reload").status == .exited(0))
        expectServes(apus)
    }

    @Test("Settings that take effect only at the next start are checked too", .enabled(if: getuid() == 0, "needs root"))
    func nextStart() throws {
        defer { removeFolder(folder) }
        let apus = try ApusProcess.start(Self.document())
        let text = try String(contentsOfFile: apus.configurationPath, encoding: .utf8)
        try apus.write(text: text.replacing("\"workers\":2", with: "\"workers\":2,\"user\":\"nosuch\""))
        let checked = try apus.command("check", apus.configurationPath, "--json")
        #expect(checked.status == .exited(1))
        #expect(checked.json["errors"][0]["path"] == "runtime.user", "\(checked.output)")
        #expect(checked.json["notes"].elements.contains { $0.string?.contains("runtime.user") == true })
        #expect(try apus.command("reload").output.contains("runtime.user"))
    }

    @Test("Missing folders for logs and the socket are created, and check says so")
    func folders() throws {
        defer { removeFolder(folder) }
        let port = try PortAllocator.port()
        var text = Self.document().text(ports: [port], folder: folder)
        text = text.replacing("\(folder)/access.log", with: "\(folder)/logs/access.log")
        text = text.replacing("\(folder)/admin.sock", with: "\(folder)/run/admin.sock")
        try write(text)
        let checked = try ApusProcess.command(["check", "\(folder)/apus.yaml"], socket: "", folder: folder)
        #expect(checked.status == .exited(0), "\(checked.errors)")
        #expect(checked.output.contains("\(folder)/logs is missing: apus run makes it"), "\(checked.output)")
        #expect(checked.output.contains("\(folder)/run is missing: apus run makes it"), "\(checked.output)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/logs"))
        let apus = try ChildProcess([ApusProcess.binary, "run", "\(folder)/apus.yaml"], folder: folder, label: "apus")
        #expect(eventually { FileManager.default.fileExists(atPath: "\(folder)/logs/access.log") })
        #expect(eventually { apus.standardError.contains("msg=\"serving\"") })
        let made = apus.standardError.split(separator: "\n").filter { $0.contains("a missing folder was made") }
        #expect(made.count == 2, "\(apus.standardError)")
        apus.signal(SIGTERM)
        #expect(apus.waitForExit() == .exited(0))
    }

    @Test("check - reads the standard input, and relative paths begin in the working folder")
    func standardInput() throws {
        defer { removeFolder(folder) }
        try write(Self.document().text(ports: [try PortAllocator.port()], folder: folder))
        let line = "\"$0\" check - < apus.yaml && cat apus.yaml | \"$0\" check --json -"
        let check = try ChildProcess(["/bin/sh", "-c", line, ApusProcess.binary], folder: folder, label: "check")
        #expect(check.waitForExit() == .exited(0), "\(check.standardError)")
        #expect(check.standardOutput.contains("/dev/stdin: good. 1 load balancer"))
        #expect(check.standardOutput.contains("\"valid\": true"))
    }

    @Test("What is served, and perhaps not meant so, is warned of: by check, at the start, and where it is changed")
    func warnings() throws {
        defer { removeFolder(folder) }
        let target = try StreamTarget()
        var document = Document.network(target)
        document.listeners[0].rules = [Document.rule(1, "sni", ["db.example.com"], Document.forward("blue"))]
        let apus = try ApusProcess.start(document)
        let checked = try apus.command("check", apus.configurationPath, "--json")
        #expect(checked.status == .exited(0), "\(checked.errors)")
        let warning = checked.json["warnings"][0]
        #expect(
            warning["message"].string?.hasPrefix("web:\(apus.port) has rules by apus.sni") == true, "\(checked.output)")
        #expect(warning["line"] == 1 && warning["file"] == .string(apus.configurationPath))
        #expect(apus.errors.contains("has rules by apus.sni"), "the start says so too")
        #expect(!apus.errors.contains("add up to 0"))

        let weighed = try apus.command("weights", "web:\(apus.port)", "blue=0")
        #expect(weighed.status == .exited(0))
        let sentence = "apus: warning: The weights of the default action of web:\(apus.port) add up to 0"
        #expect(weighed.errors.contains(sentence), "\(weighed.errors)")
        let reloaded = try apus.command("reload", "--json")
        #expect(reloaded.errors.contains("apus: warning: web:\(apus.port) has rules by apus.sni"), "\(reloaded.errors)")
        let messages = reloaded.json["warnings"].elements.compactMap { $0["message"].string }
        #expect(messages.count == 2 && messages.contains { $0.contains("rules by apus.sni") }, "\(reloaded.output)")
        #expect(try !apus.command("weights", "web:\(apus.port)", "blue=1").errors.contains("add up to 0"))
    }

    @Test("A regular expression that backtracks badly is warned of")
    func expressions() throws {
        defer { removeFolder(folder) }
        var document = Self.document()
        let action: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        document.listeners[0].rules = ["^(a+)+$", "^/v[0-9]+/"].enumerated().map { index, pattern in
            [
                "priority": JSON(index + 1), "actions": [action],
                "conditions": [["field": "path-pattern", "regexValues": [.string(pattern)]]],
            ]
        }
        try write(document.text(ports: [try PortAllocator.port()], folder: folder))
        let check = try ApusProcess.command(
            ["check", "\(folder)/apus.yaml", "--json"], socket: "\(folder)/nobody.sock", folder: folder)
        #expect(check.status == .exited(0), "\(check.errors)")
        let warnings = check.json["warnings"].elements.compactMap { $0["message"].string }
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("Rule 1 of web:") == true, "\(warnings)")
        #expect(warnings.first?.hasSuffix("such requests are refused with 500 RegexLimit.") == true, "\(warnings)")
    }
}
