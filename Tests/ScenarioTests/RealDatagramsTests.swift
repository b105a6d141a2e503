import Foundation
import TestCertificates
import Testing

/// Real clients and servers over UDP: DNS and QUIC.
@Suite struct RealDatagramsTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost"])

    /// A network load balancer with one listener before a program.
    private func start(_ program: PortServer, _ kind: JSON) throws -> ApusProcess {
        var document = Document.datagrams(
            listener: ["protocol": kind, "attributes": ["apus.udp_idle_timeout.seconds": 2]])
        document.groups = [
            Document.Group("blue", program: program, settings: ["protocol": kind, "healthCheckProtocol": "TCP"])
        ]
        return try ApusProcess.start(document)
    }

    private func nameServer() throws -> PortServer {
        try PortServer(label: "dnsmasq") { port, folder in
            [
                try #require(dnsmasq), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                "--user=", "--group=", "--pid-file=\(folder)/pid", "--port=\(port)", "--listen-address=127.0.0.1",
                "--bind-interfaces", "--address=/a.example/192.0.2.1", "--address=/b.example/192.0.2.2",
                "--txt-record=long.example,"
                    + (0..<20).map { "\($0)-" + String(repeating: "x", count: 100) }
                    .joined(separator: ","),
            ]
        }
    }

    private func dig(_ apus: ApusProcess, _ words: String...) throws -> String {
        let command = ["dig", "@127.0.0.1", "-p", "\(apus.port)", "+short", "+time=5", "+tries=1"]
        return try Tool.run(command + words, in: apus.folder)
    }

    @Test(
        "DNS: dig asks dnsmasq through a UDP listener, a thousand times",
        .enabled(if: dnsmasq != nil && hasDig, "dnsmasq and dig are not installed"))
    func names() throws {
        let program = try nameServer()
        let apus = try start(program, "UDP")
        #expect(try dig(apus, "a.example") == "192.0.2.1\n")
        let questions = (0..<1_000).map { $0 % 2 == 0 ? "a.example\n" : "b.example\n" }.joined()
        try Data(questions.utf8).write(to: URL(fileURLWithPath: "\(apus.folder)/questions"))
        let answers = try dig(apus, "-f", "\(apus.folder)/questions")
        #expect(answers == String(repeating: "192.0.2.1\n192.0.2.2\n", count: 500))
        expectMetric(apus, "apus_datagrams_total", is: 2_002)
        expectMetric(apus, "apus_datagrams_dropped_total", is: 0)
        let line = expectFlow(by: apus, "idle_timeout", by: "apus", target: program.address.text)
        #expect(line["type"] == "udp" && line["received_bytes"] != 0 && line["sent_bytes"] != 0)
    }

    /// The answer does not fit into a datagram, so dig repeats the query over TCP, on the same port.
    @Test(
        "DNS: a long answer is fetched over TCP from the same port",
        .enabled(if: dnsmasq != nil && hasDig, "dnsmasq and dig are not installed"))
    func longNames() throws {
        let apus = try start(try nameServer(), "TCP_UDP")
        let told = try dig(apus, "long.example", "TXT", "+bufsize=512")
        #expect(told.contains("\"19-xxxx") && told.contains("\"0-xxxx"), "\(told)")
        #expect(expectFlow(by: apus, "finished", by: "client")["type"] == "tcp")
        expectMetric(apus, "apus_flows_total", "udp", is: 1)
        expectMetric(apus, "apus_flows_total", "tcp", is: 1)
        expectMetric(apus, "apus_datagrams_total", is: 2)
    }

    @Test(
        "QUIC: aioquic moves 1 MB each way in one flow",
        .enabled(if: python != nil, "aioquic is not there: make test installs it"))
    func quic() throws {
        let interpreter = try #require(python)
        let program = try PortServer(label: "quic") { port, _ in
            [
                interpreter, Tool.script("quic"), "target", "\(port)", Self.own.certificatePath,
                Self.own.privateKeyPath,
            ]
        }
        let apus = try start(program, "UDP")
        let command = [interpreter, Tool.script("quic"), "client", "\(apus.port)", Self.authority.own.certificatePath]
        #expect(try Tool.run(command + ["1000000"], in: apus.folder) == "exact\n")
        expectMetric(apus, "apus_flows_total", "udp", is: 1)
        let line = expectFlow(by: apus, "idle_timeout", by: "apus", target: program.address.text)
        #expect(try #require(line["received_bytes"].int) > 1_000_000 && #require(line["sent_bytes"].int) > 1_000_000)
    }

    /// Each of the ten clients has a connection that moves to another port once its handshake is over.
    @Test(
        "QUIC: aioquic's servers are found by their ids, and its clients move",
        .enabled(if: python != nil, "aioquic is not there: make test installs it"))
    func serverIDs() throws {
        let interpreter = try #require(python)
        let ids = ["00000000000000a0", "00000000000000b0"]
        let programs = try ids.map { id in
            try PortServer(label: "quic-\(id)") { port, _ in
                [
                    interpreter, Tool.script("quic"), "target", "\(port)", Self.own.certificatePath,
                    Self.own.privateKeyPath, id,
                ]
            }
        }
        var document = Document.datagrams(
            listener: ["protocol": "QUIC", "attributes": ["apus.udp_idle_timeout.seconds": 2]])
        let targets = zip(programs, ids).map { program, id in
            Document.Address(port: program.address.port, quicServerID: "0x\(id)")
        }
        document.groups = [
            Document.Group("blue", targets, settings: ["protocol": "QUIC", "healthCheckProtocol": "TCP"])
        ]
        let apus = try ApusProcess.start(document)
        let command = [interpreter, Tool.script("quic"), "client", "\(apus.port)", Self.authority.own.certificatePath]
        for _ in 0..<10 { #expect(try Tool.run(command + ["100000", "moves"], in: apus.folder) == "exact\n") }
        withExtendedLifetime(programs) {
            expectMetric(apus, "apus_flows_total", "quic", is: 20)
            expectMetric(apus, "apus_quic_unknown_server_ids_total", is: 0)
            expectMetric(apus, "apus_flows_active", "quic", is: 0)
        }
        let seen = Set(apus.connectionLog.compactMap { $0["target"].string })
        #expect(seen == Set(programs.map(\.address.text)), "both are used")
    }
}

/// Where dnsmasq is.
private let dnsmasq = ["/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq"].first(where: isExecutable)

/// Whether dig is there.
private let hasDig = isExecutable("/usr/bin/dig")

/// The Python environment with aioquic, which Debian lacks; the Makefile creates it.
private let python: String? = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build/python/bin/python3").path
    return isExecutable(path) ? path : nil
}()

private func isExecutable(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }
