import Testing

/// Groups without checks, and checks that traffic stands for.
@Suite struct CheckSettingsTests {
    private func start(
        _ server: TargetServer, attributes: [String: JSON] = [:], settings: [String: JSON] = [:]
    ) throws -> ApusProcess {
        try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", servers: [server], attributes: attributes, settings: settings)]),
            until: .answering)
    }

    @Test(
        "healthCheckEnabled: false: no check is made, the target is unavailable and used, and register waits for none")
    func disabled() throws {
        let server = try TargetServer("a")
        server.healthStatus.withLock { $0 = 500 }
        let apus = try start(server, settings: ["healthCheckEnabled": false])
        #expect(apus.target(server.address, becomes: "unavailable"))
        #expect(try apus.client().get("/used").status == 200)
        let description = try apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"][0]
        #expect(description["targetHealth"]["reason"] == "Target.HealthCheckDisabled")
        #expect(try apus.metric("apus_fail_open_requests_total") == 0)
        let other = try TargetServer("b")
        let register = try apus.command("targets", "register", "blue", other.address.text, "--wait")
        #expect(register.status == .exited(0), "\(register)")
        #expect(server.healthChecksCount == 0 && other.healthChecksCount == 0)
        expectLogged(by: apus, "/used", status: 200)
    }

    @Test("logs.health has a line for each check, with what was wrong")
    func healthLog() throws {
        let server = try TargetServer("a")
        let apus = try start(server, settings: ["unhealthyThresholdCount": 1])
        func lines() -> [[Substring]] {
            let text = (try? String(contentsOfFile: "\(apus.folder)/health.log", encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map { $0.split(separator: " ") }
        }
        #expect(eventually { lines().contains { $0.count == 10 && $0[5] == "PASS" } })
        let passed = try #require(lines().first { $0[5] == "PASS" })
        #expect(passed[0] == "http" && passed[3] == server.address.text && passed[4] == "blue")
        #expect(passed[6...].joined(separator: " ") == "200 - app/web 127.0.0.1")
        server.healthStatus.withLock { $0 = 503 }
        #expect(
            eventually {
                lines().contains { $0.count == 10 && $0[5...7].joined(separator: " ") == "FAIL 503 TargetError" }
            })
        server.healthStatus.withLock { $0 = 404 }
        #expect(
            eventually {
                lines().contains {
                    $0.count == 10 && $0[5...7].joined(separator: " ") == "FAIL 404 ResponseCodeMismatch"
                }
            })
        #expect(try apus.metric("apus_health_log_lines_dropped_total") == 0)
        #expect(try apus.client().get("/served").status == 200)
        expectLogged(by: apus, "/served", status: 200)
    }

    @Test("apus.health.trust_traffic: checks are skipped while requests are answered, and resume when none are")
    func trust() throws {
        let server = try TargetServer("a")
        let apus = try start(
            server, attributes: ["apus.health.trust_traffic.enabled": true],
            settings: ["healthCheckIntervalSeconds": 0.2, "healthCheckTimeoutSeconds": 0.2])
        #expect(apus.target(server.address, becomes: "healthy"))
        let client = try apus.client()
        #expect(
            eventually {
                guard (try? client.get("/busy").status) == 200 else { return false }
                return ((try? apus.metric("apus_health_checks_total", "skipped")) ?? 0) >= 5
            })
        let before = server.healthChecksCount
        #expect(eventually { server.healthChecksCount >= before + 3 }, "nobody asks for anything now")
        server.healthStatus.withLock { $0 = 500 }
        #expect(apus.target(server.address, becomes: "unhealthy"))
        expectLogged(by: apus, "/busy", status: 200)
    }
}
