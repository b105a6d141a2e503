import Glibc
import Testing

/// Deregistration and draining: when a target can be stopped safely.
@Suite struct DrainingTests {
    /// A target that answers `/held` only after its gate opens.
    private func heldTarget(_ name: String, _ gate: Gate) throws -> TargetServer {
        try TargetServer(name, script: TargetScript.held(by: gate, body: name + "\n"))
    }

    private func body(_ target: TargetServer, wait: Bool = true) -> JSON {
        ["targets": [Document.Address(port: target.port).json], "wait": .bool(wait)]
    }

    @Test("It completes at once if nothing is in flight, whatever the delay")
    func idle() throws {
        let blue = try TargetServer("blue")
        let other = try TargetServer("other")
        let apus = try ApusProcess.start(Document(blue, other))
        for _ in 0..<4 { #expect(try apus.client().get("/before").status == 200) }
        let answer = try apus.admin("POST", "/v1/target-groups/blue/deregister", body(blue))
        #expect(answer.status == 200)
        let drained = answer.json["targets"][0]
        #expect(drained["id"] == "127.0.0.1")
        #expect(drained["port"].int == Int(blue.port))
        #expect(drained["finished"].int == 0)
        #expect(drained["cut"].int == 0)
        #expect(try #require(drained["seconds"].number) < 5)
        let count = blue.requests.count
        for _ in 0..<10 { #expect(try apus.client().get("/after").text == "other\n") }
        #expect(blue.requests.count == count)
        expectLogged(by: apus, "/after", status: 200, target: "127.0.0.1:\(other.port)")
    }

    @Test("It waits for what is in flight, sends nothing new, and counts what finished")
    func finishes() throws {
        let gate = Gate()
        let blue = try heldTarget("blue", gate)
        let other = try TargetServer("other")
        let apus = try ApusProcess.start(Document(blue, other))
        let held = try (0..<3).map { _ in try hold(apus, at: blue) }
        let request = body(blue)
        let waiting = Background { try apus.admin("POST", "/v1/target-groups/blue/deregister", request, timeout: 60) }
        #expect(apus.target(.init(port: blue.port), becomes: "draining"))
        for _ in 0..<10 { #expect(try apus.client().get("/held-now").text == "other\n") }
        #expect(!waiting.isDone)
        gate.open()
        for client in held { #expect(try client.response().text == "blue\n") }
        let drained = try waiting.value().json["targets"][0]
        #expect(drained["finished"].int == held.count)
        #expect(drained["cut"].int == 0)
        expectLogged(by: apus, "/held ", status: 200, target: "127.0.0.1:\(blue.port)", targetStatus: 200)
    }

    @Test("A request in flight stays with its target, even if another is healthy")
    func staysWhereItIs() throws {
        let gate = Gate()
        let blue = try heldTarget("blue", gate)
        let other = try TargetServer("other")
        let apus = try ApusProcess.start(
            Document(blue, other, group: ["apus.target_unacknowledged.seconds": 0.2]))
        let held = try hold(apus, at: blue)
        let count = other.requests.count
        let request = body(blue)
        let waiting = Background { try apus.admin("POST", "/v1/target-groups/blue/deregister", request, timeout: 60) }
        #expect(apus.target(.init(port: blue.port), becomes: "draining"))
        #expect(always(for: 1.5) { !waiting.isDone }, "longer than several checks of the connection")
        gate.open()
        #expect(try held.response().text == "blue\n")
        #expect(try waiting.value().json["targets"][0]["finished"].int == 1)
        #expect(other.requests.count == count, "the request is sent once")
    }

    /// Sends requests for `/held` until one waits at `target`; gives its client.
    private func hold(_ apus: ApusProcess, at target: TargetServer) throws -> RawClient {
        for _ in 0..<20 {
            let before = target.requests.count
            let client = try apus.client()
            try client.send("GET /held HTTP/1.1\r\nHost: a.b\r\n\r\n")
            let arrived = eventually {
                target.requests.count > before || client.wire.hasUnread || client.ended(within: 0.01)
            }
            if arrived, target.requests.count > before { return client }
        }
        throw WireError.silence(after: "20 requests")
    }

    @Test("When the delay ends, what is still in flight gets 502 and is counted as cut")
    func cut() throws {
        let gate = Gate()
        let blue = try heldTarget("blue", gate)
        let apus = try ApusProcess.start(Document(blue, group: ["deregistration_delay.timeout_seconds": 1]))
        let client = try apus.client()
        try client.send("GET /held HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { !blue.requests.isEmpty })
        let drained = try apus.admin("POST", "/v1/target-groups/blue/deregister", body(blue)).json["targets"][0]
        #expect(drained["finished"].int == 0)
        #expect(drained["cut"].int == 1)
        #expect(try (0.9...8).contains(#require(drained["seconds"].number)))
        expectMadeHere(try client.response(), 502)
        #expect(client.ended())
        expectLogged(by: apus, "/held", status: 502, target: "127.0.0.1:\(blue.port)")
        #expect(try apus.metric("apus_exchanges_cut_by_deregistration_total") == 1)
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
        gate.open()
    }

    @Test("Without wait it is answered at once, and the target is removed when it is drained")
    func withoutWait() throws {
        let gate = Gate()
        let blue = try heldTarget("blue", gate)
        let other = try TargetServer("other")
        let apus = try ApusProcess.start(Document(blue, other))
        let client = try hold(apus, at: blue)
        #expect(try apus.admin("POST", "/v1/target-groups/blue/deregister", body(blue, wait: false)).status == 200)
        #expect(apus.target(.init(port: blue.port), becomes: "draining"))
        let description = try apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"]
        let reasons = description.elements.map { $0["targetHealth"]["reason"].string }
        #expect(reasons.contains("Target.DeregistrationInProgress"))
        gate.open()
        #expect(try client.response().text == "blue\n")
        #expect(eventually { (try? apus.states(of: "blue"))?.count == 1 })
        expectLogged(by: apus, "/held", status: 200, target: "127.0.0.1:\(blue.port)")
    }

    @Test("SIGTERM: listeners close, exchanges finish with Connection: close, and it ends with 0")
    func terminates() throws {
        let gate = Gate()
        let blue = try heldTarget("blue", gate)
        let apus = try ApusProcess.start(Document(blue))
        let idle = try apus.client()
        #expect(try idle.get("/idle").status == 200)
        let busy = try apus.client()
        try busy.send("GET /held HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { blue.requests.contains { $0.target == "/held" } })
        apus.process.signal(SIGTERM)
        #expect(eventually { (try? Socket.connected(port: apus.port)) == nil }, "the listener must close")
        #expect(idle.ended())
        #expect(apus.process.exitStatus == nil, "an exchange is going on")
        gate.open()
        let answer = try busy.response()
        #expect(answer.text == "blue\n")
        #expect(answer.connectionHas("close"))
        #expect(busy.ended())
        #expect(apus.process.waitForExit() == .exited(0))
        expectLogged(by: apus, "/held", status: 200, targetStatus: 200)
    }

    @Test("SIGTERM: clients in the accept queue are served, however many wait")
    func servesTheQueue() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        // Stopped, so that they wait in the kernel's queue and the signal overtakes them.
        apus.process.signal(SIGSTOP)
        let clients = try (0..<400).map { _ in try apus.client() }
        for client in clients { try client.send("GET /queued HTTP/1.1\r\nHost: a.b\r\n\r\n") }
        apus.process.signal(SIGTERM)
        apus.process.signal(SIGCONT)
        var unanswered: [String] = []
        for client in clients {
            do { #expect(try client.response().status == 200) } catch { unanswered.append("\(error)") }
        }
        #expect(unanswered.isEmpty, "\(unanswered.count) of \(clients.count): \(unanswered.first ?? "")")
        #expect(apus.process.waitForExit() == .exited(0))
        expectLogged(by: apus, "/queued", status: 200, targetStatus: 200)
    }

    @Test("SIGTERM has a time limit: what does not finish is cut, and the exit status is still 0")
    func terminatesInTime() throws {
        let blue = try TargetServer(script: TargetScript.silence)
        var document = Document(blue)
        document.runtime["shutdownGraceSeconds"] = 1
        let apus = try ApusProcess.start(document)
        let client = try apus.client()
        try client.send("GET /never HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { !blue.requests.isEmpty })
        #expect(apus.terminate(within: 10) == .exited(0))
        #expect(client.ended() || client.wire.hasUnread)
        #expect(apus.errors.contains("exchangesCut=1"), "\(apus.errors)")
    }

    @Test("A second SIGTERM does not wait, and what it cuts is counted")
    func terminatesAtOnce() throws {
        let blue = try TargetServer(script: TargetScript.silence)
        let apus = try ApusProcess.start(Document(blue))
        let client = try apus.client()
        try client.send("GET /never HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { !blue.requests.isEmpty })
        apus.process.signal(SIGTERM)
        #expect(eventually { apus.errors.contains("stopping") }, "\(apus.errors)")
        apus.process.signal(SIGTERM)
        #expect(apus.process.waitForExit(within: 10) == .exited(0))
        #expect(apus.errors.contains("exchangesCut=1"), "\(apus.errors)")
    }
}
