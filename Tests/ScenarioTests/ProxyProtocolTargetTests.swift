import TestCertificates
import Testing

/// PROXY headers to targets: `proxy_protocol_v2.enabled`.
@Suite struct ProxyProtocolTargetTests {
    private static let attributes: [String: JSON] = ["proxy_protocol_v2.enabled": true]
    /// Health checks use another port, so that all bytes are from clients.
    private static func checked(_ elsewhere: StreamTarget) -> [String: JSON] {
        ["healthCheckPort": JSON(elsewhere.port)]
    }

    @Test("The first bytes are a header with both addresses and a valid checksum, before what the client sends")
    func toTargets() throws {
        let elsewhere = try StreamTarget()
        let target = try StreamTarget()
        let apus = try ApusProcess.start(
            .network(target, group: Self.attributes, settings: Self.checked(elsewhere)))
        let client = try apus.client(source: "127.0.0.77")
        try client.send("payload")
        let connection = try #require(
            eventually { target.connections.first { ProxyBytes.read($0.received)?.rest.count == 7 } })
        let header = try #require(ProxyBytes.read(connection.received))
        #expect(header.command == 0x21)
        #expect(header.family == 0x11)
        #expect(header.client == "127.0.0.77:\(try client.socket.localPort())")
        #expect(header.listener == "127.0.0.1:\(apus.port)")
        #expect(header.isSummed)
        #expect(header.rest == Array("payload".utf8))
        client.reset()
        let line = expectFlow(by: apus, "reset", by: "client", target: target.address.text)
        #expect(line["received_bytes"].int == 7, "the header is not the client's")
    }

    @Test("A target that speaks first gets the header although the client is silent")
    func silentClient() throws {
        let elsewhere = try StreamTarget()
        let target = try StreamTarget { connection in
            guard connection.read(upTo: 35) else { return }
            connection.send(Array("welcome".utf8))
            while case .bytes = connection.read() {}
        }
        let apus = try ApusProcess.start(
            .network(target, group: Self.attributes, settings: Self.checked(elsewhere)))
        let client = try apus.client()
        #expect(client.text() == "welcome")
        #expect(target.connections.first?.received.count == 35, "12 bytes of addresses and 7 of the checksum")
        client.endWriting()
        #expect(client.ended())
        expectFlow(by: apus, "finished", by: "client")
    }

    @Test("Health checks send a LOCAL header too, for TCP and for HTTP")
    func checks() throws {
        let target = try StreamTarget { connection in
            while case .bytes = connection.read() {}
        }
        let apus = try ApusProcess.start(.network(target, group: Self.attributes))
        let check = try #require(eventually { target.connections.first { ProxyBytes.read($0.received) != nil } })
        #expect(
            ProxyBytes.read(check.received)
                == ProxyBytes.Header(command: 0x20, family: 0, addresses: [], isSummed: true, rest: []))
        #expect(try apus.states(of: "blue").values.allSatisfy { $0 == "healthy" })

        let web = try StreamTarget { connection in
            while case .bytes = connection.read() {
                guard let header = ProxyBytes.read(connection.received), header.rest.suffix(4) == [13, 10, 13, 10]
                else { continue }
                connection.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))
                return
            }
        }
        let other = try ApusProcess.start(
            .network(web, group: Self.attributes, settings: ["healthCheckProtocol": "HTTP"]))
        #expect(other.target(web.address, becomes: "healthy"))
        let header = try #require(web.connections.first.flatMap { ProxyBytes.read($0.received) })
        #expect(header.command == 0x20)
        #expect(header.isSummed)
        #expect(String(decoding: header.rest, as: UTF8.self).hasPrefix("GET /health HTTP/1.1\r\n"))
    }

    @Test("TLS targets get it before the ClientHello, from TCP and from TLS listeners")
    func beforeTLS() throws {
        let own = ProxyProtocolTests.own
        for isTLS in [false, true] {
            let program = try PortServer.python(
                "flow_target", own.certificatePath, own.privateKeyPath, "secure", "header")
            var document = Document.network(listener: ["protocol": isTLS ? "TLS" : "TCP"])
            document.listeners[0].certificates = isTLS ? [own] : []
            document.groups = [
                .init(
                    "blue", program: program, attributes: Self.attributes,
                    settings: ["protocol": isTLS ? "TLS" : "TCP", "healthCheckProtocol": "TCP"])
            ]
            let apus = try ApusProcess.start(document)
            #expect(apus.target(program.address, becomes: "healthy"))
            let told = try Tool.run(
                [
                    Tool.python, Tool.script("flow_client"), "\(apus.port)",
                    ProxyProtocolTests.authority.own.certificatePath, "localhost", "once", "-", "payload",
                ], in: apus.folder)
            #expect(told.hasPrefix("subject localhost\n"), "\(told)")
            let words = told.split(whereSeparator: \.isWhitespace)
            try #require(words.count == 4, "\(told)")
            let header = try #require(ProxyBytes.read(bytes(words[2])))
            #expect(words[3] == "payload")
            let line = expectFlow(by: apus, "finished", by: "client", target: program.address.text)
            #expect(header.client == line["client"].string)
            #expect(header.listener == "127.0.0.1:\(apus.port)")
            #expect(header.isSummed)
            #expect(header.rest.isEmpty)
        }
    }

    private func bytes(_ hexadecimal: Substring) -> [UInt8] {
        let digits = hexadecimal.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }

    @Test("Chain: the addresses in the client's header are sent to the target, IPv4 and IPv6")
    func chain() throws {
        let elsewhere = try StreamTarget()
        let target = try StreamTarget()
        let apus = try ApusProcess.start(
            .network(
                target, attributes: ProxyProtocolTests.trusting(), group: Self.attributes,
                settings: Self.checked(elsewhere)))
        func header(behind bytes: [UInt8], _ text: String) throws -> ProxyBytes.Header {
            let client = try apus.client()
            try client.send(bytes + Array(text.utf8))
            defer { client.reset() }
            let found = eventually {
                target.connections.lazy.compactMap { ProxyBytes.read($0.received) }
                    .first { $0.rest == Array(text.utf8) }
            }
            return try #require(found)
        }
        let short = try header(behind: ProxyBytes.binary(), "four")
        #expect(short.addresses == ProxyBytes.addresses)
        #expect(short.isSummed)
        let long = try header(behind: ProxyBytes.binary(family: 0x21, ProxyBytes.longAddresses), "six")
        #expect(long.family == 0x21)
        #expect(long.addresses == ProxyBytes.longAddresses)
        #expect(long.isSummed)
        let nobody = try header(behind: ProxyBytes.binary(0x20, family: 0, []), "nobody")
        #expect(nobody.listener == "127.0.0.1:\(apus.port)")
        #expect(nobody.client.hasPrefix("127.0.0.1:"))
        expectFlow(by: apus, "reset", by: "client", target: target.address.text)
    }
}
