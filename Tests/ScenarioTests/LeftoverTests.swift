import Testing

/// Leaks: descriptors, gauges and memory after connections have ended.
@Suite struct LeftoverTests {
    private static let teapot: JSON = [
        "type": "fixed-response", "fixedResponseConfig": ["statusCode": "418", "messageBody": "short"],
    ]

    /// `/N` is answered with N zeroes, `/teapot` by Apus, `/silent` never, and anything else by an echo.
    private func start(_ attributes: [String: JSON] = [:]) throws -> ApusProcess {
        let source = try TargetServer("source", script: TargetScript.zeroes)
        let silent = try TargetServer("silent", script: TargetScript.silence)
        let echo = try TargetServer("echo", script: TargetScript.echo)
        let keepAlive: [String: JSON] = ["apus.target_keep_alive.idle_seconds": 1]
        let groups = [source, silent, echo].map { Document.Group($0.name, servers: [$0], attributes: keepAlive) }
        let rules = [
            Document.rule(1, "path-pattern", ["/?0000000"], Document.forward("source")),
            Document.rule(2, "path-pattern", ["/silent"], Document.forward("silent")),
            Document.rule(3, "path-pattern", ["/teapot"], Self.teapot),
        ]
        let listener = Document.Listener(defaultAction: Document.forward("echo"), rules: rules)
        return try ApusProcess.start(Document(listeners: [listener], groups: groups, attributes: attributes))
    }

    /// One kind of client: what it does until its connection ends.
    typealias Client = @Sendable (RawClient) throws -> Void

    static let clients: [(why: String, act: Client)] = [
        ("asks once and closes", { _ = try $0.get("/once") }),
        ("asks, and closes before the answer", { try $0.send("GET /silent HTTP/1.1\r\nHost: a.b\r\n\r\n") }),
        (
            "asks, and resets before the answer",
            { client in
                try client.send("GET /silent HTTP/1.1\r\nHost: a.b\r\n\r\n")
                client.reset()
            }
        ),
        (
            "resets inside a head",
            { client in
                try client.send("GET /half HTTP/1.1\r\nHos")
                client.reset()
            }
        ),
        (
            "resets inside a body that comes in",
            { client in
                try client.send("POST /half HTTP/1.1\r\nHost: a.b\r\nContent-Length: 100\r\n\r\nhalf")
                client.reset()
            }
        ),
        (
            "closes inside a body that goes out",
            { client in
                try client.send("GET /10000000 HTTP/1.1\r\nHost: a.b\r\n\r\n")
                #expect(client.wire.receives("200 OK"))
            }
        ),
        (
            "resets inside a body that goes out",
            { client in
                try client.send("GET /10000000 HTTP/1.1\r\nHost: a.b\r\n\r\n")
                #expect(client.wire.receives("200 OK"))
                client.reset()
            }
        ),
        (
            "pipelines, reads one answer and closes",
            { client in
                try client.send(String(repeating: "GET /piped HTTP/1.1\r\nHost: a.b\r\n\r\n", count: 50))
                _ = try client.response()
            }
        ),
        ("is refused", { _ = try $0.exchange("GET /refused HTTP/1.1\r\n\r\n") }),
        (
            "is answered early, and goes on sending",
            { client in
                try client.send("POST /teapot HTTP/1.1\r\nHost: a.b\r\nContent-Length: 1000000\r\n\r\n")
                _ = try client.response()
                try? client.send([UInt8](repeating: 0x61, count: 300_000))
            }
        ),
    ]

    @Test("However clients end, descriptors and gauges return to their values")
    func everyWayToLeave() throws {
        // After a FIN (half-close) the client may still wait for its response, so only the idle timeout ends the
        // exchange.
        let apus = try start(["idle_timeout.timeout_seconds": 1])
        for kind in Self.clients { try kind.act(apus.client()) }
        expectNothingLeft(apus)
        let descriptors = apus.process.descriptorsCount
        let resident = try #require(apus.process.memory("VmRSS"))
        for _ in 0..<30 {
            for kind in Self.clients {
                do { try kind.act(apus.client()) } catch { Issue.record("a client that \(kind.why): \(error)") }
            }
        }
        let load = LoadGenerator(port: apus.port, clients: 8, requests: 2_000).waitForEnd()
        #expect(load.badCount == 0, "\(load.statuses) \(load.failures.prefix(5))")
        expectNothingLeft(apus)
        // Health checks and the harness's admin connections change the number.
        #expect(eventually { apus.process.descriptorsCount <= descriptors })
        let grown = try #require(apus.process.memory("VmRSS")) - resident
        #expect(grown < sanitized(16 << 20), "it grew by \(grown >> 10) KB")
        expectLogged(by: apus, "/load/0-1 ", status: 200, targetStatus: 200)
    }

    private func expectNothingLeft(_ apus: ApusProcess, sourceLocation: SourceLocation = #_sourceLocation) {
        let gauges = [
            "apus_client_connections_active", "apus_requests_active", "apus_target_group_requests_active",
            "apus_target_connections_active", "apus_target_connections_idle", "apus_held_bytes",
        ]
        for gauge in gauges {
            let isZero = eventually(within: 20) { (try? apus.metric(gauge)) == 0 }
            #expect(isZero, "\(gauge) is \((try? apus.metric(gauge)) ?? -1)", sourceLocation: sourceLocation)
        }
    }

    @Test(
        "A client that sends requests, reads nothing and resets does not affect others", arguments: ["/teapot", "/e"])
    func resetsWhileAnswersWait(path: String) throws {
        let apus = try start()
        for _ in 0..<5 {
            let client = try apus.client(receiveBuffer: 4_096)
            client.wire.timeout = 0.5
            // Until the responses fill every buffer and Apus stops reading (backpressure).
            let requests = String(repeating: "GET \(path) HTTP/1.1\r\nHost: a.b\r\n\r\n", count: 1_000)
            #expect(throws: SocketError.self) { while true { try client.send(requests) } }
            client.reset()
            expectServes(apus)
        }
        expectNothingLeft(apus)
        try expectResident(apus, below: 64 << 20)
        expectLogged(by: apus, path, status: path == "/e" ? 200 : 418)
    }
}
