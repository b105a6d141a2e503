import Testing

/// Paths that targets resolve differently (path confusion), so that a rule could be bypassed.
@Suite struct AmbiguousPathTests {
    /// nginx with a page under `/admin`, and a rule that denies access to it.
    private func start(attributes: [String: JSON] = [:]) throws -> (apus: ApusProcess, nginx: PortServer) {
        let nginx = try PortServer.nginx(
            isHTTP2: false, pair: nil, directives: #"location /admin { return 200 "secret\n"; }"#)
        let denial: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "403"]]
        var document = Document(
            listeners: [
                .init(
                    defaultAction: Document.forward("web"),
                    rules: [Document.rule(1, "path-pattern", ["/admin*"], denial)])
            ],
            groups: [.init("web", program: nginx, settings: ["healthCheckPath": "/"])], attributes: attributes)
        document.logFormat = "json"
        return (try ApusProcess.start(document), nginx)
    }

    private static func request(_ target: String) -> String {
        "GET \(target) HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
    }

    @Test func rulesCannotBeBypassed() throws {
        let (apus, nginx) = try start()
        #expect(try apus.client().get("/admin/x").status == 403)
        let targets = ["//admin/x", "/%2fadmin/x", "/.//admin/x", "/x/..//admin/x", "http://a//admin/x"]
        for target in targets {
            let direct = try RawClient(port: nginx.port).exchange(Self.request(target))
            #expect(direct.text == "secret\n", "nginx resolves \(target) to /admin/x")
            let client = try apus.client()
            let answer = try client.exchange(Self.request(target))
            expectMadeHere(answer, 400, target)
            #expect(answer["apus-reason"] == "AmbiguousPath", "\(target)")
        }
        #expect(eventually { apus.accessEntries.count { $0["apus_reason"] == "AmbiguousPath" } == targets.count })
        expectMetric(apus, "apus_requests_ambiguous_path_total", is: 5)
        expectMetric(apus, "apus_requests_non_compliant_total", is: 5)
        expectMetric(apus, "apus_requests_forwarded_total", is: 0)
    }

    @Test func rulesCannotBeBypassedOverHTTP2() throws {
        let (apus, _) = try start(attributes: ["apus.h2c.enabled": true])
        for path in ["//admin/x", "/%2fadmin/x", "/.//admin/x", "/x/..//admin/x", "/%2Fadmin/x", "/;a//admin"] {
            let told = try Tool.curl(
                apus, "--http2-prior-knowledge", "--path-as-is", "-D", "-", "http://127.0.0.1:\(apus.port)\(path)")
            #expect(told.hasPrefix("HTTP/2 400") && told.contains("apus-reason: AmbiguousPath"), "\(path): \(told)")
        }
        expectMetric(apus, "apus_requests_ambiguous_path_total", is: 6)
    }

    /// If all readings match the same rule, the path is forwarded as received.
    @Test func harmlessAmbiguityIsForwarded() throws {
        let target = try TargetServer()
        let denial: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "403"]]
        let rules = [Document.rule(1, "path-pattern", ["/admin*"], denial)]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("web"), rules: rules)],
                groups: [.init("web", servers: [target])]))
        let paths = [
            "/x//y", "/group%2Fproject/issues", "/x;v=1/y", "/x%5cy", "/a\\b", "/fetch/https://admin/x",
            "/x?y=//admin/%2f;\\", "/%20", "/%252f",
        ]
        let client = try apus.client()
        for path in paths { #expect(try client.get(path).status == 200, "\(path)") }
        #expect(target.requests.map(\.target) == paths)
        #expect(try client.get("/admin//x").status == 403)
        expectMetric(apus, "apus_requests_ambiguous_path_total", is: 0)
    }

    /// Dot segments that only some servers see are rejected before any rule is evaluated.
    @Test func hiddenDotSegmentsCountAsWell() throws {
        let (apus, _) = try start()
        let answer = try apus.client().exchange(Self.request("/x/..;/admin"))
        #expect(answer.status == 400)
        #expect(answer["apus-reason"] == "AmbiguousPath")
        expectMetric(apus, "apus_requests_ambiguous_path_total", is: 1)
    }
}
