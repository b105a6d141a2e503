import Testing

/// Health checks: states, reasons, thresholds, fail-open.
@Suite struct HealthTests {
    private func start(_ targets: [TargetServer], _ settings: [String: JSON] = [:]) throws -> ApusProcess {
        let group = Document.Group("blue", targets.map { .init(port: $0.port) }, settings: settings)
        return try ApusProcess.start(
            Document(listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group]), until: .answering)
    }

    /// Waits until the target has this state and reason, and returns the description.
    private func health(_ apus: ApusProcess, _ target: TargetServer, _ state: String, _ reason: String?) -> String? {
        eventually(within: 15) {
            let all = try? apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"].elements
            let entry = all?.first { $0["target"]["port"].int == Int(target.port) }?["targetHealth"] ?? .null
            guard entry["state"].string == state, entry["reason"].string == reason else { return nil }
            return entry["description"].string ?? ""
        }
    }

    @Test("The first passing check makes a new target healthy, whatever the threshold")
    func firstPass() throws {
        let target = try TargetServer()
        let apus = try start([target], ["healthyThresholdCount": 10, "healthCheckIntervalSeconds": 2])
        #expect(apus.target(.init(port: target.port), becomes: "healthy", within: 8))
        #expect(target.healthChecksCount <= 3)
        expectServes(apus)
    }

    @Test("The reason of an unhealthy target: status, timeout, refused connection")
    func reasons() throws {
        let failing = try TargetServer()
        let silent = try TargetServer()
        failing.healthStatus.withLock { $0 = 503 }
        silent.healthStatus.withLock { $0 = nil }
        let apus = try start([failing, silent], ["healthCheckTimeoutSeconds": 0.3])
        let status = health(apus, failing, "unhealthy", "Target.ResponseCodeMismatch")
        #expect(status == "Health checks failed with these codes: [503]")
        #expect(health(apus, silent, "unhealthy", "Target.Timeout") == "Request timed out")
        failing.stop()
        #expect(health(apus, failing, "unhealthy", "Target.FailedHealthChecks") != nil)
    }

    @Test("Thresholds: consecutive failures and passes")
    func thresholds() throws {
        let target = try TargetServer("flapping")
        let steady = try TargetServer("steady")
        let apus = try start([target, steady], ["unhealthyThresholdCount": 4, "healthyThresholdCount": 3])
        let address = Document.Address(port: target.port)
        #expect(apus.target(address, becomes: "healthy"))
        target.healthStatus.withLock { $0 = 500 }
        let before = target.healthChecksCount
        #expect(apus.target(address, becomes: "unhealthy"))
        let failures = target.healthChecksCount - before
        #expect((4...6).contains(failures), "it fell after \(failures) failures")
        let report = LoadGenerator(port: apus.port, requests: 50).waitForEnd()
        #expect(report.count(of: "steady\n") == 50)

        target.healthStatus.withLock { $0 = 200 }
        let failed = target.healthChecksCount
        #expect(apus.target(address, becomes: "healthy"))
        let passes = target.healthChecksCount - failed
        #expect((3...5).contains(passes), "it rose after \(passes) passes")
        let shared = LoadGenerator(port: apus.port, requests: 50).waitForEnd()
        #expect(shared.count(of: "flapping\n") > 10)
        expectLogged(by: apus, "/load/0-1 ", status: 200)
    }

    @Test("Fail open: when no target is healthy all are used, with a warning")
    func failOpen() throws {
        let targets = try [TargetServer("a"), TargetServer("b")]
        for target in targets { target.healthStatus.withLock { $0 = 500 } }
        let apus = try start(targets)
        for target in targets { #expect(apus.target(.init(port: target.port), becomes: "unhealthy")) }
        let report = LoadGenerator(port: apus.port, clients: 1, requests: 100).waitForEnd()
        #expect(report.statuses == [200: 100])
        #expect(abs(report.count(of: "a\n") - 50) <= 2)
        #expect(try apus.metric("apus_fail_open_requests_total") == 100)
        #expect(apus.errors.contains("blue"), "the log names the group:\n\(apus.errors)")

        targets[0].healthStatus.withLock { $0 = 200 }
        #expect(apus.target(.init(port: targets[0].port), becomes: "healthy"))
        #expect(LoadGenerator(port: apus.port, requests: 50).waitForEnd().count(of: "a\n") == 50)
        expectLogged(by: apus, "/load/0-1 ", status: 200)
    }

    @Test("A group that nothing forwards to is unused and not checked")
    func notInUse() throws {
        let used = try TargetServer()
        let unused = try TargetServer()
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("used"))],
                groups: [.init("used", servers: [used]), .init("blue", servers: [unused])]))
        #expect(health(apus, unused, "unused", "Target.NotInUse") != nil)
        #expect(unused.healthChecksCount == 0)
        let path = "/v1/load-balancers/web/listeners/\(apus.port)/rules/5"
        let rule = Document.rule(5, "path-pattern", ["/blue"], Document.forward("blue"))
        #expect(try apus.admin("PUT", path, rule).status < 300)
        #expect(apus.target(.init(port: unused.port), becomes: "healthy"))
        #expect(try apus.client().get("/blue").status == 200)
        expectLogged(by: apus, "/blue", status: 200, target: "127.0.0.1:\(unused.port)")
    }

    @Test("Matcher, path and port of a check are as configured; TCP checks need only a connection")
    func checkSettings() throws {
        let target = try TargetServer()
        let checked = try TargetServer()
        checked.healthStatus.withLock { $0 = 418 }
        let apus = try start([target], ["matcher": ["httpCode": "200,410-420"], "healthCheckPort": JSON(checked.port)])
        #expect(apus.target(.init(port: target.port), becomes: "healthy"))
        #expect(target.healthChecksCount == 0)

        let silent = try TargetServer()
        silent.healthStatus.withLock { $0 = nil }
        let connecting = try start([silent], ["healthCheckProtocol": "TCP"])
        #expect(connecting.target(.init(port: silent.port), becomes: "healthy"))
        #expect(silent.healthChecksCount == 0)
        expectServes(connecting)
        expectLogged(by: connecting, "/still-serving", status: 200)
    }

    @Test("Failures in the grace period after registration do not count")
    func gracePeriod() throws {
        let target = try TargetServer()
        target.healthStatus.withLock { $0 = 500 }
        let apus = try start([target], ["healthCheckGracePeriodSeconds": 4])
        #expect(eventually { target.healthChecksCount >= 3 })
        #expect(try apus.states(of: "blue")["127.0.0.1:\(target.port)"] == "initial")
        #expect(apus.target(.init(port: target.port), becomes: "unhealthy"))
    }

    @Test("A target registered over the socket gets no request before it has passed a check")
    func joins() throws {
        let old = try TargetServer("old")
        let new = try TargetServer("new")
        new.healthStatus.withLock { $0 = 500 }
        let apus = try start([old])
        #expect(apus.target(.init(port: old.port), becomes: "healthy"))
        let address = Document.Address(port: new.port)
        #expect(try apus.admin("POST", "/v1/target-groups/blue/targets", ["targets": [address.json]]).status == 200)
        #expect(eventually { new.healthChecksCount >= 1 })
        #expect(LoadGenerator(port: apus.port, requests: 40).waitForEnd().count(of: "old\n") == 40)
        new.healthStatus.withLock { $0 = 200 }
        #expect(apus.target(address, becomes: "healthy"))
        #expect(LoadGenerator(port: apus.port, requests: 40).waitForEnd().count(of: "new\n") > 10)
        expectLogged(by: apus, "/load/0-1 ", status: 200)
    }
}
