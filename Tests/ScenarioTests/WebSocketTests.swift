import Foundation
import TestCertificates
import Testing

/// WebSockets over HTTP/1.1 and HTTP/2. Client and target use Python's websockets.
@Suite struct WebSocketTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost"])

    private func start(secure: Bool) throws -> ApusProcess {
        let target = try PortServer.python("websocket_target")
        let other = try TargetServer()
        var listener = Document.Listener(defaultAction: Document.forward(["blue": 1, "green": 0]))
        if secure { listener.certificates = [Self.own] }
        let document = Document(
            listeners: [listener],
            groups: [
                .init("blue", program: target, settings: ["healthCheckProtocol": "TCP"]),
                .init("green", servers: [other]),
            ], attributes: ["apus.h2c.enabled": true])
        return try ApusProcess.start(document)
    }

    @Test(arguments: [false, true]) func messagesOfAnySizePass(secure: Bool) throws {
        let apus = try start(secure: secure)
        let url = "\(secure ? "wss" : "ws")://localhost:\(apus.port)/chat"
        let roots = secure ? Self.authority.own.certificatePath : "-"
        #expect(
            try Tool.run([Tool.python, Tool.script("websocket_client"), url, roots], in: apus.folder)
                == "open\nclosed 1000\n")
        #expect(
            eventually {
                apus.accessLog.contains { $0.line.hasPrefix(secure ? "wss " : "ws ") && $0.line.contains(" 101 101 ") }
            })
        #expect(try apus.metric("apus_websockets_total") == 1 && apus.metric("apus_websockets_active") == 0)
        #expect(apus.accessLog.count == 1, "one line, at the end")
        #expect(try #require(apus.accessLog.first?.sentBytes) > 3_000_000)
    }

    @Test(arguments: [false, true]) func overHTTP2(secure: Bool) throws {
        let apus = try start(secure: secure)
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_client"), "websocket", "\(apus.port)"]
                + (secure ? [Self.authority.own.certificatePath] : []), in: apus.folder)
        #expect(told == "200 810568656c6c6f 880203e8\n")
        let kind = secure ? "wss " : "ws "
        #expect(eventually { apus.accessLog.contains { $0.line.hasPrefix(kind) && $0.line.contains("HTTP/2.0") } })
    }

    @Test func noChangeCutsOne() throws {
        let apus = try start(secure: true)
        let url = "wss://localhost:\(apus.port)/chat"
        let child = try ChildProcess(
            [
                Tool.python, Tool.script("websocket_client"), url, Self.authority.own.certificatePath,
                "\(apus.folder)/go",
            ],
            folder: apus.folder, label: "client")
        #expect(eventually { child.standardOutput.contains("open") })
        #expect(try apus.command("weights", "web:\(apus.port)", "blue=0", "green=1").status == .exited(0))
        #expect(try apus.command("reload").status == .exited(0))
        let pair = Self.authority.issue(["localhost"])
        let certificate: JSON = [
            "certificateFile": .string(pair.certificatePath), "privateKeyFile": .string(pair.privateKeyPath),
        ]
        let changed = try apus.admin(
            "PUT", "/v1/load-balancers/web/listeners/\(apus.port)",
            ["protocol": "HTTPS", "certificates": [certificate], "defaultActions": [Document.forward("blue")]])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(try apus.metric("apus_websockets_active") == 1)
        TestAuthority.write([], "\(apus.folder)/go")
        #expect(child.waitForExit() == .exited(0))
        #expect(child.standardOutput == "open\nclosed 1000\n")
    }

    /// Over HTTP/2 any 2xx would mean to the client that its WebSocket is open (RFC 8441 §5, RFC 9110 §9.3.6).
    @Test func overHTTP2NoResponseLooksLikeAWebSocket() throws {
        let target = try TargetServer { connection in
            while let request = try connection.request() {
                switch request.target {
                case "/plain": try connection.respond(body: "no WebSocket\n")
                case "/created": try connection.respond(status: 201)
                case "/moved": try connection.respond(status: 302, fields: "Location: /\r\n")
                case "/hints":
                    try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                    try connection.respond(status: 404)
                case "/grpc": return connection.reset()
                default: try connection.respond(status: 403)
                }
            }
        }
        let fixed: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.listeners[0].rules = [Document.rule(1, "path-pattern", ["/fixed"], fixed)]
        let apus = try ApusProcess.start(document)
        let told = try Tool.run(
            [Tool.python, Tool.script("http2_client"), "refused_websocket", "\(apus.port)"], in: apus.folder)
        #expect(
            told == """
                /plain 502 MalformedResponse/UpgradeIgnored
                /created 502 MalformedResponse/UpgradeIgnored
                /moved 302 -
                /forbidden 403 -
                /hints 103 404 -
                /fixed 501 UnsupportedProtocol
                /grpc 502 TargetClosedConnection

                """)
        #expect(try apus.metric("apus_target_malformed_responses_total", "upgrade_ignored") == 2)
        #expect(eventually { apus.accessLog.count { $0.status == 502 } == 3 })
    }

    /// A client whose WebSocket is rejected gets the response, and nothing after it is parsed as a request.
    @Test func rejectionIsAResponse() throws {
        let target = try TargetServer(script: TargetScript.answer(body: "no\n"))
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        try client.send(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n"
                + "Sec-WebSocket-Version: 13\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try client.response()
        #expect(answer.status == 200 && answer["connection"] == "close")
        #expect(client.ended())
        #expect(!target.requests.contains { $0.target == "/smuggled" })
    }
}
