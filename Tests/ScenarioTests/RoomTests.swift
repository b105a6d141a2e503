import Testing

/// Eviction at the limit of connections or descriptors.
@Suite struct RoomTests {
    private static let evicted = "apus_client_connections_evicted_total"
    private static let rejected = "apus_client_connections_rejected_total"

    private func document(_ target: TargetServer, connections: Int = 4, attributes: [String: JSON] = [:]) -> Document {
        var document = Document(target, attributes: attributes)
        document.runtime["workers"] = 1
        document.runtime["connections"] = .number(Double(connections))
        return document
    }

    @Test(
        "Silent connections are evicted first, the oldest before others; then the most idle; never one with a request")
    func theIdlestGoes() throws {
        let gate = Gate()
        let target = try TargetServer(script: TargetScript.held(by: gate, body: "fine"))
        let apus = try ApusProcess.start(document(target))
        let idle = try apus.client(), held = try apus.client(), silent = try apus.client(), young = try apus.client()
        #expect(try idle.get("/idle").status == 200)
        let answer = Background { try held.get("/held") }
        #expect(try eventually { try apus.metric("apus_requests_active") == 1 })
        #expect(try young.get("/young").status == 200)

        let first = try apus.client()
        #expect(try first.get("/first").status == 200)
        #expect(silent.ended(), "the silent one is evicted first")
        #expect(try apus.metric(Self.evicted, "silent") == 1)
        let second = try apus.client()
        #expect(try second.get("/second").status == 200)
        #expect(idle.ended(), "then the most idle one")
        #expect(try young.get("/young").status == 200, "the others stay")
        #expect(try apus.metric(Self.evicted, "idle") == 1)
        gate.open()
        #expect(try answer.value().text == "fine", "a request in progress is not cut")
        #expect(try apus.metric(Self.rejected) == 0)
        expectLogged(by: apus, "/second", status: 200, targetStatus: 200)
    }

    @Test("If all connections have requests, a new one is rejected and counted")
    func whereNobodyIsIdle() throws {
        let gate = Gate()
        let target = try TargetServer(script: TargetScript.held(by: gate, body: "fine"))
        let apus = try ApusProcess.start(document(target))
        let clients = try (0..<4).map { _ in try apus.client() }
        let answers = clients.map { client in Background { try client.get("/held") } }
        #expect(try eventually { try apus.metric("apus_requests_active") == 4 })
        for _ in 0..<3 { #expect(try apus.client().ended()) }
        #expect(try apus.metric(Self.rejected) == 3)
        gate.open()
        for answer in answers { #expect(try answer.value().status == 200) }
        #expect(eventually { (try? apus.client().get("/after"))?.status == 200 })
    }

    @Test("Any number of silent clients does not block an active one")
    func aCrowdIsNoWall() throws {
        let apus = try ApusProcess.start(document(try TargetServer(), connections: 20))
        let crowd = try (0..<100).map { _ in try apus.client() }
        for number in 0..<20 { #expect(try apus.client().get("/\(number)").status == 200) }
        #expect(try apus.metric(Self.evicted, "silent") >= 80)
        #expect(try apus.metric(Self.rejected) == 0)
        #expect(crowd.count == 100)
    }

    @Test("A silent connection times out, while one that has had a request may stay idle")
    func theFirstByteIsWaitedFor() throws {
        let apus = try ApusProcess.start(
            document(try TargetServer(), attributes: ["apus.first_byte_timeout.seconds": 0.5]))
        let silent = try apus.client(), spoke = try apus.client()
        #expect(try spoke.get("/spoke").status == 200)
        #expect(silent.ended())
        #expect(try apus.metric("apus_timeouts_total", "first_byte") == 1)
        #expect(try spoke.get("/again").status == 200)
    }

    @Test("HTTP/2 clients without a request count as silent")
    func silentHTTP2() throws {
        var document = document(
            try TargetServer(), connections: 8,
            attributes: ["apus.h2c.enabled": true, "apus.first_byte_timeout.seconds": 2])
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        let honest = try apus.client()
        #expect(try honest.get("/honest").status == 200)
        let crowd = try (0..<20).map { _ in
            let client = try apus.client()
            try client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            try client.send([0, 0, 0, 4, 0, 0, 0, 0, 0])
            #expect(client.wire.receives("\u{4}", within: 5), "settings")
            return client
        }
        #expect(try honest.get("/still").status == 200, "a client with a request stays")
        #expect(try apus.metric(Self.evicted, "silent") >= 12)
        #expect(try eventually { try apus.metric("apus_timeouts_total", "first_byte") >= 7 })
        for client in crowd { _ = try client.wire.remainder() }  // to the end
    }

    @Test("Silent connections to a TCP listener are evicted, those with data stay")
    func silentTunnelsGo() throws {
        let target = try TargetServer()
        var document = Document.network()
        document.groups = [.init("blue", [target.address], settings: ["protocol": "TCP"])]
        document.runtime["workers"] = 1
        document.runtime["connections"] = 3
        let apus = try ApusProcess.start(document)
        let busy = try apus.client()
        #expect(try busy.get("/busy").status == 200)
        let silent = try apus.client(), other = try apus.client()
        let new = try (0..<2).map { _ in try apus.client() }
        for client in new { #expect(try client.get("/new").status == 200) }
        #expect(silent.ended() && other.ended())
        #expect(try busy.get("/busy").status == 200)
    }

    @Test("One client's streams get a share of the target connections; the others wait, and all are answered")
    func streamsShareTargets() throws {
        let target = try TargetServer(script: TargetScript.answer(body: String(repeating: "x", count: 300_000)))
        let apus = try ApusProcess.start(
            Document(target, attributes: ["apus.h2c.enabled": true]), descriptors: 160)
        let told = try Tool.run(
            ["h2load", "-n", "200", "-c", "1", "-m", "100", "http://localhost:\(apus.port)/"], in: apus.folder)
        #expect(told.contains("200 succeeded, 0 failed, 0 errored, 0 timeout"), "\(told)")
        #expect(target.connections.count < 60, "of a hundred streams")
    }

    @Test("Idle target connections and silent clients do not reduce a client's share")
    func idleConnectionsAreNoShortage() throws {
        let gate = Gate()
        let target = try TargetServer(script: TargetScript.held(by: gate, body: "fine"))
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document, descriptors: 400)
        let silent = try (0..<60).map { _ in try apus.client() }
        let clients = try (0..<60).map { _ in try apus.client() }
        for client in clients { try client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(eventually { target.requests.count == 60 })
        gate.open()
        for client in clients { #expect(try client.response().status == 200) }
        #expect(try eventually { try apus.metric("apus_target_connections_idle") == 60 })
        let told = try Tool.run(
            ["h2load", "-n", "20", "-c", "1", "-m", "10", "http://localhost:\(apus.port)/"], in: apus.folder)
        #expect(told.contains("20 succeeded"), "\(told)")
        #expect(try apus.metric("apus_target_share_waits_total") == 0)
        #expect(silent.count == 60)
    }

    @Test("150 clients with 128 streams each that read nothing do not block others")
    func windowsOfZeroTakeNoDescriptors() throws {
        let target = try TargetServer(script: TargetScript.answer(body: String(repeating: "x", count: 1 << 20)))
        let apus = try ApusProcess.start(
            Document(target, attributes: ["apus.h2c.enabled": true]), descriptors: 1000)
        let attack = try ChildProcess(
            [Tool.python, Tool.script("http2_attacks"), "no_windows", "\(apus.port)", "150"], folder: apus.folder,
            label: "attack")
        #expect(try eventually(within: 30) { try apus.metric("apus_requests_active") > 5000 })
        for number in 0..<50 { #expect(try apus.client().get("/\(number)").status == 200) }
        #expect(try apus.metric(Self.rejected) == 0)
        let open = apus.process.descriptorsCount
        #expect(open < 990, "\(open) descriptors")
        attack.kill()
        #expect(try eventually(within: 30) { try apus.metric("apus_requests_active") == 0 })
        #expect(try eventually { try apus.metric("apus_held_bytes") == 0 })
    }

    @Test("Out of descriptors, streams that read nothing are evicted")
    func stalledStreamsGiveTheirDescriptors() throws {
        let gate = Gate()
        let large = String(repeating: "x", count: 1 << 20)
        let target = try TargetServer(script: TargetScript.held(by: gate, body: "fine", large: large))
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = 1
        document.logFormat = "json"
        let apus = try ApusProcess.start(document, descriptors: 520)
        let attack = try ChildProcess(
            [Tool.python, Tool.script("http2_attacks"), "no_windows", "\(apus.port)", "20"], folder: apus.folder,
            label: "attack")
        #expect(try eventually(within: 30) { try apus.metric("apus_requests_active") == 2400 })
        let clients = try (0..<100).map { _ in try apus.client() }
        for client in clients { try client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(eventually(within: 30) { target.requests.count { $0.target == "/held" } == 100 }, "all go out at once")
        gate.open()
        for client in clients { #expect(try client.response().status == 200) }
        #expect(try apus.metric(Self.evicted, "stalled") > 0)
        #expect(apus.accessLog.contains { $0.line.contains("ResponseNotTaken") })
        attack.kill()
    }

    @Test("A waiting stream that is cancelled lets the next one proceed")
    func aWithdrawnStreamGivesItsPlace() throws {
        let gate = Gate()
        let target = try TargetServer(script: TargetScript.held(by: gate, body: "fine"))
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document, descriptors: 100)
        let idle = try (0..<26).map { _ in try apus.client() }
        for client in idle { #expect(try client.get("/idle").status == 200) }
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_attacks"), "withdrawn", "\(apus.port)"], in: apus.folder)
        gate.open()
        #expect(told == "waited True answered [9, 11]\n")
    }
}
