import Foundation
import Testing

/// Blue/green: all weight moves at once, when the new group can carry it.
@Suite struct SwapTests {
    private struct Scene {
        let blue: TargetServer
        let green: [TargetServer]
        let apus: ApusProcess
        let action: String

        init() throws {
            blue = try TargetServer("blue")
            green = [try TargetServer("green-1"), try TargetServer("green-2")]
            apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: Document.forward(["blue": 7, "green": 0]))],
                    groups: [.init("blue", servers: [blue]), .init("green", servers: green)]))
            action = "web:\(apus.port)"
        }

        func swap(_ words: String...) throws -> ApusProcess.CommandResult {
            try ApusProcess.command(
                ["swap", action] + words, socket: apus.socketPath, folder: apus.folder, within: 60)
        }
    }

    @Test("Under load all weight moves there and back, twenty times, and nothing fails")
    func thereAndBack() throws {
        let scene = try Scene()
        let load = LoadGenerator(port: scene.apus.port, clients: 4)
        for round in 0..<10 {
            let there = try scene.swap("blue", "green")
            #expect(there.status == .exited(0) && there.output.contains("All weight of \(scene.action) is at green"))
            #expect(there.output.contains("Back: apus swap \(scene.action) green blue"), "\(there)")
            let before = scene.blue.requests.count
            for _ in 0..<4 { expectServes(scene.apus) }
            // Each worker has adopted it by now, or is about to.
            #expect(scene.blue.requests.count - before <= 64, "round \(round)")
            #expect(try scene.swap("green", "blue").status == .exited(0))
        }
        #expect(load.finish().badCount == 0)
        #expect(try scene.apus.metric("apus_connections_cut_by_configuration_total") == 0)
        let listener = try scene.apus.admin("GET", "/v1/load-balancers/web/listeners/\(scene.apus.port)").json
        let groups = listener["defaultActions"][0]["forwardConfig"]["targetGroups"].elements
        #expect(groups.map { $0["weight"].int } == [7, 0])
    }

    @Test("Too few healthy targets refuse it, fewer may be asked for, and it may wait")
    func healthyTargets() throws {
        let scene = try Scene()
        scene.green[1].healthStatus.withLock { $0 = 500 }
        #expect(scene.apus.target(scene.green[1].address, in: "green", becomes: "unhealthy"))
        let refused = try scene.swap("blue", "green")
        #expect(refused.status == .exited(1))
        #expect(refused.errors.contains("green has 1 healthy of 2 targets, and 2 must be"), "\(refused)")
        #expect(try scene.swap("blue", "green", "--minimum", "2").status == .exited(1))
        #expect(try scene.swap("blue", "green", "--minimum", "50%").status == .exited(0))
        #expect(try scene.swap("green", "blue").status == .exited(0))
        let background = Background { try scene.swap("blue", "green", "--wait-healthy", "50") }
        scene.green[1].healthStatus.withLock { $0 = 200 }
        let waited = try background.value()
        #expect(waited.status == .exited(0), "\(waited)")
        expectServes(scene.apus)
    }

    @Test("What cannot be swapped is refused, with what to do")
    func refusals() throws {
        let scene = try Scene()
        #expect(try scene.swap("blue", "gren").errors.contains("There is no target group gren"))
        let other = try ApusProcess.command(
            ["swap", "web:1", "blue", "green"], socket: scene.apus.socketPath, folder: scene.apus.folder)
        #expect(other.status == .exited(1) && other.errors.contains("must forward to blue and green"), "\(other)")
        #expect(try scene.swap("blue", "blue").status == .exited(2))
        #expect(try scene.swap("blue", "green", "--minimum", "many").status == .exited(2))
        let words = ["rollout", "start", scene.action, "--from", "blue", "--to", "green", "--step-time", "60"]
        let started = try ApusProcess.command(words, socket: scene.apus.socketPath, folder: scene.apus.folder)
        #expect(started.status == .exited(0), "\(started)")
        #expect(try scene.swap("blue", "green").errors.contains("Rollout 1 sets the weights"))
        let swap = "/v1/load-balancers/web/listeners/\(scene.apus.port)/swap"
        for body in ["{}", #"{"from": "blue"}"#, #"{"from": "blue", "to": "green", "waitSeconds": -1}"#, "[", "7"] {
            #expect(try scene.apus.admin("POST", swap, text: body).status == 400, "\(body)")
        }
    }
}
