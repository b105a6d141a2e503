import Testing

/// Targets with a limit, and requests that wait for them.
@Suite struct QueueTests {
    private static let queueLength = "apus_target_group_queue_length"

    private func document(_ servers: [TargetServer], _ limits: [String: JSON]) -> Document {
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", servers: servers, attributes: limits)], attributes: ["apus.h2c.enabled": true])
        document.logFormat = "json"
        return document
    }

    private func start(_ servers: [TargetServer], _ limits: [String: JSON]) throws -> ApusProcess {
        try ApusProcess.start(document(servers, limits))
    }

    /// A client whose request waits, as one more than `before` do.
    private func waiting(_ apus: ApusProcess, _ path: String, after before: Int) throws -> RawClient {
        let client = try apus.client()
        try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try eventually { try apus.metric(Self.queueLength) == Double(before + 1) }, "\(path)")
        return client
    }

    /// A client whose request the only target of one request at a time has.
    private func holding(_ apus: ApusProcess, _ turnstile: Turnstile) throws -> RawClient {
        let client = try apus.client()
        try client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(eventually { turnstile.arrivedCount == 1 })
        return client
    }

    private func reasons(_ apus: ApusProcess) -> [String] {
        apus.accessEntries.compactMap { $0["apus_reason"].string }
    }

    @Test("Requests beyond the limit go in the order in which they came, over both workers")
    func order() throws {
        let turnstile = Turnstile()
        let apus = try start([try TargetServer(script: turnstile.script())], ["apus.target.max_requests": 1])
        let first = try holding(apus, turnstile)
        let others = try (0..<8).map { number in
            let client = try waiting(apus, "/\(number)", after: number)
            // Two workers may swap what comes within a millisecond.
            _ = always(for: 0.003) { true }
            return client
        }
        for client in [first] + others {
            turnstile.allow()
            #expect(try client.response().status == 200)
        }
        #expect(turnstile.paths == ["/held"] + (0..<8).map { "/\($0)" })
        #expect(turnstile.inFlightMax == 1)
        #expect(try apus.metric(Self.queueLength) == 0)
        #expect(try apus.metric("apus_target_group_queue_time_seconds_count", "blue") == 8)
        #expect(eventually { apus.accessEntries.count == 9 })
        #expect(apus.accessEntries.count { $0["queue_time"] == .null } == 1, "the first did not wait")
    }

    @Test("Under overload targets have no more than their limit, and nothing is lost")
    func overload() throws {
        let turnstiles = [Turnstile(), Turnstile()]
        let servers = try turnstiles.map { try TargetServer(script: $0.script()) }
        let apus = try start(servers, ["apus.target.max_requests": 4, "apus.target.queue_timeout_seconds": 60])
        let load = LoadGenerator(port: apus.port, clients: 80, requests: 4000)
        #expect(try eventually { try apus.metric(Self.queueLength) == 72 })
        for turnstile in turnstiles { turnstile.open() }
        let report = load.waitForEnd()
        #expect(report.badCount == 0 && report.answeredCount == 4000, "\(report.failures.prefix(3))")
        for turnstile in turnstiles {
            #expect(turnstile.inFlightMax == 4)
            #expect(turnstile.arrivedCount > 1000)
        }
        #expect(try apus.metric(Self.queueLength) == 0)
        #expect(try apus.metric("apus_target_group_queue_time_seconds_count", "blue") > 1000)
        #expect(try apus.metric("apus_target_group_queue_timeouts_total") == 0)
    }

    @Test("A full queue and a wait that is too long are answered with 503, each with its reason")
    func limits() throws {
        let turnstile = Turnstile()
        let apus = try start(
            [try TargetServer(script: turnstile.script())],
            [
                "apus.target.max_requests": 1, "apus.target.queue_max": 1,
                "apus.target.queue_timeout_seconds": 1,
            ])
        let first = try holding(apus, turnstile)
        let second = try waiting(apus, "/waits", after: 0)
        expectMadeHere(try apus.client().get("/late"), 503)
        #expect(try apus.metric("apus_target_group_queue_rejections_total") == 1)
        expectMadeHere(try second.response(), 503)
        #expect(try apus.metric("apus_target_group_queue_timeouts_total") == 1)
        #expect(try apus.metric("apus_timeouts_total", "target_queue") == 1)
        turnstile.open()
        #expect(try first.response().status == 200)
        #expect(try second.get("/after").status == 200)
        #expect(eventually { reasons(apus).sorted() == ["TargetQueueFull", "TargetQueueTimeout"] })
    }

    @Test("Who goes away while waiting leaves its place at once, and its request is not sent")
    func leaving() throws {
        let turnstile = Turnstile()
        let apus = try start(
            [try TargetServer(script: turnstile.script())],
            ["apus.target.max_requests": 1, "apus.target.queue_max": 1])
        let first = try holding(apus, turnstile)
        for leave in [RawClient.close, RawClient.reset] {
            let second = try waiting(apus, "/leaves", after: 0)
            leave(second)()
            #expect(try eventually { try apus.metric(Self.queueLength) == 0 })
        }
        let third = try waiting(apus, "/stays", after: 0)
        turnstile.open()
        #expect(try first.response().status == 200 && third.response().status == 200)
        #expect(turnstile.paths == ["/held", "/stays"])
        #expect(eventually { apus.accessEntries.count { $0["elb_status_code"].int == 460 } == 2 })
    }

    @Test("Targets that are added while requests wait take them at once; so does a higher limit")
    func changes() throws {
        let turnstile = Turnstile(), other = Turnstile()
        let server = try TargetServer(script: turnstile.script())
        let apus = try start([server], ["apus.target.max_requests": 1])
        let first = try holding(apus, turnstile)
        let second = try waiting(apus, "/2", after: 0), third = try waiting(apus, "/3", after: 1)
        other.open()
        let added = try TargetServer(script: other.script())
        #expect(try apus.command("targets", "register", "blue", "127.0.0.1:\(added.port)").status == .exited(0))
        #expect(try second.response().status == 200 && third.response().status == 200)
        #expect(other.arrivedCount == 2)
        #expect(try apus.command("targets", "deregister", "blue", "127.0.0.1:\(added.port)").status == .exited(0))
        let fourth = try waiting(apus, "/4", after: 0)
        try apus.write(document([server], ["apus.target.max_requests": 2]))
        #expect(try apus.command("reload").status == .exited(0))
        #expect(eventually { turnstile.arrivedCount == 2 })
        turnstile.open()
        #expect(try first.response().status == 200 && fourth.response().status == 200)
    }

    @Test("A target that dies gives back what it has, which waits for the others")
    func death() throws {
        let turnstile = Turnstile(), other = Turnstile()
        let dying = try TargetServer("dying", script: turnstile.script())
        let servers = [dying, try TargetServer("other", script: other.script())]
        let apus = try start(servers, ["apus.target.max_requests": 1])
        let clients = try (0..<2).map { _ in try apus.client() }
        for client in clients { try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(eventually { turnstile.arrivedCount == 1 && other.arrivedCount == 1 })
        let third = try waiting(apus, "/3", after: 0)
        dying.stop()
        #expect(try eventually { try apus.metric(Self.queueLength) == 2 })
        other.open()
        for client in clients + [third] { #expect(try client.response().status == 200) }
        #expect(other.arrivedCount == 3 && other.inFlightMax == 1)
    }

    @Test("A client with a cookie waits for its own target, though the other is free, and others do not wait for it")
    func stickiness() throws {
        let turnstiles = [Turnstile(), Turnstile()]
        let servers = try turnstiles.map { try TargetServer(script: $0.script()) }
        let apus = try start(servers, ["apus.target.max_requests": 1, "stickiness.enabled": true])
        for turnstile in turnstiles { turnstile.allow() }
        let first = try apus.client().get("/first")
        let cookie = try #require(first.values("set-cookie").first { $0.hasPrefix("AWSALB=") }).prefix { $0 != ";" }
        let own = try #require(turnstiles.first { $0.arrivedCount == 1 })
        let other = try #require(turnstiles.first { $0.arrivedCount == 0 })
        let held = try apus.client()
        try held.send("GET /held HTTP/1.1\r\nHost: a\r\nCookie: \(cookie)\r\n\r\n")
        #expect(eventually { own.arrivedCount == 2 })
        let waits = try apus.client()
        try waits.send("GET /waits HTTP/1.1\r\nHost: a\r\nCookie: \(cookie)\r\n\r\n")
        #expect(try eventually { try apus.metric(Self.queueLength) == 1 })
        other.open()
        #expect(try apus.client().get("/others").status == 200)
        #expect(other.paths == ["/others"])
        own.open()
        #expect(try held.response().status == 200 && waits.response().status == 200)
        #expect(own.paths == ["/first", "/held", "/waits"])
    }

    @Test("A WebSocket is one request until it ends")
    func webSocket() throws {
        let gate = Gate()
        let server = try TargetServer { connection in
            while let request = try connection.request() {
                guard request.target == "/chat" else {
                    try connection.respond(body: "blue\n")
                    continue
                }
                try connection.send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
                return gate.wait()
            }
        }
        let apus = try start([server], ["apus.target.max_requests": 1])
        let socket = try apus.client()
        let answer = try socket.exchange(
            "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        #expect(answer.status == 101)
        let second = try waiting(apus, "/2", after: 0)
        gate.open()
        #expect(try second.response().status == 200)
    }

    /// Twelve streams with windows of 0 on one connection.
    @Test("Streams of HTTP/2 wait too, and each has one answer")
    func streams() throws {
        let turnstile = Turnstile()
        let apus = try start(
            [try TargetServer(script: turnstile.script())],
            ["apus.target.max_requests": 3, "apus.target.queue_timeout_seconds": 1])
        let streams = try ChildProcess(
            [Tool.python, Tool.script("http2_client"), "waiting", "\(apus.port)"], folder: apus.folder, label: "h2")
        #expect(try eventually { try apus.metric("apus_target_group_queue_timeouts_total") == 9 })
        turnstile.open()
        #expect(eventually(within: 20) { streams.standardOutput == "heads\n" }, "\(streams.standardError)")
        #expect(try apus.metric(Self.queueLength) == 0 && turnstile.inFlightMax == 3)
        #expect(turnstile.arrivedCount == 3)
    }
}
