import Foundation
import TestCertificates
import Testing

/// TLS to targets: verification, server names and resumption.
@Suite struct TargetTLSTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost", "a.example.com"])

    /// Any certificate is accepted, or only a verified one.
    @Test func targetsAreVerifiedIfConfigured() throws {
        let backend = try PortServer.nginx(isHTTP2: false, pair: Self.own)
        func status(_ attributes: [String: JSON], host: String = "whatever.example") throws -> Int {
            let group = Document.Group(
                "blue", program: backend, attributes: attributes,
                settings: ["protocol": "HTTPS", "healthCheckProtocol": "HTTPS", "healthCheckPath": "/"])
            let apus = try ApusProcess.start(
                Document(listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group]))
            return try apus.client().get("/", host: host).status
        }
        let roots: JSON = .string(Self.authority.own.certificatePath)
        #expect(try status([:]) == 200)
        #expect(try status(["apus.target_tls.verify": roots, "apus.target_tls.server_name": "a.example.com"]) == 200)
        #expect(try status(["apus.target_tls.verify": roots]) == 502, "the Host is not what the certificate is for")
        #expect(try status(["apus.target_tls.verify": roots], host: "a.example.com.") == 200, "nor has it a last dot")
        #expect(try status(["apus.target_tls.verify": "system"]) == 502)
    }

    /// Health checks use the same server name and verification as requests if the group sets both, and need HTTP/2 if
    /// requests do.
    @Test func checksVerifyLikeRequests() throws {
        let backend = try PortServer.nginx(isHTTP2: false, pair: Self.own)
        let common: [String: JSON] = [
            "protocol": "HTTPS", "healthCheckProtocol": "HTTPS", "healthCheckPath": "/",
            "healthCheckIntervalSeconds": 5, "healthCheckTimeoutSeconds": 5, "unhealthyThresholdCount": 1,
        ]
        func state(_ attributes: [String: JSON], version: JSON = "HTTP1") throws -> String {
            let group = Document.Group(
                "blue", program: backend, attributes: attributes,
                settings: common.merging(["protocolVersion": version]) { $1 })
            let apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group],
                    attributes: ["apus.h2c.enabled": true]))
            return try #require(apus.states(of: "blue").values.first)
        }
        let roots: JSON = .string(Self.authority.own.certificatePath)
        func verified(by name: JSON) -> [String: JSON] {
            ["apus.target_tls.verify": roots, "apus.target_tls.server_name": name]
        }
        #expect(try state(verified(by: "a.example.com")) == "healthy")
        #expect(try state(verified(by: "other.example")) == "unhealthy")
        #expect(try state(["apus.target_tls.verify": roots]) == "healthy", "there is no name to verify it by")
        #expect(try state([:], version: "HTTP2") == "unhealthy", "it does not speak HTTP/2")
    }

    /// A connection on which the target has sent close_notify is not reused, even if its socket is open.
    @Test func endedSessionIsNotReused() throws {
        let backend = try PortServer.python("tls_target", Self.own.certificatePath, Self.own.privateKeyPath)
        let group = Document.Group(
            "blue", program: backend, settings: ["protocol": "HTTPS", "healthCheckProtocol": "TCP"])
        let apus = try ApusProcess.start(
            Document(listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group]))
        for _ in 0..<4 {
            #expect(try Tool.curl(apus, "-X", "POST", "http://127.0.0.1:\(apus.port)/") == "ok\n")
        }
    }

    /// Without a name to verify, a target is verified by its address.
    @Test func aRequestWithoutAHostIsVerifiedByAddress() throws {
        let backend = try PortServer.nginx(isHTTP2: false, pair: Self.own)
        let group = Document.Group(
            "blue", program: backend,
            attributes: ["apus.target_tls.verify": .string(Self.authority.own.certificatePath)],
            settings: ["protocol": "HTTPS", "healthCheckProtocol": "HTTPS", "healthCheckPath": "/"])
        let apus = try ApusProcess.start(
            Document(listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group]))
        let answer = try apus.client().exchange("GET / HTTP/1.0\r\n\r\n")
        expectMadeHere(answer, 502)
        #expect(answer["apus-reason"] == "TargetHandshakeFailed")
        expectLogged(by: apus, "GET ", status: 502, target: backend.address.text)
        #expect(try apus.metric("apus_target_tls_failures_total", "name_mismatch") > 0)
    }

    /// A target that accepts the connection and never begins the handshake.
    @Test(arguments: ["HTTP1", "HTTP2"]) func aTargetsHandshakeHasADeadline(version: String) throws {
        let listen = "import signal, socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1])))"
        let target = try PortServer(label: "silent") { port, _ in
            [Tool.python, "-c", listen + "; signal.pause()", "\(port)"]
        }
        let group = Document.Group(
            "blue", program: target, attributes: ["apus.target_connect_timeout.seconds": 0.5],
            settings: ["protocol": "HTTPS", "protocolVersion": .string(version), "healthCheckProtocol": "TCP"])
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))], groups: [group],
                attributes: ["apus.h2c.enabled": true]))
        let told = try Tool.curl(
            apus, version == "HTTP2" ? "--http2-prior-knowledge" : "--http1.1", "-o", "/dev/null", "-w", "%{http_code}",
            "http://127.0.0.1:\(apus.port)/")
        #expect(told == "504")
        #expect(try apus.metric("apus_timeouts_total", "target_tls_handshake") > 0)
        #expect(try apus.metric("apus_timeouts_total", "target_connect") == 0)
    }

    /// Idle connections are closed at once, so each request needs a handshake, which resumes the session from the
    /// second on.
    @Test(arguments: ["HTTP1", "HTTP2"]) func sessionsWithTargetsAreResumed(version: String) throws {
        let backend = try PortServer.nginx(isHTTP2: version == "HTTP2", pair: Self.own)
        let settings: [String: JSON] = [
            "protocol": "HTTPS", "protocolVersion": .string(version), "healthCheckProtocol": "HTTPS",
            "healthCheckPath": "/",
        ]
        let apus = try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [
                    .init(
                        "blue", program: backend, attributes: ["apus.target_keep_alive.idle_seconds": 0.01],
                        settings: settings)
                ],
                attributes: ["apus.h2c.enabled": true]))
        let flag = version == "HTTP2" ? "--http2-prior-knowledge" : "--http1.1"
        for _ in 0..<10 {
            #expect(try Tool.curl(apus, flag, "http://localhost:\(apus.port)/") == "small\n")
            #expect(try eventually { try apus.metric("apus_target_connections_active") == 0 })
        }
        let full = try apus.metric("apus_target_tls_handshakes_total", "full")
        let resumed = try apus.metric("apus_target_tls_handshakes_total", "resumed")
        #expect(full + resumed >= 10 && full <= 2, "one for each of two workers: \(full), \(resumed)")
    }
}
