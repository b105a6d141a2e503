import Foundation
import Testing

/// `apus.requestHeaders` and `apus.responseHeaders` of rules, with real sockets.
@Suite struct HeaderChangesTests {
    private static func change(_ action: String, _ name: String, _ value: String? = nil) -> JSON {
        var change: JSON = ["action": .string(action), "name": .string(name)]
        if let value { change["value"] = .string(value) }
        return change
    }

    private static func rule(
        _ priority: Int, _ path: String, _ action: JSON = Document.forward("blue"), request: [JSON] = [],
        response: [JSON] = []
    ) -> JSON {
        var rule = Document.rule(priority, "path-pattern", [path], action)
        rule["apus.requestHeaders"] = .array(request)
        rule["apus.responseHeaders"] = .array(response)
        return rule
    }

    private static let rules: [JSON] = [
        {
            var rule = Self.rule(
                1, "/api/*",
                request: [
                    change("set", "X-Original-URI", "#{method} #{protocol}://#{host}:#{port}/#{path}?#{query}"),
                    change("set", "X-Real-IP", "#{client-ip}"), change("remove", "Cookie"),
                    change("append", "X-Tag", "two"), change("set", "X-Copy", "<#{header X-Secret}>"),
                    change("remove", "X-Secret"), change("set", "X-Gone", "#{header X-None}"),
                    change("append", "X-Twice", "1"),
                    change("append", "x-twice", "2"), change("append", "X-Once", "1"), change("set", "X-Once", "2"),
                    change("set", "X-Proto", "#{header X-Forwarded-Proto}"),
                ],
                response: [
                    change("set", "Cache-Control", "no-store"), change("append", "X-Path", "/#{path}"),
                    change("remove", "X-Powered-By"), change("set", "X-Tenant", "#{header X-Tag}"),
                ])
            rule["transforms"] = [
                ["type": "url-rewrite", "urlRewriteConfig": ["rewrites": [["regex": "^/api/", "replace": "/v2/"]]]]
            ]
            return rule
        }(),
        rule(
            2, "/fixed", ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]],
            response: [change("set", "X-From", "#{client-ip}"), change("set", "Server", "mine")]),
        rule(
            3, "/moved", ["type": "redirect", "redirectConfig": ["statusCode": "HTTP_302", "path": "/elsewhere"]],
            response: [change("set", "Cache-Control", "no-store")]),
        rule(4, "/nowhere", Document.forward("empty"), response: [change("set", "X-Error", "yes")]),
        rule(
            5, "/long", request: (0..<4).map { change("set", "X-\($0)", "#{query}") },
            response: [change("set", "X-Error", "no")]),
    ]

    @Test("Fields are set, appended and removed, over HTTP/1 and HTTP/2")
    func fields() throws {
        let fields = "X-Powered-By: x\r\nX-Path: old\r\nCache-Control: a\r\n"
        let target = try TargetServer(script: TargetScript.answer(body: "x", fields: fields))
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.groups.append(Document.Group("empty"))
        document.listeners[0].rules = Self.rules
        let apus = try ApusProcess.start(document)
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            func ask(_ path: String, _ fields: String...) throws -> String {
                let options = ["-q", "-sS", "--noproxy", "*", "--max-time", "30", version, "-i"]
                return try Tool.run(
                    ["curl"] + options + (["Host: Shop.Example"] + fields).flatMap { ["-H", $0] }
                        + ["http://127.0.0.1:\(apus.port)\(path)"], in: apus.folder
                ).lowercased()
            }
            let answer = try ask(
                "/api/a?b=c", "X-Real-IP: 6.6.6.6", "X_Real_IP: 6.6.6.7", "Cookie: a=b", "X-Tag: one",
                "X-Secret: s", "X-Gone: here", "X-Forwarded-Proto: https")
            let seen = try #require(target.requests.last { $0.startLine == "GET /v2/a?b=c HTTP/1.1" })
            #expect(seen["x-original-uri"] == "GET http://shop.example:\(apus.port)/api/a?b=c")
            #expect(seen.values("x-real-ip") == ["127.0.0.1"] && seen["x_real_ip"] == nil)
            #expect(seen["cookie"] == nil && seen.values("x-tag") == ["one", "two"])
            #expect(seen["x-copy"] == "<s>" && seen["x-secret"] == nil && seen["x-gone"] == nil)
            #expect(seen.values("x-twice") == ["1", "2"] && seen.values("x-once") == ["2"])
            #expect(seen["x-proto"] == nil, "what a client says of the protocol is not believed")
            #expect(answer.contains("cache-control: no-store\r\n") && !answer.contains("cache-control: a\r\n"))
            #expect(answer.contains("x-path: old\r\n") && answer.contains("x-path: /api/a\r\n"), "\(answer)")
            #expect(!answer.contains("x-powered-by") && answer.contains("x-tenant: one\r\n"))

            let fixed = try ask("/fixed")
            #expect(fixed.contains("x-from: 127.0.0.1\r\n") && fixed.contains("server: mine\r\n"), "\(fixed)")
            #expect(!fixed.contains("server: apus"))
            #expect(try ask("/moved").contains("cache-control: no-store\r\n"))
            let failed = try ask("/nowhere")
            #expect(failed.contains(" 503") && failed.contains("x-error: yes\r\n"), "\(failed)")
            let plain = try ask("/other", "Cookie: a=b")
            let other = target.requests.last { $0.target == "/other" }
            #expect(!plain.contains("no-store") && other?["cookie"] == "a=b")

            let count = target.requests.count
            let long = try ask("/long?" + String(repeating: "a", count: 3_000))
            #expect(long.contains(" 500") && long.contains("apus-reason: headerchangestoolong"), "\(long)")
            #expect(!long.contains("x-error") && target.requests.count == count)
        }
        expectMetric(apus, "apus_requests_header_changes_too_long_total", is: 2)
    }

    @Test("Calls of gRPC have them too")
    func grpc() throws {
        var document = try Document.calls()
        document.listeners[0].rules = [
            Self.rule(
                1, "/*", Document.forward("calls"), request: [Self.change("set", "X-Rule", "1")],
                response: [Self.change("set", "X-Tenant", "#{path}")])
        ]
        let apus = try ApusProcess.start(document)
        let answer = try Tool.curl(
            apus, "--http2-prior-knowledge", "-s", "-i", "-X", "POST", "-H", "content-type: application/grpc", "-H",
            "te: trailers", "--data-binary", "@/dev/null", "http://127.0.0.1:\(apus.port)/a.B/Say")
        #expect(answer.lowercased().contains("x-tenant: a.b/say"), "\(answer)")
    }
}
