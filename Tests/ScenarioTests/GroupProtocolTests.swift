import Foundation
import TestCertificates
import Testing

/// A target group whose protocol version is changed while requests are under way.
@Suite struct GroupProtocolTests {
    private static let own = TestAuthority().issue(["localhost"])

    /// Apus with a group over TLS. Its target, nginx, speaks what is agreed by ALPN; `/held` waits for the gate.
    private struct Scene {
        let apus: ApusProcess
        private let held: TargetServer
        private var document: Document

        init(_ version: String, held gate: Gate = Gate(), descriptors: Int? = nil) throws {
            held = try TargetServer(script: TargetScript.held(by: gate, body: "held\n"))
            let target = try PortServer.nginx(
                isHTTP2: true, pair: GroupProtocolTests.own,
                directives: """
                    http2_max_concurrent_streams 4;
                    location = /protocol { return 200 "$server_protocol $ssl_alpn_protocol\\n"; }
                    location = /held { proxy_pass http://\(held.address.text); }
                    """)
            document = Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [
                    .init("blue", program: target, settings: ["protocol": "HTTPS", "healthCheckProtocol": "TCP"])
                ], attributes: ["apus.h2c.enabled": true])
            document.runtime["workers"] = 1
            document.groups[0].settings["protocolVersion"] = .string(version)
            apus = try ApusProcess.start(document, descriptors: descriptors)
        }

        /// Changes the group's protocol version and reloads.
        mutating func change(to version: String) throws {
            document.groups[0].settings["protocolVersion"] = .string(version)
            try apus.write(document)
            let reload = try apus.command("reload")
            #expect(reload.status == .exited(0), "\(reload.errors)")
        }

        /// What the target says of the protocol of a request.
        func targetProtocol() throws -> String {
            try Tool.curl(apus, "--http2-prior-knowledge", "http://127.0.0.1:\(apus.port)/protocol")
        }
    }

    @Test("Changed to HTTP2 and back under load, it loses no request, and new connections agree to its protocol")
    func underLoad() throws {
        var scene = try Scene("HTTP1")
        #expect(try scene.targetProtocol() == "HTTP/1.1 http/1.1\n")
        try Data(count: 10).write(to: URL(fileURLWithPath: "\(scene.apus.folder)/body"))
        let load = try ChildProcess(
            [
                "h2load", "-n", "6000", "-c", "3", "-m", "20", "-d", "body",
                "http://127.0.0.1:\(scene.apus.port)/protocol",
            ], folder: scene.apus.folder, label: "load")
        var changes = 0
        while load.exitStatus == nil || changes < 4 {
            changes += 1
            let isHTTP2 = !changes.isMultiple(of: 2)
            try scene.change(to: isHTTP2 ? "HTTP2" : "HTTP1")
            let expected = isHTTP2 ? "HTTP/2.0 h2\n" : "HTTP/1.1 http/1.1\n"
            #expect(try eventually { try scene.targetProtocol() == expected }, "workers adopt it a moment later")
        }
        #expect(load.exitStatus == .exited(0), "\(load.standardError)")
        let report = load.standardOutput
        #expect(report.contains("6000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(report)")
        #expect(report.contains("status codes: 6000 2xx"), "\(report)")
        #expect(try scene.apus.metric("apus_connections_cut_by_configuration_total") == 0)
    }

    @Test("Requests that wait while their group becomes one of HTTP/2 are answered, a WebSocket with 464")
    func whileTheyWait() throws {
        let gate = Gate()
        var scene = try Scene("HTTP1", held: gate, descriptors: 100)
        let apus = scene.apus
        // They leave few connections to be shared out.
        let idle = try (0..<26).map { _ in try apus.client() }
        let streams = try ChildProcess(
            [Tool.python, Tool.script("http2_client"), "changing", "\(apus.port)"], folder: apus.folder,
            label: "streams")
        #expect(try eventually { try apus.metric("apus_requests_active") == 13 })
        let waiting = try apus.metric("apus_target_share_waits_total")
        #expect(waiting > 1)
        try scene.change(to: "HTTP2")
        gate.open()
        #expect(streams.waitForExit(within: 30) == .exited(0), "\(streams.standardError)")
        #expect(streams.standardOutput == "12 socket 464 StreamEnded\n")
        #expect(try eventually { try apus.metric("apus_requests_active") == 0 })
        #expect(try scene.targetProtocol() == "HTTP/2.0 h2\n")
        #expect(idle.count == 26 && apus.process.exitStatus == nil)
    }

    @Test("Requests that wait for a stream while their group becomes one of HTTP/1 are answered")
    func backWhileTheyWait() throws {
        let gate = Gate()
        var scene = try Scene("HTTP2", held: gate)
        let apus = scene.apus
        let streams = try ChildProcess(
            [
                "h2load", "-n", "60", "-c", "1", "-m", "60", "http://127.0.0.1:\(apus.port)/held",
            ], folder: apus.folder, label: "streams")
        #expect(try eventually { try apus.metric("apus_requests_active") == 60 })
        try scene.change(to: "HTTP1")
        gate.open()
        #expect(streams.waitForExit(within: 30) == .exited(0), "\(streams.standardError)")
        #expect(streams.standardOutput.contains("60 succeeded"), "\(streams.standardOutput)")
        #expect(streams.standardOutput.contains("status codes: 60 2xx"), "\(streams.standardOutput)")
        #expect(try scene.targetProtocol() == "HTTP/1.1 http/1.1\n")
    }
}
