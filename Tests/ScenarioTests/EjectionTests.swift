import Testing

/// Targets that are taken out for what requests, or too many checks at once, say of them.
@Suite struct EjectionTests {
    private func start(
        _ servers: [TargetServer], _ attributes: [String: JSON], _ settings: [String: JSON] = [:]
    ) throws -> ApusProcess {
        try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", servers: servers, attributes: attributes, settings: settings)]))
    }

    private func names(_ apus: ApusProcess, _ count: Int) throws -> [String] {
        let client = try apus.client()
        return try (0..<count).map { _ in String(try client.get("/").text.dropLast()) }
    }

    @Test("A target that answers 500 five times in a row gets nothing for a while, and is used again after that")
    func consecutiveFailures() throws {
        let well = try TargetServer("well")
        let ill = try TargetServer("ill", script: TargetScript.answer(status: 500, body: "ill\n"))
        let apus = try start(
            [well, ill], ["apus.outlier.consecutive_failures": 5, "apus.outlier.ejection_seconds": 2])
        let failed = try names(apus, 60).count { $0 == "ill" }
        #expect((5...8).contains(failed), "\(failed): both workers have had their turns before they heard of it")
        #expect(try apus.states(of: "blue")[ill.address.text] == "healthy", "it passes its checks")
        let list = try apus.command("targets", "list", "blue").output
        #expect(list.contains("healthy, ejected") && list.contains("Too many requests in a row failed"))
        #expect(try apus.metric("apus_target_group_ejected_targets") == 1)
        #expect(eventually { apus.errors.contains("a target fails requests and is taken out for a while") })
        #expect(eventually { (try? names(apus, 4).contains("ill")) ?? false }, "its time is over")
        expectLogged(by: apus, "/", status: 200)
    }

    @Test("Of two targets that fail more often than the others the share allows one to be ejected, and it comes back")
    func errorShare() throws {
        let status = Locked(503)
        let ill = try ["x", "y"].map { name in
            try TargetServer(
                name,
                script: { connection in
                    while try connection.request() != nil {
                        try connection.respond(status: status.value, body: name + "\n")
                    }
                })
        }
        let well = try ["a", "b", "c", "d"].map { try TargetServer($0) }
        let apus = try start(
            well + ill,
            [
                "apus.outlier.error_margin_percent": 30, "apus.outlier.ejection_seconds": 6,
                "apus.outlier.max_ejected_percent": 30,
            ])
        let load = LoadGenerator(port: apus.port, clients: 2)
        defer { _ = load.finish() }
        #expect(
            try eventually(within: 30) { try apus.metric("apus_target_group_ejected_targets", "blue") == 1 })
        let used = Set(try names(apus, 24))
        #expect(used.isSuperset(of: ["a", "b", "c", "d"]) && used.count == 5, "\(used)")
        #expect(try apus.metric("apus_target_ejections_refused_total") >= 1, "30 % of six are one")
        #expect(try apus.metric("apus_target_ejections_total", "error_share") == 1)
        #expect(try apus.states(of: "blue").values.allSatisfy { $0 == "healthy" }, "they pass their checks")
        let list = try apus.command("targets", "list", "blue").output
        #expect(list.contains("healthy, ejected") && list.contains("Failed more often than the others"))
        status.withLock { $0 = 200 }
        #expect(try eventually(within: 30) { Set(try names(apus, 24)).count == 6 }, "its time is over")
        #expect(eventually { apus.errors.contains("a target is used again") })
        expectLogged(by: apus, "/", status: 200)
    }

    @Test("Without the attributes a target that fails all requests is used as before")
    func off() throws {
        let well = try TargetServer("well")
        let ill = try TargetServer("ill", script: TargetScript.answer(status: 500, body: "ill\n"))
        let apus = try start([well, ill], [:])
        #expect(try names(apus, 60).count { $0 == "ill" } == 30)
        expectLogged(by: apus, "/", status: 500)
    }

    @Test("When all targets fail their checks at once only a share is taken out; it is said loudly")
    func velocity() throws {
        let servers = try ["a", "b", "c", "d"].map { try TargetServer($0) }
        let apus = try start(
            servers, ["apus.health.max_removals_percent": 50],
            [
                "unhealthyThresholdCount": 1, "healthCheckIntervalSeconds": 0.1, "healthCheckTimeoutSeconds": 0.1,
            ])
        for server in servers { server.healthStatus.withLock { $0 = 500 } }
        #expect(eventually { (try? apus.metric("apus_target_group_held_targets")) == 2 })
        let states = try apus.states(of: "blue").values
        #expect(states.count { $0 == "unhealthy" } == 2 && states.count { $0 == "healthy" } == 2)
        #expect(Set(try names(apus, 20)).count == 2, "the two that are held are used")
        #expect(try apus.metric("apus_health_removals_held_total") == 2)
        #expect(eventually { apus.errors.contains("too many were taken out in the last minute") })
        #expect(try apus.command("targets", "list", "blue").output.contains("healthy, held"))
        expectLogged(by: apus, "/", status: 200)
    }
}
