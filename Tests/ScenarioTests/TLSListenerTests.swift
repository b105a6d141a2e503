import Foundation
import TestCertificates
import Testing

/// TLS listeners of network load balancers: bytes, half-close, server names, ALPN, certificates.
@Suite struct TLSListenerTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost", "a.example.com"])
    static let wild = authority.issue(["*.example.com"], key: .rsa(2048))
    static let roots = authority.own.certificatePath

    private func start(
        _ targets: StreamTarget, certificates: [TestAuthority.Pair] = [own], listener: [String: JSON] = [:],
        attributes: [String: JSON] = [:]
    ) throws -> ApusProcess {
        try ApusProcess.start(
            .tls(targets, certificates: certificates, listener: listener, attributes: attributes))
    }

    private func run(_ apus: ApusProcess, _ words: String...) throws -> JSON {
        try TLSStreamClient(apus, words, roots: Self.roots).seen().first ?? .null
    }

    @Test("Bytes pass unaltered in both directions through TLS termination")
    func passes() throws {
        let target = try StreamTarget()
        let apus = try start(target)
        let seen = try run(apus, "name=localhost", "echo=1000000", "end", "readall")
        #expect(seen["told"] == ["exact", ""], "\(seen.text)")
        #expect(seen["version"] == "TLSv1.3")
        #expect(seen["ended"] == "notify", "close_notify comes before the FIN")
        let line = expectFlow(by: apus, "finished", by: "client", target: target.address.text)
        #expect(line["type"] == "tls")
        #expect(line["server_name"] == "localhost")
        #expect(line["received_bytes"] == 1_000_000 && line["sent_bytes"] == 1_000_000, "without TLS around it")
        #expect(try #require(line["tls_handshake_time"].number) > 0)
        expectMetric(apus, "apus_flow_bytes_total", "\"tls\"", is: 2_000_000)
        expectMetric(apus, "apus_flows_total", "\"tls\"", is: 1)
        expectMetric(apus, "apus_flows_active", is: 0)
        expectMetric(apus, "apus_client_tls_handshakes_total", "full", is: 1)
    }

    @Test("A target may speak first")
    func targetFirst() throws {
        let apus = try start(try StreamTarget(script: StreamTarget.naming("hello")))
        #expect(try run(apus, "read")["told"] == ["hello"])
    }

    /// The client half-closes by close_notify, by FIN, or by both.
    @Test("The client's half-close is forwarded, and the target can still send", arguments: ["end", "notify", "fin"])
    func clientEndsFirst(how: String) throws {
        let target = try StreamTarget { connection in
            while case .bytes = connection.read() {}
            connection.send(Array("all of it: \(connection.received.count)".utf8))
        }
        let apus = try start(target)
        let seen = try run(apus, "send=12345", how, "readall")
        #expect(seen["told"] == ["all of it: 5"], "\(seen.text)")
        #expect(target.connections.first?.ending == .endOfStream)
        expectFlow(by: apus, "finished", by: "client")
    }

    @Test("The target's half-close is forwarded as close_notify, and the client can still send")
    func targetEndsFirst() throws {
        let target = try StreamTarget { connection in
            connection.send(Array("bye".utf8))
            connection.socket.endWriting()
            while case .bytes = connection.read() {}
        }
        let apus = try start(target)
        let seen = try run(apus, "readall", "send=still here", "end")
        #expect(seen["told"] == ["bye"] && seen["ended"] == "notify", "\(seen.text)")
        #expect(eventually { target.connections.first?.ending == .endOfStream })
        #expect(target.connections.first?.received == Array("still here".utf8))
        expectFlow(by: apus, "finished", by: "target")
    }

    @Test("A client's reset reaches the target as one")
    func clientResets() throws {
        let target = try StreamTarget()
        let apus = try start(target)
        #expect(try run(apus, "send=x", "read", "reset")["told"] == ["x"])
        #expect(eventually { target.connections.first?.ending == .reset })
        expectFlow(by: apus, "reset", by: "client")
        expectMetric(apus, "apus_flow_resets_total", "client", is: 1)
    }

    @Test("A target's reset reaches the client as one, not as a close_notify")
    func targetResets() throws {
        let target = try StreamTarget { connection in
            _ = connection.read()
            connection.socket.reset()
        }
        let apus = try start(target)
        let seen = try run(apus, "send=x", "readall")
        #expect(seen["ended"] == "reset", "\(seen.text)")
        expectFlow(by: apus, "reset", by: "target")
        expectMetric(apus, "apus_flow_resets_total", "target", is: 1)
    }

    @Test("A target that reads late gets all that was sent, and nothing is lost in between")
    func slowReader() throws {
        let gate = Gate()
        let target = try StreamTarget { connection in
            _ = connection.read()
            gate.wait()
            while case .bytes = connection.read() {}
            connection.send(Array("\(connection.received.count)".utf8))
        }
        let apus = try start(target)
        let idle = try apus.metric("apus_held_bytes")
        let client = try TLSStreamClient(apus, ["many=60000000", "end", "readall"], roots: Self.roots)
        // The kernel's buffers are full, and ours hold what does not fit: a little, or as much as they may.
        #expect(
            try eventually(within: 30) {
                try apus.metric("apus_flow_bytes_total", "tls") > 1_000_000 && apus.metric("apus_held_bytes") > idle
            })
        #expect(try apus.metric("apus_held_bytes") < 300_000)
        gate.open()
        #expect(try client.seen().first?["told"] == ["60000000"])
        expectFlow(by: apus, "finished", by: "client")
    }

    @Test("Silence both ways ends it with a reset to both, after the listener's own time")
    func idles() throws {
        let target = try StreamTarget()
        let apus = try start(target, listener: ["attributes": ["tcp.idle_timeout.seconds": 0.4]])
        let seen = try run(apus, "send=x", "read", "read")
        #expect(seen["told"] == ["x", ""] && seen["ended"] == "reset", "\(seen.text)")
        #expect(eventually { target.connections.first?.ending == .reset })
        expectFlow(by: apus, "idle_timeout", by: "apus")
        expectMetric(apus, "apus_timeouts_total", "flow_idle", is: 1)
    }

    // MARK: Names and protocols

    @Test("The name that a client asks for chooses the certificate")
    func certificatesByName() throws {
        let apus = try start(try StreamTarget(), certificates: [Self.own, Self.wild])
        #expect(try run(apus, "name=a.example.com")["subject"] == "localhost")
        #expect(try run(apus, "name=B.example.com")["subject"] == "*.example.com")
        #expect(try run(apus, "name=unknown.test")["subject"] == "localhost")
        #expect(try run(apus)["subject"] == "localhost", "without a name it is the first")
    }

    /// What clients get that offer `h2,http/1.1`, `http/1.1`, `h2`, `spdy/3`, and nothing.
    @Test(
        "ALPN: the policy decides what is spoken, and whoever shares nothing goes on without",
        arguments: [
            ("HTTP1Only", ["http/1.1", "http/1.1", "-", "-", "-"]), ("HTTP2Only", ["h2", "-", "h2", "-", "-"]),
            ("HTTP2Optional", ["http/1.1", "http/1.1", "h2", "-", "-"]),
            ("HTTP2Preferred", ["h2", "http/1.1", "h2", "-", "-"]), ("None", ["-", "-", "-", "-", "-"]),
        ])
    func protocols(policy: String, expected: [String]) throws {
        let apus = try start(try StreamTarget(), listener: ["alpnPolicy": [.string(policy)]])
        let offers = ["alpn=h2,http/1.1", "alpn=http/1.1", "alpn=h2", "alpn=spdy/3", "name=localhost"]
        for (offer, outcome) in zip(offers, expected) {
            let seen = try run(apus, offer, "send=x", "read", "end", "readall")
            #expect(seen["alpn"].string ?? "-" == outcome, "\(offer): \(seen.text)")
            #expect(seen["told"] == ["x", ""], "\(offer): \(seen.text)")
        }
        expectMetric(apus, "apus_client_tls_failures_total", "no_shared_protocol", is: 0)
        expectMetric(apus, "apus_flow_endings_total", "client_tls", is: 0)
    }

    @Test("ALPN: an HTTPS listener, which speaks the protocol itself, refuses what it does not speak")
    func protocolsOfHTTPS() throws {
        var document = Document(try TargetServer())
        document.listeners[0].certificates = [Self.own]
        let apus = try ApusProcess.start(document)
        let seen = try run(apus, "alpn=spdy/3")
        #expect(seen["failed"] == "TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "\(seen.text)")
        expectMetric(apus, "apus_client_tls_failures_total", "no_shared_protocol", is: 1)
    }

    @Test("A listener without a policy answers no ALPN")
    func noPolicy() throws {
        let apus = try start(try StreamTarget())
        #expect(try run(apus, "alpn=h2,http/1.1", "send=x", "read")["alpn"] == .null)
    }

    // MARK: Sessions and certificates

    @Test("A client comes again with its session, on any worker", arguments: ["1.2", "1.3"])
    func sessionsAreResumed(version: String) throws {
        let apus = try start(try StreamTarget())
        let words = ["version=\(version)", "name=localhost", "twice", "send=x", "read", "end", "readall"]
        for round in 1...4 {
            let seen = try TLSStreamClient(apus, words, roots: Self.roots).seen()
            #expect(seen.map { $0["reused"] } == [false, true], "\(seen)")
            #expect(seen.allSatisfy { $0["version"].string == "TLSv\(version)" && $0["told"] == ["x", ""] })
            expectMetric(apus, "apus_client_tls_handshakes_total", "resumed", is: Double(round))
        }
    }

    @Test("Certificates change, on disk and by reload, and no open flow is cut", arguments: [true, false])
    func certificatesChange(onDisk: Bool) throws {
        let files = TestAuthority.scratchFolder()
        func pair(_ pair: TestAuthority.Pair, _ name: String) -> JSON {
            TestAuthority.write(pair.certificate, "\(files)/\(name).pem")
            TestAuthority.write(pair.privateKey, "\(files)/\(name).key")
            return [
                "certificateFile": .string("\(files)/\(name).pem"), "privateKeyFile": .string("\(files)/\(name).key"),
            ]
        }
        let next = Self.authority.issue(["localhost"], subject: "/CN=next")
        var document = Document.tls(
            try StreamTarget(), certificates: [], listener: ["certificates": [pair(Self.own, "a")]])
        let apus = try ApusProcess.start(document)
        let go = "\(apus.folder)/go"
        let open = try (0..<8).map { _ in
            try TLSStreamClient(
                apus, ["send=one", "read", "wait=\(go)", "echo=200000", "end", "readall"], roots: Self.roots)
        }
        expectMetric(apus, "apus_flows_active", "tls", is: 8)
        if onDisk {
            _ = pair(next, "a")
        } else {
            document.listeners[0].settings["certificates"] = [pair(next, "b")]
            try apus.write(document)
            #expect(try apus.command("reload").status == .exited(0))
        }
        #expect(try eventually { try run(apus, "name=localhost", "end", "readall")["subject"] == "next" })
        TestAuthority.write([], go)
        for client in open { #expect(try client.seen().first?["told"] == ["one", "exact", ""]) }
        expectMetric(apus, "apus_connections_cut_by_configuration_total", is: 0)
        expectMetric(apus, "apus_flow_resets_total", is: 0)
    }

    // MARK: What is not TLS

    @Test("A handshake that never comes to its end is given up")
    func handshakeDeadline() throws {
        let target = try StreamTarget()
        let apus = try start(target, attributes: ["apus.tls_handshake_timeout.seconds": 0.3])
        let client = try apus.client()
        try client.send([22, 3, 1])
        #expect(client.ended(within: 10))
        #expect(expectFlow(by: apus, "client_tls", by: "apus")["reason"] == "timeout")
        expectMetric(apus, "apus_timeouts_total", "tls_handshake", is: 1)
        expectMetric(apus, "apus_client_tls_failures_total", "timeout", is: 1)
        expectMetric(apus, "apus_flows_rejected_total", "\"tls\"", is: 1)
        expectMetric(apus, "apus_flows_active", is: 0)
    }

    @Test("A ClientHello in single bytes is one")
    func singleBytes() throws {
        let apus = try start(try StreamTarget())
        #expect(try run(apus, "cut", "name=localhost", "send=x", "read")["told"] == ["x"])
    }

    @Test("What is no ClientHello gets an alert and the end at once, and no target hears of it")
    func noClientHello() throws {
        let target = try StreamTarget()
        let apus = try start(target)
        let client = try apus.client()
        // A record of a handshake, with a message of a kind that does not exist.
        try client.send([22, 3, 1, 0, 8] + [UInt8](repeating: 99, count: 8))
        guard case .bytes(let alert) = client.socket.read(by: .after(10)) else {
            Issue.record("no alert")
            return
        }
        // An alert of two bytes, fatal. Source: RFC 8446 §5.1, §6.
        #expect(alert.count == 7 && alert[0] == 21 && alert[1] == 3 && alert[4] == 2 && alert[5] == 2, "\(alert)")
        #expect(client.ended(within: 10))
        #expect(expectFlow(by: apus, "client_tls", by: "client")["reason"] == "malformed")
        #expect(target.connections.isEmpty)
        expectMetric(apus, "apus_flows_rejected_total", "\"tls\"", is: 1)
    }

    /// OpenSSL sends no alert to those who speak something else, as they could not read it.
    @Test(
        "Plain text is told the end at once, and no target hears of it",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: a.b\r\n\r\n", "plain_http"), ("Is this TLS? It is a line.\r\n", "malformed"),
        ])
    func plainText(text: String, reason: String) throws {
        let target = try StreamTarget()
        let apus = try start(target)
        let client = try apus.client()
        try client.send(text)
        #expect(client.socket.read(by: .after(10)) == .endOfStream)
        #expect(expectFlow(by: apus, "client_tls", by: "client")["reason"].string == reason)
        expectMetric(apus, "apus_client_tls_failures_total", reason, is: 1)
        #expect(target.connections.isEmpty)
        expectMetric(apus, "apus_flows_rejected_total", "\"tls\"", is: 1)
    }
}

extension Document {
    /// A network load balancer with one TLS listener.
    static func tls(
        _ target: StreamTarget, certificates: [TestAuthority.Pair], listener: [String: JSON] = [:],
        attributes: [String: JSON] = [:]
    ) -> Document {
        var document = network(
            target, listener: ["protocol": "TLS"].merging(listener) { $1 }, attributes: attributes)
        document.listeners[0].certificates = certificates
        return document
    }
}
