import Foundation
import TestCertificates
import Testing

/// grpcio on both sides.
@Suite struct GRPCTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost"])

    @Test func allKindsOfCallsAndWhatGoesWrong() throws {
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
                unary True {'x-seconds': '30'}
                server 10485760
                client 5242880
                both 5242880
                refused PERMISSION_DENIED
                unknown UNIMPLEMENTED
                late DEADLINE_EXCEEDED
                cancelled True
                nowhere UNAVAILABLE

                """)
        #expect(eventually { apus.accessLog.contains { $0.line.hasPrefix("grpcs ") } })
        #expect(try apus.metric("apus_grpc_requests_total") >= 9)
        #expect(try apus.metric("apus_target_http2_connections_opened_total") <= 4)
    }
}
