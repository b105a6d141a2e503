import TestCertificates
import Testing

/// PROXY headers from trusted networks, which name the client.
@Suite struct ProxyProtocolTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost"])

    /// Attributes of a load balancer that trusts `network`.
    static func trusting(_ network: String = "127.0.0.1/32", seconds: Double? = nil) -> [String: JSON] {
        var attributes: [String: JSON] = ["apus.proxy_protocol.trusted": [.string(network)]]
        if let seconds { attributes["apus.proxy_protocol.timeout_seconds"] = .number(seconds) }
        return attributes
    }

    private static let line = Array("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n".utf8)
    private static let longLine = Array("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n".utf8)

    /// Headers and the client's address in them.
    static let headers: [(bytes: [UInt8], client: String, host: String)] = [
        (line, "203.0.113.7:4711", "203.0.113.7"), (longLine, "[2001:db8::7]:4711", "2001:db8::7"),
        (ProxyBytes.binary(), "203.0.113.7:4711", "203.0.113.7"),
        (ProxyBytes.binary(family: 0x21, ProxyBytes.longAddresses), "[2001:db8::7]:4711", "2001:db8::7"),
        (ProxyBytes.summed(0x21, ProxyBytes.addresses + ProxyBytes.padding), "203.0.113.7:4711", "203.0.113.7"),
    ]

    /// Headers without a client (LOCAL, UNKNOWN): the sender is the client.
    static let nameless: [[UInt8]] = [
        Array("PROXY UNKNOWN\r\n".utf8), Array("PROXY UNKNOWN 2001:db8::7 2001:db8::1 4711 443\r\n".utf8),
        ProxyBytes.binary(0x20), ProxyBytes.binary(0x20, family: 0, []), ProxyBytes.binary(0x21, family: 0, []),
        ProxyBytes.binary(0x20, family: 0, ProxyBytes.padding),
        ProxyBytes.summed(0x21, family: 0x31, [UInt8](repeating: 0x61, count: 216)),
    ]

    /// Invalid headers and their reason codes.
    static let wrong: [(bytes: [UInt8], reason: String)] = [
        (Array("GET / HTTP/1.1\r\nHost: a.b\r\n\r\n".utf8), "ProxyHeaderMissing"),
        ([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], "ProxyHeaderMissing"),
        (Array(ProxyBytes.signature.dropLast()) + [0x0B], "ProxyHeaderMissing"),
        (Array("PROXY UNKNOWN \(String(repeating: "x", count: 120))\r\n".utf8), "ProxyHeaderTooLong"),
        (ProxyBytes.binary(length: 4_097), "ProxyHeaderTooLong"),
        (Array("PROXY TCP5 203.0.113.7 192.0.2.1 4711 443\r\n".utf8), "ProxyHeaderBadLine"),
        (Array("PROXY TCP4 203.0.113.777 192.0.2.1 4711 443\r\n".utf8), "ProxyHeaderBadAddress"),
        (Array("PROXY TCP4 203.0.113.7 192.0.2.1 4711 65536\r\n".utf8), "ProxyHeaderBadPort"),
        (ProxyBytes.binary(0x31), "ProxyHeaderUnknownVersion"),
        (ProxyBytes.binary(0x22), "ProxyHeaderUnknownCommand"),
        (ProxyBytes.binary(family: 0x41), "ProxyHeaderUnknownFamily"),
        (ProxyBytes.binary(family: 0x21), "ProxyHeaderTooShort"),
        (ProxyBytes.binary(0x21, ProxyBytes.addresses + [4, 0, 9, 1]), "ProxyHeaderBadExtension"),
        (ProxyBytes.summed(isRight: false), "ProxyHeaderBadChecksum"),
    ]

    /// What a client sends byte by byte.
    private func trickle(_ bytes: [UInt8], to client: RawClient) throws {
        for byte in bytes { try client.send([byte]) }
    }

    // MARK: TCP

    @Test("TCP: a header of either version names the client, and the target gets what follows it")
    func names() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(.network(target, attributes: Self.trusting()))
        for (index, header) in Self.headers.enumerated() {
            for isSlow in [false, true] {
                let client = try apus.client()
                let payload = "payload \(index) \(isSlow)"
                if isSlow {
                    try trickle(header.bytes + Array(payload.utf8), to: client)
                } else {
                    try client.send(header.bytes + Array(payload.utf8))
                }
                var echo = ""
                while echo.utf8.count < payload.utf8.count, case let more = client.text(), more != "silence" {
                    echo += more
                }
                #expect(echo == payload)
                client.endWriting()
                #expect(client.ended())
                let count = 2 * index + (isSlow ? 1 : 0)
                let line = expectFlow(by: apus, "finished", by: "client", client: header.client, after: count)
                #expect(line["target"].string == target.address.text)
                #expect(line["listener"].string == "127.0.0.1:\(apus.port)", "the address it really connected to")
                #expect(line["received_bytes"].int == payload.utf8.count)
                #expect(apus.connectionLog.count == count + 1)
                #expect(target.connections.last?.received == Array(payload.utf8))
            }
        }
        #expect(try apus.metric("apus_client_connections_rejected_total") == 0)
        #expect(try apus.metric("apus_flows_rejected_total") == 0)
    }

    @Test("TCP: with a header without a client, the client is the sender of the connection")
    func namesNobody() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(.network(target, attributes: Self.trusting()))
        for (index, header) in Self.nameless.enumerated() {
            let client = try apus.client()
            try client.send(header + Array("x".utf8))
            #expect(client.text() == "x", "header \(index)")
            client.endWriting()
            #expect(client.ended())
            let own = "127.0.0.1:\(try client.socket.localPort())"
            expectFlow(by: apus, "finished", by: "client", target: target.address.text, client: own, after: index)
        }
    }

    @Test("TCP: data of a target that speaks first arrives after the header, and not before")
    func targetFirst() throws {
        let target = try StreamTarget(script: StreamTarget.naming("welcome"))
        let apus = try ApusProcess.start(.network(target, attributes: Self.trusting()))
        let client = try apus.client()
        try client.send(Array(Self.line.dropLast()))
        #expect(client.text(within: 0.3) == "silence")
        #expect(try apus.metric("apus_target_connections_active") == 0)
        try client.send("\n")
        #expect(client.text() == "welcome")
        client.reset()
        expectFlow(by: apus, "reset", by: "client")
    }

    @Test("TCP: an invalid header is rejected with a reason code, and no target is connected")
    func refuses() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(.network(target, attributes: Self.trusting()))
        for (index, (bytes, reason)) in Self.wrong.enumerated() {
            let client = try apus.client()
            try client.send(bytes)
            let arrival = client.socket.read(by: .after(10))
            #expect(arrival == .reset, "\(reason): \(arrival)")
            let line = expectFlow(by: apus, "proxy_header", by: "client", after: index)
            #expect(line["reason"].string == reason)
            #expect(line["target"] == .null)
        }
        #expect(target.connections.isEmpty)
        let count = Double(Self.wrong.count)
        #expect(try apus.metric("apus_flows_rejected_total", "tcp") == count)
        #expect(try apus.metric("apus_flow_endings_total", "proxy_header") == count)
        #expect(try apus.metric("apus_flows_active") == 0)
    }

    @Test("TCP: an incomplete and a late header are rejected")
    func cutAndLate() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(.network(target, attributes: Self.trusting(seconds: 0.3)))
        let cut = [[], Array(Self.line.prefix(20)), Array(ProxyBytes.binary().prefix(14))]
        for (index, header) in cut.enumerated() {
            let client = try apus.client()
            try client.send(header)
            client.endWriting()
            #expect(client.ended())
            let line = expectFlow(by: apus, "proxy_header", by: "client", after: index)
            #expect(line["reason"].string == "ProxyHeaderCut")
        }
        for (index, header) in [[], Array(Self.line.prefix(20)), ProxyBytes.signature].enumerated() {
            let late = try apus.client()
            try late.send(header)
            #expect(late.socket.read(by: .after(10)) == .reset)
            let line = expectFlow(by: apus, "proxy_header", by: "apus", after: cut.count + index)
            #expect(line["reason"].string == "timeout")
            #expect(try #require(line["duration"].number) >= 0.3)
        }
        let inTime = try apus.client()
        try inTime.send(Self.line)
        #expect(always(for: 0.5) { !inTime.ended(within: 0.01) }, "the timeout is for the header only")
        #expect(try apus.metric("apus_flow_endings_total", "proxy_header") == 6)
    }

    @Test("Connections from networks that are not trusted are rejected and counted, on TCP and HTTP")
    func untrusted() throws {
        let stream = try StreamTarget()
        let apus = try ApusProcess.start(.network(stream, attributes: Self.trusting("10.0.0.0/8")))
        let server = try TargetServer()
        let web = try ApusProcess.start(Document(server, attributes: Self.trusting("10.0.0.0/8")))
        for apus in [apus, web] {
            let client = try apus.client()
            try? client.send(Self.line + Array("GET / HTTP/1.1\r\nHost: a.b\r\n\r\n".utf8))
            #expect(client.ended())
            #expect(try apus.metric("apus_client_connections_rejected_total", #"reason="untrusted_network""#) == 1)
            #expect(try apus.metric("apus_client_connections_accepted_total") == 0)
        }
        #expect(try apus.metric("apus_flows_rejected_total", "tcp") == 1)
        #expect(try web.metric("apus_flows_rejected_total") == 0)
        #expect(stream.connections.isEmpty)
        #expect(server.requests.isEmpty)
        #expect(apus.connectionLog.isEmpty)
    }

    // MARK: HTTP

    @Test("HTTP: X-Forwarded-For and the access log have the header's client, for all requests of a connection")
    func namesForHTTP() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target, attributes: Self.trusting()))
        for (index, header) in Self.headers.enumerated() {
            for isSlow in [false, true] {
                let path = "/named-\(index)-\(isSlow)"
                let request = Array("GET \(path) HTTP/1.1\r\nHost: a.b\r\n\r\n".utf8)
                let client = try apus.client()
                if isSlow {
                    try trickle(header.bytes + request, to: client)
                } else {
                    try client.send(header.bytes + request)
                }
                #expect(try client.response().status == 200)
                #expect(try client.get(path + "-again").status == 200)
                for path in [path, path + "-again"] {
                    let forwarded = target.requests.last { $0.target == path }?["x-forwarded-for"]
                    #expect(forwarded == header.host)
                    let line = expectLogged(by: apus, path + " ", status: 200, targetStatus: 200)
                    #expect(line?.client == header.client)
                }
            }
        }
        let client = try apus.client()
        try client.send(Self.nameless[0])
        #expect(try client.get("/nobody").status == 200)
        #expect(target.requests.first { $0.target == "/nobody" }?["x-forwarded-for"] == "127.0.0.1")
    }

    @Test("HTTP: an invalid, incomplete or late header ends the connection without a response, and is counted")
    func refusesForHTTP() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target, attributes: Self.trusting(seconds: 0.3)))
        var count = 0.0
        func expectRefused(_ comment: String, _ act: (RawClient) throws -> Void) throws {
            let client = try apus.client()
            try act(client)
            let arrival = client.socket.read(by: .after(10))
            #expect(arrival == .endOfStream || arrival == .reset, "\(comment): \(arrival)")
            count += 1
            #expect(
                try eventually {
                    try apus.metric("apus_client_connections_rejected_total", #"reason="proxy_header""#) == count
                }, "\(comment)")
        }
        for (bytes, reason) in Self.wrong { try expectRefused(reason) { try $0.send(bytes) } }
        try expectRefused("cut") {
            try $0.send(Array(Self.line.prefix(20)))
            $0.endWriting()
        }
        try expectRefused("late") { try $0.send(Array(Self.line.prefix(20))) }
        #expect(target.requests.isEmpty)
        #expect(apus.accessLog.isEmpty)
        #expect(try apus.metric("apus_client_connections_active") == 0)
    }

    // MARK: TLS

    private func tls(_ apus: ApusProcess, _ header: [UInt8], how: String, _ text: String) throws -> String {
        let hexadecimal = header.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return try Tool.run(
            [
                Tool.python, Tool.script("flow_client"), "\(apus.port)", Self.authority.own.certificatePath,
                "localhost", how, hexadecimal, text,
            ], in: apus.folder)
    }

    @Test("HTTPS: the header comes before TLS, in one segment with the ClientHello or byte by byte")
    func beforeTLS() throws {
        let target = try TargetServer()
        var document = Document(target, attributes: Self.trusting())
        document.listeners[0].certificates = [Self.own]
        let apus = try ApusProcess.start(document)
        for (index, header) in Self.headers.enumerated() {
            let how = index % 2 == 0 ? "once" : "bytes"
            let told = try tls(
                apus, header.bytes, how: how, #"GET /\#(how)-\#(index) HTTP/1.1\r\nHost: localhost\r\n\r\n"#)
            #expect(told.hasPrefix("subject localhost\nHTTP/1.1 200"), "\(told)")
            let request = target.requests.first { $0.target == "/\(how)-\(index)" }
            #expect(request?["x-forwarded-for"] == header.host)
            #expect(eventually { apus.accessLog.contains { $0.client == header.client && $0.kind == "https" } })
        }
    }

    @Test("TLS listeners too, and the log has the server name")
    func beforeTLSOfFlows() throws {
        let target = try StreamTarget()
        var document = Document.network(target, listener: ["protocol": "TLS"], attributes: Self.trusting())
        document.listeners[0].certificates = [Self.own]
        let apus = try ApusProcess.start(document)
        for (index, how) in ["once", "bytes"].enumerated() {
            #expect(try tls(apus, ProxyBytes.binary(), how: how, how) == "subject localhost\n\(how)\n")
            let line = expectFlow(by: apus, "finished", by: "client", client: "203.0.113.7:4711", after: index)
            #expect(line["type"].string == "tls")
            #expect(line["server_name"].string == "localhost")
        }
        #expect(try apus.metric("apus_client_tls_handshakes_total") == 2)
    }
}
