import Glibc
import TestCertificates
import Testing

/// Tunnels and changes of targets, health and configuration.
@Suite struct FlowChangeTests {
    /// Two targets, `a` and `b`, in a group with these attributes.
    private func start(
        attributes: [String: JSON] = [:], settings: [String: JSON] = [:], runtime: [String: JSON] = [:]
    ) throws -> (ApusProcess, a: CheckedTarget, b: CheckedTarget) {
        let a = try CheckedTarget("a"), b = try CheckedTarget("b")
        return (try ApusProcess.start(document([a, b], attributes, settings, runtime)), a, b)
    }

    private func document(
        _ targets: [CheckedTarget], _ attributes: [String: JSON] = [:], _ settings: [String: JSON] = [:],
        _ runtime: [String: JSON] = [:]
    ) -> Document {
        var document = Document.network()
        document.groups = [
            .init(
                "blue", streams: targets.map(\.stream), attributes: attributes,
                settings: ["healthCheckProtocol": "HTTP"].merging(settings) { $1 })
        ]
        document.runtime.merge(runtime) { $1 }
        return document
    }

    /// Apus with a target whose accept queue is full, and that ends its connections at once when it becomes unhealthy.
    private func start(_ full: FullTarget, endsUnhealthy: Bool) throws -> ApusProcess {
        var document = document([])
        document.groups[0].targets = [full.address]
        document.groups[0].settings["healthCheckTimeoutSeconds"] = 0.1
        document.groups[0].attributes = [
            "apus.target_connect_timeout.seconds": 60, "deregistration_delay.timeout_seconds": 0,
            "deregistration_delay.connection_termination.enabled": true,
            "target_health_state.unhealthy.connection_termination.enabled": .bool(endsUnhealthy),
        ]
        return try ApusProcess.start(document)
    }

    private func expectUncut(_ apus: ApusProcess, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(
            try apus.metric("apus_connections_cut_by_configuration_total") == 0, sourceLocation: sourceLocation)
    }

    private func areAlive(_ flows: [HeldFlow]) -> Bool { flows.allSatisfy(\.isAlive) }

    // MARK: targets

    @Test(
        "A target dies: its connections end, a client that keeps sending is reset, and new ones go to another"
    )
    func targetDies() throws {
        // No health check detects it before the client does.
        let (apus, a, b) = try start(settings: ["healthCheckIntervalSeconds": 300, "healthCheckTimeoutSeconds": 10])
        let dying = try HeldFlow.to("a", apus), living = try HeldFlow.to("b", apus)
        a.stream.stop()
        #expect(dying.client.text() == "endOfStream")
        try dying.client.send("!")
        let arrival = dying.client.socket.read(by: .after(10))
        #expect(arrival == .reset || arrival == .endOfStream)
        expectFlow(by: apus, "reset", by: "target", target: a.address.text, client: dying.address)
        #expect(living.isAlive)
        for _ in 0..<20 { #expect(try HeldFlow(apus).target == "b") }
        #expect(try apus.metric("apus_flows_rejected_total") == 0)
        living.client.endWriting()
        #expect(living.client.ended())
        expectFlow(by: apus, "finished", by: "client", target: b.address.text, client: living.address)
    }

    @Test("A side that has half-closed can still reset the connection, and the reset is forwarded")
    func resetBehindAnEnd() throws {
        let target = try StreamTarget { connection in
            guard case .bytes(let bytes) = connection.read(), bytes == Array("end".utf8) else {
                return connection.send(Array("text".utf8))
            }
            connection.socket.endWriting()
            _ = connection.read()
            connection.socket.reset()
        }
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        try client.send("end")
        #expect(client.text() == "endOfStream")
        try client.send("more")
        expectFlow(by: apus, "reset", by: "target")
        #expect(eventually { (try? client.send("x")) == nil }, "the client is reset as well")

        let silent = try StreamTarget { connection in
            while case .bytes = connection.read() {}
            // The other direction stays open until the connection fails.
            _ = eventually(within: 20) { (try? connection.socket.write([1], by: .after(1))) == nil }
        }
        let other = try ApusProcess.start(.network(silent))
        let leaving = try other.client(receiveBuffer: 4_096)
        try leaving.send("x")
        leaving.endWriting()
        #expect(leaving.text().hasPrefix("\u{1}"))
        leaving.reset()
        expectFlow(by: other, "reset", by: "client")
        #expect(try other.metric("apus_flows_active") == 0)
    }

    @Test("Passive health check: a target that accepts no connections becomes unhealthy long before its next check")
    func passiveHealth() throws {
        let settings: [String: JSON] = [
            "healthCheckIntervalSeconds": 300, "healthCheckTimeoutSeconds": 10, "unhealthyThresholdCount": 2,
        ]
        let (apus, a, b) = try start(settings: settings)
        #expect(try apus.states(of: "blue").values.allSatisfy { $0 == "healthy" })
        a.stream.stop()
        let changed = try eventually(within: 20) {
            #expect(try HeldFlow(apus).target == "b")
            return try apus.states(of: "blue")[a.address.text] == "unhealthy"
        }
        #expect(changed)
        #expect(try apus.states(of: "blue")[b.address.text] == "healthy")
        #expect(try apus.metric("apus_target_connect_failures_total") >= 2)
        let before = try apus.metric("apus_target_connect_failures_total")
        for _ in 0..<20 { #expect(try HeldFlow(apus).target == "b") }
        #expect(
            try apus.metric("apus_target_connect_failures_total") == before, "no connection to it is attempted any more"
        )
        expectFlow(by: apus, "finished", by: "client", target: b.address.text)
    }

    @Test(
        "A connection that its target has not accepted goes to another when the target is given up",
        arguments: ["unhealthy", "deregistered"])
    func connectsElsewhere(_ cause: String) throws {
        let full = try FullTarget()
        defer { full.close() }
        let isDeregistered = cause == "deregistered"
        let apus = try start(full, endsUnhealthy: !isDeregistered)
        let client = try apus.client()
        try client.send("?")
        #expect(try eventually { try apus.metric("apus_target_connections_active") == 1 })
        #expect(client.text(within: 0.2) == "silence")
        let other = try CheckedTarget("other")
        let added: JSON = ["targets": [other.address.json]]
        #expect(try apus.admin("POST", "/v1/target-groups/blue/targets", added).status == 200)
        if isDeregistered {
            #expect(apus.target(other.address, becomes: "healthy"))
            let body: JSON = ["targets": [full.address.json]]
            #expect(try apus.admin("POST", "/v1/target-groups/blue/deregister", body).status == 200)
        }
        #expect(client.text() == "other:?")
        client.endWriting()
        #expect(client.ended())
        expectFlow(by: apus, "finished", by: "client", target: other.address.text)
        #expect(try apus.metric("apus_target_connect_failures_total") == 0)
    }

    @Test("A connection that its target has not accepted ends with the target if there is no other")
    func connectsNowhereElse() throws {
        let full = try FullTarget()
        defer { full.close() }
        let apus = try start(full, endsUnhealthy: true)
        let client = try apus.client()
        #expect(try eventually { try apus.metric("apus_target_connections_active") == 1 })
        let body: JSON = ["targets": [full.address.json], "wait": true]
        let answer = try apus.admin("POST", "/v1/target-groups/blue/deregister", body)
        #expect(answer.json["targets"][0]["cut"].int == 1, "\(answer.text)")
        #expect(client.socket.read(by: .after(10)) == .reset)
        expectFlow(by: apus, "deregistration", by: "apus", target: full.address.text)
    }

    @Test("In a sticky group there are no passive health checks")
    func noPassiveHealthWhereItSticks() throws {
        let settings: [String: JSON] = [
            "healthCheckIntervalSeconds": 300, "healthCheckTimeoutSeconds": 10, "unhealthyThresholdCount": 1,
        ]
        let (apus, a, _) = try start(attributes: ["stickiness.enabled": true], settings: settings)
        a.stream.stop()
        for host in 1...30 { #expect(try HeldFlow(apus, source: "127.0.7.\(host)").target == "b") }
        #expect(try apus.metric("apus_target_connect_failures_total") >= 1)
        #expect(try always(for: 0.3) { try apus.states(of: "blue")[a.address.text] == "healthy" })
        #expect(eventually { apus.connectionLog.count == 30 })
    }

    @Test("A deregistered target gets no new connections, and keeps existing ones")
    func deregistered() throws {
        let (apus, a, _) = try start()
        let held = try HeldFlow.to("a", apus)
        let body: JSON = ["targets": [a.address.json]]
        #expect(try apus.admin("POST", "/v1/target-groups/blue/deregister", body).status == 200)
        #expect(apus.target(a.address, becomes: "draining"))
        for _ in 0..<20 { #expect(try HeldFlow(apus).target == "b") }
        #expect(held.isAlive)
        held.client.endWriting()
        #expect(held.client.ended())
        expectFlow(by: apus, "finished", by: "client", target: a.address.text, client: held.address)
        #expect(try eventually { try apus.states(of: "blue").count == 1 }, "drained with its last connection")
        try expectUncut(apus)
    }

    @Test("deregister with wait reports at the end of the delay which connections are left or cut")
    func waits() throws {
        for isCutting in [false, true] {
            let (apus, a, _) = try start(
                attributes: [
                    "deregistration_delay.timeout_seconds": 1,
                    "deregistration_delay.connection_termination.enabled": .bool(isCutting),
                ])
            let flows = try (0..<3).map { _ in try HeldFlow.to("a", apus) }
            let other = try HeldFlow.to("b", apus)
            flows[2].client.endWriting()
            #expect(flows[2].client.ended())
            #expect(try eventually { try apus.metric("apus_flows_active") == 3 })
            let body: JSON = ["targets": [a.address.json], "wait": true]
            let answer = try apus.admin("POST", "/v1/target-groups/blue/deregister", body)
            let drained = answer.json["targets"][0]
            #expect(drained["cut"].int == (isCutting ? 2 : 0), "\(answer.text)")
            #expect(drained["left"].int ?? 0 == (isCutting ? 0 : 2), "\(answer.text)")
            #expect(drained["finished"].int == 0, "\(answer.text)")
            #expect(try #require(drained["seconds"].number) >= 1)
            for flow in flows.prefix(2) {
                #expect(isCutting ? flow.isReset : flow.isAlive)
                if isCutting {
                    expectFlow(by: apus, "deregistration", by: "apus", target: a.address.text, client: flow.address)
                }
            }
            #expect(other.isAlive)
            #expect(try apus.metric("apus_flow_endings_total", "deregistration") == (isCutting ? 2 : 0))
        }
    }

    @Test(
        "Connections of a deregistered target are not affected by a target that is registered later at the same address"
    )
    func leftConnectionsAreNobodyElses() throws {
        let (apus, a, b) = try start(attributes: ["deregistration_delay.timeout_seconds": 0.1])
        let left = try HeldFlow.to("a", apus)
        let body: JSON = ["targets": [a.address.json], "wait": true]
        let report = try apus.admin("POST", "/v1/target-groups/blue/deregister", body).json["targets"][0]
        #expect(report["left"].int == 1)

        let next = try CheckedTarget("next")
        let added: JSON = ["targets": [next.address.json]]
        #expect(try apus.admin("POST", "/v1/target-groups/blue/targets", added).status == 200)
        #expect(apus.target(next.address, becomes: "healthy"))
        let cut = try HeldFlow.to("next", apus)
        next.become(well: false)
        #expect(cut.isReset)
        expectFlow(by: apus, "unhealthy", by: "apus", target: next.address.text, client: cut.address)
        #expect(left.isAlive, "it belongs to another, healthy target")
        #expect(try HeldFlow.to("b", apus).isAlive)
        left.client.endWriting()
        #expect(left.client.ended())
        expectFlow(by: apus, "finished", by: "client", target: a.address.text, client: left.address)
        #expect(try apus.states(of: "blue")[b.address.text] == "healthy")
    }

    // MARK: health

    @Test("Connections of an unhealthy target are reset, but those of the last target stay until another is healthy")
    func unhealthy() throws {
        let (apus, a, b) = try start()
        let first = try HeldFlow.to("a", apus), second = try HeldFlow.to("b", apus)
        a.become(well: false)
        #expect(first.isReset)
        expectFlow(by: apus, "unhealthy", by: "apus", target: a.address.text, client: first.address)
        #expect(eventually { a.connections.allSatisfy { $0.ending == .reset } }, "the target's connection is reset too")
        #expect(second.isAlive)
        #expect(try HeldFlow(apus).target == "b")

        b.become(well: false)
        #expect(apus.target(b.address, becomes: "unhealthy"))
        #expect(second.isAlive, "all are used when none is healthy")
        #expect(try apus.metric("apus_target_group_fail_open", "blue") == 1)
        let third = try HeldFlow.to("a", apus)
        #expect(third.isAlive)
        #expect(try apus.metric("apus_flow_endings_total", "unhealthy") == 1)

        a.become(well: true)
        #expect(second.isReset)
        expectFlow(by: apus, "unhealthy", by: "apus", target: b.address.text, client: second.address)
        #expect(third.isAlive, "its target is the healthy one")
        #expect(try apus.metric("apus_flow_endings_total", "unhealthy") == 2)
    }

    @Test("Connections of an unhealthy target that stayed since all are used are reset when a new threshold ends that")
    func lowerThreshold() throws {
        let threshold = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
        let a = try CheckedTarget("a"), b = try CheckedTarget("b")
        var document = document([a, b], [threshold: 100])
        let apus = try ApusProcess.start(document)
        a.become(well: false)
        #expect(apus.target(a.address, becomes: "unhealthy"))
        let held = try HeldFlow.to("a", apus)
        #expect(held.isAlive, "all are used")
        document.groups[0].attributes[threshold] = 50
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(held.isReset)
        expectFlow(by: apus, "unhealthy", by: "apus", target: a.address.text, client: held.address)
        #expect(try HeldFlow(apus).target == "b")
    }

    @Test("With an interval an unhealthy target keeps its connections for that time; then they are reset")
    func unhealthyDraining() throws {
        let (apus, a, _) = try start(
            attributes: [
                "target_health_state.unhealthy.connection_termination.enabled": false,
                "target_health_state.unhealthy.draining_interval_seconds": 3,
            ])
        let held = try HeldFlow.to("a", apus)
        a.become(well: false)
        #expect(apus.target(a.address, becomes: "unhealthy.draining"))
        #expect(held.isAlive)
        for _ in 0..<10 { #expect(try HeldFlow(apus).target == "b") }

        a.become(well: true)
        #expect(apus.target(a.address, becomes: "healthy"))
        #expect(held.isAlive, "the target recovered in time")

        a.become(well: false)
        #expect(apus.target(a.address, becomes: "unhealthy.draining"))
        #expect(held.isAlive)
        #expect(held.isReset)
        expectFlow(by: apus, "unhealthy", by: "apus", target: a.address.text, client: held.address)
        #expect(try apus.states(of: "blue")[a.address.text] == "unhealthy")
    }

    @Test("Without interval and termination an unhealthy target keeps its connections")
    func unhealthyKept() throws {
        let (apus, a, _) = try start(
            attributes: ["target_health_state.unhealthy.connection_termination.enabled": false])
        let held = try HeldFlow.to("a", apus)
        a.become(well: false)
        #expect(apus.target(a.address, becomes: "unhealthy"))
        #expect(always(for: 0.5) { held.isAlive })
        #expect(try HeldFlow(apus).target == "b")
        held.client.reset()
        expectFlow(by: apus, "reset", by: "client", target: a.address.text, client: held.address)
    }

    // MARK: configuration

    @Test("A group whose weight becomes 0 gets no new connections, and keeps existing ones")
    func weightToZero() throws {
        let a = try CheckedTarget("a"), b = try CheckedTarget("b")
        var document = document([a])
        document.groups.append(.init("green", streams: [b.stream], settings: ["healthCheckProtocol": "HTTP"]))
        document.listeners[0].defaultAction = Document.forward(["blue": 1, "green": 1])
        let apus = try ApusProcess.start(document)
        let held = try HeldFlow.to("a", apus)
        let path = "/v1/load-balancers/web/listeners/\(apus.port)/weights"
        #expect(try apus.admin("PUT", path, ["blue": 0, "green": 1]).status == 200)
        for _ in 0..<10 { #expect(try HeldFlow(apus).target == "b") }
        #expect(held.isAlive)
        held.client.endWriting()
        #expect(held.client.ended())
        expectFlow(by: apus, "finished", by: "client", target: a.address.text, client: held.address)
        try expectUncut(apus)
    }

    @Test("A reload that changes everything cuts no connection, nor does one that removes the listener")
    func reloads() throws {
        let (a, b, c) = (try CheckedTarget("a"), try CheckedTarget("b"), try CheckedTarget("c"))
        let apus = try ApusProcess.start(document([a, b]))
        let flows = [try HeldFlow.to("a", apus), try HeldFlow.to("b", apus)]
        func expectAlive(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) throws {
            #expect(areAlive(flows), comment, sourceLocation: sourceLocation)
            try expectUncut(apus, sourceLocation: sourceLocation)
        }

        var other = document([c], ["proxy_protocol_v2.enabled": false, "stickiness.enabled": true])
        other.attributes = ["apus.proxy_protocol.trusted": ["10.0.0.0/8"], "apus.tls_handshake_timeout.seconds": 3]
        other.listeners[0].settings["attributes"] = ["tcp.idle_timeout.seconds": 77]
        other.listeners[0].rules = [
            Document.rule(1, "source-ip", ["10.0.0.0/8"], Document.forward("blue")),
            Document.rule(2, "sni", ["*.example.com"], Document.forward("blue")),
        ]
        try apus.write(other)
        #expect(try apus.command("reload").status == .exited(0))
        try expectAlive("everything else is different")
        #expect(try apus.client().ended(), "new connections follow the new file")

        other.listeners[0].certificates = [ProxyProtocolTests.own]
        other.listeners[0].settings = ["protocol": "TLS"]
        other.listeners[0].rules = []
        try apus.write(other)
        #expect(try apus.command("reload").status == .exited(0))
        try expectAlive("the listener ends TLS now")

        other.listeners = []
        other.groups = []
        try apus.write(other)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(eventually { (try? Socket.connected(port: apus.port)) == nil })
        try expectAlive("there is no listener any more")
        for flow in flows {
            flow.client.endWriting()
            #expect(flow.client.ended())
            expectFlow(by: apus, "finished", by: "client", client: flow.address)
        }
        #expect(try eventually { try apus.metric("apus_flows_active") == 0 })
    }

    @Test("A network load balancer that becomes an application load balancer keeps its connections; and vice versa")
    func kindChanges() throws {
        let a = try CheckedTarget("a")
        let server = try TargetServer()
        var network = document([a])
        network.attributes = ProxyProtocolTests.trusting(seconds: 60)
        var web = Document(server)
        web.logFormat = "json"
        let apus = try ApusProcess.start(network)
        func open() throws -> RawClient {
            let client = try apus.client()
            try client.send("PROXY UNKNOWN\r\n?")
            #expect(client.text() == "a:?")
            return client
        }
        let held = try open()
        let inHeader = try apus.client()
        try inHeader.send("PROXY UNKN")
        #expect(try eventually { try apus.metric("apus_flows_active") == 2 })
        try apus.write(web)
        #expect(try apus.command("reload").status == .exited(0))
        try held.send("!")
        #expect(held.text() == "a:!")
        try inHeader.send("OWN\r\n?")
        #expect(inHeader.ended(), "its group is gone")
        expectFlow(by: apus, "no_targets", by: "apus")
        let browser = try apus.client()
        #expect(try browser.get("/web").status == 200)
        try held.send("!")
        #expect(held.text() == "a:!")

        try apus.write(network)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try eventually { try apus.metric("apus_targets", #"state="healthy""#) == 1 })
        let last = try browser.get("/again")
        #expect(last.status == 502, "this is its last response; its target does not speak HTTP")
        #expect(last.connectionHas("close"))
        try held.send("!")
        #expect(held.text() == "a:!")
        held.endWriting()
        #expect(held.ended())
        expectFlow(by: apus, "finished", by: "client", target: a.address.text)
        try expectUncut(apus)
    }

    // MARK: the end

    @Test("SIGTERM: new connections are refused, and existing ones continue until they end")
    func terminates() throws {
        let (apus, a, _) = try start()
        let flows = try (0..<6).map { _ in try HeldFlow.to("a", apus) }
        apus.process.signal(SIGTERM)
        #expect(eventually { (try? Socket.connected(port: apus.port)) == nil })
        #expect(always(for: 0.5) { areAlive(flows) })
        for flow in flows {
            #expect(apus.process.exitStatus == nil)
            #expect(flow.isAlive)
            flow.client.endWriting()
            #expect(flow.client.ended())
        }
        #expect(apus.process.waitForExit() == .exited(0))
        for flow in flows {
            expectFlow(by: apus, "finished", by: "client", target: a.address.text, client: flow.address)
        }
    }

    @Test("SIGTERM has a time limit: connections that are left are reset, and the exit status is 0")
    func terminatesInTime() throws {
        let (apus, a, _) = try start(runtime: ["shutdownGraceSeconds": 1])
        let flow = try HeldFlow.to("a", apus)
        apus.process.signal(SIGTERM)
        #expect(flow.isAlive)
        #expect(flow.isReset)
        #expect(apus.process.waitForExit() == .exited(0))
        expectFlow(by: apus, "shutdown", by: "apus", target: a.address.text, client: flow.address)
        #expect(eventually { a.connections.allSatisfy { $0.ending == .reset } })
        #expect(apus.errors.contains("exchangesCut=1"), "\(apus.errors)")
    }

    @Test("At the limit of runtime.connections new connections are rejected, and accepted again when others have ended")
    func connectionLimit() throws {
        let (apus, a, b) = try start(runtime: ["connections": 8, "workers": 1])
        let flows = try (0..<8).map { _ in try HeldFlow(apus) }
        for _ in 0..<3 { #expect(try apus.client().ended()) }
        #expect(try apus.metric("apus_client_connections_rejected_total", #"reason="connection_limit""#) == 3)
        #expect(areAlive(flows))
        flows[0].client.reset()
        expectFlow(by: apus, "reset", by: "client", client: flows[0].address)
        #expect(try HeldFlow(apus).isAlive)
        #expect(try apus.metric("apus_flows_total", "tcp") == 9)
        #expect(a.connections.count + b.connections.count == 9)
    }
}
