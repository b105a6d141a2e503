import Testing

/// Rules that admit so many requests of each client.
@Suite struct RateLimitTests {
    private static let answer: JSON = [
        "type": "fixed-response", "fixedResponseConfig": ["statusCode": "200", "messageBody": "in"],
    ]

    private func document(_ limit: JSON, other: String = "other") -> Document {
        var limited = Document.rule(10, "path-pattern", ["/limited*"], Self.answer)
        limited["apus.rateLimit"] = limit
        limited["apus.responseHeaders"] = [["action": "set", "name": "X-Rule", "value": "limited"]]
        var document = Document(
            listeners: [
                .init(
                    defaultAction: Self.answer,
                    rules: [limited, Document.rule(20, "path-pattern", ["/\(other)"], Self.answer)])
            ], groups: [], attributes: ["apus.h2c.enabled": true])
        document.logFormat = "json"
        return document
    }

    /// The statuses of so many requests, over several connections and so over both workers.
    private func statuses(
        _ apus: ApusProcess, _ count: Int, path: String = "/limited", source: String? = nil, fields: String = ""
    ) throws -> [Int] {
        try (0..<count).map { _ in try apus.client(source: source).get(path, fields: fields).status }
    }

    @Test("A burst is admitted and no more, by address, over both workers; the rest gets 429 with Retry-After")
    func addresses() throws {
        // 36 seconds for each request: within the test none is added.
        let apus = try ApusProcess.start(document(["requestsPerSecond": 0.028, "burst": 5]))
        #expect(try statuses(apus, 12).count { $0 == 200 } == 5)
        let rejected = try apus.client().get("/limited")
        expectMadeHere(rejected, 429)
        let seconds = try #require(rejected["retry-after"].flatMap { Int($0) })
        #expect((1...36).contains(seconds), "\(seconds)")
        #expect(rejected["apus-reason"] == "RateLimited" && rejected["x-rule"] == "limited")
        #expect(try statuses(apus, 3, source: "127.0.0.9") == [200, 200, 200], "another address")
        #expect(try statuses(apus, 3, path: "/other") == [200, 200, 200], "another rule")
        #expect(try apus.metric("apus_requests_rate_limited_total") == 8)
        #expect(try apus.metric("apus_rule_rate_limited_total", #"priority="10""#, #"load_balancer="web""#) == 8)
        #expect(try apus.metric("apus_generated_errors_total", #"status="429""#) == 8)
        #expect(
            eventually {
                apus.accessEntries.count {
                    $0["apus_reason"].string == "RateLimited" && $0["matched_rule_priority"].int == 10
                } == 8
            })
    }

    @Test("A listener with several addresses has one budget, which a change of its addresses keeps")
    func severalAddresses() throws {
        var several = document(["key": "header X-Key", "requestsPerSecond": 0.001, "burst": 3])
        several.addresses = [Socket.loopback, "127.0.0.2"]
        let apus = try ApusProcess.start(several)
        func status(_ host: String) throws -> Int {
            try RawClient(port: apus.port, host: host).get("/limited", fields: "X-Key: a\r\n").status
        }
        #expect(try [status(Socket.loopback), status("127.0.0.2"), status("127.0.0.2")] == [200, 200, 200])
        #expect(try [status(Socket.loopback), status("127.0.0.2")] == [429, 429])
        several.addresses = ["127.0.0.2", "127.0.0.3"]
        try apus.write(several)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try [status("127.0.0.2"), status("127.0.0.3")] == [429, 429])
        #expect(try apus.metric("apus_rule_rate_limited_total", #"priority="10""#) == 4)
    }

    @Test("A change of another rule keeps what was counted; another limit begins anew")
    func reload() throws {
        let limit: JSON = ["requestsPerSecond": 0.001, "burst": 2]
        let apus = try ApusProcess.start(document(limit))
        #expect(try statuses(apus, 4) == [200, 200, 429, 429])
        try apus.write(document(limit, other: "another"))
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try statuses(apus, 2) == [429, 429])
        try apus.write(document(["requestsPerSecond": 0.001, "burst": 3]))
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try statuses(apus, 4) == [200, 200, 200, 429])
    }

    @Test("A header or a cookie may be what is counted; a request without counts for its address")
    func keys() throws {
        let apus = try ApusProcess.start(document(["key": "header X-Key", "requestsPerSecond": 0.001, "burst": 1]))
        #expect(try statuses(apus, 2, fields: "X-Key: a\r\n") == [200, 429])
        #expect(try statuses(apus, 2, fields: "x-key: b\r\n") == [200, 429])
        #expect(try statuses(apus, 2) == [200, 429])
        #expect(try statuses(apus, 1, source: "127.0.0.9") == [200])
        try apus.write(document(["key": "cookie id", "requestsPerSecond": 0.001, "burst": 1]))
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try statuses(apus, 2, fields: "Cookie: a=b; id=7\r\n") == [200, 429])
        #expect(try statuses(apus, 1, fields: "Cookie: id=8\r\n") == [200])
    }

    @Test("The pace is the one that was asked for, within 5 %")
    func pace() throws {
        let apus = try ApusProcess.start(document(["requestsPerSecond": 100, "burst": 1]))
        let began = ContinuousClock.now
        let clients = try (0..<4).map { _ in try apus.client() }
        var admitted = 0
        while ContinuousClock.now - began < .seconds(5) {
            for client in clients { try client.send("GET /limited HTTP/1.1\r\nHost: a\r\n\r\n") }
            for client in clients { admitted += try client.response().status == 200 ? 1 : 0 }
        }
        let seconds = Double((ContinuousClock.now - began).components.seconds)
        // A busy machine may ask more slowly than it may, and never gets more.
        #expect(
            Double(admitted) < (seconds + 1) * 105 && Double(admitted) > seconds * 50, "\(admitted) in \(seconds) s")
    }

    @Test("What is wrong with a limit is said with its place")
    func mistakes() throws {
        let apus = try ApusProcess.start(document(["requestsPerSecond": 1]))
        try apus.write(document(["requestsPerSecond": 0, "burts": 3]))
        let refused = try apus.command("reload")
        #expect(refused.status != .exited(0))
        #expect(refused.errors.contains("requestsPerSecond must be a number of requests from 0.001 to 1000000"))
        #expect(refused.errors.contains("Did you mean burst?"), "\(refused.errors)")
    }
}
