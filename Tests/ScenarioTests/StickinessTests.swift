import Foundation
import Testing

/// Clients that stay with a target, or with a target group, by cookies.
@Suite struct StickinessTests {
    /// What a browser keeps of cookies.
    private struct Jar {
        var cookies: [String: String] = [:]

        mutating func take(_ message: Message) {
            for value in message.values("set-cookie") {
                let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
                if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
            }
        }

        /// The field line that it sends.
        var field: String {
            if cookies.isEmpty { return "" }
            let pairs = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return "Cookie: \(pairs.joined(separator: "; "))\r\n"
        }
    }

    private static let on: [String: JSON] = ["stickiness.enabled": true]

    private func start(
        _ servers: [TargetServer], _ attributes: [String: JSON] = on, of document: (inout Document) -> Void = { _ in }
    ) throws -> ApusProcess {
        var started = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", servers: servers, attributes: attributes)])
        document(&started)
        return try ApusProcess.start(started)
    }

    /// The targets that answered so many requests with `jar`, each over a connection of its own, so that both workers
    /// have their share.
    private func ask(_ apus: ApusProcess, _ jar: inout Jar, _ count: Int = 12) throws -> [String] {
        try (0..<count).map { _ in
            let answer = try apus.client().get("/", fields: jar.field)
            jar.take(answer)
            return answer.text.trimmingCharacters(in: .newlines)
        }
    }

    private func servers(_ names: String...) throws -> [TargetServer] { try names.map { try TargetServer($0) } }

    @Test("A client stays with its target over both workers, and others are spread; cookies are those of ALB")
    func loadBalancerCookie() throws {
        let apus = try start(try servers("a", "b", "c"))
        let first = try apus.client().get("/")
        let cookies = first.values("set-cookie").map { $0.split(separator: ";").map { $0.trimmed } }
        try #require(cookies.count == 2)
        #expect(cookies[0][0].hasPrefix("AWSALB=") && cookies[1][0].hasPrefix("AWSALBCORS="))
        #expect(cookies[0][0].dropFirst(7) == cookies[1][0].dropFirst(11), "the same value")
        #expect(cookies[0][1].hasPrefix("Expires=") && cookies[0][1].hasSuffix(" GMT"))
        #expect(cookies[0].dropFirst(2) == ["Path=/"])
        #expect(cookies[1].dropFirst(2) == ["Path=/", "SameSite=None", "Secure"])
        var used: Set<String> = []
        for _ in 0..<12 {
            var jar = Jar()
            let targets = Set(try ask(apus, &jar))
            #expect(targets.count == 1)
            used.formUnion(targets)
        }
        #expect(used == ["a", "b", "c"])
        #expect(try apus.metric("apus_target_group_stickiness_total", "blue", "\"none\"") == 13)
        #expect(try apus.metric("apus_target_group_stickiness_total", "blue", "\"kept\"") == 12 * 11)
        expectLogged(by: apus, ":\(apus.port)/ HTTP", status: 200, targetStatus: 200)
    }

    @Test("A client whose target dies, fails its checks or is deregistered gets another one, and stays there")
    func targetDeath() throws {
        let servers = try servers("a", "b", "c")
        let apus = try start(servers)
        var jar = Jar()
        var lost: Set<String> = []
        func own() throws -> TargetServer {
            let name = try ask(apus, &jar, 1)[0]
            return try #require(servers.first { $0.name == name })
        }
        // It dies: the very first request is repeated elsewhere.
        let dead = try own()
        dead.stop()
        lost.insert(dead.name)
        let second = try own()
        #expect(!lost.contains(second.name))
        #expect(try Set(ask(apus, &jar)) == [second.name])
        // The next one fails its checks.
        second.healthStatus.withLock { $0 = 500 }
        #expect(apus.target(second.address, becomes: "unhealthy"))
        lost.insert(second.name)
        let third = try own()
        #expect(!lost.contains(third.name))
        #expect(try apus.metric("apus_target_group_stickiness_total", "\"unavailable\"") >= 1)
        // It is back, and the client stays where it has gone.
        second.healthStatus.withLock { $0 = 200 }
        #expect(apus.target(second.address, becomes: "healthy"))
        #expect(try Set(ask(apus, &jar)) == [third.name])
        let left = try apus.command("targets", "deregister", "blue", third.address.text)
        #expect(left.status == .exited(0), "\(left)")
        #expect(try Set(ask(apus, &jar)) == [second.name])
        #expect(try apus.metric("apus_target_group_stickiness_total", "\"gone\"") == 1)
    }

    @Test("Stickiness outlives a reload, a weight of 0, a crash and another number of workers; keys are kept secret")
    func changesAndRestarts() throws {
        let servers = try servers("a", "b", "c", "d")
        let apus = try start(servers)
        var jar = Jar()
        let own = try ask(apus, &jar)[0]
        #expect(try Set(ask(apus, &jar)) == [own])
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try Set(ask(apus, &jar)) == [own], "after a reload")
        let port = try #require(servers.first { $0.name == own }).port
        let drained: JSON = ["targets": [["id": "127.0.0.1", "port": JSON(port), "apus.weight": 0]]]
        #expect(try apus.admin("POST", "/v1/target-groups/blue/targets", drained).status == 200)
        #expect(try Set(ask(apus, &jar)) == [own], "a weight of 0 keeps who is there")
        for _ in 0..<8 {
            var other = Jar()
            #expect(try ask(apus, &other, 1) != [own], "and nobody else comes")
        }
        let keys = "\(apus.statePath)/cookie-keys.json"
        let mode = try FileManager.default.attributesOfItem(atPath: keys)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        apus.kill()
        try apus.restart()
        #expect(try Set(ask(apus, &jar)) == [own], "after a crash")
        #expect(apus.terminate() == .exited(0))
        var one = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", servers: servers, attributes: Self.on)])
        one.runtime["workers"] = 1
        try apus.write(one)
        try apus.restart()
        #expect(try Set(ask(apus, &jar)) == [own], "with one worker")
        #expect(try apus.metric("apus_target_group_stickiness_total", "\"invalid\"") == 0)
    }

    @Test("A key is replaced while clients are there: nobody loses a target")
    func rotation() throws {
        let servers = try servers("a", "b", "c")
        let document = { (interval: Int) in
            var document = Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", servers: servers, attributes: Self.on)])
            document.runtime["cookieKeyRotationSeconds"] = JSON(interval)
            return document
        }
        let apus = try ApusProcess.start(document(604_800))
        var jars = [Jar(), Jar(), Jar()]
        let own = try jars.indices.map { try ask(apus, &jars[$0])[0] }
        let before = try apus.restart(withCookieKeysOlderBy: 7200)
        try #require(before["keys"].elements.count == 1)
        for index in jars.indices { #expect(try Set(ask(apus, &jars[index])) == [own[index]]) }
        let sealedBefore = jars
        try apus.write(document(3600))
        #expect(try apus.command("reload").status == .exited(0))
        #expect(eventually { apus.errors.contains("the key of cookies was replaced") })
        for index in jars.indices { #expect(try Set(ask(apus, &jars[index])) == [own[index]]) }
        // What was sealed in this second is used up first.
        let keyOf = { (jar: Jar) in jar.cookies["AWSALB"]?.prefix(5) }
        #expect(
            try eventually {
                try ask(apus, &jars[0], 2) == [own[0], own[0]] && keyOf(jars[0]) != keyOf(sealedBefore[0])
            })
        let path = "\(apus.statePath)/cookie-keys.json"
        let after = JSON(parsing: Array(try String(contentsOfFile: path, encoding: .utf8).utf8))
        #expect(after["keys"].elements.count == 2 && after["keys"][1]["id"] == before["keys"][0]["id"])
        jars = sealedBefore
        for index in jars.indices { #expect(try ask(apus, &jars[index], 1) == [own[index]], "old cookies count") }
        #expect(try apus.metric("apus_target_group_stickiness_total", "\"invalid\"") == 0)
    }

    @Test("Cookies that are forged, damaged, of another group or too old are as none, and counted")
    func whatIsNoCookie() throws {
        let servers = try servers("a", "b")
        let (other, short) = (try TargetServer("other"), try TargetServer("short"))
        let apus = try start(servers) { document in
            document.groups.append(.init("green", servers: [other], attributes: Self.on))
            document.groups.append(
                .init(
                    "brief", servers: [short],
                    attributes: ["stickiness.enabled": true, "stickiness.lb_cookie.duration_seconds": 1]))
            document.listeners[0].rules = [
                Document.rule(1, "path-pattern", ["/green"], Document.forward("green")),
                Document.rule(2, "path-pattern", ["/brief"], Document.forward("brief")),
            ]
        }
        func count(_ group: String, _ result: String) throws -> Double {
            try apus.metric("apus_target_group_stickiness_total", "\"\(group)\"", "\"\(result)\"")
        }
        func get(_ path: String, _ value: String) throws -> Message {
            try apus.client().get(path, fields: "Cookie: AWSALB=\(value)\r\n")
        }
        let good = try get("/green", "x")
        #expect(try count("green", "invalid") == 1)
        var jar = Jar()
        jar.take(good)
        let value = try #require(jar.cookies["AWSALB"])
        for forged in ["", "x", String(value.dropLast()), value + "A", "%41" + value.dropFirst(), "\"\(value)\""] {
            #expect(try get("/green", forged).status == 200)
        }
        // An empty value is as no cookie.
        #expect(try count("green", "invalid") == 6 && count("green", "kept") == 0)
        #expect(try get("/green", value).status == 200 && count("green", "kept") == 1)
        #expect(try get("/", value).status == 200 && count("blue", "foreign") == 1)
        jar.take(try get("/brief", "x"))
        let brief = try #require(jar.cookies["AWSALB"])
        #expect(try eventually { try get("/brief", brief).status == 200 && count("brief", "expired") > 0 })
        // Heads full of cookies cost no more than their length, and the good one may stand anywhere among the first.
        let many = (0..<3000).map { "AWSALB=\($0)" }.joined(separator: "; ").prefix(15_000)
        #expect(try apus.client().get("/green", fields: "Cookie: \(many)\r\n").status == 200)
        let padded = String(repeating: "a=b; ", count: 2900) + "AWSALB=\(value)"
        #expect(try apus.client().get("/green", fields: "Cookie: \(padded)\r\n").status == 200)
        #expect(try count("green", "kept") == 2)
    }

    @Test("Over HTTP/2, whose clients send each cookie in a field of its own, with WebSockets and with gRPC")
    func otherProtocols() throws {
        let apus = try start(try servers("a", "b", "c")) { $0.attributes["apus.h2c.enabled"] = true }
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_client"), "sticky", "\(apus.port)"], in: apus.folder)
        #expect(told == "AWSALB AWSALBCORS theme 1\n")
        #expect(try apus.metric("apus_target_group_stickiness_total", "\"kept\"") == 12)
        let upgrade =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        let tunnels = try start([try TargetServer(script: TargetScript.raw(upgrade))])
        let agreed = try tunnels.client().get(
            "/",
            fields: "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
        #expect(agreed.status == 101 && agreed.values("set-cookie").count == 2)
        var document = try Document.calls()
        document.groups[0].attributes = Self.on
        let calls = try ApusProcess.start(document)
        let call = try Tool.curl(
            calls, "--http2-prior-knowledge", "-D", "-", "-X", "POST", "-H", "Content-Type: application/grpc",
            "http://127.0.0.1:\(calls.port)/call")
        #expect(call.contains("\nset-cookie: AWSALB=") && call.contains("\nset-cookie: AWSALBCORS="), "\(call)")
    }

    @Test("app_cookie: a client stays while it has the application's cookie as well")
    func applicationCookie() throws {
        let names = ["a", "b", "c"]
        let servers = try names.map { name in
            try TargetServer(name) { connection in
                while let request = try connection.request() {
                    let fields = request.target == "/login" ? "Set-Cookie: SESSION=\(name); HttpOnly\r\n" : ""
                    try connection.respond(body: name + "\n", fields: fields)
                }
            }
        }
        let apus = try start(
            servers,
            [
                "stickiness.enabled": true, "stickiness.type": "app_cookie",
                "stickiness.app_cookie.cookie_name": "SESSION",
            ])
        #expect(try apus.client().get("/").values("set-cookie") == [], "nobody is bound who has no session")
        var jar = Jar()
        let login = try apus.client().get("/login")
        jar.take(login)
        #expect(jar.cookies.keys.sorted() == ["AWSALBAPP-0", "SESSION"])
        #expect(login.values("set-cookie").last?.hasSuffix("GMT; Path=/") == true, "without TLS no SameSite=None")
        let own = try #require(jar.cookies["SESSION"])
        #expect(try Set(ask(apus, &jar)) == [own])
        var without = jar
        without.cookies["SESSION"] = nil
        #expect(try Set(ask(apus, &without, 9)) == Set(names), "one cookie alone binds nobody")
        #expect(without.cookies == ["AWSALBAPP-0": jar.cookies["AWSALBAPP-0"]].compactMapValues { $0 })
        try #require(servers.first { $0.name == own }).stop()
        let next = try ask(apus, &jar, 1)[0]
        #expect(next != own && jar.cookies["SESSION"] == own)
        #expect(try Set(ask(apus, &jar)) == [next], "the new target is remembered for the old session")
    }

    @Test("Group stickiness: weights decide for new clients alone, but for a weight of 0")
    func groups() throws {
        let (blue, green) = (try TargetServer("blue"), try TargetServer("green"))
        func action(_ weights: KeyValuePairs<String, Int>, seconds: Int = 3600) -> JSON {
            var action = Document.forward(weights)
            action["forwardConfig"]["targetGroupStickinessConfig"] = [
                "enabled": true, "durationSeconds": JSON(seconds),
            ]
            return action
        }
        let document = Document(
            listeners: [.init(defaultAction: action(["blue": 1, "green": 1]))],
            groups: [.init("blue", servers: [blue]), .init("green", servers: [green])])
        let apus = try ApusProcess.start(document)
        let first = try apus.client().get("/").values("set-cookie")
        #expect(first.map { String($0.prefix { $0 != "=" }) } == ["AWSALBTG", "AWSALBTGCORS"])
        var jars = (0..<8).map { _ in Jar() }
        let own = try jars.indices.map { try ask(apus, &jars[$0], 1)[0] }
        #expect(Set(own) == ["blue", "green"])
        func expectKept(_ when: String) throws {
            for index in jars.indices { #expect(try Set(ask(apus, &jars[index], 4)) == [own[index]], "\(when)") }
        }
        try expectKept("from the first answer on")
        let weights = "/v1/load-balancers/web/listeners/\(apus.port)/weights"
        #expect(try apus.admin("PUT", weights, ["blue": 1, "green": 999]).status == 200)
        try expectKept("after a change of weights")
        apus.kill()
        try apus.restart()
        try expectKept("after a crash")
        #expect(try apus.admin("PUT", weights, ["blue": 0, "green": 1]).status == 200)
        for index in jars.indices {
            #expect(try Set(ask(apus, &jars[index], 3)) == ["green"], "a weight of 0 sends all away")
        }
        #expect(try apus.metric("apus_forward_stickiness_total", "\"unavailable\"") > 0)
        let forged = try apus.client().get("/forged", fields: "Cookie: AWSALBTG=abc%3D\r\n")
        #expect(forged.status == 200 && forged.text == "green\n")
        let line = expectLogged(by: apus, "/forged", status: 200, targetStatus: 200)
        #expect(line?.errorReason == "AWSALBTGCookieInvalid")
        #expect(try apus.metric("apus_forward_stickiness_total", "\"invalid\"") == 1)
    }

    @Test("Blue and green groups with stickiness of their own: a client stays with its target in its group")
    func groupsAndTargets() throws {
        let blue = try servers("b1", "b2"), green = try servers("g1", "g2")
        var action = Document.forward(["blue": 1, "green": 1])
        action["forwardConfig"]["targetGroupStickinessConfig"] = ["enabled": true, "durationSeconds": 60]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: action)],
                groups: [
                    .init("blue", servers: blue, attributes: Self.on),
                    .init("green", servers: green, attributes: Self.on),
                ]))
        var used: Set<String> = []
        for _ in 0..<16 {
            var jar = Jar()
            let targets = Set(try ask(apus, &jar, 6))
            #expect(targets.count == 1 && jar.cookies.count == 4)
            used.formUnion(targets)
        }
        #expect(used == ["b1", "b2", "g1", "g2"])
    }
}

extension Substring {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
