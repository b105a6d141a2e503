import Foundation
import Testing

/// Containers whose labels make groups and rules: of a scripted daemon, which says what a real one seldom does.
@Suite struct LabelTests {
    /// A scripted daemon, and Apus that looks at the labels of its containers. Their published ports are those of
    /// targets. The listener answers 404 to what no rule takes.
    private final class Scene {
        /// The labels of the containers there are, by the name of their target.
        typealias Containers = [String: [String: String]]

        let folder: String
        let site: UpgradingApus
        var apus: ApusProcess { site.apus }
        let servers: [String: TargetServer]
        private var daemon: ChildProcess?
        private var state: JSON = ["containers": [], "faults": [:], "lines": [], "epoch": 0]
        private var epoch = 0

        init(_ names: String..., file: (inout Document) -> Void = { _ in }) throws {
            folder = try temporaryFolder()
            servers = try Dictionary(uniqueKeysWithValues: names.map { ($0, try TargetServer($0)) })
            var document = Document(
                listeners: [
                    .init(
                        defaultAction: [
                            "type": "fixed-response", "fixedResponseConfig": ["statusCode": "404"],
                        ])
                ], groups: [.init("blue")])
            document.labels = [
                "socket": .string("\(folder)/docker.sock"), "address": "published",
                "allowHosts": ["example.com", "*.example.com"],
            ]
            file(&document)
            site = try UpgradingApus(document, until: .answering)
            try state.text.write(toFile: "\(folder)/state.json", atomically: true, encoding: .utf8)
            try start()
        }

        deinit {
            daemon?.kill()
            removeFolder(folder)
        }

        func start() throws {
            daemon = try ChildProcess(
                [Tool.python, Tool.script("fake_docker"), "\(folder)/docker.sock", "\(folder)/state.json"],
                folder: folder, label: "docker-\(UUID().uuidString)")
        }

        func stop() throws {
            daemon?.kill()
            daemon = nil
            try? FileManager.default.removeItem(atPath: "\(folder)/docker.sock")
        }

        /// Has these containers and no others run. They listen on port 80 of their own, and answer checks at once.
        func run(_ containers: Containers) throws {
            let common = [
                "apus.port": "80", "apus.health.interval": "0.5", "apus.health.timeout": "0.4",
                "apus.health.healthy": "1",
            ]
            state["containers"] = .array(
                containers.sorted { $0.key < $1.key }.map { name, labels in
                    let all = common.merging(labels) { $1 }.mapValues { JSON.string($0) }
                    return [
                        "id": .string(Self.id(name)), "name": .string(name), "address": "172.31.0.1",
                        "port": JSON(servers[name]?.port ?? 9), "labels": .object(all),
                        "startedAt": .string("2026-01-01T00:00:0\(names.firstIndex(of: name) ?? 0)Z"),
                    ]
                })
            epoch += 1
            state["epoch"] = JSON(epoch)
            try state.text.write(toFile: "\(folder)/state.json", atomically: true, encoding: .utf8)
        }

        private var names: [String] { servers.keys.sorted() }

        private static func id(_ name: String) -> String { name.utf8.map { String($0, radix: 16) }.joined() }

        /// Which target answers; the status, if it is not 200.
        func answer(_ path: String = "/", host: String = "example.com") -> String {
            guard let response = try? apus.client().get(path, host: host) else { return "nothing" }
            return response.status == 200
                ? String(decoding: response.body, as: UTF8.self).trimmingCharacters(in: .newlines)
                : "\(response.status)"
        }

        func answers(_ path: String = "/", host: String = "example.com", _ answer: String) -> Bool {
            eventually(within: 20) { self.answer(path, host: host) == answer }
        }

        /// What is refused: the container, then the reason.
        var refusals: [String] {
            let source = (try? apus.admin("GET", "/v1/discovery").json["sources"][0]) ?? .null
            return source["refused"].elements.map { refusal in
                "\(refusal["name"].string ?? ""): \(refusal["reason"].string ?? "")"
            }.sorted()
        }
    }

    private static let shop = ["apus.group": "shop", "apus.host": "shop.example.com", "apus.path": "/a/*"]

    @Test("Containers have groups and rules by their labels, replicas share them, and lists say so")
    func claims() throws {
        let scene = try Scene("one", "two", "wide")
        #expect(scene.answer("/a/1", host: "shop.example.com") == "404")
        try scene.run(["one": Self.shop, "wide": ["apus.host": "*.example.com"]])
        #expect(scene.answers("/a/1", host: "shop.example.com", "one"))
        #expect(scene.answers("/b", host: "shop.example.com", "wide"), "the longer place comes first")
        #expect(scene.answer("/a/1", host: "example.org") == "404")
        try scene.run(["one": Self.shop, "two": Self.shop, "wide": ["apus.host": "*.example.com"]])
        #expect(scene.answers("/a/1", host: "shop.example.com", "two"), "both have their turn")
        let groups = try scene.apus.admin("GET", "/v1/target-groups").json
        #expect(groups["discovered"]["shop"] == ["one", "two"], "\(groups["discovered"].text)")
        let rules = try scene.apus.admin("GET", "/v1/load-balancers/web/listeners/\(scene.apus.port)/rules").json
        #expect(rules["discovered"]["40001"] == ["one", "two"] && rules["discovered"]["40002"] == ["wide"])
        #expect(try scene.apus.command("groups").output.contains("labels of one, two"))
        #expect(try scene.apus.command("rules", "list", "web:\(scene.apus.port)").output.contains("labels of wide"))
        #expect(try scene.apus.command("targets", "list", "shop").output.contains("one"))
        #expect(try scene.apus.command("discovery").output.contains("by labels  labels"))
    }

    @Test("What is refused is named with its container, and touches nothing that works")
    func refusals() throws {
        let scene = try Scene("a-first", "b", "c", "d", "e", "f") { document in
            document.listeners[0].rules = [
                Document.rule(10, "host-header", ["file.example.com"], Document.forward("blue"))
            ]
        }
        try scene.run(["a-first": Self.shop])
        #expect(scene.answers("/a/1", host: "shop.example.com", "a-first"))
        let load = try ClosedLoop(to: scene.apus, connections: 2, label: "r")
        try scene.run([
            "a-first": Self.shop, "b": Self.shop.merging(["apus.health.path": "/other"]) { $1 },
            "c": ["apus.host": "shop.example.com", "apus.path": "/a/*", "apus.group": "mine"],
            "d": ["apus.host": "bank.example.org"], "e": ["apus.host": "file.example.com", "apus.priority": "10"],
            "f": ["apus.host": "f.example.com", "apus.helth.path": "/x"],
        ])
        #expect(eventually(within: 20) { scene.refusals.count == 5 }, "\(scene.refusals)")
        for (index, text) in [
            "b: label apus.health.path must be /, as container a-first of group shop has it, but found /other.",
            "c: apus.host and apus.path must be nobody else's on web:\(scene.apus.port), but found shop.example.com w",
            "d: apus.host must be allowed by allowHosts, but found bank.example.org.",
            "e: apus.host and apus.path must be nobody else's on web:\(scene.apus.port), but found file.example.com",
            "f: expected a key of the labels of a container, but found \"apus.helth.path\".",
        ].enumerated() { #expect(scene.refusals[index].hasPrefix(text), "\(scene.refusals[index])") }
        #expect(scene.answer("/a/1", host: "shop.example.com") == "a-first")
        #expect(scene.answer("/", host: "bank.example.org") == "404")
        #expect(scene.answer("/", host: "file.example.com") == "503", "the file's group has no targets")
        #expect(try scene.apus.command("discovery").output.contains("Did you mean apus.health.path?"))
        #expect(eventually { scene.apus.errors.contains("bank.example.org") }, "\(scene.apus.errors.suffix(2000))")
        // Once the first is gone the next one has it.
        try scene.run(["c": ["apus.host": "shop.example.com", "apus.path": "/a/*", "apus.group": "mine"]])
        #expect(scene.answers("/a/1", host: "shop.example.com", "c"))
        #expect(scene.refusals.isEmpty, "\(scene.refusals)")
        #expect(load.finish().outcomes.keys.sorted() == ["404"], "nothing else was disturbed")
    }

    @Test("A new version is started and the old one goes, again and again under load: no GET fails")
    func updates() throws {
        let scene = try Scene("v1", "v2", "v3", "v4")
        let labels = ["apus.host": "example.com", "apus.path": "/load/*"]
        try scene.run(["v1": labels])
        #expect(scene.answers("/load/x", "v1"))
        let load = try ClosedLoop(to: scene.apus, connections: 8, label: "u")
        #expect(load.goesOn())
        for (old, new) in [("v1", "v2"), ("v2", "v3"), ("v3", "v4"), ("v4", "v1")] {
            try scene.run([old: labels, new: labels])
            let groups = try scene.apus.admin("GET", "/v1/target-groups").json["discovered"].members
            let group = try #require(groups.keys.first)
            let address = try #require(scene.servers[new]?.address)
            #expect(scene.apus.target(address, in: group, becomes: "healthy"))
            try scene.run([new: labels])
            #expect(load.goesOn(for: 100))
        }
        let report = load.finish()
        #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
    }

    @Test("What labels say outlives a daemon that is away, a reload and an upgrade, and is never on the disk")
    func outlives() throws {
        let scene = try Scene("one")
        try scene.run(["one": Self.shop])
        #expect(scene.answers("/a/1", host: "shop.example.com", "one"))
        try scene.stop()
        #expect(eventually(within: 20) { (try? scene.apus.command("discovery").output.contains("away")) ?? false })
        #expect(try scene.apus.admin("POST", "/v1/reload").status == 200)
        #expect(scene.answer("/a/1", host: "shop.example.com") == "one")
        #expect(try scene.site.upgrade().status == .exited(0))
        #expect(scene.answer("/a/1", host: "shop.example.com") == "one")
        #expect(try scene.apus.admin("GET", "/v1/target-groups").json["discovered"]["shop"] == ["one"])
        // The last of a group is gone: its rule stays for now, and says that there is nobody.
        try scene.run([:])
        try scene.start()
        #expect(scene.answers("/a/1", host: "shop.example.com", "503"))
        try scene.run(["one": Self.shop])
        #expect(scene.answers("/a/1", host: "shop.example.com", "one"))
        let files = try FileManager.default.contentsOfDirectory(atPath: scene.apus.statePath)
        for file in files {
            let text = (try? String(contentsOfFile: "\(scene.apus.statePath)/\(file)", encoding: .utf8)) ?? ""
            #expect(!text.contains("shop"), "\(file)")
        }
    }

    @Test("Over the socket labels are not changed; what is allowed is, by a reload, at once")
    func changes() throws {
        let scene = try Scene("one", "two")
        try scene.run(["one": Self.shop, "two": Self.shop])
        #expect(scene.answers("/a/1", host: "shop.example.com", "two"))
        let listener = "/v1/load-balancers/web/listeners/\(scene.apus.port)"
        let refused = try scene.apus.admin("DELETE", "\(listener)/rules/40001")
        #expect(
            refused.status >= 400 && refused.text.contains("labels of its containers (one, two)"), "\(refused.text)")
        #expect(try scene.apus.admin("DELETE", "/v1/target-groups/shop").status >= 400)
        // The listener is put as it is shown, and a target is taken out.
        let shown = try scene.apus.admin("GET", listener).json
        #expect(try scene.apus.admin("PUT", listener, shown).status == 200)
        #expect(scene.answers("/a/1", host: "shop.example.com", "one"))
        let two = try #require(scene.servers["two"])
        #expect(
            try scene.apus.admin("POST", "/v1/target-groups/shop/deregister", ["targets": [two.address.json]])
                .status == 200)
        #expect(eventually { (0..<4).allSatisfy { _ in scene.answer("/a/1", host: "shop.example.com") == "one" } })
        let path = scene.apus.configurationPath
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacingOccurrences(of: "\"*.example.com\"", with: "\"*.example.net\"")
            .write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try scene.apus.admin("POST", "/v1/reload").status == 200)
        #expect(scene.answer("/a/1", host: "shop.example.com") == "404")
        #expect(scene.refusals.count == 2 && scene.refusals[0].contains("allowHosts"), "\(scene.refusals)")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try scene.apus.admin("POST", "/v1/reload").status == 200)
        #expect(scene.answers("/a/1", host: "shop.example.com", "one"))
    }
}
