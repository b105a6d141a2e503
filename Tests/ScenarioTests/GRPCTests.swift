import Foundation
import TestCertificates
import Testing

/// grpcio on both sides.
@Suite struct GRPCTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost"])

    @Test func allKindsOfCallsAndErrors() throws {
        let target = try PortServer.python("grpc_target")
        let nobody = try PortAllocator.port()
        var listener = Document.Listener(
            defaultAction: Document.forward("calls"),
            rules: [Document.rule(1, "path-pattern", ["/nowhere/*"], Document.forward("gone"))])
        listener.certificates = [Self.own]
        let settings: [String: JSON] = ["protocolVersion": "GRPC", "healthCheckPath": "/"]
        let apus = try ApusProcess.start(
            Document(
                listeners: [listener],
                groups: [
                    .init("calls", program: target, settings: settings),
                    .init("gone", [.init(port: nobody)], settings: settings),
                ]))
        #expect(apus.target(target.address, in: "calls", becomes: "healthy"), "it answers 12, as ELB expects")
        let told = try Tool.run(
            [Tool.python, Tool.script("grpc_client"), "\(apus.port)", Self.authority.own.certificatePath],
            in: apus.folder)
        #expect(
            told == """
                unary True {'x-has-deadline': 'True'}
                server 10485760
                client 5242880
                both 5242880
                refused PERMISSION_DENIED
                details RESOURCE_EXHAUSTED too many of them 20000
                unknown UNIMPLEMENTED
                late DEADLINE_EXCEEDED
                cancelled True
                nowhere UNAVAILABLE

                """)
        #expect(eventually { apus.accessLog.contains { $0.line.hasPrefix("grpcs ") } })
        #expect(try apus.metric("apus_grpc_requests_total") >= 9)
        // The unknown method, by its status.
        #expect(try apus.metric("apus_target_group_requests_failed_total") >= 1)
        #expect(try apus.metric("apus_target_http2_connections_opened_total") <= 4)
    }

    /// A call that no target answers in time gets a gRPC status too.
    @Test func anUnansweredCallHasAStatus() throws {
        let apus = try ApusProcess.start(Document.calls(attributes: ["idle_timeout.timeout_seconds": 1]))
        let told = try Tool.curl(
            apus, "--http2-prior-knowledge", "-D", "-", "-X", "POST", "-H", "Content-Type: application/grpc",
            "http://127.0.0.1:\(apus.port)/silent")
        #expect(told.contains("HTTP/2 200") && told.contains("grpc-status: 4\r\n"), "\(told)")
    }

    /// The standard health service is evaluated by its message, other methods by the matcher of status codes.
    @Test func healthIsWhatTheServiceSays() throws {
        let serving = try PortServer.python("grpc_target"), down = try PortServer.python("grpc_target", "down")
        func group(_ name: String, _ target: PortServer, _ more: [String: JSON]) -> Document.Group {
            let settings: [String: JSON] = ["protocolVersion": "GRPC", "unhealthyThresholdCount": 1]
            return .init(name, program: target, settings: settings.merging(more) { $1 })
        }
        let standard: [String: JSON] = ["healthCheckPath": "/grpc.health.v1.Health/Check"]
        let groups = [
            group("serving", serving, standard), group("down", down, standard),
            group("code", serving, ["healthCheckPath": "/AWS.ALB/healthcheck", "matcher": ["grpcCode": "0"]]),
        ]
        let names = groups.map(\.name)
        let rules = names.enumerated().map { index, name in
            Document.rule(index + 1, "path-pattern", ["/\(name)"], Document.forward(name))
        }
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("serving"), rules: rules)], groups: groups,
                attributes: ["apus.h2c.enabled": true]))
        #expect(apus.target(serving.address, in: "serving", becomes: "healthy"))
        #expect(apus.target(down.address, in: "down", becomes: "unhealthy"))
        #expect(apus.target(serving.address, in: "code", becomes: "unhealthy"))
        let told = try names.map { try apus.admin("GET", "/v1/target-groups/\($0)/targets").text }
        #expect(told[1].contains("does not say SERVING"), "\(told[1])")
        #expect(told[2].contains("[12]"), "\(told[2])")
    }

    /// Servers log each connection that is reset, so a health check sends GOAWAY and waits for the target to close.
    @Test(arguments: [
        ([], "goaway 0 end"), ([own.certificatePath, own.privateKeyPath], "goaway 0 end"),
        (["slow"], "reset 8 goaway 0 end"),
    ])
    func checksEndTheirConnectionsCleanly(arguments: [String], end: String) throws {
        let target = try PortServer(label: "check_target") { port, _ in
            [Tool.python, Tool.script("check_target"), "\(port)"] + arguments
        }
        let isTLS = arguments.count == 2
        let settings: [String: JSON] = [
            "protocol": isTLS ? "HTTPS" : "HTTP", "healthCheckProtocol": isTLS ? "HTTPS" : "HTTP",
            "protocolVersion": "GRPC",
            "healthCheckPath": "/grpc.health.v1.Health/Check",
        ]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("calls"))],
                groups: [.init("calls", program: target, settings: settings)],
                attributes: ["apus.h2c.enabled": true]))
        let state = arguments == ["slow"] ? "unhealthy" : "healthy"
        #expect(apus.target(target.address, in: "calls", becomes: state))
        let ends = eventually { () -> [Substring]? in
            let ends = target.output.split(separator: "\n")
            return ends.count > 5 ? ends : nil
        }
        // The first connection is made by the harness, which tests whether the target listens.
        #expect(Set(ends?.dropFirst() ?? []) == [Substring(end)], "\(target.output)")
    }

    /// A silent stream survives. PINGs must be rare, or grpcio would end the connection with "Too many pings".
    @Test func silentStreamSurvives() throws {
        let target = try PortServer.python("grpc_target", "strict")
        let settings: [String: JSON] = ["protocolVersion": "GRPC", "healthCheckProtocol": "TCP"]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("calls"))],
                groups: [.init("calls", program: target, settings: settings)],
                attributes: ["apus.h2c.enabled": true]))
        let told = try Tool.run(
            [Tool.python, Tool.script("grpc_quiet_client"), "\(apus.port)", "45"], in: apus.folder, within: 110)
        #expect(told == "before\nafter\nOK\n", "\(told)")
    }
}
