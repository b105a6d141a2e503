import Foundation
import TestCertificates
import Testing

/// Listeners that allow or deny clients by their addresses. Addresses of 127.0.0.0/8 are the clients.
@Suite struct AccessTests {
    private static let authority = TestAuthority()

    /// Whether a client that comes from `source` is served; one that is denied gets a reset and not a byte.
    private func isServed(_ apus: ApusProcess, from source: String) throws -> Bool {
        let client = try apus.client(source: source)
        // A request may find the connection reset already.
        try? client.send("GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
        let text = client.text()
        if text.hasPrefix("HTTP/1.1 200") { return true }
        // What the reset had to say may have been said to the request.
        #expect(["\(Socket.Arrival.reset)", "\(Socket.Arrival.endOfStream)"].contains(text), "from \(source)")
        return false
    }

    @Test("HTTP: what allow has and deny has not is served; the others are reset, counted and told in the log")
    func requests() throws {
        var document = Document(try TargetServer("a"))
        document.prefixLists = ["office": ["127.0.0.16/28", "guests"], "guests": ["127.0.0.5/32"]]
        document.listeners[0].settings = [
            "apus.allow": ["127.0.0.1/32", "office"], "apus.deny": ["127.0.0.18/32"],
        ]
        let apus = try ApusProcess.start(document)
        for (source, isTaken) in [
            ("127.0.0.1", true), ("127.0.0.5", true), ("127.0.0.16", true), ("127.0.0.31", true),
            ("127.0.0.18", false), ("127.0.0.32", false), ("127.0.0.4", false),
        ] {
            #expect(try isServed(apus, from: source) == isTaken, "\(source)")
        }
        let listener = #"load_balancer="web",port="\#(apus.port)""#
        expectMetric(apus, "apus_listener_denied_connections_total", listener, is: 3)
        expectMetric(apus, "apus_listener_denied_datagrams_total", listener, is: 0)
        expectMetric(apus, "apus_client_connections_rejected_total", #"reason="denied_address""#, is: 3)
        #expect(
            eventually {
                apus.errors.contains("clients are denied by their addresses")
                    && apus.errors.contains("listener=web:\(apus.port)") && apus.errors.contains("client=127.0.0.")
            }, "\(apus.errors)")
        expectServes(apus)
        for (source, isDenied) in [("127.0.0.18", true), ("127.0.0.5", false)] {
            let told = try apus.command("explain", "http://example.com:\(apus.port)/", "--source", source)
            #expect(told.output.contains("The client's connection is reset") == isDenied, "\(told.output)")
        }
    }

    @Test("HTTPS: a denied client gets no byte of a handshake")
    func handshakes() throws {
        var document = Document(try TargetServer("a"))
        document.listeners[0].certificates = [Self.authority.issue(["localhost"])]
        document.listeners[0].settings = ["apus.deny": ["127.0.0.3/32"]]
        let apus = try ApusProcess.start(document)
        let denied = try apus.client(source: "127.0.0.3")
        #expect(denied.ended())
        #expect(try apus.metric("apus_tls_handshake_failures_total") == 0)
        let other = try apus.client(source: "127.0.0.2")
        try other.send("GET / HTTP/1.1\r\n\r\n")
        #expect(!other.text().isEmpty, "an alert")
        expectMetric(apus, "apus_listener_denied_connections_total", is: 1)
    }

    @Test("A list that changes over the socket acts at once on new connections, cuts none, and outlives a restart")
    func changes() throws {
        var document = Document(try TargetServer("a"))
        document.prefixLists = ["blocked": []]
        document.listeners[0].settings = ["apus.deny": ["blocked"]]
        let apus = try ApusProcess.start(document)
        let early = try apus.client(source: "127.0.0.2")
        #expect(try early.get("/1").status == 200)
        let result = try apus.command("prefix-lists", "set", "blocked", "127.0.0.2/32", "2001:db8::/32")
        #expect(result.output.hasPrefix("Set blocked to 2 entries"), "\(result.output)\(result.errors)")
        #expect(try !isServed(apus, from: "127.0.0.2"))
        #expect(try early.get("/2").status == 200, "it was there before")
        #expect(try apus.command("prefix-lists", "show", "blocked").output == "127.0.0.2/32\n2001:db8::/32\n")
        #expect(try apus.command("status").output.contains("prefix list blocked"), "it hides what the file says")
        #expect(try apus.admin("DELETE", "/v1/prefix-lists/blocked").status == 409)
        try apus.restart()
        #expect(try !isServed(apus, from: "127.0.0.2"))
        #expect(try isServed(apus, from: "127.0.0.3"))
        // The file is what holds again once the change is undone; a reload acts in the same way.
        #expect(try apus.admin("PUT", "/v1/prefix-lists/blocked", ["entries": []]).status == 200)
        #expect(try isServed(apus, from: "127.0.0.2"))
        document.listeners[0].port = apus.port
        document.listeners[0].settings = ["apus.allow": ["127.0.0.1/32"]]
        let open = try apus.client(source: "127.0.0.3")
        #expect(try open.get("/3").status == 200)
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try !isServed(apus, from: "127.0.0.2"))
        #expect(try open.get("/4").status == 200)
        expectServes(apus)
    }

    @Test("TCP: a denied client reaches no target")
    func connections() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(.network(target, listener: ["apus.allow": ["127.0.0.2/31"]]))
        let denied = try apus.client(source: "127.0.0.4")
        #expect(denied.ended())
        let client = try apus.client(source: "127.0.0.3")
        try client.send("hello")
        #expect(client.text() == "hello")
        #expect(target.connections.count == 1)
        expectMetric(apus, "apus_listener_denied_connections_total", is: 1)
        expectMetric(apus, "apus_flows_rejected_total", #"kind="tcp""#, is: 1)
    }

    @Test("Behind PROXY headers, the client that they name is what is allowed or denied")
    func announced() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(
            .network(
                target, listener: ["apus.allow": ["203.0.113.0/24"]], attributes: ProxyProtocolTests.trusting()))
        for (name, isTaken) in [("203.0.113.7", true), ("198.51.100.7", false)] {
            let client = try apus.client()
            try client.send("PROXY TCP4 \(name) 192.0.2.1 4711 443\r\nhello")
            #expect(client.text() == (isTaken ? "hello" : "\(Socket.Arrival.reset)"), "\(name)")
        }
        expectFlow(by: apus, "denied_address", by: "apus", client: "198.51.100.7:4711")
        expectMetric(apus, "apus_listener_denied_connections_total", is: 1)
        #expect(target.connections.count == 1)
    }

    @Test(
        "UDP and QUIC: no flow begins for datagrams of a denied client; one that is open goes on",
        arguments: [
            ("UDP", "1"), ("QUIC", "0x00000000000000a0"),
        ])
    func datagrams(word: String, serverID: String) throws {
        let target = try DatagramTarget()
        var document = Document.datagrams(
            target, listener: ["protocol": .string(word), "apus.deny": ["blocked"]],
            settings: ["protocol": .string(word), "healthCheckProtocol": "TCP"])
        document.prefixLists = ["blocked": ["127.0.0.3/32"]]
        if word == "QUIC" { document.groups[0].targets[0].quicServerID = serverID }
        let apus = try ApusProcess.start(document)
        func ask(_ client: DatagramEnd, _ text: String, within seconds: Double = 10) throws -> Bool {
            let packet = word == "QUIC" ? QUICTests.packet(0xA0, text) : Array(text.utf8)
            try client.send(packet)
            return client.receive(within: seconds)?.bytes == packet
        }
        let early = try DatagramEnd(to: apus, from: "127.0.0.2"), denied = try DatagramEnd(to: apus, from: "127.0.0.3")
        #expect(try ask(early, "one"))
        for text in ["a", "bb"] { try denied.send(word == "QUIC" ? QUICTests.packet(0xA0, text) : Array(text.utf8)) }
        // A handshake finds its target by its addresses alone.
        if word == "QUIC" { try denied.send(QUICTests.handshake()) }
        expectMetric(apus, "apus_listener_denied_datagrams_total", is: word == "QUIC" ? 3 : 2)
        #expect(try apus.admin("PUT", "/v1/prefix-lists/blocked", ["entries": ["127.0.0.0/8"]]).status == 200)
        #expect(try ask(early, "two"), "its flow is open")
        let late = try DatagramEnd(to: apus, from: "127.0.0.2")
        try late.send(word == "QUIC" ? QUICTests.packet(0xA0, "late") : Array("late".utf8))
        expectMetric(apus, "apus_listener_denied_datagrams_total", is: word == "QUIC" ? 4 : 3)
        #expect(target.arrivals.count == 2)
        #expect(Set(target.arrivals.map(\.source)).count == 1)
        expectMetric(apus, "apus_flows_active", is: 1)
    }

    @Test("apus check tells where a list is wrong, and what was meant")
    func mistakes() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let path = folder + "/apus.yaml"
        try """
        prefixLists:
          - name: office
            entries: [192.0.2.1/24]
        loadBalancers:
          - name: web
            listeners:
              - protocol: HTTP
                port: 80
                apus.allow: [192.0.2.9]
                defaultActions: [{type: fixed-response, fixedResponseConfig: {statusCode: 200}}]
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try ApusProcess.command(["check", path], socket: "\(folder)/nobody.sock", folder: folder)
        #expect(result.status == .exited(2) || result.status == .exited(1), "\(result.output)")
        for words in [
            "apus.yaml:3:15: entries[0] must be a network", "Did you mean 192.0.2.0/24, or 192.0.2.1/32",
            "apus.yaml:9:22: apus.allow[0] must be a network",
            "Write 192.0.2.9/32 for this address alone.",
        ] {
            #expect(result.errors.contains(words), "\(words): \(result.errors)")
        }
    }
}
