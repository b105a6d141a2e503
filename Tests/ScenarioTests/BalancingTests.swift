import Testing

/// Weights and algorithms of target groups.
@Suite struct BalancingTests {
    private func start(_ servers: [TargetServer], _ attributes: [String: JSON]) throws -> ApusProcess {
        try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", servers: servers, attributes: attributes)]))
    }

    private func names(_ apus: ApusProcess, _ count: Int, path: String = "/", fields: String = "") throws -> [String] {
        let client = try apus.client()
        return try (0..<count).map { _ in String(try client.get(path, fields: fields).text.dropLast()) }
    }

    @Test("A weight set over the socket changes shares, shows in lists, survives a restart, and 0 gets nothing")
    func weights() throws {
        let servers = try ["a", "b"].map { try TargetServer($0) }
        let apus = try start(servers, [:])
        let target = "127.0.0.1:\(servers[0].port)"
        let set = try apus.command("targets", "register", "blue", target, "--weight", "3")
        #expect(set.status == .exited(0), "\(set)")
        #expect(try names(apus, 80).count { $0 == "a" } == 60)
        #expect(try apus.command("targets", "list", "blue").output.contains("\(target), weight 3"))
        try apus.restart()
        #expect(try names(apus, 80).count { $0 == "a" } == 60)
        let body: JSON = [
            "targets": [["id": "127.0.0.1", "port": JSON(servers[0].port), "apus.weight": 0]]
        ]
        #expect(try apus.admin("POST", "/v1/target-groups/blue/targets", body).status == 200)
        #expect(try names(apus, 20) == Array(repeating: "b", count: 20))
        #expect(try apus.states(of: "blue")[target] == "healthy", "it is checked all the same")
        let wrong = try apus.admin(
            "POST", "/v1/target-groups/blue/targets",
            ["targets": [["id": "127.0.0.1", "port": JSON(servers[0].port), "apus.weight": 300]]])
        #expect(wrong.status == 400 && wrong.json["error"]["message"].string?.contains("from 0 to 256") == true)
    }

    @Test("With slow start the share of a target that is registered, and of one that recovers, grows to a half")
    func slowStart() throws {
        let (old, new) = (try TargetServer("old"), try TargetServer("new"))
        let apus = try start([old], ["slow_start.duration_seconds": 3])
        try expectGrowth(apus) {
            let body: JSON = ["targets": [new.address.json]]
            let answer = try apus.admin("POST", "/v1/target-groups/blue/targets", body)
            #expect(answer.status == 200)
        }
        new.healthStatus.withLock { $0 = 500 }
        #expect(apus.target(new.address, becomes: "unhealthy"))
        try expectGrowth(apus) { new.healthStatus.withLock { $0 = 200 } }
    }

    /// Expects that the second of two targets, named `new`, gets more and more once `begin` has it join, and in the end
    /// as much as the other.
    private func expectGrowth(_ apus: ApusProcess, _ begin: () throws -> Void) throws {
        let load = LoadGenerator(port: apus.port, clients: 2)
        defer { _ = load.finish() }
        try begin()
        func share(_ answers: some Collection<String>) -> Double {
            Double(answers.count { $0 == "new\n" }) / Double(max(1, answers.count))
        }
        #expect(eventually(within: 30) { share(load.soFar.bodies.suffix(200)) > 0.45 }, "it never has its share")
        let answers = load.finish().bodies.drop { $0 != "new\n" }
        // Whatever the machine does meanwhile, without slow start both parts would have a half.
        let (first, last) = (share(answers.prefix(answers.count / 10)), share(answers.suffix(answers.count / 10)))
        #expect(answers.count > 200 && first + 0.05 < last, "\(first) of the first tenth, \(last) of the last")
        #expect(try eventually { try names(apus, 40).count { $0 == "new" } == 20 }, "its share is the other's")
    }

    @Test("least_outstanding_requests leaves a target alone that is busy, over both workers")
    func leastOutstanding() throws {
        let gate = Gate()
        let busy = try TargetServer("busy", script: TargetScript.held(by: gate, body: "busy\n"))
        let idle = try TargetServer("idle", script: TargetScript.answer(body: "idle\n"))
        let apus = try start([busy, idle], ["load_balancing.algorithm.type": "least_outstanding_requests"])
        // Equally busy targets take turns on each worker, so that one of four requests comes to the busy one.
        let clients = try (0..<4).map { _ in try apus.client() }
        for client in clients { try client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n") }
        // While the idle one has a request they are equally busy.
        let settled = try eventually {
            let count = busy.requests.count
            return try count >= 1 && count + idle.requests.count == 4
                && apus.metric("apus_target_group_requests_active") == Double(count)
        }
        #expect(settled)
        for _ in 0..<4 { #expect(try names(apus, 5) == Array(repeating: "idle", count: 5)) }
        gate.open()
        #expect(eventually { (try? names(apus, 4).contains("busy")) ?? false })
    }

    @Test("apus.consistent_hash sends a header's value to one target, over both workers")
    func consistentHash() throws {
        let servers = try ["a", "b", "c"].map { try TargetServer($0) }
        let attributes: [String: JSON] = [
            "load_balancing.algorithm.type": "apus.consistent_hash", "apus.consistent_hash.key": "header X-User",
        ]
        let apus = try start(servers, attributes)
        var used: Set<String> = []
        for user in 0..<30 {
            let targets = try (0..<3).flatMap { _ in try names(apus, 2, fields: "X-User: \(user)\r\n") }
            #expect(Set(targets).count == 1, "\(user): \(targets)")
            used.formUnion(targets)
        }
        #expect(used == ["a", "b", "c"])
    }

    @Test("apus.least_latency leaves a target alone that answers with errors at once")
    func leastLatency() throws {
        let failing = try TargetServer("failing", script: TargetScript.answer(status: 500, body: "failing\n"))
        let servers = try ["a", "b"].map { try TargetServer($0) } + [failing]
        let apus = try start(servers, ["load_balancing.algorithm.type": "apus.least_latency"])
        _ = try names(apus, 60)
        let failures = try names(apus, 300).count { $0 == "failing" }
        #expect(failures < 30, "\(failures) of 300 failed; a third would in turns")
    }

    @Test("weighted_random finds the target that fails, takes its weight, and says so")
    func anomalies() throws {
        let failing = try TargetServer("failing", script: TargetScript.answer(status: 503, body: "failing\n"))
        let servers = try ["a", "b", "c"].map { try TargetServer($0) } + [failing]
        let attributes: [String: JSON] = [
            "load_balancing.algorithm.type": "weighted_random", "load_balancing.algorithm.anomaly_mitigation": "on",
        ]
        let apus = try start(servers, attributes)
        let load = LoadGenerator(port: apus.port, clients: 2)
        defer { _ = load.finish() }
        #expect(
            try eventually(within: 30) { try apus.metric("apus_target_group_mitigated_targets", "blue") == 1 })
        let targets = try apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"].elements
        for target in targets {
            let isFailing = target["target"]["port"].int == Int(failing.port)
            #expect(target["anomalyDetection"]["result"] == .string(isFailing ? "anomalous" : "normal"))
            #expect(target["anomalyDetection"]["mitigationInEffect"] == .string(isFailing ? "yes" : "no"))
        }
        #expect(try apus.command("targets", "list", "blue").output.contains("healthy, anomalous"))
    }
}
