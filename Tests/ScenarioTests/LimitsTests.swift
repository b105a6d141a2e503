import Testing

/// Status codes of Apus itself, and the limits that cause them: docs/elbv2.md, "HTTP connections" and "Status codes".
@Suite struct LimitsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let request: String
        let status: Int
        var reason: String?
        var testDescription: String { why }
    }

    private static func get(_ path: String = "/limit", _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a.b\r\n\(fields)\r\n"
    }

    private static func filled(_ count: Int) -> String { String(repeating: "a", count: count) }

    private static func addresses(_ count: Int) -> String {
        "X-Forwarded-For: " + (1...count).map { "10.0.0.\($0)" }.joined(separator: ", ") + "\r\n"
    }

    static let cases = [
        Case(why: "a request line of 16K", request: get("/" + filled(16_384 - 14)), status: 200),
        Case(
            why: "a request line above 16K", request: get("/" + filled(16_384)), status: 414,
            reason: "RequestLineTooLong"),
        Case(why: "a field of nearly 16K", request: get("/limit", "X: \(filled(16_000))\r\n"), status: 200),
        Case(
            why: "a field above 16K", request: get("/limit", "X: \(filled(16_384))\r\n"), status: 413,
            reason: "FieldTooLarge"),
        Case(
            why: "a head of nearly 64K",
            request: get("/limit", String(repeating: "X: \(filled(15_000))\r\n", count: 4)), status: 200),
        Case(
            why: "a head above 64K", request: get("/limit", String(repeating: "X: \(filled(15_000))\r\n", count: 5)),
            status: 413, reason: "HeadTooLarge"),
        Case(why: "200 fields", request: get("/limit", String(repeating: "X: y\r\n", count: 200)), status: 200),
        Case(
            why: "more than 256 fields", request: get("/limit", String(repeating: "X: y\r\n", count: 257)), status: 413,
            reason: "TooManyFields"),
        Case(why: "30 forwarded addresses", request: get("/limit", addresses(30)), status: 200),
        Case(why: "31 forwarded addresses", request: get("/limit", addresses(31)), status: 463),
        Case(
            why: "TRACE", request: "TRACE /limit HTTP/1.1\r\nHost: a.b\r\n\r\n", status: 405, reason: "MethodNotAllowed"
        ),
        Case(why: "a method of one's own", request: "BREW /limit HTTP/1.1\r\nHost: a.b\r\n\r\n", status: 200),
        Case(
            why: "a coding that is not implemented",
            request: "POST /limit HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: deflate\r\n\r\n", status: 501,
            reason: "UnsupportedTransferEncoding"),
        Case(
            why: "HTTP/2.0", request: "GET /limit HTTP/2.0\r\nHost: a.b\r\n\r\n", status: 505,
            reason: "UnsupportedVersion"),
        Case(why: "no Host", request: "GET /limit HTTP/1.1\r\n\r\n", status: 400, reason: "MissingHost"),
    ]

    @Test("Just below each limit a request passes; above, the response names the cause")
    func limits() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        for test in Self.cases {
            let before = target.requests.count
            let answer = try apus.client().exchange(test.request)
            if test.status == 200 {
                #expect(answer.status == 200, "\(test.why)")
                continue
            }
            expectMadeHere(answer, test.status, test.why)
            if let reason = test.reason { #expect(answer["apus-reason"] == reason, "\(test.why)") }
            #expect(target.requests.count == before, "\(test.why): the target saw it")
        }
        for (status, group) in Dictionary(grouping: Self.cases, by: \.status) {
            expectLogged(by: apus, count: group.count, status: status)
        }
        let line = apus.accessLog.first { $0.status == 463 }
        #expect(line?.target == "-")
    }

    @Test("Apus-Reason can be left out by attribute")
    func reasonHeaderOff() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target, attributes: ["apus.reason_header.enabled": false]))
        let answer = try apus.client().exchange("TRACE /quiet HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(answer.status == 405)
        #expect(answer.values("apus-reason").isEmpty)
        expectLogged(by: apus, count: 1, status: 405)
    }

    @Test("503 for a group without targets, and for one whose targets are all unused")
    func nobodyThere() throws {
        var document = Document(listeners: [.init(defaultAction: Document.forward("empty"))], groups: [.init("empty")])
        let apus = try ApusProcess.start(document)
        expectMadeHere(try apus.client().get("/empty"), 503)
        expectLogged(by: apus, "/empty", status: 503, target: "-")

        document.groups = [.init("empty", [.init(id: "i-unknown", port: 80)], settings: ["targetType": "instance"])]
        let unused = try ApusProcess.start(document)
        expectMadeHere(try unused.client().get("/unused"), 503)
        expectLogged(by: unused, "/unused", status: 503, target: "-")
    }

    @Test(
        "Beyond the memory budget the largest connections are shed and new ones rejected; afterwards service is normal")
    func memoryBudget() throws {
        let gate = Gate()
        let target = try TargetServer(script: TargetScript.held(by: gate, body: "fine"))
        var document = Document(target)
        document.runtime["workers"] = 1
        document.runtime["memoryBytes"] = JSON(1 << 20)
        document.logFormat = "json"
        let apus = try ApusProcess.start(document)
        let clients = try (0..<32).map { _ in try apus.client() }
        for client in clients { #expect(try client.get("/idle").status == 200) }
        // Each fills the kernel's buffers and then a buffer of 144 KiB; seven of them exceed the budget.
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        let uploads = clients.map { client in
            Background {
                client.wire.timeout = 1
                try client.send("POST /held HTTP/1.1\r\nHost: a.b\r\nContent-Length: 1000000000\r\n\r\n")
                while (try? client.send(block)) != nil {}
            }
        }
        for upload in uploads { try? upload.value() }
        #expect(try apus.metric("apus_client_connections_shed_total") > 0)
        #expect(try apus.metric("apus_held_bytes") <= Double(1 << 20))
        try expectResident(apus, below: 64 << 20)
        for client in clients { client.close() }
        gate.open()
        #expect(eventually { (try? apus.client().get("/after").status) == 200 })
        #expect(eventually { (try? apus.metric("apus_requests_active")) == 0 })
        let entry = eventually { apus.accessEntries.first { $0["apus_reason"] == "MemoryBudget" } }
        #expect(entry?["request_line"].string?.contains("/held") == true)
    }

    @Test("Connection to a target that does not answer the handshake is 504")
    func connectTimeout() throws {
        let full = try FullTarget()
        defer { full.close() }
        let group = Document.Group(
            "blue", [full.address], attributes: ["apus.target_connect_timeout.seconds": 1],
            settings: ["healthCheckTimeoutSeconds": 0.1])
        let apus = try ApusProcess.start(
            Document(listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group]))
        expectMadeHere(try apus.client().get("/connect"), 504)
        let line = expectLogged(by: apus, "/connect", status: 504, target: full.address.text)
        #expect(line?.targetStatus == nil)
    }
}
