import Testing

/// Targets that die, freeze, recover, or end connections at the worst moment, under load.
@Suite struct TargetFailureTests {
    private static let clients = 4

    private func document(_ targets: [DemoTarget], attributes: [String: JSON] = [:]) -> Document {
        let settings: [String: JSON] = ["unhealthyThresholdCount": 2]
        return Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", targets.map(\.address), settings: settings)], attributes: attributes)
    }

    /// Sends 600 requests: none may fail, each target must get its share, and `without` none.
    private func expectHealthy(_ apus: ApusProcess, _ targets: [DemoTarget], without: DemoTarget? = nil) {
        let report = LoadGenerator(port: apus.port, clients: Self.clients, requests: 600).waitForEnd()
        #expect(report.badCount == 0, "\(report.statuses) \(report.failures.prefix(5))")
        for target in targets {
            let share = target === without ? 0 : 600 / (targets.count - (without == nil ? 0 : 1))
            #expect(abs(report.count(of: target.answer) - share) <= share / 5, "\(target.name)")
        }
    }

    @Test("A killed target fails no GET, before and after it is detected; restarted it serves again")
    func killedAndRestarted() throws {
        let targets = try ["a", "b", "c"].map(DemoTarget.init)
        let apus = try ApusProcess.start(document(targets))
        let load = LoadGenerator(port: apus.port, clients: Self.clients)
        #expect(eventually { load.soFar.answeredCount > 200 })
        targets[0].kill()
        #expect(apus.target(targets[0].address, becomes: "unhealthy"))
        let report = load.finish()
        #expect(report.badCount == 0, "\(report.statuses) \(report.failures.prefix(5))")
        expectHealthy(apus, targets, without: targets[0])

        try targets[0].restart()
        #expect(apus.target(targets[0].address, becomes: "healthy"))
        expectHealthy(apus, targets)
        expectLogged(by: apus, "/load/0-1 ", status: 200, targetStatus: 200)
    }

    @Test("A frozen target leads to 504 until it is detected; resumed it serves again")
    func frozenAndThawed() throws {
        let targets = try ["a", "b", "c"].map(DemoTarget.init)
        let apus = try ApusProcess.start(document(targets, attributes: ["idle_timeout.timeout_seconds": 1]))
        let load = LoadGenerator(port: apus.port, clients: Self.clients)
        #expect(eventually { load.soFar.answeredCount > 200 })
        targets[1].freeze()
        #expect(apus.target(targets[1].address, becomes: "unhealthy"))
        let report = load.finish()
        #expect(Set(report.statuses.keys).isSubset(of: [200, 504]), "\(report.statuses)")
        #expect(report.failures.isEmpty, "\(report.failures.prefix(5))")
        // Two failed checks take about 1.5 s, and each client can be caught for 1 s at a time.
        #expect(report.badCount <= 4 * Self.clients, "\(report.statuses)")
        expectHealthy(apus, targets, without: targets[1])
        if report.badCount > 0 { expectLogged(by: apus, "/load/", status: 504, target: targets[1].address.text) }

        targets[1].thaw()
        #expect(apus.target(targets[1].address, becomes: "healthy"))
        expectHealthy(apus, targets)
        expectLogged(by: apus, "/load/0-1 ", status: 200)
    }

    @Test("Targets that end idle connections at random fail no GET")
    func randomEndsAndGET() throws {
        let targets = try (1...2).map {
            try TargetServer("t\($0)", script: TargetScript.closingIdle(body: "ok", seed: UInt64($0)))
        }
        let apus = try ApusProcess.start(Document(targets[0], targets[1]))
        let report = LoadGenerator(port: apus.port, clients: 4, requests: 5_000).waitForEnd()
        #expect(report.statuses == [200: 5_000], "\(report.failures.prefix(5))")
        // Connections did end, and were reused before that.
        #expect(targets.map(\.connections.count).reduce(0, +) > 100)
        #expect(try apus.metric("apus_target_connections_reused_total") > 100)
        expectLogged(by: apus, "/load/0-1 ", status: 200, targetStatus: 200)
    }

    @Test("Targets that end idle connections at random never see a POST twice")
    func randomEndsAndPOST() throws {
        let targets = try (3...4).map {
            try TargetServer("t\($0)", script: TargetScript.closingIdle(body: "ok", seed: UInt64($0)))
        }
        let apus = try ApusProcess.start(Document(targets[0], targets[1]))
        let report = LoadGenerator(port: apus.port, method: "POST", clients: 4, requests: 5_000).waitForEnd()
        #expect(report.failures.isEmpty, "\(report.failures.prefix(5))")
        #expect(Set(report.statuses.keys).isSubset(of: [200, 502]), "\(report.statuses)")
        #expect(report.answeredCount == 5_000)
        let seen = targets.flatMap(\.requests)
        #expect(Set(seen.map(\.target)).count == seen.count, "a POST was sent to targets twice")
        #expect(seen.count >= report.statuses[200] ?? 0)
        #expect(seen.allSatisfy { $0.target == "/load/" + $0.text || $0.text.isEmpty })
        let refused = Double(report.statuses[502] ?? 0)
        #expect(try apus.metric("apus_generated_errors_total", "502") == refused)
        expectLogged(by: apus, "/load/0-1 ", status: report.statuses[200] == nil ? 502 : 200)
    }

    @Test("A target that refuses connections is skipped before health checks detect it")
    func refusedConnection() throws {
        let living = try TargetServer("living")
        let dead = Document.Address(port: try PortAllocator.port())
        // Health checks use another, healthy port, so only connection attempts fail.
        let group = Document.Group(
            "blue", [.init(port: living.port), dead], settings: ["healthCheckPort": JSON(living.port)])
        let apus = try ApusProcess.start(
            Document(listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group]))
        let gets = LoadGenerator(port: apus.port, clients: 2, requests: 100).waitForEnd()
        #expect(gets.statuses == [200: 100])
        // No byte of a POST was sent, so it may be retried too.
        let posts = LoadGenerator(port: apus.port, method: "POST", clients: 2, requests: 100).waitForEnd()
        #expect(posts.statuses == [200: 100])
        #expect(try apus.metric("apus_target_connect_failures_total") > 0)
        expectLogged(by: apus, "/load/0-1 ", status: 200, target: "127.0.0.1:\(living.port)")
    }

    @Test("If every target refuses, the response is 502")
    func everyTargetRefuses() throws {
        let dead = try (0..<2).map { _ in Document.Address(port: try PortAllocator.port()) }
        let apus = try ApusProcess.start(
            Document(listeners: [.init(defaultAction: Document.forward("blue"))], groups: [.init("blue", dead)]))
        expectMadeHere(try apus.client().get("/nobody"), 502)
        let line = expectLogged(by: apus, "/nobody", status: 502)
        #expect(line?.targetStatus == nil)
        #expect(dead.contains { $0.text == line?.target }, "the log names one who refused")
    }

    static let deaths: [(why: String, script: TargetServer.Script)] = [
        (
            "resets after the request",
            { connection in
                _ = try connection.request()
                connection.reset()
            }
        ),
        ("ends without an answer", { connection in _ = try connection.request() }),
        ("ends inside the head", TargetScript.rawThenClose("HTTP/1.1 200 OK\r\nContent-Le")),
    ]

    @Test("A target that dies before its response head is complete leads to 502", arguments: deaths.indices)
    func diesBeforeAnswer(index: Int) throws {
        let test = Self.deaths[index]
        let target = try TargetServer(script: test.script)
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        expectMadeHere(
            try client.exchange("POST /dies HTTP/1.1\r\nHost: a.b\r\nContent-Length: 1\r\n\r\nx"), 502, test.why)
        #expect(target.requests.count == 1, "a POST is sent once")
        expectLogged(by: apus, "/dies", status: 502, target: "127.0.0.1:\(target.port)")
    }

    @Test("A target that dies while the request's trailers are incomplete leads to 502")
    func diesBeforeTrailers() throws {
        let target = try TargetServer { connection in
            guard let request = try connection.head() else { return }
            guard request.target == "/trailing" else { return try connection.respond(body: "well") }
            _ = connection.wire.receives("x\r\n")
            connection.reset()
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send(
            "POST /trailing HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Unfinished: ye")
        expectMadeHere(try client.response(), 502)
        #expect(client.ended())
        expectServes(apus)
        expectLogged(by: apus, "/trailing", status: 502, target: target.address.text)
    }

    static let halves = [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ]

    @Test(
        "If a target dies inside a body, the client's connection is cut instead of ending the body", arguments: halves)
    func diesInsideBody(response: String) throws {
        let gate = Gate()
        let target = try TargetServer { connection in
            guard try connection.request() != nil else { return }
            try connection.send(response)
            gate.wait()
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send("GET /half HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(client.wire.receives("half"))
        gate.open()
        #expect(throws: WireError.self) { try client.response() }
        #expect(client.ended())
        expectLogged(by: apus, "/half", status: 200, targetStatus: 200)
    }
}
