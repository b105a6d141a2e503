import Testing

/// Weighted target groups.
@Suite struct WeightsTests {
    private func twoGroups(
        _ weights: KeyValuePairs<String, Int>, _ blue: TargetServer, _ green: TargetServer
    ) -> Document {
        Document(
            listeners: [.init(defaultAction: Document.forward(weights))],
            groups: [.init("blue", servers: [blue]), .init("green", servers: [green])])
    }

    @Test("Over 10,000 requests the shares are exact, and in every window of 1,000 within 2 %")
    func sharesAreExactAndSmooth() throws {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let apus = try ApusProcess.start(twoGroups(["blue": 90, "green": 10], blue, green))
        let report = LoadGenerator(port: apus.port, clients: 1, requests: 10_000).waitForEnd()
        #expect(report.statuses == [200: 10_000])
        let bodies = report.bodies
        try #require(bodies.count == 10_000)
        #expect(abs(report.count(of: "green\n") - 1_000) <= 2)

        var inWindow = bodies[..<1_000].count { $0 == "green\n" }
        var least = inWindow
        var most = inWindow
        for end in 1_000..<10_000 {
            inWindow += (bodies[end] == "green\n" ? 1 : 0) - (bodies[end - 1_000] == "green\n" ? 1 : 0)
            least = min(least, inWindow)
            most = max(most, inWindow)
        }
        #expect(least >= 98 && most <= 102, "windows held from \(least) to \(most) of 100")
        let line = expectLogged(by: apus, "/load/0-1 ", status: 200, targetStatus: 200)
        #expect(line?.actions == "forward")
        #expect(try apus.metric("apus_target_group_requests_total", "green") == Double(report.count(of: "green\n")))
    }

    @Test("Many clients over both workers get the same shares")
    func sharesHoldAcrossWorkers() throws {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let apus = try ApusProcess.start(twoGroups(["blue": 3, "green": 1], blue, green))
        let report = LoadGenerator(port: apus.port, clients: 8, requests: 4_000).waitForEnd()
        #expect(report.statuses == [200: 4_000])
        #expect(abs(report.count(of: "blue\n") - 3_000) <= 60)
    }

    @Test("A weight changed over the socket applies from the response on, and weight 0 gets no request")
    func changedWeights() throws {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let apus = try ApusProcess.start(twoGroups(["blue": 1, "green": 0], blue, green))
        let before = LoadGenerator(port: apus.port, requests: 200).waitForEnd()
        #expect(before.count(of: "blue\n") == 200)
        let path = "/v1/load-balancers/web/listeners/\(apus.port)/weights"
        #expect(try apus.admin("PUT", path, ["blue": 0, "green": 1]).status == 200)
        let after = LoadGenerator(port: apus.port, requests: 200).waitForEnd()
        #expect(after.count(of: "green\n") == 200)
        expectLogged(by: apus, "/load/0-1 ", status: 200, target: "127.0.0.1:\(green.port)")
    }

    @Test("All weights 0 is 503")
    func noWeightAtAll() throws {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let apus = try ApusProcess.start(twoGroups(["blue": 0, "green": 0], blue, green))
        expectMadeHere(try apus.client().get("/none"), 503)
        expectLogged(by: apus, "/none", status: 503, target: "-")
    }

    @Test("Targets of one group take turns")
    func roundRobin() throws {
        let servers = try ["a", "b", "c"].map { try TargetServer($0) }
        let apus = try ApusProcess.start(Document(servers[0], servers[1], servers[2]))
        let report = LoadGenerator(port: apus.port, clients: 1, requests: 300).waitForEnd()
        for server in servers { #expect(abs(report.count(of: server.name + "\n") - 100) <= 1) }
        expectLogged(by: apus, "/load/0-300 ", status: 200)
    }
}
