import Foundation
import Testing

/// Suspect targets, on which an attempt has failed: skipped on all workers while others are eligible, tried once a
/// second, and cleared by a response or a passed health check. Their health state is not changed.
@Suite struct SuspectTests {
    /// Apus with a healthy target and a port without a listener. Health checks use the healthy one, after the first
    /// every five minutes by default.
    private func start(
        _ living: TargetServer, nobody: UInt16, interval: JSON = 300
    ) throws -> ApusProcess {
        let settings: [String: JSON] = [
            "healthCheckPort": JSON(living.port), "healthCheckIntervalSeconds": interval,
            "healthCheckTimeoutSeconds": 0.5, "healthyThresholdCount": 2,
        ]
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", [living.address, .init(port: nobody)], settings: settings)])
        document.runtime["workers"] = 2
        return try ApusProcess.start(document)
    }

    private func isSuspect(_ apus: ApusProcess, _ port: UInt16) throws -> Bool? {
        let targets = try apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"].elements
        return targets.first { $0["target"]["port"].int == Int(port) }.map { $0["suspect"] == .bool(true) }
    }

    @Test(
        "A target that refuses connections is suspect: lists, events, metrics and log show it; few requests try it"
    )
    func refuses() throws {
        let living = try TargetServer("living")
        let nobody = try PortAllocator.port()
        let apus = try start(living, nobody: nobody)
        let watcher = try RawClient(path: apus.socketPath)
        try watcher.send("GET /v1/events HTTP/1.1\r\nHost: apus\r\n\r\n")
        #expect(watcher.wire.receives("\r\n\r\n"))
        let load = LoadGenerator(port: apus.port, clients: 4)
        #expect(try eventually { try isSuspect(apus, nobody) == true })
        let before = try apus.metric("apus_target_connect_failures_total")
        let sentBefore = load.soFar.sentCount
        _ = always(for: 2.5) { true }
        let failures = try apus.metric("apus_target_connect_failures_total") - before
        let report = load.finish()
        #expect(report.badCount == 0, "\(report.statuses) \(report.failures.prefix(3))")
        #expect(report.sentCount - sentBefore > 100)
        // One attempt a second of all workers together, plus one at each end.
        #expect((1...5).contains(failures), "\(failures) attempts in 2.5 s")

        #expect(try apus.command("targets", "list", "blue").output.contains("healthy, suspect"))
        #expect(try apus.states(of: "blue")["127.0.0.1:\(nobody)"] == "healthy", "its checks say so")
        #expect(try isSuspect(apus, living.port) == false)
        #expect(try apus.metric("apus_target_group_suspects", "blue") == 1)
        #expect(try apus.metric("apus_target_suspicions_total", "connect_failed") == 1)
        #expect(watcher.wire.receives("target-suspected"))
        #expect(eventually { apus.errors.contains("a target is suspect") })
    }

    @Test("A suspect that responds is cleared")
    func answers() throws {
        let living = try TargetServer("living")
        let nobody = try PortAllocator.port()
        let apus = try start(living, nobody: nobody)
        let load = LoadGenerator(port: apus.port, clients: 2)
        #expect(try eventually { try isSuspect(apus, nobody) == true })
        let back = try TargetServer("back", port: nobody)
        #expect(try eventually { try isSuspect(apus, nobody) == false }, "one request a second tries it")
        #expect(eventually { back.requests.count > 20 }, "it has its share again")
        let report = load.finish()
        #expect(report.badCount == 0, "\(report.statuses) \(report.failures.prefix(3))")
        #expect(try apus.metric("apus_target_group_suspects", "blue") == 0)
    }

    @Test("A suspect that passes a health check is cleared")
    func passesACheck() throws {
        let living = try TargetServer("living")
        let nobody = try PortAllocator.port()
        let apus = try start(living, nobody: nobody, interval: 1)
        #expect(
            try eventually {
                _ = try apus.client().get("/find-out")
                return try isSuspect(apus, nobody) == true
            })
        #expect(try eventually { try isSuspect(apus, nobody) == false })
    }

    @Test("If all targets are suspect, they are used like any others")
    func allSuspect() throws {
        let target = try TargetServer("back")
        let checked = try TargetServer("checked")
        let apus = try start(checked, nobody: target.port)
        let address: JSON = ["targets": [checked.address.json]]
        #expect(try apus.admin("POST", "/v1/target-groups/blue/deregister", address).status == 200)
        target.stop()
        #expect(try eventually { try apus.client().get("/refused").status == 502 })
        #expect(try eventually { try isSuspect(apus, target.port) == true })
        let back = try TargetServer("back", port: target.port)
        #expect(try apus.client().get("/again").text == "back\n", "the first request goes there, not after a second")
        withExtendedLifetime(back) {}
    }
}
