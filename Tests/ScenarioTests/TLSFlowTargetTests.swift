import Foundation
import TestCertificates
import Testing

/// TLS to the targets of TLS listeners: server names, certificates, ALPN and failures.
@Suite struct TLSFlowTargetTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost", "a.example.com"])
    static let roots = authority.own.certificatePath

    private func start(
        _ target: TLSStreamTarget, listener: [String: JSON] = [:], attributes: [String: JSON] = [:]
    ) throws -> ApusProcess {
        let group = Document.Group(
            "blue", program: target.program, attributes: attributes,
            settings: ["protocol": "TLS", "healthCheckProtocol": "TCP"])
        var document = Document.network()
        document.listeners[0].settings = ["protocol": "TLS"].merging(listener) { $1 }
        document.listeners[0].certificates = [Self.own]
        document.groups = [group]
        return try ApusProcess.start(document)
    }

    private func run(_ apus: ApusProcess, _ words: String...) throws -> JSON {
        try TLSStreamClient(apus, words, roots: Self.roots).seen().first ?? .null
    }

    @Test("Bytes pass unaltered in both directions, and the target gets the client's server name")
    func passes() throws {
        let target = try TLSStreamTarget(Self.own)
        let apus = try start(target)
        let seen = try run(apus, "name=a.example.com", "echo=1000000", "end", "readall")
        #expect(seen["told"] == ["exact", ""] && seen["ended"] == "notify", "\(seen.text)")
        #expect(eventually { target.seen.count == 1 })
        #expect(target.seen.first?["name"] == "a.example.com")
        #expect(target.seen.first?["ended"] == "notify", "the client's end is close_notify there")
        let line = expectFlow(by: apus, "finished", by: "client", target: target.program.address.text)
        #expect(line["received_bytes"] == 1_000_000 && line["sent_bytes"] == 1_000_000)
        #expect(try #require(line["connect_time"].number) > 0)
        expectMetric(apus, "apus_target_tls_handshakes_total", "full", is: 1)
    }

    @Test("Without the client's server name the target gets none; the group's name takes precedence")
    func names() throws {
        let target = try TLSStreamTarget(Self.own)
        let apus = try start(target)
        #expect(try run(apus, "send=x", "read", "end", "readall")["told"] == ["x", ""])
        #expect(eventually { target.seen.count == 1 })
        #expect(target.seen.first?["name"] == .null)

        let other = try TLSStreamTarget(Self.own)
        let named = try start(other, attributes: ["apus.target_tls.server_name": "inside.example"])
        #expect(try run(named, "name=a.example.com", "send=x", "read", "end", "readall")["told"] == ["x", ""])
        #expect(eventually { other.seen.first?["name"] == "inside.example" })
    }

    @Test("The target's half-close and its reset are forwarded", arguments: ["end", "fin", "reset"])
    func targetEnds(how: String) throws {
        let target = try TLSStreamTarget(Self.own, "read", "send=bye", how, "readall")
        let apus = try start(target)
        let seen = try run(apus, "send=x", "read", "readall", "end")
        if how == "reset" {
            // The reset may overtake data that was sent before it.
            #expect(seen["ended"] == "reset", "\(seen.text)")
        } else {
            #expect(seen["told"] == ["bye", ""] && seen["ended"] == "notify", "\(seen.text)")
        }
        expectFlow(by: apus, how == "reset" ? "reset" : "finished", by: "target")
    }

    @Test("The client's reset is forwarded to the target")
    func clientResets() throws {
        let target = try TLSStreamTarget(Self.own)
        let apus = try start(target)
        #expect(try run(apus, "send=x", "read", "reset")["told"] == ["x"])
        #expect(eventually { target.seen.first?["ended"] == "reset" }, "\(target.seen)")
        expectFlow(by: apus, "reset", by: "client")
    }

    // MARK: Certificates of targets

    @Test("Without verification any certificate is accepted")
    func unverified() throws {
        let apus = try start(try TLSStreamTarget(TestAuthority("Another").issue(["elsewhere.example"])))
        #expect(try run(apus, "name=localhost", "send=x", "read")["told"] == ["x"])
    }

    @Test("A target is verified by the client's server name, or by the group's")
    func verified() throws {
        let target = try TLSStreamTarget(Self.own)
        let byClient = try start(target, attributes: ["apus.target_tls.verify": .string(Self.roots)])
        #expect(try run(byClient, "name=a.example.com", "send=x", "read")["told"] == ["x"])
        let byGroup = try start(
            target,
            attributes: [
                "apus.target_tls.verify": .string(Self.roots), "apus.target_tls.server_name": "localhost",
            ])
        #expect(try run(byGroup, "name=other.example", "send=x", "read")["told"] == ["x"])
    }

    /// The client's handshake is complete by then, so it can only be reset.
    @Test(
        "A target with an invalid certificate counts as a failed connection",
        arguments: [
            ("name=other.example", true, "name_mismatch"), ("name=localhost", false, "untrusted_target"),
            ("send=x", true, "name_mismatch"),
        ])
    func badCertificate(word: String, isTrusted: Bool, reason: String) throws {
        let target = try TLSStreamTarget(Self.own)
        let roots = isTrusted ? Self.roots : TestAuthority("Another").own.certificatePath
        let apus = try start(target, attributes: ["apus.target_tls.verify": .string(roots)])
        let seen = try run(apus, word, "send=x", "readall")
        #expect(seen["version"] == "TLSv1.3")
        #expect(seen["ended"] == "reset" || seen["failed"] == "ConnectionResetError", "\(seen.text)")
        let line = expectFlow(by: apus, "connect_failed", by: "target", target: target.program.address.text)
        #expect(line["received_bytes"] == 0 && line["connect_time"] == .null)
        expectMetric(apus, "apus_target_tls_failures_total", reason, is: 1)
        expectMetric(apus, "apus_target_connect_failures_total", is: 1)
        expectMetric(apus, "apus_flow_endings_total", "connect_failed", is: 1)
        #expect(target.seen.allSatisfy { $0["told"] == [] }, "no byte has reached it")
    }

    @Test("A target without TLS, and one that never responds, count as failed connections")
    func noTLS() throws {
        func end(
            _ target: StreamTarget, connectTimeout: JSON = 60, handshakeTimeouts: Double = 0
        ) throws -> String? {
            var document = Document.tls(
                target, certificates: [Self.own])
            document.groups[0].settings["protocol"] = "TLS"
            document.groups[0].settings["healthCheckProtocol"] = "TCP"
            document.groups[0].attributes["apus.target_connect_timeout.seconds"] = connectTimeout
            let apus = try ApusProcess.start(document)
            let seen = try run(apus, "send=x", "readall")
            #expect(seen["ended"] == "reset" || seen["failed"] == "ConnectionResetError", "\(seen.text)")
            expectMetric(apus, "apus_timeouts_total", "target_tls_handshake", is: handshakeTimeouts)
            return eventually { apus.connectionLog.first?["ended"].string }
        }
        #expect(try end(try StreamTarget(script: StreamTarget.naming("hello, plainly"))) == "connect_failed")
        let silent = try StreamTarget { while case .bytes = $0.read() {} }
        #expect(try end(silent, connectTimeout: 0.5, handshakeTimeouts: 1) == "connect_timeout")
    }

    /// In TLS 1.3 the alert comes after the handshake, when the flow is open.
    @Test("A target that rejects our certificate after the handshake has failed by TLS")
    func refusedAfterwards() throws {
        let target = try TLSStreamTarget(Self.own, "asks")
        let apus = try start(target)
        let seen = try run(apus, "send=x", "readall")
        #expect(seen["ended"] == "reset" || seen["failed"] == "ConnectionResetError", "\(seen.text)")
        let line = expectFlow(by: apus, "target_tls", by: "target", target: target.program.address.text)
        #expect(line["reason"] == "alert_received")
        expectMetric(apus, "apus_target_tls_failures_total", "alert_received", is: 1)
        expectMetric(apus, "apus_flow_endings_total", "target_tls", is: 1)
    }

    // MARK: Protocols and sessions

    /// The target supports all and prefers HTTP/2, but is offered only the client's protocol.
    @Test(
        "ALPN: the target is offered the protocol negotiated with the client",
        arguments: [
            ("HTTP2Preferred", "alpn=h2,http/1.1", "h2"), ("HTTP2Optional", "alpn=h2,http/1.1", "http/1.1"),
            ("HTTP2Optional", "alpn=h2", "h2"), ("HTTP1Only", "alpn=h2,http/1.1", "http/1.1"),
            ("HTTP2Preferred", "alpn=http/1.0", "http/1.0"), ("HTTP2Preferred", "name=localhost", nil),
            ("None", "alpn=h2,http/1.1", nil),
        ] as [(String, String, String?)])
    func protocols(policy: String, word: String, expected: String?) throws {
        let target = try TLSStreamTarget(Self.own, "alpn=h2,http/1.1,http/1.0")
        let apus = try start(target, listener: ["alpnPolicy": [.string(policy)]])
        let seen = try run(apus, word, "send=x", "read", "end", "readall")
        #expect(seen["told"] == ["x", ""], "\(seen.text)")
        #expect(seen["alpn"].string == expected)
        #expect(eventually { target.seen.count == 1 })
        #expect(target.seen.first?["alpn"].string == expected)
        let line = try #require(eventually { apus.accessLog.first.map { JSON(parsing: Array($0.line.utf8)) } })
        #expect(line["alpn_fe_protocol"].string == expected && line["alpn_be_protocol"].string == expected)
    }

    @Test("Sessions with a target are resumed")
    func resumed() throws {
        let target = try TLSStreamTarget(Self.own)
        var document = Document.network()
        document.listeners[0].settings["protocol"] = "TLS"
        document.listeners[0].certificates = [Self.own]
        document.groups = [
            Document.Group(
                "blue", program: target.program, settings: ["protocol": "TLS", "healthCheckProtocol": "TCP"])
        ]
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        for count in 1...3 {
            #expect(try run(apus, "name=localhost", "send=x", "read", "end", "readall")["told"] == ["x", ""])
            #expect(eventually { apus.connectionLog.count == count })
        }
        expectMetric(apus, "apus_target_tls_handshakes_total", "full", is: 1)
        expectMetric(apus, "apus_target_tls_handshakes_total", "resumed", is: 2)
    }
}
