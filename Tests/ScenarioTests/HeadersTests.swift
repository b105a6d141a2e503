import Testing

/// Fields that Apus adds, replaces and removes: docs/elbv2.md, "HTTP connections" and "Header fields".
@Suite struct HeadersTests {
    /// Sends one request through a load balancer with `attributes`, and returns what the target received.
    private func forwarded(
        _ fields: String, path: String = "/fields", host: String = "example.com", attributes: [String: JSON] = [:]
    ) throws -> (request: Message, port: UInt16) {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target, attributes: attributes))
        #expect(try apus.client().get(path, host: host, fields: fields).status == 200)
        expectLogged(by: apus, path, status: 200, targetStatus: 200)
        return (try #require(target.requests.first), apus.port)
    }

    @Test("X-Forwarded-For, -Proto and -Port are added")
    func forwardedFields() throws {
        let (request, port) = try forwarded("")
        #expect(request.values("x-forwarded-for") == ["127.0.0.1"])
        #expect(request.values("x-forwarded-proto") == ["http"])
        #expect(request.values("x-forwarded-port") == ["\(port)"])
    }

    @Test("X-Forwarded-For is appended to; -Proto and -Port are overwritten")
    func spoofedFields() throws {
        let spoof = "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n"
        let (request, port) = try forwarded(spoof)
        #expect(request.values("x-forwarded-for") == ["1.2.3.4, 127.0.0.1"])
        #expect(request.values("x-forwarded-proto") == ["http"])
        #expect(request.values("x-forwarded-port") == ["\(port)"])
    }

    @Test("Several X-Forwarded-For fields are joined into one list that ends with the client")
    func severalForwardedFor() throws {
        let (request, _) = try forwarded("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n")
        #expect(request.values("x-forwarded-for").joined(separator: ", ") == "1.1.1.1, 2.2.2.2, 127.0.0.1")
    }

    @Test("A listener's attributes replace and remove fields of every response, whoever made it")
    func responseFields() throws {
        let target = try TargetServer(
            script: TargetScript.answer(
                body: "blue",
                fields: "Server: nginx\r\nX-Frame-Options: SAMEORIGIN\r\nx-frame-options: none\r\nX-Own: 1\r\n"))
        var document = Document(target)
        document.listeners[0].settings = [
            "attributes": [
                "routing.http.response.server.enabled": false,
                "routing.http.response.x_frame_options.header_value": "DENY",
                "routing.http.response.strict_transport_security.header_value": "max-age=31536000; includeSubDomains",
            ]
        ]
        let apus = try ApusProcess.start(document)
        for path in ["/passed-on", "/a%2f..%2fb"] {
            let answer = try apus.client().get(path)
            #expect(answer.status == (path == "/passed-on" ? 200 : 400))
            #expect(answer.values("server").isEmpty, "\(path)")
            #expect(answer.values("x-frame-options") == ["DENY"], "\(path)")
            #expect(answer.values("strict-transport-security") == ["max-age=31536000; includeSubDomains"], "\(path)")
            #expect(answer.values("x-own") == (path == "/passed-on" ? ["1"] : []), "\(path)")
        }
    }

    /// Each attribute of a listener about response fields, with the field that it is about.
    private static let responseAttributes = [
        ("server.enabled", "Server"), ("strict_transport_security.header_value", "Strict-Transport-Security"),
        ("access_control_allow_origin.header_value", "Access-Control-Allow-Origin"),
        ("access_control_allow_methods.header_value", "Access-Control-Allow-Methods"),
        ("access_control_allow_headers.header_value", "Access-Control-Allow-Headers"),
        ("access_control_allow_credentials.header_value", "Access-Control-Allow-Credentials"),
        ("access_control_expose_headers.header_value", "Access-Control-Expose-Headers"),
        ("access_control_max_age.header_value", "Access-Control-Max-Age"),
        ("content_security_policy.header_value", "Content-Security-Policy"),
        ("x_content_type_options.header_value", "X-Content-Type-Options"),
        ("x_frame_options.header_value", "X-Frame-Options"),
    ]

    @Test("An attribute about a response field changes that field and no other", arguments: responseAttributes.indices)
    func eachResponseAttribute(index: Int) throws {
        let (key, name) = Self.responseAttributes[index]
        let target = try TargetServer(
            script: TargetScript.answer(
                body: "blue", fields: Self.responseAttributes.map { "\($0.1): of the target\r\n" }.joined()))
        var document = Document(target)
        let isSwitch = key.hasSuffix(".enabled")
        document.listeners[0].settings = [
            "attributes": ["routing.http.response.\(key)": isSwitch ? false : "of the listener"]
        ]
        let apus = try ApusProcess.start(document)
        let answer = try apus.client().get("/")
        for (_, other) in Self.responseAttributes {
            let expected = other != name ? ["of the target"] : isSwitch ? [] : ["of the listener"]
            #expect(answer.values(other.lowercased()) == expected, "\(key): \(other)")
        }
        let added = try apus.client().get("/a%2f..%2fb")
        #expect(added.status == 400 && added.values(name.lowercased()) == (isSwitch ? [] : ["of the listener"]))
    }

    @Test("There is no other attribute about response fields")
    func responseAttributesAreAll() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let schema = try ApusProcess.command(["schema"], socket: "", folder: folder).json
        let keys = schema["$defs"]["ListenerAttributes"]["properties"].members.keys
        let prefix = "routing.http.response."
        #expect(
            keys.filter { $0.hasPrefix(prefix) }.sorted() == Self.responseAttributes.map { prefix + $0.0 }.sorted())
    }

    static let modes: [(attributes: [String: JSON], sent: String, seen: [String])] = [
        (["routing.http.xff_header_processing.mode": "preserve"], "X-Forwarded-For: 1.2.3.4\r\n", ["1.2.3.4"]),
        (["routing.http.xff_header_processing.mode": "preserve"], "", []),
        (["routing.http.xff_header_processing.mode": "remove"], "X-Forwarded-For: 1.2.3.4\r\n", []),
        (
            ["routing.http.xff_header_processing.mode": "remove", "routing.http.xff_client_port.enabled": true],
            "X-Forwarded-For: 1.2.3.4\r\n", []
        ),
    ]

    @Test("xff_header_processing.mode", arguments: modes.indices)
    func forwardedForModes(index: Int) throws {
        let test = Self.modes[index]
        let (request, _) = try forwarded(test.sent, attributes: test.attributes)
        #expect(request.values("x-forwarded-for") == test.seen)
        #expect(request.values("x-forwarded-proto") == ["http"])
    }

    @Test("xff_client_port adds the client's port")
    func clientPort() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target, attributes: ["routing.http.xff_client_port.enabled": true]))
        let client = try apus.client()
        #expect(try client.get("/port").status == 200)
        let address = "127.0.0.1:\(try client.socket.localPort())"
        #expect(target.requests.first?["x-forwarded-for"] == address)
        let line = expectLogged(by: apus, "/port", status: 200)
        #expect(line?.client == address)
    }

    @Test("X-Amzn-Trace-Id is added, or kept with Self before it")
    func traceID() throws {
        let made = try #require(try forwarded("").request["x-amzn-trace-id"])
        #expect(made.wholeMatch(of: /Root=1-[0-9a-f]{8}-[0-9a-f]{24}/) != nil, "\(made)")

        let root = "Root=1-67891233-abcdef012345678912345678"
        let kept = try #require(try forwarded("X-Amzn-Trace-Id: \(root);CalledFrom=app\r\n").request["x-amzn-trace-id"])
        #expect(
            kept.wholeMatch(
                of: /Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678;CalledFrom=app/) != nil,
            "\(kept)")

        let old = "Self=1-00000000-000000000000000000000000"
        let replaced = try #require(try forwarded("X-Amzn-Trace-Id: \(old);\(root)\r\n").request["x-amzn-trace-id"])
        #expect(!replaced.contains("00000000-0000"))
        #expect(replaced.hasPrefix("Self=1-") && replaced.hasSuffix(";" + root), "\(replaced)")
    }

    @Test("A trace above 7 KB is reduced to its Root, or replaced if the Root is too long")
    func longTraceID() throws {
        let root = "Root=1-67891233-abcdef012345678912345678"
        let custom = "Custom=" + String(repeating: "a", count: 7_170)
        let old = "Self=1-00000000-000000000000000000000000"
        for value in ["\(root);\(custom)", "\(custom);\(root)", "\(old);\(root);\(custom)"] {
            #expect(try forwarded("X-Amzn-Trace-Id: \(value)\r\n").request["x-amzn-trace-id"] == root)
        }
        let fitting = "\(root);Custom=" + String(repeating: "a", count: 7_000)
        let kept = try #require(try forwarded("X-Amzn-Trace-Id: \(fitting)\r\n").request["x-amzn-trace-id"])
        #expect(kept.hasPrefix("Self=1-") && kept.hasSuffix(";" + fitting))
        for value in ["Root=" + String(repeating: "1", count: 7_200), custom] {
            let made = try #require(try forwarded("X-Amzn-Trace-Id: \(value)\r\n").request["x-amzn-trace-id"])
            #expect(made.wholeMatch(of: /Root=1-[0-9a-f]{8}-[0-9a-f]{24}/) != nil, "\(made.prefix(200))")
        }
    }

    @Test("The trace id is on the log line and not on the response")
    func traceIDInLog() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let answer = try apus.client().get("/traced")
        #expect(answer.values("x-amzn-trace-id").isEmpty)
        let line = expectLogged(by: apus, "/traced", status: 200)
        #expect(line?.traceID == target.requests.first?["x-amzn-trace-id"])
    }

    @Test(
        "Host is lower-cased and gets the listener's port when it has none",
        arguments: [
            ("Example.COM", "example.com:%"), ("example.com:9999", "example.com:9999"), ("[::1]", "[::1]:%"),
        ])
    func hostIsRewritten(sent: String, seen: String) throws {
        let (request, port) = try forwarded("", host: sent)
        #expect(request.values("host") == [seen.replacing("%", with: "\(port)")])
    }

    @Test("preserve_host_header leaves Host unaltered")
    func hostIsPreserved() throws {
        let attributes: [String: JSON] = ["routing.http.preserve_host_header.enabled": true]
        #expect(
            try forwarded("", host: "Example.COM", attributes: attributes).request.values("host") == ["Example.COM"])
    }

    @Test("Hop-by-hop fields and those that Connection names are removed, in both directions")
    func hopByHop() throws {
        let response =
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, X-Secret\r\nKeep-Alive: timeout=5\r\n"
            + "X-Secret: 1\r\nProxy-Connection: x\r\nX-Public: 2\r\nProxy-Authenticate: Basic\r\n\r\n"
        let target = try TargetServer(script: TargetScript.raw(response))
        let apus = try ApusProcess.start(Document(target))
        let fields =
            "Connection: X-Private, keep-alive\r\nX-Private: 1\r\nKeep-Alive: 9\r\nTE: trailers\r\n"
            + "Proxy-Connection: keep-alive\r\nX-Kept: 3\r\nAuthorization: Basic abc\r\n"
        let answer = try apus.client().get("/hops", fields: fields)
        for name in ["x-secret", "keep-alive", "proxy-connection"] { #expect(answer.values(name).isEmpty, "\(name)") }
        #expect(answer["x-public"] == "2")
        let request = try #require(target.requests.first)
        for name in ["x-private", "keep-alive", "proxy-connection", "te"] {
            #expect(request.values(name).isEmpty, "\(name)")
        }
        #expect(request["x-kept"] == "3")
        #expect(request["authorization"] == "Basic abc")
        expectLogged(by: apus, "/hops", status: 200)
    }

    @Test(
        "Connection cannot remove fields that Apus adds",
        arguments: [
            "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Amzn-Trace-Id", "Host", "Content-Length",
        ])
    func connectionCannotRemove(name: String) throws {
        let target = try TargetServer(script: TargetScript.echo)
        let apus = try ApusProcess.start(Document(target))
        let answer = try apus.client().exchange(
            "POST /named HTTP/1.1\r\nHost: a.b\r\nConnection: close, \(name)\r\nContent-Length: 4\r\n\r\nbody")
        expectLogged(by: apus, "/named", status: answer.status)
        // Naming a field that is necessary for framing may also be rejected.
        if answer.status == 400 {
            #expect(target.requests.isEmpty)
        } else {
            #expect(answer.text == "body")
            #expect(try !#require(target.requests.first).values(name).isEmpty)
        }
    }

    @Test("Names with an underscore or another invalid byte: forwarded by default, dropped by attribute")
    func invalidNames() throws {
        let odd = "X_Real_IP: 1\r\nX.Dot: 2\r\nX-Fine: 3\r\n"
        let kept = try forwarded(odd).request
        #expect(kept["x_real_ip"] == "1")
        let dropping: [String: JSON] = ["routing.http.drop_invalid_header_fields.enabled": true]
        let dropped = try forwarded(odd, attributes: dropping).request
        #expect(dropped.values("x_real_ip").isEmpty)
        #expect(dropped.values("x.dot").isEmpty)
        #expect(dropped["x-fine"] == "3")
    }

    static let inOurName = [
        "X_Forwarded_For", "X_Forwarded_Proto", "X_Forwarded_Port", "X.Amzn.Trace.Id", "X_Amzn_Tls_Version",
        "X_Amzn_Tls_Cipher_Suite", "X_Amzn_Mtls_Clientcert", "X_Amzn_Mtls_Clientcert_Leaf",
        "X_Amzn_Mtls_Clientcert_Issuer", "X_Amzn_Mtls_Clientcert_Subject", "X_Amzn_Mtls_Clientcert_Validity",
        "X_Amzn_Mtls_Clientcert_Serial_Number", "x-forwarded_for",
    ]

    /// A CGI-like target would confuse them with fields that Apus sets.
    @Test("Spoofing: a field that equals one of ours once `_` is a dash is not forwarded")
    func fieldsInOurName() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(
            Document(
                target,
                attributes: ["apus.h2c.enabled": true, "routing.http.xff_header_processing.mode": "preserve"]))
        let fields = Self.inOurName.map { "\($0): forged\r\n" }.joined()
        #expect(try apus.client().get("/forged", fields: fields + "X_Real_IP: 1\r\n").status == 200)
        var arguments = ["curl", "-q", "-sS", "--noproxy", "*", "--max-time", "30", "--http2-prior-knowledge"]
        for name in Self.inOurName + ["X_Real_IP"] {
            arguments += ["-H", "\(name): \(name == "X_Real_IP" ? "1" : "forged")"]
        }
        _ = try Tool.run(arguments + ["http://127.0.0.1:\(apus.port)/forged2"], in: apus.folder)
        #expect(target.requests.count == 2)
        for request in target.requests {
            #expect(request.fields.filter { $0.value == "forged" }.isEmpty, "\(request.fields)")
            #expect(request["x_real_ip"] == "1")
            // A client must not be able to set these fields under any name that a target could confuse with ours.
            for field in request.fields where field.name.contains("-") {
                #expect(request.values(field.name.replacing("-", with: "_")).isEmpty)
            }
        }
        expectMetric(apus, "apus_requests_invalid_header_dropped_total", is: 2)
    }

    @Test(
        "A name that is not a token is rejected", arguments: ["X\u{E9}", "X(A)", "X@A", "\"X\"", "X/A", "{X}", "X;A"])
    func namesThatAreNoTokens(name: String) throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target, attributes: ["apus.h2c.enabled": true]))
        let answer = try apus.client().get("/refused", fields: "\(name): 1\r\n")
        expectMadeHere(answer, 400)
        #expect(answer["apus-reason"] == "BadFieldName")
        let told = try Tool.run(
            [
                "curl", "-q", "-sS", "--noproxy", "*", "--http2-prior-knowledge", "-H", "\(name): 1",
                "http://127.0.0.1:\(apus.port)/refused2",
            ], in: apus.folder, expectsSuccess: false)
        #expect(told.contains("PROTOCOL_ERROR"), "\(told)")
        #expect(target.requests.isEmpty)
    }

    @Test("Every other field passes unaltered and in order, in both directions")
    func everythingElsePasses() throws {
        let odd = "X-Latin: caf\u{E9}\r\nCookie: a=1; b=2\r\nCookie: c=3\r\nX-Empty:\r\nX-Repeat: 1\r\nX-Repeat: 2\r\n"
        let target = try TargetServer(
            script: TargetScript.answer(
                body: "", fields: "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: mine\r\nX-Empty:\r\n"))
        let apus = try ApusProcess.start(Document(target))
        let answer = try apus.client().get("/pass?a=%20b&c=%2F", fields: odd)
        #expect(answer.values("set-cookie") == ["a=1", "b=2"])
        #expect(answer["server"] == "mine")
        #expect(answer.values("x-empty") == [""])
        let request = try #require(target.requests.first)
        #expect(request.target == "/pass?a=%20b&c=%2F")
        #expect(request["x-latin"] == "caf\u{E9}")
        #expect(request.values("cookie").joined(separator: "; ") == "a=1; b=2; c=3")
        #expect(request.values("x-repeat") == ["1", "2"])
        #expect(request.values("x-empty") == [""])
        expectLogged(by: apus, "/pass?a=%20b&c=%2F", status: 200)
    }
}
