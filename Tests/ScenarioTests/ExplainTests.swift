import Foundation
import Testing

/// `apus explain`: what would become of a request is what becomes of it.
@Suite struct ExplainTests {
    private static let rules: [JSON] = [
        Document.rule(10, "host-header", ["api.example.com"], Document.forward("green")),
        Document.rule(20, "path-pattern", ["/v1/*", "/old"], Document.forward("green")),
        [
            "priority": 30, "actions": [Document.forward("green")],
            "conditions": [
                ["field": "http-header", "httpHeaderConfig": ["httpHeaderName": "X-User", "values": ["7*"]]]
            ],
        ],
        Document.rule(40, "source-ip", ["127.0.0.2/32"], Document.forward("green")),
        Document.rule(50, "http-request-method", ["DELETE"], Document.forward("green")),
    ]

    private struct Scene {
        let blue: TargetServer
        let green: TargetServer
        let apus: ApusProcess

        init() throws {
            (blue, green) = (try TargetServer("blue"), try TargetServer("green"))
            apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: Document.forward("blue"), rules: ExplainTests.rules)],
                    groups: [.init("blue", servers: [blue]), .init("green", servers: [green])]))
        }

        /// What `apus explain` says, as JSON.
        func explain(_ words: [String]) throws -> JSON {
            let said = try ApusProcess.command(
                ["explain", "--json"] + words, socket: apus.socketPath, folder: apus.folder)
            #expect(said.status == .exited(0), "\(said)")
            return JSON(parsing: Array(said.output.utf8))
        }
    }

    @Test("What is told is what happens, rule by rule")
    func whatHappens() throws {
        let scene = try Scene()
        let port = scene.apus.port
        for (number, (words, fields, source)) in [
            (["/a"], [String](), "127.0.0.1"), (["/v1/x?y=1"], [], "127.0.0.1"), (["/old"], [], "127.0.0.1"),
            (["/older"], [], "127.0.0.1"), (["/b"], ["X-User: 77"], "127.0.0.1"), (["/b"], ["X-User: 8"], "127.0.0.1"),
            (["/c"], [], "127.0.0.2"), (["DELETE", "/d"], [], "127.0.0.1"),
            (["/e"], ["Host: api.example.com"], "127.0.0.1"),
            (["PUT", "/f"], ["Host: API.example.com:80"], "127.0.0.1"),
        ].enumerated() {
            let path = "\(words[words.count - 1])\(words[words.count - 1].contains("?") ? "&" : "?")n=\(number)"
            let method = words.count == 2 ? words[0] : "GET"
            var asked = [method, "http://127.0.0.1:\(port)\(path)", "--source", source]
            for field in fields { asked += ["-H", field] }
            let told = try scene.explain(asked)
            var curl = ["-s", "-X", method, "--interface", source]
            for field in fields { curl += ["-H", field] }
            let got = try Tool.run(["curl", "-q"] + curl + ["http://127.0.0.1:\(port)\(path)"], in: scene.apus.folder)
            let group = told["targetGroups"][0]
            #expect(got == (group["targetGroupName"].string ?? "?") + "\n", "\(asked)")
            #expect(group["targets"][0]["picked"] == true && group["targets"][0]["eligible"] == true, "\(told)")
            let line = eventually { scene.apus.accessLog.last { $0.request.contains("n=\(number) ") } }
            let rule = told["rule"].int.map { "\($0)" } ?? "0"
            #expect(line?.rulePriority == rule, "\(asked): \(line?.line ?? "-")")
            let deciding = told["rules"].elements.filter { $0["decides"] == true }
            #expect(deciding.count == (rule == "0" ? 0 : 1), "\(told)")
        }
    }

    @Test("People get a table, and what cannot be explained says why")
    func forPeople() throws {
        let scene = try Scene()
        let url = "http://api.example.com:\(scene.apus.port)/v1/a"
        let said = try scene.apus.command("explain", url, "-H", "X-User: 8")
        for part in ["host is api.example.com", "yes", "<- decides", "rule 10 forwards", "green", "100 %", "healthy"] {
            #expect(said.output.contains(part), "\(part): \(said.output)")
        }
        let refused = try scene.apus.command("explain", "http://a:\(scene.apus.port)/%00")
        #expect(refused.status == .exited(0) && refused.output.contains("answered with 400"), "\(refused)")
        for (words, status, expected) in [
            (["http://a:1/"], 1, "has port 1"), (["ftp://a/"], 1, "http or https"), (["http://"], 1, "http or https"),
            ([url, "--source", "here"], 1, "source must be an address"), ([url, "-H", "X"], 2, "Write a field"),
            ([url, "--listener", "web:2"], 1, "is web:2"),
            ([url, "-H", "X: a\r\nHost: b"], 1, "line breaks"),
            ([url, "-H", "X: " + String(repeating: "a", count: 70_000)], 1, "bytes"),
        ] as [([String], Int32, String)] {
            let said = try ApusProcess.command(
                ["explain"] + words, socket: scene.apus.socketPath, folder: scene.apus.folder)
            #expect(
                said.status == .exited(status) && said.errors.contains(expected),
                "\(words.first ?? ""): \(said.errors.prefix(300))")
        }
        expectServes(scene.apus)
    }
}
