import Testing

/// What the health of a group's targets decides: whether all are used, whose zone comes first, and what `/ready` says.
@Suite struct TargetGroupHealthTests {
    private func start(
        _ servers: [TargetServer], _ attributes: [String: JSON], zones: [String?] = [], zone: String? = nil,
        metrics: UInt16? = nil
    ) throws -> ApusProcess {
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [
                .init(
                    "blue", servers: servers, attributes: attributes,
                    settings: [
                        "healthyThresholdCount": 1, "unhealthyThresholdCount": 1, "healthCheckIntervalSeconds": 0.1,
                        "healthCheckTimeoutSeconds": 0.1,
                    ])
            ])
        for (index, zone) in zones.enumerated() { document.groups[0].targets[index].zone = zone }
        if let zone { document.runtime["availabilityZone"] = .string(zone) }
        document.metrics = metrics.map { "127.0.0.1:\($0)" }
        return try ApusProcess.start(document)
    }

    private func names(_ apus: ApusProcess, _ count: Int = 20) throws -> Set<String> {
        let client = try apus.client()
        return Set(try (0..<count).map { _ in String(try client.get("/").text.dropLast()) })
    }

    private func fail(_ server: TargetServer, _ apus: ApusProcess) {
        server.healthStatus.withLock { $0 = 500 }
        #expect(apus.target(server.address, becomes: "unhealthy"))
    }

    private static let routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
    private static let failover = "target_group_health.dns_failover.minimum_healthy_targets"

    @Test("With fewer healthy targets than the threshold all are used, but for weight 0; before that /ready says 503")
    func thresholds() throws {
        let servers = try ["a", "b", "c", "d"].map { try TargetServer($0) }
        let port = try PortAllocator.port()
        let apus = try start(
            servers, ["\(Self.routing).percentage": 50, "\(Self.failover).count": 3], metrics: port)
        func ready() throws -> Int {
            try RawClient(port: port).exchange("GET /ready HTTP/1.1\r\nHost: a\r\n\r\n").status
        }
        #expect(try ready() == 200)
        fail(servers[0], apus)
        #expect(try ready() == 200 && names(apus) == ["b", "c", "d"])
        fail(servers[1], apus)
        #expect(try ready() == 503 && names(apus) == ["c", "d"])
        #expect(try apus.admin("GET", "/ready").text.contains("Too few targets are healthy in blue"))
        #expect(try apus.command("status").output.contains("not ready      blue: too few targets are healthy"))
        fail(servers[2], apus)
        #expect(eventually { (try? names(apus)) == ["a", "b", "c", "d"] })
        #expect(try apus.metric("apus_fail_open_requests_total") >= 20)
        #expect(eventually { apus.errors.contains("too few targets of the group are healthy") })
        let zero = try apus.command("targets", "register", "blue", servers[3].address.text, "--weight", "0")
        #expect(zero.status == .exited(0))
        #expect(try names(apus) == ["a", "b", "c"], "none of these is healthy")
        servers[0].healthStatus.withLock { $0 = 200 }
        servers[1].healthStatus.withLock { $0 = 200 }
        #expect(eventually { (try? names(apus)) == ["a", "b"] })
        expectLogged(by: apus, "/", status: 200)
    }

    @Test("Cross-zone off: only targets of this zone are used, and none of another one when there is none: 503")
    func ownZoneOnly() throws {
        let servers = try ["here", "there", "both"].map { try TargetServer($0) }
        let apus = try start(
            servers, ["load_balancing.cross_zone.enabled": false], zones: ["z1", "z2", nil], zone: "z1")
        #expect(try names(apus) == ["here", "both"])
        let targets = servers.map(\.address.text)
        #expect(try apus.states(of: "blue")[targets[1]] == "healthy", "it is checked all the same")
        let out = try apus.command("targets", "deregister", "blue", targets[0], targets[2], "--wait")
        #expect(out.status == .exited(0), "\(out)")
        #expect(try apus.client().get("/none").status == 503)
        let moved = try apus.command("targets", "register", "blue", targets[1], "--zone", "z1")
        #expect(moved.status == .exited(0), "\(moved)")
        #expect(try names(apus) == ["there"])
        expectLogged(by: apus, "/none", status: 503)
    }

    @Test("A network load balancer uses its own zone alone: with too few there /ready says 503, and no other one helps")
    func ownZoneOfANetworkLoadBalancer() throws {
        func target(_ name: String, port: UInt16 = 0) throws -> StreamTarget {
            try StreamTarget(port: port, script: StreamTarget.naming(name))
        }
        let (here, too, there) = (try target("here"), try target("too"), try target("there"))
        var document = Document.network(attributes: ["load_balancing.cross_zone.enabled": false])
        document.groups = [
            .init(
                "blue", streams: [here, too, there], attributes: ["\(Self.failover).count": 2],
                settings: [
                    "healthyThresholdCount": 1, "unhealthyThresholdCount": 1, "healthCheckIntervalSeconds": 0.1,
                    "healthCheckTimeoutSeconds": 0.1,
                ])
        ]
        for (index, zone) in ["z1", "z1", "z2"].enumerated() { document.groups[0].targets[index].zone = zone }
        document.runtime["availabilityZone"] = "z1"
        let apus = try ApusProcess.start(document)
        /// What clients got: names, or how their connections ended.
        func names() throws -> Set<String> {
            Set(
                try (0..<30).map { _ in
                    let client = try apus.client()
                    defer { client.reset() }
                    return client.text()
                })
        }
        func ready() throws -> Int { try apus.admin("GET", "/ready").status }
        #expect(try names() == ["here", "too"] && ready() == 200)
        #expect(try apus.states(of: "blue")[there.address.text] == "healthy", "it is checked all the same")

        too.stop()
        #expect(apus.target(too.address, becomes: "unhealthy"))
        #expect(try names() == ["here"] && ready() == 503)
        #expect(try apus.admin("GET", "/ready").text.contains("Too few targets are healthy in blue"))
        here.stop()
        #expect(apus.target(here.address, becomes: "unhealthy"))
        let refused = try names()
        #expect(refused.isDisjoint(with: ["here", "too", "there"]) && !refused.isEmpty, "\(refused)")
        #expect(try ready() == 503)

        var crossing = document
        crossing.attributes["load_balancing.cross_zone.enabled"] = true
        try apus.write(crossing)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try names() == ["there"] && ready() == 503, "one of three is healthy")
        let back = try target("back", port: here.port)
        #expect(apus.target(back.address, becomes: "healthy"))
        #expect(try names() == ["back", "there"] && ready() == 200)
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try names() == ["back"] && ready() == 503)
        expectFlow(by: apus, "reset", by: "client", target: back.address.text)
    }

    @Test("Own zone first: targets of other zones are used once too few of this zone are healthy")
    func ownZoneFirst() throws {
        let servers = try ["a", "b", "far"].map { try TargetServer($0) }
        let apus = try start(
            servers,
            ["apus.own_zone_first.enabled": true, "apus.own_zone_first.minimum_healthy_percent": 100],
            zones: ["z1", "z1", "z2"], zone: "z1")
        #expect(try names(apus) == ["a", "b"])
        fail(servers[1], apus)
        #expect(eventually { (try? names(apus)) == ["a", "far"] })
        servers[1].healthStatus.withLock { $0 = 200 }
        #expect(eventually { (try? names(apus)) == ["a", "b"] })
        expectLogged(by: apus, "/", status: 200)
    }
}
