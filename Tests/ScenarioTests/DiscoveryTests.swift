import Foundation
import Testing

/// Targets that a source names, with a file as the source.
@Suite struct DiscoveryTests {
    /// A file of targets beside a running Apus, whose group `blue` finds them there.
    private struct Scene {
        let apus: ApusProcess
        let path: String

        init(_ list: String?, registered: [Document.Address] = []) throws {
            let folder = try temporaryFolder()
            path = folder + "/blue.json"
            if let list { try list.write(toFile: path, atomically: true, encoding: .utf8) }
            apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: Document.forward("blue"))],
                    groups: [.init("blue", registered, settings: ["discovery": ["file": ["path": .string(path)]]])]),
                until: .answering)
        }

        func write(_ list: String) throws { try list.write(toFile: path, atomically: true, encoding: .utf8) }

        func list(_ servers: TargetServer...) throws {
            try write(
                "["
                    + servers.map { #"{"id": "\#($0.name)", "address": "127.0.0.1", "port": \#($0.port)}"# }
                    .joined(separator: ",") + "]")
        }

        func states() -> [String: String] { (try? apus.states(of: "blue")) ?? [:] }

        func becomes(_ state: String, _ server: TargetServer) -> Bool {
            eventually { states()["127.0.0.1:\(server.port)"] == state }
        }
    }

    @Test("Targets come and go with the file, under load, and nothing is lost")
    func comeAndGo() throws {
        let (one, two, three) = (try TargetServer("one"), try TargetServer("two"), try TargetServer("three"))
        let scene = try Scene(nil, registered: [one.address])
        #expect(scene.becomes("healthy", one))
        #expect(try scene.apus.metric("apus_discovery_source_available", #"target_group="blue""#) == 0)
        let load = LoadGenerator(port: scene.apus.port, clients: 4)
        for round in 0..<5 {
            try scene.list(two, three)
            #expect(scene.becomes("healthy", two) && scene.becomes("healthy", three), "round \(round)")
            try scene.list(three)
            #expect(eventually { !["healthy", "initial"].contains(scene.states()["127.0.0.1:\(two.port)"] ?? "") })
        }
        #expect(load.finish().badCount == 0)
        let shown = try scene.apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"]
        let layers = Dictionary(
            shown.elements.map { ($0["target"]["port"].int ?? 0, $0["layer"].string ?? "") }
        ) { first, _ in first }
        #expect(layers[Int(one.port)] == "file" && layers[Int(three.port)] == "discovered")
        let table = try scene.apus.command("targets", "list", "blue").output
        #expect(table.contains("FROM") && table.contains("three"), "\(table)")
        #expect(try scene.apus.metric("apus_discovery_source_available", #"target_group="blue""#) == 1)
        #expect(try scene.apus.metric("apus_discovery_targets", #"target_group="blue""#) == 1)
        expectServes(scene.apus)
        expectLogged(by: scene.apus, "/still-serving", status: 200)
    }

    @Test("What a source says badly takes nothing away, and is told")
    func badAnswers() throws {
        let (one, two) = (try TargetServer("one"), try TargetServer("two"))
        let scene = try Scene(nil)
        try scene.list(one, two)
        #expect(scene.becomes("healthy", one) && scene.becomes("healthy", two))
        for bad in [
            "", "[", "{}", "[7]", #"[{"id": "one", "port": "many"}]"#, String(repeating: "[", count: 200),
        ] {
            try scene.write(bad)
            #expect(
                try eventually {
                    try scene.apus.admin("GET", "/v1/discovery").json["sources"][0]["state"].string == "away"
                }, "\(bad)")
            #expect(scene.states().values.filter { $0 == "healthy" }.count == 2, "\(bad)")
            try scene.list(one, two)
            #expect(
                try eventually {
                    try scene.apus.admin("GET", "/v1/discovery").json["sources"][0]["state"].string == "following"
                }, "\(bad)")
        }
        // One that is wrong is left out alone.
        try scene.write(
            #"[{"id": "one", "address": "127.0.0.1", "port": \#(one.port)}, {"id": "x", "address": "a.b", "port": 1}]"#)
        #expect(
            try eventually { try scene.apus.command("discovery").output.contains("x is not used: address must be") })
        #expect(scene.becomes("healthy", one))
        let failures = try scene.apus.metric("apus_discovery_failures_total", #"target_group="blue""#)
        #expect(failures >= 6)
        #expect(try scene.apus.metric("apus_discovery_refused_targets", #"target_group="blue""#) == 1)
        #expect(scene.apus.errors.contains("a source of targets does not answer as it should"))
        let events = try scene.apus.admin("GET", "/v1/status")
        #expect(events.status == 200)
    }

    @Test("A discovered target that is deregistered stays out over a restart, until it is named anew")
    func deregistered() throws {
        let (one, two) = (try TargetServer("one"), try TargetServer("two"))
        let scene = try Scene(nil)
        try scene.list(one, two)
        #expect(scene.becomes("healthy", one) && scene.becomes("healthy", two))
        let name = "127.0.0.1:\(two.port)"
        #expect(try scene.apus.command("targets", "deregister", "blue", name, "--wait").status == .exited(0))
        scene.apus.kill()
        try scene.apus.restart(until: .answering)
        #expect(scene.becomes("healthy", one))
        #expect(scene.states()[name] == nil)
        try scene.list(one)
        // Once it is known to be gone, the disk is told that it is not deregistered any more.
        #expect(try eventually { try scene.apus.metric("apus_state_writes_total") == 1 })
        try scene.list(one, two)
        #expect(scene.becomes("healthy", two))
    }

    @Test("A URL is asked again and again, with the entity tag of what is known")
    func url() throws {
        let (one, two) = (try TargetServer("one"), try TargetServer("two"))
        let list = Locked<(status: Int, tag: String, body: String)>((200, "\"1\"", Self.body(one)))
        let server = try TargetServer("lists") { connection in
            guard let request = try connection.request() else { return }
            let (status, tag, body) = list.value
            if status == 200, request["if-none-match"] == tag {
                try connection.respond(status: 304, fields: "ETag: \(tag)\r\nConnection: close\r\n")
            } else {
                try connection.respond(status: status, body: body, fields: "ETag: \(tag)\r\nConnection: close\r\n")
            }
        }
        let discovery: JSON = [
            "http": ["url": "http://127.0.0.1:\(server.port)/targets?of=blue", "intervalSeconds": 0.1]
        ]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", settings: ["discovery": discovery])]), until: .answering)
        #expect(apus.target(one.address, becomes: "healthy"))
        #expect(eventually { server.requests.count { $0["if-none-match"] == "\"1\"" } > 3 })
        #expect(
            server.requests.allSatisfy { $0.target == "/targets?of=blue" && $0["host"] == "127.0.0.1:\(server.port)" })
        list.withLock { $0 = (200, "\"2\"", Self.body(one, two)) }
        #expect(apus.target(two.address, becomes: "healthy"))
        func state() throws -> String? { try apus.admin("GET", "/v1/discovery").json["sources"][0]["state"].string }
        for (status, body) in [(500, "[]"), (302, "[]"), (200, "["), (404, "")] {
            list.withLock { $0 = (status, "\"3\"", body) }
            #expect(try eventually(within: 30) { try state() == "away" }, "\(status)")
            #expect(try apus.states(of: "blue").values.filter { $0 == "healthy" }.count == 2, "\(status)")
            list.withLock { $0 = (200, "\"2\"", Self.body(one, two)) }
            #expect(try eventually(within: 30) { try state() == "following" }, "\(status)")
        }
        list.withLock { $0 = (200, "\"4\"", "[]") }
        #expect(eventually { (try? apus.states(of: "blue"))?.values.allSatisfy { $0 == "draining" } ?? false })
    }

    private static func body(_ servers: TargetServer...) -> String {
        "[" + servers.map { #"{"id": "127.0.0.1", "port": \#($0.port)}"# }.joined(separator: ",") + "]"
    }

    @Test("A source that cannot be is refused by check, with its place and what to do")
    func badConfiguration() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let path = folder + "/apus.yaml"
        let group = "targetGroups:\n  - { name: a, targetType: ip, protocol: HTTP, port: 80, discovery: %@ }\n"
        for (discovery, word) in [
            ("{}", "exactly one source"), ("{ file: {} }", "path"), ("{ fil: { path: a } }", "Did you mean file"),
            ("{ file: { path: 7 } }", "path"), ("7", "discovery"),
        ] {
            try group.replacingOccurrences(of: "%@", with: discovery)
                .write(toFile: path, atomically: true, encoding: .utf8)
            let result = try ApusProcess.command(["check", "--file-only", path], socket: "", folder: folder)
            #expect(result.status == .exited(1), "\(discovery)")
            let told = result.output + result.errors
            #expect(told.contains("apus.yaml:2:") && told.contains(word), "\(discovery): \(told)")
        }
    }
}
