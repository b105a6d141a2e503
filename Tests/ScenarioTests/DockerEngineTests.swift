import Foundation
import Testing

/// A Docker daemon that is missing, answers nonsense, or restarts: scripted, since the real one does not.
@Suite struct DockerEngineTests {
    /// A scripted daemon, and Apus whose group `blue` finds its containers. Their published ports are those of targets.
    private final class Scene {
        let folder: String
        let site: UpgradingApus
        let servers: [TargetServer]
        private var daemon: ChildProcess?
        private var state: JSON = ["containers": [], "faults": [:], "lines": [], "epoch": 0]
        private var epoch = 0

        var apus: ApusProcess { site.apus }
        var socket: String { Self.socket(folder) }

        private static func socket(_ folder: String) -> String { "\(folder)/docker.sock" }

        private static func document(_ folder: String, _ more: [String: JSON] = [:]) -> Document {
            let docker: JSON = [
                "socket": .string(socket(folder)), "labels": ["app": "web"], "address": "published", "port": 80,
            ]
            let discovery: JSON = ["docker": .object(docker.members.merging(more) { $1 })]
            return Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", settings: ["discovery": discovery])])
        }

        init(starts: Bool = true) throws {
            folder = try temporaryFolder()
            servers = [try TargetServer("one"), try TargetServer("two"), try TargetServer("three")]
            site = try UpgradingApus(Self.document(folder), until: .answering)
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

        /// Has another source take the place of the one that is followed, in this process or in another one.
        func replaceSource(byUpgrade: Bool) throws {
            if byUpgrade {
                #expect(try site.upgrade().status == .exited(0))
            } else {
                // The same daemon, and another source all the same.
                try apus.write(Self.document(folder, ["socket": .string(Self.socket(folder + "/."))]))
                #expect(try apus.command("reload").status == .exited(0))
            }
        }

        private func write() throws {
            try state.text.write(toFile: "\(folder)/state.json", atomically: true, encoding: .utf8)
        }

        /// The containers there are, by the index of their target; what else is said is said of the last.
        func contain(
            _ indices: Int..., health: String? = nil, startedAt: String? = nil, fault: String? = nil
        ) throws {
            state["containers"] = .array(
                indices.map { index in
                    var container: JSON = [
                        "id": .string(Self.id(index)), "name": .string(servers[index].name), "address": "172.31.0.1",
                        "port": JSON(servers[index].port),
                    ]
                    if index == indices.last {
                        if let health { container["health"] = .string(health) }
                        if let fault { container["fault"] = .string(fault) }
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
        arguments: ["version", "events", "list", "inspect"],
        [["status", "garbage", "notjson", "wrong"], ["truncated", "huge", "closed"]])
    func badAnswers(kind: String, faults: [String]) throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        for fault in faults {
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
        // One that is too long is any container's to make: it is skipped, and what comes after it counts.
        let failures = scene.source["failures"].int ?? 0
        try scene.tell(String(repeating: "x", count: 100_000))
        try scene.tell("health_status: unhealthy", 0)
        #expect(scene.becomes([0: "unhealthy", 1: "healthy"]))
        #expect(scene.source["failures"].int == failures, "\(scene.source.text)")
        for line in ["{", "[1]", "null"] {
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

    @Test(
        "Another source takes nothing out that it cannot read, and brings nothing back that was told to end",
        arguments: [true, false])
    func takesOver(byUpgrade: Bool) throws {
        let scene = try Scene()
        try scene.contain(0, 1, 2)
        try scene.tell("start", 2)
        #expect(scene.becomes([0: "healthy", 1: "healthy", 2: "healthy"]))
        try scene.tell("kill", 2, ["signal": "15"])
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        // The events are told once.
        let failures = scene.source["failures"].int ?? 0
        try scene.endEvents()
        #expect(eventually(within: 20) { scene.source["failures"].int ?? 0 > failures })
        #expect(scene.isSource("following"))
        try scene.fault("inspect", "status")
        try scene.replaceSource(byUpgrade: byUpgrade)
        #expect(eventually(within: 40) { scene.source["refusedCount"].int == 3 }, "\(scene.source.text)")
        #expect(scene.source["state"].string == "following")
        #expect(scene.becomes([0: "healthy", 1: "healthy"]), "what was in force stays, and no more")
        // It asks again, long before all is listed again.
        try scene.fault(nil)
        #expect(eventually(within: 40) { scene.source["refusedCount"].int == 0 }, "\(scene.source.text)")
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
    }

    @Test("A container of which nothing is said when it starts is asked about again, and is no reason to wait")
    func asksAgain() throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        try scene.contain(0, 1, 2, fault: "closed")
        try scene.tell("start", 2)
        #expect(eventually(within: 20) { scene.source["refusedCount"].int == 1 })
        #expect(scene.targets.count == 2 && scene.source["state"].string == "following")
        try scene.contain(0, 1, 2)
        #expect(scene.becomes([0: "healthy", 1: "healthy", 2: "healthy"]))
        #expect(scene.source["refusedCount"].int == 0)
    }

    @Test("A stop that is told when the container runs again takes nothing out")
    func lateStop() throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        try scene.tell("die", 1)
        #expect(scene.becomes([0: "healthy"]))
        try scene.contain(0, 1, startedAt: "2026-02-02T00:00:00Z")
        try scene.tell("start", 1)
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        try scene.tell("stop", 1)
        // One that is removed is asked about, and this one is there.
        try scene.tell("destroy", 1)
        try scene.tell("die", 0)
        #expect(scene.becomes([1: "healthy"]))
    }

    @Test("Health of containers counts at once, even while an upgrade has the changes wait")
    func whileChangesWait() throws {
        let scene = try Scene()
        #expect(scene.becomes([0: "healthy", 1: "healthy"]))
        let go = "\(scene.folder)/go"
        let slow = try scene.site.program("slow", "while [ ! -e \(go) ]; do sleep 0.1; done; exit 1")
        let upgrade = Background { [apus = scene.apus] in
            try apus.admin("POST", "/v1/upgrade", ["binary": .string(slow)], timeout: 60)
        }
        #expect(eventually { !Tool.children(of: scene.site.id).isEmpty })
        try scene.tell("health_status: unhealthy", 0)
        #expect(scene.becomes([0: "unhealthy", 1: "healthy"]))
        #expect(try scene.apus.admin("POST", "/v1/upgrade").status == 409, "it waits still")
        try "".write(toFile: go, atomically: true, encoding: .utf8)
        #expect(try upgrade.value().status == 500)
        expectServes(scene.apus)
    }
}
