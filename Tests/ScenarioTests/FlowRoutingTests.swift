import TestCertificates
import Testing

/// The choice of a tunnel's target: by source address, server name (SNI), weights and hash.
@Suite struct FlowRoutingTests {
    static let authority = TestAuthority()

    /// Targets that send their names: `a`, `b` and so on.
    private func targets(_ names: String...) throws -> [StreamTarget] {
        try names.map { try StreamTarget(script: StreamTarget.naming($0)) }
    }

    /// A document whose groups have one target each, by the group's name.
    private func document(_ names: String..., action: JSON? = nil, rules: [JSON] = []) throws -> Document {
        var document = Document.network()
        document.groups = try names.map { name in
            Document.Group(name, streams: [try StreamTarget(script: StreamTarget.naming(name))])
        }
        document.listeners[0].defaultAction = action ?? Document.forward(names[0])
        document.listeners[0].rules = rules
        return document
    }

    /// The name of the target that answers a connection from this address.
    private func answer(_ apus: ApusProcess, source: String? = nil, sourcePort: UInt16 = 0) throws -> String {
        let client = try apus.client(source: source, sourcePort: sourcePort)
        // Reset, so that the port is free at once.
        defer { client.reset() }
        return client.text()
    }

    // MARK: rules

    @Test("source-ip: the first rule with the client's network matches, else the default action")
    func sources() throws {
        let apus = try ApusProcess.start(
            try document(
                "blue", "green", "red",
                rules: [
                    Document.rule(20, "source-ip", ["127.0.2.0/24", "2001:db8::/32"], Document.forward("red")),
                    Document.rule(10, "source-ip", ["127.0.1.0/24", "127.0.2.7/32"], Document.forward("green")),
                    [
                        "priority": 30, "actions": [Document.forward("blue")],
                        "conditions": [["field": "source-ip", "sourceIpConfig": ["values": ["127.0.0.0/8"]]]],
                    ],
                ]))
        let wanted = [
            ("127.0.1.1", "green"), ("127.0.1.255", "green"), ("127.0.2.7", "green"), ("127.0.2.6", "red"),
            ("127.0.2.8", "red"), ("127.0.3.1", "blue"), ("127.0.0.1", "blue"),
        ]
        for (source, name) in wanted {
            let client = try apus.client(source: source)
            #expect(client.text() == name, "\(source)")
            client.endWriting()
            #expect(client.ended())
            let own = "\(source):\(try client.socket.localPort())"
            let line = expectFlow(by: apus, "finished", by: "client", client: own)
            #expect(line["target_group"].string == name)
        }
        #expect(try apus.metric("apus_target_group_flows_total", #"target_group="green""#) == 3)
    }

    @Test(
        "ipAddressType: clients of IPv6 have a rule of their own",
        .enabled(if: AddressTests.hasIPv6, "this machine has no ::1"))
    func families() throws {
        let rule: JSON = [
            "priority": 1, "actions": [Document.forward("green")],
            "conditions": [["field": "source-ip", "sourceIpConfig": ["ipAddressType": "ipv6"]]],
        ]
        var document = try document("blue", "green", rules: [rule])
        document.addresses = ["::1", Socket.loopback]
        let apus = try ApusProcess.start(document)
        #expect(try answer(apus) == "green")
        #expect(try RawClient(port: apus.port).text() == "blue")
    }

    // MARK: names

    /// A TLS target called `name`, which is also the subject of its certificate.
    private func secure(_ name: String) throws -> Document.Group {
        let pair = Self.authority.issue([name])
        let program = try PortServer.python("flow_target", pair.certificatePath, pair.privateKeyPath, name)
        return Document.Group(
            name, program: program, settings: ["protocol": "TCP", "healthCheckProtocol": "TCP"])
    }

    /// A load balancer that passes TLS through, and routes by server name.
    private func named(_ attributes: [String: JSON] = [:]) throws -> ApusProcess {
        var document = Document.network(attributes: attributes)
        document.groups = [try secure("blue"), try secure("green"), try secure("red")]
        document.listeners[0].rules = [
            Document.rule(1, "sni", ["db.example.com", "?.db.example.com"], Document.forward("green")),
            Document.rule(2, "sni", ["*.example.com"], Document.forward("red")),
        ]
        return try ApusProcess.start(document)
    }

    private func ask(_ apus: ApusProcess, _ name: String, how: String = "once") throws -> String {
        try Tool.run(
            [
                Tool.python, Tool.script("flow_client"), "\(apus.port)", Self.authority.own.certificatePath, name, how,
                "-", "payload",
            ], in: apus.folder)
    }

    @Test("sni: the name in the ClientHello decides, and the target terminates TLS (passthrough)")
    func names() throws {
        let apus = try named()
        let wanted = [
            ("db.example.com", "green", "once"), ("DB.Example.com", "green", "once"),
            ("a.db.example.com", "green", "bytes"), ("www.example.com", "red", "once"),
            ("ab.db.example.com", "red", "bytes"), ("example.com", "blue", "once"),
            ("other.example", "blue", "bytes"), ("-", "blue", "once"), ("-", "blue", "bytes"),
        ]
        for (index, (name, group, how)) in wanted.enumerated() {
            #expect(try ask(apus, name, how: how) == "subject \(group)\n\(group) payload\n", "\(name), \(how)")
            let line = expectFlow(by: apus, "finished", by: "client", after: index)
            #expect(line["target_group"].string == group)
            #expect(line["server_name"].string == (name == "-" ? nil : name.lowercased()))
            #expect(line["type"].string == "tcp", "Apus does not terminate its TLS")
        }
        #expect(try apus.metric("apus_client_tls_handshakes_total") == 0)
    }

    @Test("sni: openssl s_client sees the certificates of the targets")
    func opensslSeesTheTargets() throws {
        let apus = try named()
        for (name, subject) in [("db.example.com", "green"), ("x.example.com", "red")] {
            let words = "-connect 127.0.0.1:\(apus.port) -servername \(name)"
            let roots = "-CAfile \(Self.authority.own.certificatePath)"
            let told = try Tool.run(
                ["/bin/sh", "-c", "exec openssl s_client \(words) \(roots) </dev/null 2>&1"], in: apus.folder)
            #expect(told.contains("subject=CN = \(subject)\n"))
            #expect(told.contains("Verify return code: 0 (ok)"))
        }
    }

    @Test("sni: a connection without TLS gets the default action, with all of its bytes")
    func notTLS() throws {
        let echo = try StreamTarget()
        var document = Document.network(echo)
        document.groups.append(.init("green", streams: try targets("green")))
        document.listeners[0].rules = [Document.rule(1, "sni", ["*"], Document.forward("green"))]
        let apus = try ApusProcess.start(document)
        for text in ["P", "PING\r\n", "\u{16}", "\u{16}\u{3}", "\u{16}\u{4}nothing of the kind"] {
            let before = apus.connectionLog.count
            let client = try apus.client()
            try client.send(text)
            client.endWriting()
            if text.hasPrefix("\u{16}") && text.utf8.count < 3 {
                #expect(client.socket.read(by: .after(10)) == .reset, "it may have become a ClientHello")
                expectFlow(by: apus, "client_hello", by: "client", after: before)
            } else {
                #expect(client.text() == text)
                #expect(client.ended())
                let line = expectFlow(by: apus, "finished", by: "client", after: before)
                #expect(line["target_group"].string == "blue")
                #expect(line["server_name"] == .null)
            }
        }
    }

    @Test("sni: a ClientHello that is late or malformed is rejected without a target")
    func lateHello() throws {
        let apus = try named(["apus.tls_handshake_timeout.seconds": 0.3])
        #expect(try ask(apus, "db.example.com", how: "half") == "reset\n")
        let late = expectFlow(by: apus, "client_hello", by: "apus")
        #expect(late["reason"].string == "timeout")
        #expect(try #require(late["duration"].number) >= 0.3)
        #expect(late["target"] == .null)

        let wrong = try apus.client()
        // A handshake record with an empty ClientHello.
        try wrong.send([0x16, 3, 1, 0, 4, 1, 0, 0, 0])
        #expect(wrong.socket.read(by: .after(10)) == .reset)
        #expect(expectFlow(by: apus, "client_hello", by: "client", after: 1)["reason"].string == "malformed")
        #expect(try apus.metric("apus_flows_rejected_total", "tcp") == 2)
        #expect(try ask(apus, "db.example.com") == "subject green\ngreen payload\n")
    }

    @Test("sni: a silent client, whose server speaks first, gets the default action")
    func silentClient() throws {
        let document = try document("blue", "green", rules: [Document.rule(1, "sni", ["*"], Document.forward("green"))])
        var impatient = document
        impatient.attributes = ["apus.tls_handshake_timeout.seconds": 0.3]
        let apus = try ApusProcess.start(impatient)
        let client = try apus.client()
        #expect(client.text() == "blue")
        client.endWriting()
        #expect(client.ended())
        let line = expectFlow(by: apus, "finished", by: "client")
        #expect(line["target_group"].string == "blue" && line["server_name"] == .null)
        #expect(try #require(line["duration"].number) >= 0.3)
    }

    // MARK: weights and stickiness

    @Test("Weights distribute new connections exactly in every cycle")
    func weights() throws {
        let action = Document.forward(["blue": 5, "green": 2, "red": 0])
        var document = try document("blue", "green", "red", action: action)
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        let names = try (0..<42).map { _ in try answer(apus) }
        for start in names.indices.dropLast(6) {
            let cycle = names[start..<start + 7]
            #expect(cycle.count { $0 == "blue" } == 5, "\(cycle)")
            #expect(cycle.count { $0 == "green" } == 2, "\(cycle)")
        }
        #expect(eventually { apus.connectionLog.count == 42 })
        #expect(apus.connectionLog.count { $0["target_group"].string == "blue" } == 30)
        #expect(try apus.metric("apus_target_group_flows_total", #"target_group="blue""#) == 30)
        #expect(try apus.metric("apus_target_group_flows_total", #"target_group="red""#) == 0)
    }

    @Test("Sticky groups: an address stays with its group, and addresses are distributed by weight")
    func stickyGroups() throws {
        var action = Document.forward(["blue": 1, "green": 1, "red": 0])
        action["forwardConfig"]["targetGroupStickinessConfig"] = ["enabled": true]
        let apus = try ApusProcess.start(try document("blue", "green", "red", action: action))
        var names: Set<String> = []
        for host in 1...40 {
            let source = "127.0.6.\(host)"
            let first = try answer(apus, source: source)
            for _ in 0..<3 { #expect(try answer(apus, source: source) == first) }
            names.insert(first)
        }
        #expect(names == ["blue", "green"])
        let line = expectFlow(by: apus, "reset", by: "client")
        #expect(line["client"].string?.hasPrefix("127.0.6.") == true)
    }

    @Test("Sticky targets: all connections of an address go to one target, and addresses are distributed over all")
    func stickyTargets() throws {
        var document = Document.network()
        let attributes: [String: JSON] = ["stickiness.enabled": true]
        document.groups = [.init("blue", streams: try targets("a", "b", "c", "d"), attributes: attributes)]
        let apus = try ApusProcess.start(document)
        var names: Set<String> = []
        for host in 1...60 {
            let source = "127.0.4.\(host)"
            let first = try answer(apus, source: source)
            for _ in 0..<(host == 1 ? 40 : 2) { #expect(try answer(apus, source: source) == first, "\(source)") }
            names.insert(first)
        }
        #expect(names == ["a", "b", "c", "d"])
        #expect(try apus.metric("apus_flows_total", "tcp") == Double(60 * 3 + 38))
    }

    // MARK: the hash

    /// Source ports of an address that no other test uses.
    private static let ports: Range<UInt16> = 20_000..<20_200

    private func map(_ apus: ApusProcess) throws -> [String] {
        try Self.ports.map { try answer(apus, source: "127.0.5.9", sourcePort: $0) }
    }

    @Test("The same address and port get the same target: on every worker, and after a restart")
    func hash() throws {
        var document = Document.network()
        document.groups = [.init("blue", streams: try targets("a", "b", "c", "d"))]
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        let first = try map(apus)
        for name in ["a", "b", "c", "d"] {
            let count = first.count { $0 == name }
            #expect((20...90).contains(count), "\(name) has \(count) of 200")
        }
        #expect(try map(apus) == first)
        for workers in [4, 3] {
            apus.kill()
            document.runtime["workers"] = JSON(workers)
            try apus.write(document)
            try apus.restart()
            #expect(try apus.metric("apus_workers") == Double(workers))
            #expect(try map(apus) == first, "\(workers) workers")
        }
        let line = expectFlow(by: apus, "reset", by: "client", client: "127.0.5.9:20000")
        #expect(line["target_group"].string == "blue")
    }

    @Test("Removing a target moves only its flows, and they return with it")
    func leavesAndReturns() throws {
        var document = Document.network()
        let all = try targets("a", "b", "c", "d")
        document.groups = [.init("blue", streams: all)]
        let apus = try ApusProcess.start(document)
        let before = try map(apus)
        let body: JSON = ["targets": [all[1].address.json]]
        #expect(try apus.admin("POST", "/v1/target-groups/blue/deregister", body).status == 200)
        #expect(try eventually { try apus.states(of: "blue").count == 3 })
        let without = try map(apus)
        #expect(!without.contains("b"))
        let moved = zip(before, without).count { $0 != "b" && $0 != $1 }
        // 0.1 % of the other entries of the table move too.
        #expect(moved <= 3, "\(moved) of the others' flows have moved")
        let heirs = Set(zip(before, without).filter { $0.0 == "b" }.map(\.1))
        #expect(heirs == ["a", "c", "d"])

        #expect(try apus.admin("POST", "/v1/target-groups/blue/targets", body).status == 200)
        #expect(apus.target(all[1].address, becomes: "healthy"))
        let different = zip(before, try map(apus)).count { $0 != $1 }
        #expect(different <= 2, "\(different) flows have not come back")
        expectFlow(by: apus, "reset", by: "client", target: all[1].address.text)
    }

    @Test("A target that fails its health checks moves only its own flows")
    func fails() throws {
        var document = Document.network()
        let all = try targets("a", "b", "c", "d")
        document.groups = [.init("blue", streams: all)]
        let apus = try ApusProcess.start(document)
        let before = try map(apus)
        all[2].stop()
        #expect(apus.target(all[2].address, becomes: "unhealthy"))
        let after = try map(apus)
        #expect(!after.contains("c"))
        #expect(zip(before, after).allSatisfy { $0 == "c" || $0 == $1 })
        #expect(Set(zip(before, after).filter { $0.0 == "c" }.map(\.1)) == ["a", "b", "d"])
        expectFlow(by: apus, "reset", by: "client", client: "127.0.5.9:20000")
    }
}
