import Testing

/// Changes of the configuration under load lose no request.
@Suite struct ChangeUnderLoadTests {
    @Test(
        "10,000 registrations, deregistrations and changes of weights under load fail no request and cut no connection")
    func changesCostNothing() throws {
        let blue = try TargetServer("blue")
        let green = try TargetServer("green")
        let passing = try (0..<6).map { try TargetServer("passing-\($0)") }
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward(["blue": 50, "green": 50]))],
                groups: [.init("blue", servers: [blue]), .init("green", servers: [green])]))
        let load = LoadGenerator(port: apus.port, clients: 3)
        let admin = try AdminClient(path: apus.socketPath)
        let weights = "/v1/load-balancers/web/listeners/\(apus.port)/weights"
        var refused: [String] = []
        for change in 0..<10_000 {
            let target = Document.Address(port: passing[change / 4 % passing.count].port)
            let answer: AdminAnswer
            switch change % 4 {
            case 0: answer = try admin.ask("POST", "/v1/target-groups/blue/targets", ["targets": [target.json]])
            case 1, 3: answer = try admin.ask("PUT", weights, ["blue": JSON(1 + change % 99), "green": 50])
            default: answer = try admin.ask("POST", "/v1/target-groups/blue/deregister", ["targets": [target.json]])
            }
            if answer.status != 200 { refused.append("\(change): \(answer.status) \(answer.text)") }
        }
        let report = load.finish()
        #expect(refused.isEmpty, "\(refused.prefix(5))")
        #expect(report.badCount == 0, "\(report.statuses) \(report.failures.prefix(5))")
        #expect(report.answeredCount > 1_000)
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
        #expect(try apus.metric("apus_exchanges_cut_by_deregistration_total") == 0)
        // One accepted connection per client: no change made a client reconnect.
        #expect(try apus.metric("apus_client_connections_accepted_total") == 3)
        expectLogged(by: apus, "/load/0-1 ", status: 200, targetStatus: 200)
    }

    @Test("Rules, listeners and groups are added and removed under load")
    func objectsComeAndGo() throws {
        let blue = try TargetServer("blue")
        let other = try TargetServer("other")
        let apus = try ApusProcess.start(Document(blue))
        let load = LoadGenerator(port: apus.port, clients: 2)
        let admin = try AdminClient(path: apus.socketPath)
        let listener = "/v1/load-balancers/web/listeners/\(apus.port)"
        for round in 0..<100 {
            let group = "/v1/target-groups/extra-\(round)"
            let settings: JSON = [
                "targetType": "ip", "protocol": "HTTP", "port": JSON(other.port), "targets": [["id": "127.0.0.1"]],
            ]
            #expect(try admin.ask("PUT", group, settings).status < 300)
            let rule = Document.rule(7, "path-pattern", ["/extra"], Document.forward("extra-\(round)"))
            #expect(try admin.ask("PUT", "\(listener)/rules/7", rule).status < 300)
            #expect(try admin.ask("DELETE", group).errorCode == "ResourceInUse")
            #expect(try admin.ask("DELETE", "\(listener)/rules/7").status < 300)
            #expect(try admin.ask("DELETE", group).status < 300)
        }
        let report = load.finish()
        #expect(report.badCount == 0, "\(report.statuses) \(report.failures.prefix(5))")
        #expect(report.count(of: "blue\n") == report.answeredCount)
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
        expectLogged(by: apus, "/load/1-1 ", status: 200)
    }

    @Test("A listener that is added over the socket works, and one that is deleted lets its exchanges finish")
    func listenersComeAndGo() throws {
        let gate = Gate()
        let blue = try TargetServer("blue") { connection in
            while let request = try connection.request() {
                if request.target == "/slow" { gate.wait() }
                try connection.respond(body: "blue\n")
            }
        }
        let apus = try ApusProcess.start(Document(blue))
        let port = try PortAllocator.port()
        let path = "/v1/load-balancers/web/listeners/\(port)"
        let listener: JSON = ["protocol": "HTTP", "defaultActions": [Document.forward("blue")]]
        #expect(try apus.admin("PUT", path, listener).status < 300)
        let client = try RawClient(port: port)
        #expect(try client.get("/new").text == "blue\n")
        try client.send("GET /slow HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { blue.requests.contains { $0.target == "/slow" } })
        #expect(try apus.admin("DELETE", path).status < 300)
        #expect(eventually { (try? Socket.connected(port: port)) == nil }, "the port must close")
        gate.open()
        #expect(try client.response().text == "blue\n")
        expectLogged(by: apus, "/slow", status: 200, targetStatus: 200)
        expectServes(apus)
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
    }
}
