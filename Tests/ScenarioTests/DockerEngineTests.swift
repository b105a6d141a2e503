import Foundation
import Testing

/// A Docker daemon that is missing, answers nonsense, or restarts: scripted, since the real one does not.
@Suite struct DockerEngineTests {
    /// A scripted daemon, and Apus whose group `blue` finds its containers. Their published ports are those of targets.
    private final class Scene {
        let folder: String
        let apus: ApusProcess
        let servers: [TargetServer]
        private var daemon: ChildProcess?
        private var state: JSON = ["containers": [], "faults": [:], "lines": [], "epoch": 0]
        private var epoch = 0

        var socket: String { "\(folder)/docker.sock" }

        init(starts: Bool = true) throws {
            folder = try temporaryFolder()
            servers = [try TargetServer("one"), try TargetServer("two"), try TargetServer("three")]
            let discovery: JSON = [
                "docker": [
                    "socket": .string("\(folder)/docker.sock"), "labels": ["app": "web"], "address": "published",
                    "port": 80,
                ]
            ]
            apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: Document.forward("blue"))],
                    groups: [.init("blue", settings: ["discovery": discovery])]), until: .answering)
            try contain(0, 1)
            if starts { try start() }
        }

        deinit {
            daemon?.kill()
            removeFolder(folder)
        }

        func start() throws {
            daemon = try ChildProcess(
                [Tool.python, Tool.script("fake_docker"), socket, "\(folder)/state.json"], folder: folder,
                label: "docker-\(UUID().uuidString)")
        }

        func stop() throws {
            daemon?.kill()
            daemon = nil
            try? FileManager.default.removeItem(atPath: socket)
        }

        private func write() throws {
            try state.text.write(toFile: "\(folder)/state.json", atomically: true, encoding: .utf8)
        }

        /// The containers there are, by the index of their target; what else is said is said of the last.
        func contain(_ indices: Int..., health: String? = nil, startedAt: String? = nil) throws {
            state["containers"] = .array(
                indices.map { index in
                    var container: JSON = [
                        "id": .string(Self.id(index)), "name": .string(servers[index].name), "address": "172.31.0.1",
                        "port": JSON(servers[index].port),
                    ]
                    if index == indices.last {
                        if let health { container["health"] = .string(health) }
                        if let startedAt { container["startedAt"] = .string(startedAt) }
                    }
                    return container
                })
            try write()
        }

        static func id(_ index: Int) -> String { "c\(index)" }

        func fault(_ kind: String?, _ fault: String = "") throws {
            state["faults"] = kind.map { .object([$0: .string(fault)]) } ?? [:]
            try write()
        }

        /// Ends all subscriptions, as a daemon that restarts does.
        func endEvents() throws {
            epoch += 1
            state["epoch"] = .number(Double(epoch))
            state["lines"] = []
            try write()
        }

        func tell(_ action: String, _ index: Int, _ attributes: [String: JSON] = [:]) throws {
            let event: JSON = [
                "Type": "container", "Action": .string(action),
                "Actor": [
                    "ID": .string(Self.id(index)), "Attributes": .object(["app": "web"].merging(attributes) { $1 }),
                ],
            ]
            try tell(event.text)
        }

        func tell(_ line: String) throws {
            state["lines"] = .array(state["lines"].elements + [.string(line)])
            try write()
        }

        var source: JSON { (try? apus.admin("GET", "/v1/discovery").json["sources"][0]) ?? .null }

        /// What is registered and does not drain, with its state.
        var targets: [String: String] {
            let states = (try? apus.states(of: "blue")) ?? [:]
            return states.filter { $0.value != "draining" }
        }

        func name(_ index: Int) -> String { "127.0.0.1:\(servers[index].port)" }

        func becomes(_ states: [Int: String]) -> Bool {
            let wanted = Dictionary(uniqueKeysWithValues: states.map { (name($0.key), $0.value) })
            return eventually(within: 20) { targets == wanted }
        }

        func isSource(_ state: String) -> Bool { eventually(within: 40) { source["state"].string == state } }
    }

    @Test("A daemon that is not there yet is no reason not to start, and one that goes takes nothing with it")
    func comesLate() throws {
        let scene = try Scene(starts: false)
        #expect(scene.isSource("away"))
        #expect(scene.source["reason"].string?.contains("cannot be connected to") == true, "\(scene.source.text)")
        try scene.start()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        try scene.stop()
        #expect(scene.isSource("away"))
        #expect(scene.targets.count == 2)
        expectServes(scene.apus)
        // What has changed meanwhile is found once it is back.
        try scene.contain(1, 2)
        try scene.start()
        #expect(scene.becomes([1: "healthy", 2: "healthy"]))
        #expect(scene.isSource("following"))
        #expect(try scene.apus.metric("apus_discovery_failures_total", #"target_group="blue""#) >= 2)
    }

    @Test(
        "Whatever it answers instead, the last that was good stays in force, and is replaced once it is good again",
        arguments: ["version", "events", "list", "inspect"])
    func badAnswers(kind: String) throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        for fault in ["status", "garbage", "notjson", "wrong", "truncated", "huge", "closed"] {
            try scene.fault(kind, fault)
            try scene.endEvents()
            if kind == "inspect" {
                // Each container is asked about by itself: what was known of it stays, and it is told.
                #expect(
                    eventually(within: 40) { scene.source["refusedCount"].int == 2 }, "\(fault): \(scene.source.text)")
            } else {
                #expect(eventually(within: 40) { scene.source["state"].string == "away" }, "\(kind) \(fault)")
            }
            #expect(scene.targets.count == 2, "\(kind) \(fault): \(scene.targets)")
            try scene.fault(nil)
            try scene.endEvents()
            #expect(
                eventually(within: 40) {
                    scene.source["state"].string == "following" && scene.source["refusedCount"].int == 0
                }, "\(kind) \(fault): \(scene.source.text)")
            #expect(scene.becomes([0: "healthy", 1: "healthy"]), "\(kind) \(fault)")
        }
        expectServes(scene.apus)
        #expect(scene.apus.process.exitStatus == nil)
    }

    @Test("Events put in force what they tell: signals, ends, health")
    func events() throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        try scene.tell("kill", 0, ["signal": "1"])
        try scene.tell("kill", 1, ["signal": "15"])
        #expect(scene.becomes([0: "healthy"]), "a HUP is no end")
        // The list still has it, since its process has not ended.
        try scene.endEvents()
        #expect(scene.isSource("following"))
        #expect(scene.becomes([0: "healthy"]))
        try scene.contain(0)
        try scene.tell("die", 1)
        try scene.contain(0, 1, startedAt: "2026-02-02T00:00:00Z")
        try scene.tell("start", 1)
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        try scene.tell("health_status: unhealthy", 0)
        #expect(scene.becomes([0: "unhealthy", 1: "healthy"]))
        let told = try scene.apus.admin("GET", "/v1/target-groups/blue/targets").text
        #expect(told.contains("Container.Unhealthy"), "\(told)")
        try scene.tell("health_status: healthy", 0)
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        // What is not chosen is not looked at.
        try scene.tell("start", 2, ["app": "other"])
        try scene.tell(#"{"Type":"network","Action":"connect","Actor":{"ID":"ff","Attributes":{"container":"c2"}}}"#)
        try scene.tell("die", 0)
        #expect(scene.becomes([1: "healthy"]))
    }

    @Test("A container that starts gets nothing before its own health check passes, whatever ours say")
    func starting() throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        try scene.contain(0, 1, 2, health: "starting")
        try scene.tell("start", 2)
        #expect(scene.becomes([0: "healthy", 1: "healthy", 2: "initial"]))
        #expect(eventually { scene.servers[2].healthChecksCount > 2 }, "ours are made meanwhile")
        #expect(scene.targets[scene.name(2)] == "initial")
        try scene.tell("health_status: healthy", 2)
        #expect(scene.becomes([0: "healthy", 1: "healthy", 2: "healthy"]))
    }

    @Test("A flood of events, and events that are none, cost a connection and nothing else")
    func hostileEvents() throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        for line in [String(repeating: "x", count: 100_000), "{", "[1]", "null"] {
            let before = scene.source["failures"].int ?? 0
            try scene.tell(line)
            #expect(eventually(within: 40) { scene.source["failures"].int ?? 0 > before }, "\(line.prefix(20))")
            try scene.endEvents()
            #expect(scene.isSource("following"), "\(line.prefix(20))")
        }
        for index in 0..<300 {
            try scene.tell("start", 100 + index)
        }
        try scene.tell("die", 0)
        #expect(scene.becomes([1: "healthy"]))
        expectServes(scene.apus)
    }
}
