import Testing

/// Rules by host and path, and actions without a target.
@Suite struct RulesTests {
    @Test("The matching rule with the lowest priority number applies, by host and by path")
    func priorities() throws {
        let servers = try ["web", "api", "images", "any"].map { try TargetServer($0) }
        let rules: [JSON] = [
            Document.rule(30, "path-pattern", ["/v1/*"], Document.forward("any")),
            Document.rule(
                10, "host-header", ["api.example.com", "*.api.example.com", "dot.example."], Document.forward("api")),
            Document.rule(20, "path-pattern", ["/img/?.png", "/static/*"], Document.forward("images")),
        ]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("web"), rules: rules)],
                groups: servers.map { .init($0.name, servers: [$0]) }))
        let cases: [(host: String, path: String, group: String, priority: String)] = [
            ("example.com", "/", "web", "0"), ("api.example.com", "/v1/x", "api", "10"),
            ("API.Example.COM", "/case", "api", "10"), ("eu.api.example.com", "/wild", "api", "10"),
            ("xapi.example.com", "/not-wild", "web", "0"), ("example.com", "/img/a.png", "images", "20"),
            ("example.com", "/img/ab.png", "web", "0"), ("example.com", "/static/", "images", "20"),
            ("example.com", "/STATIC/a", "web", "0"), ("example.com", "/v1/y?q=/static/", "any", "30"),
            ("api.example.com:\(apus.port)", "/with-port", "api", "10"), ("api.example.com.", "/with-dot", "api", "10"),
            ("api.example.com.:\(apus.port)", "/with-both", "api", "10"),
            ("dot.example", "/rule-with-dot", "api", "10"),
        ]
        let client = try apus.client()
        for test in cases {
            #expect(try client.get(test.path, host: test.host).text == test.group + "\n", "\(test.host)\(test.path)")
            let line = expectLogged(by: apus, test.path + " ", status: 200, targetStatus: 200)
            #expect(line?.rulePriority == test.priority, "\(test.host)\(test.path)")
            #expect(line?.targetGroup == test.group)
        }
    }

    @Test("Two conditions must both hold")
    func conditionsAreJoined() throws {
        let web = try TargetServer("web")
        let both = try TargetServer("both")
        var rule = Document.rule(1, "host-header", ["a.example.com"], Document.forward("both"))
        rule["conditions"] = .array(
            rule["conditions"].elements + [["field": "path-pattern", "values": ["/deep/*"]]])
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("web"), rules: [rule])],
                groups: [.init("web", servers: [web]), .init("both", servers: [both])]))
        let client = try apus.client()
        #expect(try client.get("/deep/1", host: "a.example.com").text == "both\n")
        #expect(try client.get("/deep/2", host: "b.example.com").text == "web\n")
        #expect(try client.get("/flat", host: "a.example.com").text == "web\n")
        expectLogged(by: apus, "/deep/1", status: 200, target: "127.0.0.1:\(both.port)")
    }

    /// Rules of every kind of condition; the body of each answer is the rule's priority.
    private static func ruleOfEach() -> [JSON] {
        let conditions: [JSON] = [
            ["field": "http-header", "httpHeaderConfig": ["httpHeaderName": "X-Env", "values": ["beta*"]]],
            ["field": "http-request-method", "httpRequestMethodConfig": ["values": ["PURGE", "DELETE"]]],
            ["field": "query-string", "queryStringConfig": ["values": [["key": "debug", "value": "*"]]]],
            ["field": "source-ip", "sourceIpConfig": ["values": ["10.0.0.0/8"]]],
            ["field": "http-header", "httpHeaderConfig": ["httpHeaderName": "Upgrade", "values": ["h3"]]],
            ["field": "source-ip", "values": ["127.0.0.0/8", "::1/128"]],
        ]
        return conditions.enumerated().map { index, condition in
            ["priority": JSON(index + 1), "conditions": [condition], "actions": [answer("\(index + 1)")]]
        }
    }

    private static func answer(_ text: String) -> JSON {
        ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200", "messageBody": .string(text)]]
    }

    private static let requestsOfEach: [(request: String, priority: String)] = [
        ("GET / HTTP/1.1\r\nHost: a.b\r\nx-env: BETA-2\r\n", "1"),
        ("GET / HTTP/1.1\r\nHost: a.b\r\nX-Env: a\r\nX-Env: beta\r\n", "1"),
        ("PURGE / HTTP/1.1\r\nHost: a.b\r\n", "2"),
        ("GET /?a=b&d%65bug=1 HTTP/1.1\r\nHost: a.b\r\n", "3"),
        ("GET /?debugs HTTP/1.1\r\nHost: a.b\r\nUpgrade: h3\r\n", "5"),
        ("GET / HTTP/1.1\r\nHost: a.b\r\nX-Forwarded-For: 10.1.2.3\r\n", "6"),
        ("GET / HTTP/1.1\r\nHost: a.b\r\nX-Env: beta\r\nConnection: x-env\r\n", "6"),
    ]

    @Test("Header fields, methods, queries and the connection's address find the rule")
    func everyCondition() throws {
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Self.answer("none"), rules: Self.ruleOfEach())], groups: []))
        let client = try apus.client()
        for (request, priority) in Self.requestsOfEach {
            let answer = try client.exchange(request + "\r\n")
            #expect(answer.text == priority, "\(request)")
        }
        expectLogged(by: apus, "d%65bug", status: 200, target: "-")
    }

    @Test("The address in a trusted PROXY header is the client's for source-ip")
    func proxyHeader() throws {
        var document = Document(
            listeners: [.init(defaultAction: Self.answer("none"), rules: Self.ruleOfEach())], groups: [])
        document.attributes = ["apus.proxy_protocol.trusted": ["127.0.0.1/32"]]
        let apus = try ApusProcess.start(document)
        for (address, priority) in [("10.1.2.3", "4"), ("11.1.2.3", "none")] {
            let client = try apus.client()
            let answer = try client.exchange(
                "PROXY TCP4 \(address) 127.0.0.1 4000 80\r\nGET / HTTP/1.1\r\nHost: a.b\r\n\r\n")
            #expect(answer.text == priority)
        }
    }

    @Test("Regular expressions find rules over HTTP/1 and HTTP/2, and refuse what they cannot tell")
    func regularExpressions() throws {
        func rule(_ priority: Int, _ condition: JSON) -> JSON {
            ["priority": JSON(priority), "conditions": [condition], "actions": [Self.answer("\(priority)")]]
        }
        let rules = [
            rule(1, ["field": "host-header", "regexValues": ["^api-[0-9]+\\.example$"]]),
            rule(2, ["field": "path-pattern", "pathPatternConfig": ["regexValues": ["^/v[0-9]+/.*\\.json$"]]]),
            rule(
                3, ["field": "http-header", "httpHeaderConfig": ["httpHeaderName": "X-A", "regexValues": ["^(a+)+$"]]]),
        ]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Self.answer("none"), rules: rules)], groups: [],
                attributes: ["apus.h2c.enabled": true]))
        let cases = [
            ("API-12.example", "/", "x", "200 1"), ("a.example", "/v1/a.json?b", "x", "200 2"),
            ("a.example", "/V1/a.json", "x", "200 none"), ("a.example", "/3", "AAA", "200 3"),
        ]
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            func ask(_ host: String, _ path: String, _ field: String) throws -> String {
                try Tool.curl(
                    apus, version, "-H", "Host: \(host)", "-H", "X-A: \(field)", "-w", "\n%{http_code}",
                    "http://127.0.0.1:\(apus.port)\(path)"
                )
            }
            for (host, path, field, answer) in cases {
                let lines = try ask(host, path, field).split(separator: "\n").map(String.init)
                #expect([lines.last, lines.first] == answer.split(separator: " ").map(String.init), "\(host)\(path)")
            }
            let hostile = String(repeating: "a", count: 60) + "!"
            #expect(try ask("a.example", "/hostile", hostile).hasSuffix("\n500"))
        }
        expectLogged(by: apus, count: 2, status: 500)
        let lines = apus.accessLog.filter { $0.status == 500 }
        #expect(lines.allSatisfy { $0.rulePriority == "3" })
        #expect(try apus.metric("apus_requests_regex_limit_total") == 2)
        let answer = try apus.client().exchange(
            "GET / HTTP/1.1\r\nHost: a.b\r\nX-A: \(String(repeating: "a", count: 60))!\r\n\r\n")
        expectMadeHere(answer, 500)
        #expect(answer["apus-reason"] == "RegexLimit")
    }

    private static func transform(_ type: String, _ regex: String, _ replace: String) -> JSON {
        let rewrites: JSON = ["rewrites": [["regex": .string(regex), "replace": .string(replace)]]]
        return [
            "type": .string(type), type == "url-rewrite" ? "urlRewriteConfig" : "hostHeaderRewriteConfig": rewrites,
        ]
    }

    private static func rule(_ priority: Int, _ path: String, _ transforms: JSON...) -> JSON {
        var rule = Document.rule(priority, "path-pattern", [path], Document.forward("blue"))
        rule["transforms"] = .array(transforms)
        return rule
    }

    /// What comes to the target: the first line and the Host field; or the reason for which it is answered 500. Then
    /// the fields 31 to 33 of the log.
    private static let transformed: [(request: String, target: [String], log: [String])] = [
        (
            "/api/users?id=7", ["GET /v2/users/7 HTTP/1.1", "shop.internal:81"],
            ["shop.internal:81", "/v2/users/7", "TransformSuccess"]
        ),
        ("/api/none", ["GET /api/none HTTP/1.1", "shop.internal:81"], ["shop.internal:81", "-", "TransformSuccess"]),
        ("/plain?a", ["GET /plain?a HTTP/1.1", ""], ["-", "-", "-"]),
        (
            "/go?to=%61dmin/%7e?y=%61", ["GET /admin/~?y=%61 HTTP/1.1", ""],
            ["-", "/admin/~?y=%61", "TransformSuccess"]
        ),
        ("/go?to=a/%00", ["TransformInvalidPath"], ["-", "-", "TransformInvalidPath"]),
        ("/files../secret", ["TransformInvalidPath"], ["-", "-", "TransformInvalidPath"]),
        ("/files..%2fsecret", ["TransformInvalidPath"], ["-", "-", "TransformInvalidPath"]),
        ("/files..;x/secret", ["TransformInvalidPath"], ["-", "-", "TransformInvalidPath"]),
        ("/host", ["TransformInvalidHost"], ["-", "-", "TransformInvalidHost"]),
        (
            "/long/" + String(repeating: "a", count: 6_000), ["TransformBufferTooSmall"],
            ["-", "-", "TransformBufferTooSmall"]
        ),
        (
            "/slow/" + String(repeating: "a", count: 60) + "!", ["TransformReplaceError"],
            ["-", "-", "TransformReplaceError"]
        ),
    ]

    @Test("Transforms change what the target gets, and the log tells it")
    func transforms() throws {
        let target = try TargetServer()
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.listeners[0].rules = [
            Self.rule(
                1, "/api/*", Self.transform("url-rewrite", "^/api/([^?]*)\\?id=(.*)$", "/v2/$1/$2"),
                Self.transform("host-header-rewrite", "^(.+)\\.example$", "$1.internal:81")),
            Self.rule(2, "/files*", Self.transform("url-rewrite", "^/files(.*)$", "/data/$1")),
            Self.rule(3, "/host", Self.transform("host-header-rewrite", "^(.*)$", "$1/x")),
            Self.rule(4, "/long/*", Self.transform("url-rewrite", "^(.*)$", "$1$1$1")),
            Self.rule(5, "/slow/*", Self.transform("url-rewrite", "^/slow/(a+)+$", "/")),
            Self.rule(6, "/go", Self.transform("url-rewrite", "^/go\\?to=(.*)$", "/$1")),
        ]
        let apus = try ApusProcess.start(document)
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            for test in Self.transformed {
                let (lineCount, requestCount) = (apus.accessLog.count, target.requests.count)
                let answer = try Tool.curl(
                    apus, version, "--path-as-is", "-i", "-H", "Host: Shop.Example",
                    "http://127.0.0.1:\(apus.port)\(test.request)")
                if test.target.count == 1 {
                    #expect(answer.lowercased().contains("apus-reason: \(test.target[0].lowercased())"), "\(answer)")
                    #expect(target.requests.count == requestCount)
                } else {
                    #expect(target.requests.count == requestCount + 1)
                    let request = target.requests.last { $0.startLine == test.target[0] }
                    #expect(test.target[1].isEmpty || request?["host"] == test.target[1], "\(test.target)")
                    #expect(request != nil, "\(target.requests.map(\.startLine))")
                }
                #expect(eventually { apus.accessLog.count > lineCount })
                let line = try #require(apus.accessLog.last)
                #expect([line[31], line[32], line[33]] == test.log, "\(version) \(test.request.prefix(30))")
                #expect(line.request.contains(test.request), "the log has what came in")
            }
        }
        #expect(try apus.metric("apus_requests_transform_failed_total") == 14)
    }

    @Test("A transform cannot make a request larger than a client may send one")
    func largeTransform() throws {
        let target = try TargetServer()
        var document = Document(target)
        document.listeners[0].rules = [
            Self.rule(1, "/api/*", Self.transform("url-rewrite", "^/api/(.*)$", "/$1?b=$1&c=$1"))
        ]
        let apus = try ApusProcess.start(document)
        let path = "/api/" + String(repeating: "a", count: 5_000)
        let field = { (number: Int) in "X-\(number): " + String(repeating: "b", count: 7_000) + "\r\n" }
        let answer = try apus.client().get(path, fields: (0..<8).map(field).joined())
        expectMadeHere(answer, 500)
        #expect(answer["apus-reason"] == "TransformBufferTooSmall")
        #expect(target.requests.isEmpty)
        #expect(try apus.client().get(path, fields: (0..<6).map(field).joined()).status == 200)
        #expect(target.requests.count == 1)
    }

    @Test("A fixed response is sent by Apus, and the connection stays open")
    func fixedResponse() throws {
        let action: JSON = [
            "type": "fixed-response",
            "fixedResponseConfig": [
                "statusCode": "418", "contentType": "application/json", "messageBody": "{\"tea\":true}",
            ],
        ]
        let apus = try ApusProcess.start(Document(listeners: [.init(defaultAction: action)], groups: []))
        let client = try apus.client()
        for path in ["/first", "/second"] {
            let answer = try client.get(path)
            #expect(answer.status == 418)
            #expect(answer["content-type"] == "application/json")
            #expect(answer.text == "{\"tea\":true}")
            let line = expectLogged(by: apus, path, status: 418, target: "-")
            #expect(line?.actions == "fixed-response")
        }
        let head = try client.exchange("HEAD /head HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(head.status == 418)
        #expect(head["content-length"] == "12")
        // An unread body ends the connection, since it would be parsed as a request.
        let post = try client.exchange("POST /body HTTP/1.1\r\nHost: a.b\r\nContent-Length: 4\r\n\r\nbody")
        #expect(post.startLine == "HTTP/1.1 418 I'm a teapot")
        #expect(post.connectionHas("close"))
        #expect(client.ended())
    }

    static let redirects: [(config: JSON, request: String, status: Int, location: @Sendable (UInt16) -> String)] = [
        (
            ["statusCode": "HTTP_301", "protocol": "HTTPS", "port": "443"], "/p/a?q=1", 301,
            { _ in "https://example.com:443/p/a?q=1" }
        ),
        (
            ["statusCode": "HTTP_302", "path": "/new/#{path}", "query": "from=#{host}&#{query}"], "/old?x=y", 302,
            { "http://example.com:\($0)/new/old?from=example.com&x=y" }
        ),
        (
            ["statusCode": "HTTP_302", "host": "www.#{host}", "port": "8081"], "/same", 302,
            { _ in "http://www.example.com:8081/same" }
        ),
    ]

    @Test("A redirect fills its placeholders", arguments: redirects.indices)
    func redirect(index: Int) throws {
        let test = Self.redirects[index]
        let action: JSON = ["type": "redirect", "redirectConfig": test.config]
        let apus = try ApusProcess.start(Document(listeners: [.init(defaultAction: action)], groups: []))
        let client = try apus.client()
        let answer = try client.get(test.request, host: "Example.COM:\(apus.port)")
        #expect(answer.status == test.status)
        #expect(answer["location"] == test.location(apus.port))
        let line = expectLogged(by: apus, test.request, status: test.status, target: "-")
        #expect(line?.actions == "redirect")
        #expect(line?.redirectURL == test.location(apus.port))
        #expect(try client.get("/again").status == test.status)
    }

    @Test("A redirect whose Location would be longer than 8K is 507")
    func redirectTooLong() throws {
        let action: JSON = ["type": "redirect", "redirectConfig": ["statusCode": "HTTP_301", "port": "8081"]]
        let apus = try ApusProcess.start(Document(listeners: [.init(defaultAction: action)], groups: []))
        expectMadeHere(try apus.client().get("/" + String(repeating: "a", count: 8_192)), 507)
        expectLogged(by: apus, count: 1, status: 507)
    }
}
