import Testing

/// The admin socket: reads, errors, events.
@Suite struct AdminTests {
    @Test("Errors have ELBv2's code, the right status, a message and a remedy, and change nothing")
    func refusals() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let before = try apus.admin("GET", "/v1/config").text
        let listener = "/v1/load-balancers/web/listeners/\(apus.port)"
        let cases: [(method: String, path: String, body: String?, status: Int, code: String?)] = [
            ("POST", "/v1/target-groups/blue/targets", "{", 400, nil),
            ("POST", "/v1/target-groups/blue/targets", "[]", 400, nil),
            ("POST", "/v1/target-groups/blue/targets", "{\"targest\":[]}", 400, "ValidationError"),
            ("POST", "/v1/target-groups/blue/targets", "{\"targets\":[{\"id\":\"127.0.0.1\",\"port\":0}]}", 400, nil),
            ("POST", "/v1/target-groups/blue/targets", "{\"targets\":[{\"id\":\"not-an-address\"}]}", 400, nil),
            (
                "POST", "/v1/target-groups/none/targets", "{\"targets\":[{\"id\":\"127.0.0.1\"}]}", 404,
                "TargetGroupNotFound"
            ),
            (
                "POST", "/v1/target-groups/none/deregister", "{\"targets\":[{\"id\":\"127.0.0.1\"}]}", 404,
                "TargetGroupNotFound"
            ),
            ("GET", "/v1/target-groups/none", nil, 404, "TargetGroupNotFound"),
            ("GET", "/v1/load-balancers/none", nil, 404, "LoadBalancerNotFound"),
            ("GET", "/v1/load-balancers/web/listeners/1", nil, 404, "ListenerNotFound"),
            ("GET", "\(listener)/rules/77", nil, 404, "RuleNotFound"),
            ("DELETE", "/v1/target-groups/blue", nil, 409, "ResourceInUse"),
            ("PUT", "\(listener)/weights", "{\"nowhere\":1}", 404, "TargetGroupNotFound"),
            ("PUT", "\(listener)/weights", "{\"blue\":1000}", 400, nil),
            ("PUT", "\(listener)/weights", "{\"blue\":\"many\"}", 400, nil),
            ("PUT", "\(listener)/rules/1", "{\"conditions\":[],\"actions\":[]}", 400, nil),
            ("PUT", "/v1/instances/i-1", "{\"address\":\"elsewhere\"}", 400, nil),
            ("GET", "/v1/nothing", nil, 404, nil),
            ("PATCH", "/v1/config", "{}", 405, nil),
        ]
        for test in cases {
            let answer = try apus.admin(test.method, test.path, text: test.body)
            let seen: Comment = "\(test.method) \(test.path) \(test.body ?? ""): \(answer.status) \(answer.text)"
            #expect(answer.status == test.status, seen)
            #expect(answer.errorCode?.isEmpty == false, seen)
            if let code = test.code { #expect(answer.errorCode == code, seen) }
            #expect(answer.json["error"]["message"].string?.isEmpty == false, seen)
            #expect(answer.json["error"]["remedy"].string?.isEmpty == false, seen)
        }
        #expect(try apus.admin("GET", "/v1/config").text == before)
        expectServes(apus)
    }

    @Test("A name of 4 MB is rejected, and the log line about it is short")
    func longNames() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        let name = String(repeating: "n", count: 4 << 20)
        let answer = try apus.admin("PUT", "/v1/target-groups/blue", text: "{\"name\":\"\(name)\"}")
        #expect(answer.status == 400)
        #expect(eventually { apus.errors.contains("answered an admin request") })
        let lines = apus.errors.split(separator: "\n")
        let line = try #require(lines.first { $0.contains("answered an admin request") })
        #expect(line.utf8.count < 10_000 && line.contains("bytes)"), "\(line.utf8.count) bytes")
        expectServes(apus)
    }

    @Test("Status, configuration and metrics read back what runs")
    func reads() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        expectServes(apus)
        let status = try apus.admin("GET", "/v1/status").json
        #expect(status["version"].string?.isEmpty == false)
        #expect(status["workers"].int == 2 || status["workers"].elements.count == 2)
        let config = try apus.admin("GET", "/v1/config").json
        #expect(config["targetGroups"][0]["name"] == "blue")
        #expect(config["loadBalancers"][0]["listeners"][0]["port"].int == Int(apus.port))
        let checked = try apus.admin("POST", "/v1/check", text: config.text)
        #expect(checked.status == 200, "it must accept its own output: \(checked.text)")
        let metrics = try apus.admin("GET", "/metrics").text
        #expect(metrics.contains("# TYPE apus_requests_total counter"))
        #expect(try apus.metric("apus_requests_total") >= 1)
        #expect(try apus.metric("apus_target_group_responses_total", "blue", "2xx") >= 1)
        #expect(try apus.metric("process_resident_memory_bytes") > 0)
        #expect(try apus.metric("process_open_fds") > 0)
    }

    @Test("A group, a rule and an instance can be put, read back and deleted")
    func objects() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let group: JSON = ["targetType": "ip", "protocol": "HTTP", "port": 8080, "healthCheckPath": "/ready"]
        #expect(try apus.admin("PUT", "/v1/target-groups/fresh", group).status < 300)
        #expect(try apus.admin("GET", "/v1/target-groups/fresh").json["healthCheckPath"] == "/ready")
        #expect(try apus.admin("DELETE", "/v1/target-groups/fresh").status < 300)
        #expect(try apus.admin("GET", "/v1/target-groups/fresh").status == 404)

        let rule = "/v1/load-balancers/web/listeners/\(apus.port)/rules/9"
        let fixed: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "204"]]
        #expect(try apus.admin("PUT", rule, Document.rule(9, "path-pattern", ["/nine"], fixed)).status < 300)
        #expect(try apus.admin("GET", rule).json["conditions"][0]["values"][0] == "/nine")
        #expect(try apus.client().get("/nine").status == 204)
        expectLogged(by: apus, "/nine", status: 204, target: "-")
        #expect(try apus.admin("DELETE", rule).status < 300)
        #expect(try apus.client().get("/nine").status == 200)
    }

    @Test("A PUT of a group's health check keeps its targets and their type")
    func putKeepsTargets() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let body: JSON = ["protocol": "HTTP", "port": 80, "healthCheckPath": "/ready"]
        #expect(try apus.admin("PUT", "/v1/target-groups/blue", body).status == 200)
        let group = try apus.admin("GET", "/v1/target-groups/blue").json
        #expect(group["healthCheckPath"] == "/ready" && group["targetType"] == "ip")
        #expect(group["targets"].elements.count == 1)
        expectServes(apus)
        var other = body
        other["targetType"] = "instance"
        let refused = try apus.admin("PUT", "/v1/target-groups/blue", other)
        #expect(refused.status == 400 && refused.errorCode == "InvalidConfigurationRequest")
        var empty = body
        empty["targets"] = []
        #expect(try apus.admin("PUT", "/v1/target-groups/blue", empty).status == 200)
        #expect(try apus.client().get("/nobody").status == 503)
        expectLogged(by: apus, "/nobody", status: 503, target: "-")
    }

    @Test("Events stream one JSON object per line as things happen")
    func events() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let watcher = try RawClient(path: apus.socketPath)
        try watcher.send("GET /v1/events HTTP/1.1\r\nHost: apus\r\n\r\n")
        #expect(watcher.wire.receives("\r\n\r\n"))
        let address = Document.Address(port: try PortAllocator.port())
        #expect(try apus.admin("POST", "/v1/target-groups/blue/targets", ["targets": [address.json]]).status == 200)
        #expect(watcher.wire.receives("\(address.port)"))
        target.healthStatus.withLock { $0 = 500 }
        #expect(watcher.wire.receives("unhealthy"))
        #expect(try apus.admin("POST", "/v1/reload").status == 200)
        #expect(watcher.wire.receives("reload"))
        let text = String(decoding: watcher.wire.received, as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("{") }
        #expect(lines.count >= 3)
        for line in lines { #expect(JSON(parsing: Array(line.utf8)) != .null, "\(line)") }
    }

    @Test("The socket answers while workers are saturated, and parses HTTP as strictly as they do")
    func answersUnderLoad() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let load = LoadGenerator(port: apus.port, clients: 8)
        for _ in 0..<50 { #expect(try apus.admin("GET", "/v1/status").status == 200) }
        #expect(load.finish().badCount == 0)
        let client = try RawClient(path: apus.socketPath)
        let answer = try client.exchange(
            "GET /v1/status HTTP/1.1\r\nHost: apus\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        #expect(answer.status == 400)
        #expect(client.ended())
        expectLogged(by: apus, "/load/0-1 ", status: 200)
    }
}
