import Foundation
import Testing

/// Rollouts: a new target group takes over, or is found to be worse.
@Suite struct RolloutTests {
    /// What the targets of the new group do.
    private final class Version: Sendable {
        let isBroken = Locked(false)
        let failsEvery = Locked(0)
        let delayEvery = Locked(0)
        let count = Locked(0)
        let server: TargetServer

        init(_ name: String) throws {
            let (count, failsEvery, delayEvery) = (count, failsEvery, delayEvery)
            server = try TargetServer(name) { connection in
                while try connection.request() != nil {
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    let (failing, slow) = (failsEvery.value, delayEvery.value)
                    // Nothing comes meanwhile, as its client waits for the answer.
                    if slow > 0, number.isMultiple(of: slow) { _ = connection.wire.ended(within: 0.05) }
                    try connection.respond(
                        status: failing > 0 && number.isMultiple(of: failing) ? 503 : 200, body: name)
                }
            }
        }
    }

    /// Two versions behind one listener, with all weight on the first, and clients.
    private struct Scene {
        let blue: Version
        let green: Version
        let apus: ApusProcess
        let action: String

        init() throws {
            (blue, green) = (try Version("blue"), try Version("green"))
            apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: Document.forward(["blue": 1, "green": 0]))],
                    groups: [.init("blue", servers: [blue.server]), .init("green", servers: [green.server])]))
            action = "web:\(apus.port)"
        }

        /// Begins a rollout. Returns what was said.
        @discardableResult
        func start(_ options: String...) throws -> String {
            let words = ["rollout", "start", action, "--from", "blue", "--to", "green"] + options
            let said = try command(words)
            #expect(said.status == .exited(0), "\(said)")
            return said.output
        }

        func command(_ words: [String]) throws -> ApusProcess.CommandResult {
            try ApusProcess.command(words, socket: apus.socketPath, folder: apus.folder)
        }

        /// The first rollout.
        var rollout: JSON { (try? apus.admin("GET", "/v1/rollouts/1").json) ?? .null }

        func becomes(_ phase: String, within seconds: Double = 60) -> Bool {
            eventually(within: seconds) { rollout["phase"].string == phase }
        }

        /// The weights of both groups that are in force.
        var weights: [Int] {
            let listener = try? apus.admin("GET", "/v1/load-balancers/web/listeners/\(apus.port)").json
            let groups = listener?["defaultActions"][0]["forwardConfig"]["targetGroups"].elements ?? []
            return groups.compactMap { $0["weight"].int }
        }
    }

    @Test("A version that fails one request in twenty is taken back, with the evidence, and few have failed")
    func failing() throws {
        let scene = try Scene()
        scene.green.failsEvery.withLock { $0 = 20 }
        let load = try ClosedLoop(to: scene.apus, connections: 8, pause: 0.005)
        #expect(load.goesOn())
        try scene.start("--steps", "50,100", "--step-time", "60")
        #expect(scene.becomes("aborted"))
        #expect(eventually { scene.weights == [100, 0] }, "\(scene.weights)")
        let reason = scene.rollout["reason"].string ?? ""
        #expect(reason.contains("errorShare") && reason.contains("worse; chance is excluded"), "\(reason)")
        #expect(load.goesOn())
        let report = load.finish()
        // Some 12 failures prove it; what is answered until the next look, and until the weights are set, comes on top.
        #expect((report.outcomes["503"] ?? 0) >= 5 && report.failedCount < 100, "\(report.outcomes)")
        #expect(report.failedCount == report.outcomes["503"] ?? 0, "\(report.outcomes)")
        #expect(try scene.apus.metric("apus_rollouts_total", #"result="aborted""#) == 1)
        #expect(try scene.apus.metric("apus_connections_cut_by_configuration_total") == 0)
        #expect(
            try scene.apus.metric("apus_target_group_requests_failed_total", #"target_group="green""#)
                == Double(report.failedCount))
        #expect(scene.apus.errors.contains("a rollout is aborted"))
        let history = try scene.apus.command("rollout", "history").output
        #expect(history.contains("aborted"), "\(history)")
    }

    @Test("A version that is slow now and then is taken back")
    func slow() throws {
        let scene = try Scene()
        scene.green.delayEvery.withLock { $0 = 5 }
        let load = try ClosedLoop(to: scene.apus, connections: 8, pause: 0.005)
        #expect(load.goesOn())
        try scene.start("--steps", "50,100", "--step-time", "100", "--guard", "p90=100", "--guard", "p99=off")
        #expect(scene.becomes("aborted"))
        #expect(scene.rollout["reason"].string?.contains("p90") == true, "\(scene.rollout)")
        #expect(load.finish().failedCount == 0)
    }

    @Test("A version that is as good takes over step by step, and nothing fails")
    func good() throws {
        let scene = try Scene()
        let load = try ClosedLoop(to: scene.apus, connections: 8, pause: 0.002)
        #expect(load.goesOn())
        // A busy machine answers some requests late, whoever is asked: only errors are watched.
        try scene.start(
            "--steps", "10,50,100", "--step-time", "1", "--guard", "errors=3", "--guard", "p99=off",
            "--minimum-requests", "50")
        #expect(scene.becomes("promoted", within: 100), "\(scene.rollout)")
        #expect(eventually { scene.weights == [0, 100] }, "\(scene.weights)")
        #expect(scene.rollout["reason"].string?.contains("not worse") == true, "\(scene.rollout)")
        #expect(load.goesOn())
        let report = load.finish()
        #expect(report.failedCount == 0, "\(report.outcomes)")
        #expect(try scene.apus.metric("apus_connections_cut_by_configuration_total") == 0)
        let changes = try scene.apus.admin("GET", "/v1/rollouts").json["rollouts"].elements
        #expect(changes.count == 1)
    }

    @Test("With little traffic a rollout waits, and says for what")
    func quiet() throws {
        let scene = try Scene()
        try scene.start("--steps", "50,100", "--step-time", "0.1")
        #expect(eventually { scene.rollout["waitsFor"].string?.contains("100 more requests at green") == true })
        let status = try scene.apus.command("rollout", "status").output
        #expect(status.contains("too few to judge by") && status.contains("undecided"), "\(status)")
        #expect(scene.weights == [50, 50])
        #expect(try scene.apus.command("rollout", "promote", "1").status == .exited(0))
        #expect(scene.becomes("promoted") && eventually { scene.weights == [0, 100] })
        expectServes(scene.apus)
    }

    @Test("A new group whose targets fail is given up, and one without healthy targets is not begun with")
    func circuitBreaker() throws {
        let scene = try Scene()
        try scene.start("--steps", "10,100", "--step-time", "60")
        scene.green.server.healthStatus.withLock { $0 = 500 }
        #expect(scene.becomes("aborted"))
        #expect(scene.rollout["reason"].string == "Circuit breaker: 1 of 1 targets of green are unhealthy.")
        #expect(eventually { scene.weights == [100, 0] })
        let refused = try scene.command(["rollout", "start", scene.action, "--from", "blue", "--to", "green"])
        #expect(refused.status == .exited(1) && refused.errors.contains("green has no healthy target"), "\(refused)")
    }

    @Test("Who changes the weights by hand pauses a rollout; it can be resumed, and aborted")
    func byHand() throws {
        let scene = try Scene()
        try scene.start("--steps", "10,100", "--step-time", "60")
        #expect(try scene.apus.command("weights", scene.action, "blue=1", "green=1").status == .exited(0))
        #expect(scene.becomes("paused"))
        #expect(scene.rollout["reason"].string?.contains("changed the weights") == true)
        #expect(scene.weights == [1, 1])
        #expect(try scene.apus.command("rollout", "resume", "1").status == .exited(0))
        #expect(scene.becomes("running") && eventually { scene.weights == [90, 10] })
        let second = try scene.command(["rollout", "start", scene.action, "--from", "blue", "--to", "green"])
        #expect(second.status == .exited(1) && second.errors.contains("Rollout 1"), "\(second)")
        #expect(try scene.apus.command("rollout", "abort", "1").status == .exited(0))
        #expect(scene.becomes("aborted") && eventually { scene.weights == [100, 0] })
        #expect(try scene.apus.command("rollout", "abort", "1").status == .exited(1))
    }

    @Test("A crash in the middle of a step: a rollout goes on, or is aborted if it was told so")
    func crash() throws {
        let scene = try Scene()
        try scene.start("--steps", "10,20,100", "--step-time", "60", "--on-restart", "continue")
        #expect(try scene.apus.command("rollout", "promote", "1").status == .exited(0))
        #expect(eventually { scene.weights == [80, 20] })
        scene.apus.kill()
        try scene.apus.restart()
        #expect(scene.becomes("running") && scene.rollout["percent"].int == 20 && scene.weights == [80, 20])
        #expect(try scene.apus.command("rollout", "abort", "1").status == .exited(0))
        #expect(eventually { scene.weights == [100, 0] })
        try scene.start("--steps", "30,100", "--step-time", "60", "--on-restart", "abort")
        #expect(eventually { scene.weights == [70, 30] })
        scene.apus.kill()
        try scene.apus.restart()
        #expect(eventually { scene.weights == [100, 0] })
        let second = try scene.apus.admin("GET", "/v1/rollouts/2").json
        #expect(second["phase"].string == "aborted" && second["reason"].string == "The process was started again.")
    }

    @Test("Orders that come at once, and starts: the weights are what the record says in the end")
    func atOnce() throws {
        let scene = try Scene()
        let start: JSON = [
            "loadBalancerName": "web", "port": JSON(Int(scene.apus.port)), "from": "blue", "to": "green",
            "steps": [10, 30, 100], "stepTimeSeconds": 60,
        ]
        let starts = (0..<4).map { _ in Background { try scene.apus.admin("POST", "/v1/rollouts", start).status } }
        #expect(try starts.map { try $0.value() }.filter { $0 == 200 }.count == 1)
        for (round, orders) in [["promote", "abort"], ["pause", "resume", "abort"], ["promote", "promote"]].enumerated()
        {
            let id = round + 1
            let asked = orders.map { order in
                Background { try scene.apus.admin("POST", "/v1/rollouts/\(id)/\(order)").status }
            }
            for one in asked { _ = try one.value() }
            let record = try scene.apus.admin("GET", "/v1/rollouts/\(id)").json
            if record["endedAt"] == .null { _ = try scene.apus.admin("POST", "/v1/rollouts/\(id)/abort") }
            let ended = try scene.apus.admin("GET", "/v1/rollouts/\(id)").json
            let new = ended["phase"].string == "promoted" ? 100 : 0
            #expect(eventually { scene.weights == [100 - new, new] }, "\(orders): \(scene.weights), \(ended)")
            if new == 100 {
                #expect(try scene.apus.command("swap", scene.action, "green", "blue").status == .exited(0))
            }
            #expect(try scene.apus.admin("POST", "/v1/rollouts", start).status == 200)
        }
    }

    @Test("What was answered is there after a crash at any time")
    func crashes() throws {
        let scene = try Scene()
        try scene.start("--steps", "10,30,100", "--step-time", "60")
        #expect(try scene.apus.admin("POST", "/v1/rollouts/1/promote").status == 200)
        scene.apus.kill()
        try scene.apus.restart()
        #expect(scene.becomes("running") && scene.rollout["percent"].int == 30)
        #expect(eventually { scene.weights == [70, 30] })
        #expect(try scene.apus.admin("POST", "/v1/rollouts/1/abort").status == 200)
        scene.apus.kill()
        try scene.apus.restart()
        #expect(scene.becomes("aborted") && eventually { scene.weights == [100, 0] })
        try scene.start("--steps", "10,30,100", "--step-time", "60")
        scene.apus.kill()
        try "[".write(toFile: "\(scene.apus.statePath)/rollouts.json", atomically: true, encoding: .utf8)
        try scene.apus.restart()
        #expect(eventually { scene.apus.errors.contains("rollouts that an earlier process has begun are not known") })
        #expect(FileManager.default.fileExists(atPath: "\(scene.apus.statePath)/rollouts.json.damaged"))
        expectServes(scene.apus)
    }

    @Test("An action that is gone for a while comes back with the old group's weights")
    func actionGone() throws {
        let scene = try Scene()
        try scene.start("--steps", "10,100", "--step-time", "60")
        let path = "/v1/load-balancers/web/listeners/\(scene.apus.port)"
        let both = try scene.apus.admin("GET", path).json
        var without = both
        without["defaultActions"] = [Document.forward("blue")]
        #expect(try scene.apus.admin("PUT", path, without).status == 200)
        #expect(scene.becomes("aborted"))
        let green = try scene.apus.admin("GET", "/v1/target-groups/green").json
        #expect(try scene.apus.admin("DELETE", "/v1/target-groups/green").status == 200)
        #expect(try scene.apus.admin("PUT", "/v1/target-groups/green", green).status == 200)
        #expect(try scene.apus.admin("PUT", path, both).status == 200)
        #expect(eventually { scene.weights == [100, 0] }, "\(scene.weights)")
        expectServes(scene.apus)
    }

    @Test("Requests for which the new group has no room count as failures, whoever answers them")
    func overload() throws {
        let (blue, green) = (
            try TargetServer("blue"),
            try TargetServer("green") { connection in
                _ = try connection.request()
                _ = connection.wire.ended(within: 30)
            }
        )
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward(["blue": 1, "green": 0]))],
                groups: [
                    .init("blue", servers: [blue]),
                    .init(
                        "green", servers: [green],
                        attributes: ["apus.target.max_requests": 1, "apus.target.queue_max": 1]),
                ]))
        let load = try ClosedLoop(to: apus, connections: 16, pause: 0.005)
        #expect(load.goesOn())
        let words = ["rollout", "start", "web:\(apus.port)", "--from", "blue", "--to", "green", "--steps", "50,100"]
        let said = try ApusProcess.command(words, socket: apus.socketPath, folder: apus.folder)
        #expect(said.status == .exited(0), "\(said)")
        #expect(
            try eventually(within: 60) {
                try apus.admin("GET", "/v1/rollouts/1").json["phase"].string == "aborted"
            })
        #expect(try apus.metric("apus_target_group_requests_failed_total", #"target_group="green""#) > 0)
        _ = load.finish()
    }

    @Test("With a request now and then, all of them failures, a rollout is aborted all the same")
    func slowTraffic() throws {
        let scene = try Scene()
        scene.green.failsEvery.withLock { $0 = 1 }
        try scene.start(
            "--steps", "50,100", "--step-time", "600", "--minimum-requests", "0", "--guard", "p99=off")
        let client = try RawClient(port: scene.apus.port)
        let isAborted = eventually(within: 100) {
            _ = try? client.get("/now-and-then")
            return scene.rollout["phase"].string == "aborted"
        }
        #expect(isAborted, "\(scene.rollout)")
        // One at a time, in turn: hardly ever do both groups answer within one look.
        #expect(scene.green.count.value < 200)
    }

    @Test("Discarding what was changed at run time ends rollouts where the file says")
    func discarded() throws {
        let scene = try Scene()
        try scene.start("--steps", "10,100", "--step-time", "60")
        scene.apus.kill()
        try scene.apus.restart(options: ["--discard-changes"])
        #expect(scene.becomes("aborted"))
        #expect(scene.weights == [1, 0])
    }

    @Test("What cannot be rolled out is refused, with what to do")
    func refusals() throws {
        let scene = try Scene()
        let (from, to) = (["--from", "blue"], ["--to", "green"])
        for (words, expected) in [
            ([scene.action] + from + ["--to", "gren"], "There is no target group gren."),
            ([scene.action + "/7"] + from + to, "must forward to blue and green"),
            (["nowhere:80"] + from + to, "must forward to blue and green"),
            ([scene.action] + from + ["--to", "blue"], "another target group than from"),
            ([scene.action] + from + to + ["--steps", "5,3,100"], "steps must ascend"),
            ([scene.action] + from + to + ["--steps", "5,30"], "the last step must be 100"),
            ([scene.action] + from + to + ["--advance", "fast"], "must be not-worse or time"),
            ([scene.action] + from + to + ["--steps", "100"], "steps must be"),
        ] {
            let said = try scene.command(["rollout", "start"] + words)
            #expect(said.status == .exited(1) && said.errors.contains(expected), "\(words): \(said)")
        }
        #expect(try scene.apus.admin("POST", "/v1/rollouts/1/pause").status == 404)
        #expect(scene.weights == [1, 0])
        for option in ["--step-time=inf", "--guard=p99=nan", "--step-time=1e400", "--guard=errors=-1"] {
            let said = try scene.command(["rollout", "start", scene.action] + from + to + [option])
            #expect(said.status == .exited(option.hasSuffix("-1") ? 1 : 2), "\(option): \(said)")
        }
        #expect(try scene.apus.command("weights", scene.action, "blue=1", "green=1").status == .exited(0))
        let larger = try scene.command(["rollout", "start", scene.action] + from + to)
        #expect(
            larger.status == .exited(1) && larger.errors.contains("more than the 1 % of the first step"), "\(larger)")
    }
}
