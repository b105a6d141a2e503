import Foundation
import Testing

/// UDP flows and changes of health and configuration: where new flows go, and what happens to existing ones.
@Suite struct DatagramChangeTests {
    /// Clients stay open, since another client with the same port would continue its flow.
    private let kept = Locked<[DatagramEnd]>([])

    /// The targets' names that new clients receive, counted.
    private func names(_ apus: ApusProcess, clients: Int, from own: String? = nil) throws -> [String: Int] {
        let clients = try (0..<clients).map { _ in try DatagramEnd(to: apus, from: own) }
        kept.withLock { $0 += clients }
        return try Dictionary(grouping: clients.map { try #require(try $0.ask("who")) }) { $0 }.mapValues(\.count)
    }

    /// A document with the groups `blue` and `green`, each with a target that responds with the group's name.
    private func colours(_ action: JSON, rules: [JSON] = []) throws -> Document {
        var document = Document.datagrams(try .naming("blue"))
        document.groups.append(Document.Group("green", datagrams: [try .naming("green")]))
        document.listeners[0].defaultAction = action
        document.listeners[0].rules = rules
        document.runtime["workers"] = 1
        return document
    }

    // MARK: Where new flows go

    @Test("Weights distribute new flows, and a change of weights moves no existing flow")
    func weights() throws {
        var document = try colours(Document.forward(["blue": 3, "green": 1]))
        let apus = try ApusProcess.start(document)
        let counts = try names(apus, clients: 80)
        #expect(abs((counts["blue"] ?? 0) - 60) <= 1 && counts.values.reduce(0, +) == 80, "\(counts)")
        let client = try DatagramEnd(to: apus)
        let own = try #require(try client.ask("who"))
        document.listeners[0].defaultAction = Document.forward([
            "blue": own == "blue" ? 0 : 1, "green": own == "blue" ? 1 : 0,
        ])
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        let other = own == "blue" ? "green" : "blue"
        #expect(try eventually { try names(apus, clients: 1) == [other: 1] })
        #expect(try names(apus, clients: 20) == [other: 20])
        #expect(try client.ask("who") == own)
    }

    @Test("With stickiness, all ports of a client go to one target, and clients to different ones")
    func sticky() throws {
        let apus = try ApusProcess.start(
            .datagrams(
                .naming("a"), .naming("b"), .naming("c"),
                group: ["stickiness.enabled": true, "stickiness.type": "source_ip"]))
        var chosen: [String] = []
        for number in 1...30 {
            let counts = try names(apus, clients: 4, from: "127.0.1.\(number)")
            #expect(counts.count == 1, "127.0.1.\(number): \(counts)")
            chosen += counts.keys
        }
        #expect(Set(chosen) == ["a", "b", "c"])
    }

    @Test("Rules by the client's network")
    func rules() throws {
        let rule = Document.rule(10, "source-ip", ["127.0.2.0/24"], Document.forward("green"))
        let apus = try ApusProcess.start(try colours(Document.forward("blue"), rules: [rule]))
        #expect(try names(apus, clients: 8) == ["blue": 8])
        #expect(try names(apus, clients: 8, from: "127.0.2.9") == ["green": 8])
        #expect(try names(apus, clients: 8, from: "127.0.3.9") == ["blue": 8])
    }

    // MARK: Health

    @Test("An unhealthy target keeps its flows and gets no new ones")
    func unhealthy() throws {
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        let apus = try ApusProcess.start(.datagrams(targets[0], targets[1]))
        let clients = try (0..<20).map { _ in try DatagramEnd(to: apus) }
        let before = try clients.map { try #require(try $0.ask("who")) }
        #expect(Set(before) == ["a", "b"])
        targets[0].stream.stop()
        #expect(apus.target(targets[0].address, becomes: "unhealthy"))
        #expect(try names(apus, clients: 20) == ["b": 20])
        #expect(try clients.map { try #require(try $0.ask("who")) } == before)
        expectMetric(apus, "apus_flow_endings_total", "unhealthy", is: 0)
        expectMetric(apus, "apus_flows_active", "udp", is: 40)
    }

    @Test("Fail open: when no target is healthy all are used, and it is counted")
    func failOpen() throws {
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        let apus = try ApusProcess.start(.datagrams(targets[0], targets[1]))
        for target in targets { target.stream.stop() }
        for target in targets { #expect(apus.target(target.address, becomes: "unhealthy")) }
        #expect(Set(try names(apus, clients: 30).keys) == ["a", "b"])
        expectMetric(apus, "apus_fail_open_flows_total", is: 30)
    }

    @Test("HTTP health checks on another port decide which target gets datagrams")
    func checksOverHTTP() throws {
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        let servers = try [TargetServer(), TargetServer()]
        var document = Document.datagrams()
        document.groups = zip(targets, servers).enumerated().map { index, pair in
            Document.Group(
                "group\(index)", datagrams: [pair.0],
                settings: ["healthCheckProtocol": "HTTP", "healthCheckPort": JSON(pair.1.port)])
        }
        document.listeners[0].defaultAction = Document.forward("group0")
        document.listeners[0].rules = [
            Document.rule(1, "source-ip", ["127.0.2.0/24"], Document.forward("group1"))
        ]
        let apus = try ApusProcess.start(document)
        #expect(try apus.states(of: "group0") == [targets[0].address.text: "healthy"])
        #expect(servers[0].healthChecksCount > 0)
        #expect(try names(apus, clients: 2) == ["a": 2] && names(apus, clients: 2, from: "127.0.2.1") == ["b": 2])
        servers[1].healthStatus.withLock { $0 = 500 }
        #expect(apus.target(targets[1].address, in: "group1", becomes: "unhealthy"))
        #expect(try names(apus, clients: 2, from: "127.0.2.1") == ["b": 2], "there is no other")
        expectMetric(apus, "apus_fail_open_flows_total", is: 2)
        #expect(
            targets.allSatisfy { $0.stream.connections.isEmpty }, "no TCP connection was made to the datagrams' port")
    }

    // MARK: Deregistration

    /// Nil is the default of a group of UDP.
    @Test(
        "A draining target keeps its flows until the delay is over; then they end, unless the group says otherwise",
        arguments: [nil, true, false] as [Bool?])
    func deregistration(configured: Bool?) throws {
        let terminates = configured ?? true
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        var attributes: [String: JSON] = ["deregistration_delay.timeout_seconds": 2]
        if let configured { attributes["deregistration_delay.connection_termination.enabled"] = .bool(configured) }
        let apus = try ApusProcess.start(.datagrams(targets[0], targets[1], group: attributes))
        let clients = try (0..<20).map { _ in try DatagramEnd(to: apus) }
        let before = try clients.map { try #require(try $0.ask("who")) }
        let count = before.count { $0 == "a" }
        try #require((1..<20).contains(count))
        let body: JSON = ["targets": [targets[0].address.json], "wait": true]
        let waiting = Background { try apus.admin("POST", "/v1/target-groups/blue/deregister", body, timeout: 60) }
        #expect(apus.target(targets[0].address, becomes: "draining"))
        #expect(try clients.map { try #require(try $0.ask("who")) } == before, "existing flows go on")
        #expect(try names(apus, clients: 10) == ["b": 10])
        let drained = try waiting.value().json["targets"][0]
        #expect(drained["cut"].int == (terminates ? count : 0), "\(drained.text)")
        #expect(drained["finished"].int == 0)
        let after = try clients.map { try #require(try $0.ask("who")) }
        #expect(after == (terminates ? Array(repeating: "b", count: 20) : before))
        expectMetric(apus, "apus_flow_endings_total", "deregistration", is: Double(terminates ? count : 0))
        expectMetric(apus, "apus_exchanges_cut_by_deregistration_total", is: Double(terminates ? count : 0))
        expectMetric(apus, "apus_connections_cut_by_configuration_total", is: 0)
        if terminates {
            let line = expectFlow(by: apus, "deregistration", by: "apus", target: targets[0].address.text)
            #expect(line["type"] == "udp" && line["received_bytes"] == 6 && line["sent_bytes"] == 2)
        }
    }

    @Test("A target without flows is removed at once")
    func idleDeregistration() throws {
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        let apus = try ApusProcess.start(
            .datagrams(targets[0], targets[1], listener: ["attributes": ["apus.udp_idle_timeout.seconds": 0.5]]))
        _ = try names(apus, clients: 10)
        expectMetric(apus, "apus_flows_active", "udp", is: 0)
        let body: JSON = ["targets": [targets[0].address.json], "wait": true]
        let drained = try apus.admin("POST", "/v1/target-groups/blue/deregister", body).json["targets"][0]
        #expect(drained["cut"] == 0 && drained["finished"] == 0)
        #expect(try #require(drained["seconds"].number) < 5)
    }

    // MARK: Listeners and the end

    @Test("A listener that a reload removes ends its flows; others stay, and it can be added again")
    func listenerRemoved() throws {
        var document = Document.datagrams(try DatagramTarget())
        let second = document.listeners[0]
        document.listeners.append(second)
        let apus = try ApusProcess.start(document)
        let stays = try DatagramEnd(to: apus)
        let goes = try DatagramEnd(to: apus, port: apus.ports[1])
        #expect(try stays.ask("x") == "x" && goes.ask("y") == "y")
        expectMetric(apus, "apus_connections_cut_by_configuration_total", is: 0)
        document.listeners.removeLast()
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        let line = expectFlow(by: apus, "listener_removed", by: "apus")
        #expect(line["listener"].string == "127.0.0.1:\(apus.ports[1])")
        expectMetric(apus, "apus_connections_cut_by_configuration_total", is: 1)
        try goes.send("anybody?")
        #expect(goes.receive(within: 5) == nil, "no socket has the port")
        #expect(try stays.ask("x") == "x")
        expectMetric(apus, "apus_flows_total", "udp", is: 2)
        document.listeners.append(second)
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try goes.ask("again") == "again")
        expectMetric(apus, "apus_connections_cut_by_configuration_total", is: 1)
    }

    @Test("A reload without changes does not affect a flow, and loses no datagram")
    func reload() throws {
        let target = try DatagramTarget()
        var document = Document.datagrams(target)
        let apus = try ApusProcess.start(document)
        let clients = try (0..<10).map { _ in try DatagramEnd(to: apus) }
        for round in 0..<10 {
            document.groups[0].attributes["deregistration_delay.timeout_seconds"] = JSON(round)
            try apus.write(document)
            let reload = Background { try apus.command("reload").status }
            var number = 0
            repeat {
                for client in clients { try #require(try client.ask("\(round)/\(number)") == "\(round)/\(number)") }
                number += 1
            } while !reload.isDone
            #expect(try reload.value() == .exited(0))
        }
        expectMetric(apus, "apus_flows_total", "udp", is: 10)
        expectMetric(apus, "apus_connections_cut_by_configuration_total", is: 0)
        #expect(Set(target.arrivals.map(\.source)).count == 10)
    }

    @Test("SIGTERM: flows continue while they are used, no new flow is accepted, and the process ends without errors")
    func termination() throws {
        let apus = try ApusProcess.start(.datagrams(try DatagramTarget()))
        let client = try DatagramEnd(to: apus)
        let idle = try DatagramEnd(to: apus)
        #expect(try client.ask("x") == "x" && idle.ask("y") == "y")
        apus.process.signal(SIGTERM)
        #expect(eventually { apus.errors.contains("signal") || apus.errors.contains("stop") }, "\(apus.errors)")
        // Answered until the idle flow has ended, which shows that time has passed.
        while apus.connectionLog.isEmpty, apus.process.exitStatus == nil {
            #expect(try client.ask("x") == "x")
            let new = try DatagramEnd(to: apus)
            try new.send("new")
            #expect(new.receive(within: 0.05) == nil)
        }
        #expect(apus.process.waitForExit(within: 20) == .exited(0), "\(apus.errors)")
        let lines = apus.connectionLog
        #expect(
            lines.count == 2 && lines.allSatisfy { $0["ended_by"] == "apus" && $0["ended"] == "idle_timeout" },
            "\(lines)")
        #expect(lines.first?["client"].string == "127.0.0.1:\(idle.port)")
        #expect(!apus.errors.contains("rror"), "\(apus.errors)")
        #expect(apus.errors.contains("exchangesCut=0"), "\(apus.errors)")
    }

    @Test("SIGTERM has a bound: a flow that is still used at the end of the grace is cut and counted")
    func terminatesInTime() throws {
        var document = Document.datagrams(try DatagramTarget())
        document.runtime["shutdownGraceSeconds"] = 1
        let apus = try ApusProcess.start(document)
        let client = try DatagramEnd(to: apus)
        #expect(try client.ask("x") == "x")
        apus.process.signal(SIGTERM)
        // What is not answered any more was sent to a process that has ended.
        while apus.process.exitStatus == nil {
            try? client.send("y")
            _ = client.receive(within: 0.05)
        }
        #expect(apus.process.waitForExit() == .exited(0))
        expectFlow(by: apus, "shutdown", by: "apus")
        #expect(apus.errors.contains("exchangesCut=1"), "\(apus.errors)")
    }
}
