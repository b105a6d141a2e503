import Foundation
import TestCertificates
import Testing

/// QUIC listeners: datagrams find their target by the server id in their connection ID, from wherever they come.
@Suite struct QUICTests {
    static let ids = ["0x00000000000000a0", "0x00000000000000b0"]

    /// A packet with a short header: what a client sends once the handshake is over.
    static func packet(_ id: UInt8, _ text: String = "") -> [UInt8] {
        [0x40, 0, 0, 0, 0, 0, 0, 0, 0, id, 1, 2, 3, 4, 5, 6, 7] + Array(text.utf8)
    }

    /// A packet with a long header, as of a handshake, with this connection ID; random without one.
    static func handshake(_ connectionID: [UInt8]? = nil) -> [UInt8] {
        let connectionID = connectionID ?? (0..<8).map { _ in UInt8.random(in: 0...255) }
        return [0xC0, 0, 0, 0, 1, UInt8(connectionID.count)] + connectionID + [0, 0]
    }

    /// Two targets that answer with their names, a and b.
    private func start(
        listener: [String: JSON] = [:], group: [String: JSON] = [:], settings: [String: JSON] = [:], workers: Int = 4
    ) throws -> (ApusProcess, [DatagramTarget]) {
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        var document = Document.datagrams(listener: ["protocol": "QUIC"].merging(listener) { $1 })
        let all: [String: JSON] = ["protocol": "QUIC", "healthCheckProtocol": "TCP"]
        document.groups = [
            Document.Group(
                "blue", datagrams: targets, attributes: group, settings: all.merging(settings) { $1 })
        ]
        for (index, id) in Self.ids.enumerated() { document.groups[0].targets[index].quicServerID = id }
        document.runtime["workers"] = JSON(workers)
        return (try ApusProcess.start(document), targets)
    }

    private func ask(_ client: DatagramEnd, _ packet: [UInt8]) throws -> String? {
        try client.send(packet)
        return client.receive()?.text
    }

    @Test("The server id finds the target, from any address and on any worker")
    func serverID() throws {
        let (apus, _) = try start()
        for _ in 0..<20 {
            let client = try DatagramEnd(to: apus)
            #expect(try ask(client, Self.packet(0xA0)) == "a")
            #expect(try ask(client, Self.packet(0xB0)) == "b", "a second connection of the same socket")
            #expect(try ask(client, Self.packet(0xA0)) == "a")
            #expect(try ask(client, Self.handshake([0, 0, 0, 0, 0, 0, 0, 0, 0xB0, 1, 2])) == "b")
        }
        expectMetric(apus, "apus_flows_total", "quic", is: 40)
        expectMetric(apus, "apus_flows_active", "quic", is: 40)
        expectMetric(apus, "apus_flows_total", "udp", is: 0)
        expectMetric(apus, "apus_datagrams_total", is: 160)
        expectMetric(apus, "apus_datagrams_dropped_total", is: 0)
    }

    @Test("A handshake is spread by its addresses, and stays one flow when the client learns the server id")
    func handshakes() throws {
        let (apus, targets) = try start(listener: ["attributes": ["apus.udp_idle_timeout.seconds": 2]])
        var seen: [String: Int] = [:]
        for _ in 0..<30 {
            let client = try DatagramEnd(to: apus)
            let name = try #require(try ask(client, Self.handshake()))
            seen[name, default: 0] += 1
            // Its first packet once more, with another connection ID, one that is too short for a server id, and then
            // packets that have it.
            let id: UInt8 = name == "a" ? 0xA0 : 0xB0
            for packet in [
                Self.handshake(), Self.handshake([1, 2]), Self.handshake([0, 0, 0, 0, 0, 0, 0, 0, id]), Self.packet(id),
                Self.handshake(),
            ] { #expect(try ask(client, packet) == name) }
        }
        #expect(seen.count == 2, "\(seen)")
        expectMetric(apus, "apus_flows_total", "quic", is: 30)
        let sources = targets.flatMap(\.arrivals).map(\.source)
        #expect(sources.count == 180 && Set(sources).count == 30, "the target sees one address for each client")
        let line = expectFlow(by: apus, "idle_timeout", by: "apus")
        #expect(line["type"] == "quic" && line["sent_bytes"] == 6, "\(line.text)")
        expectMetric(apus, "apus_flows_active", "quic", is: 0)
    }

    @Test("What has an unknown server id, or none, is dropped and counted")
    func unknown() throws {
        let (apus, targets) = try start()
        let client = try DatagramEnd(to: apus)
        #expect(try ask(client, Self.packet(0xA0)) == "a")
        for packet in [Self.packet(0xC0), Self.packet(0xC0, "x"), [0x40, 0, 0], [], [0xC0, 0, 0, 0, 0, 0]] {
            try client.send(packet)
        }
        #expect(try ask(client, Self.packet(0xB0)) == "b")
        #expect(targets.map(\.arrivals.count) == [1, 1])
        expectMetric(apus, "apus_quic_unknown_server_ids_total", is: 2)
        expectMetric(apus, "apus_datagrams_dropped_total", is: 5)
    }

    /// Many datagrams of two connections come in one piece from one client, and are told apart.
    @Test("Datagrams that are sent in one call keep their targets")
    func joined() throws {
        let (apus, targets) = try start()
        let client = try DatagramEnd(to: apus)
        let packets = (0..<30).map { Self.packet($0 % 3 == 0 ? 0xA0 : 0xB0, String(UnicodeScalar(65 + UInt8($0)))) }
        try client.send(packets.flatMap(\.self), segment: Int32(packets[0].count))
        #expect(eventually { targets.map(\.arrivals.count) == [10, 20] })
        for (target, id) in zip(targets, [UInt8(0xA0), 0xB0]) {
            #expect(target.arrivals.map(\.bytes) == packets.filter { $0[9] == id })
        }
    }

    @Test("A target that drains keeps its connections, also of clients that move, until the delay is over")
    func draining() throws {
        let (apus, targets) = try start(group: ["deregistration_delay.timeout_seconds": 3])
        let clients = try (0..<8).map { _ in try DatagramEnd(to: apus) }
        for client in clients { #expect(try ask(client, Self.packet(0xA0)) == "a") }
        let body: JSON = ["targets": [targets[0].address.json], "wait": true]
        let waiting = Background { try apus.admin("POST", "/v1/target-groups/blue/deregister", body, timeout: 60) }
        #expect(apus.target(targets[0].address, becomes: "draining"))
        let moved = try (0..<8).map { _ in try DatagramEnd(to: apus) }
        for client in clients + moved { #expect(try ask(client, Self.packet(0xA0)) == "a") }
        for _ in 0..<10 { #expect(try ask(DatagramEnd(to: apus), Self.handshake()) == "b", "new ones go elsewhere") }
        let drained = try waiting.value().json["targets"][0]
        #expect(drained["cut"] == 16 && drained["finished"] == 0, "\(drained.text)")
        #expect(try #require(drained["seconds"].number) >= 3)
        try clients[0].send(Self.packet(0xA0))
        expectMetric(apus, "apus_quic_unknown_server_ids_total", is: 1)
        expectMetric(apus, "apus_flow_endings_total", "deregistration", is: 16)
        #expect(expectFlow(by: apus, "deregistration", by: "apus")["type"] == "quic")
    }

    @Test("A target that nobody uses drains for the whole delay too, since silent connections may come back")
    func silentDraining() throws {
        let (apus, targets) = try start(group: ["deregistration_delay.timeout_seconds": 2])
        let body: JSON = ["targets": [targets[0].address.json]]
        _ = try apus.admin("POST", "/v1/target-groups/blue/deregister", body)
        #expect(try ask(DatagramEnd(to: apus), Self.packet(0xA0)) == "a")
        #expect(try eventually(within: 20) { try apus.states(of: "blue").count == 1 })
        try DatagramEnd(to: apus).send(Self.packet(0xA0))
        expectMetric(apus, "apus_quic_unknown_server_ids_total", is: 1)
    }

    @Test("An unhealthy target keeps its connections, and gets no handshake")
    func unhealthy() throws {
        let (apus, targets) = try start(settings: ["unhealthyThresholdCount": 1])
        targets[0].stream.stop()
        #expect(apus.target(targets[0].address, becomes: "unhealthy"))
        for _ in 0..<10 { #expect(try ask(DatagramEnd(to: apus), Self.handshake()) == "b") }
        #expect(try ask(DatagramEnd(to: apus), Self.packet(0xA0)) == "a")
    }

    @Test("Targets are registered with their server ids over the socket, and shown with them")
    func registration() throws {
        let (apus, targets) = try start()
        let third = try DatagramTarget.naming("c")
        let name = third.address.text
        let missing = try apus.command("targets", "register", "blue", name)
        #expect(missing.status == .exited(1) && missing.errors.contains("must have the key quicServerId"))
        let taken = try apus.command("targets", "register", "blue", name, "--quic-server-id", Self.ids[0])
        #expect(taken.errors.contains("quicServerId must be unique among the targets of a listener"), "\(taken.errors)")
        let other = try apus.command(
            "targets", "register", "blue", targets[0].address.text, "--quic-server-id", "0x00000000000000c0")
        #expect(other.errors.contains("must stay \(Self.ids[0])"), "\(other.errors)")
        let bad = try apus.command("targets", "register", "blue", name, "--quic-server-id", "7")
        #expect(bad.errors.contains("--quic-server-id must be 0x and 16 hexadecimal digits"), "\(bad.errors)")
        let done = try apus.command(
            "targets", "register", "blue", name, "--quic-server-id", "0x00000000000000c0", "--wait")
        #expect(done.status == .exited(0), "\(done.errors)")
        #expect(try ask(DatagramEnd(to: apus), Self.packet(0xC0)) == "c")
        let shown = try apus.admin("GET", "/v1/target-groups/blue/targets").json["targetHealthDescriptions"]
        #expect(shown.text.contains("0x00000000000000c0"))
    }

    @Test("TCP_QUIC: connections and QUIC on one port")
    func both() throws {
        let (apus, targets) = try start(listener: ["protocol": "TCP_QUIC"], settings: ["protocol": "TCP_QUIC"])
        #expect(try ask(DatagramEnd(to: apus), Self.packet(0xB0)) == "b")
        let client = try apus.client()
        try client.send("hello")
        expectMetric(apus, "apus_flows_total", "tcp", is: 1)
        expectMetric(apus, "apus_flows_total", "quic", is: 1)
        #expect(eventually { targets.flatMap(\.stream.connections).contains { $0.received == Array("hello".utf8) } })
    }

    @Test("A listener becomes one of QUIC by a reload")
    func reload() throws {
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        var document = Document.datagrams(targets[0], targets[1])
        let apus = try ApusProcess.start(document)
        #expect(try DatagramEnd(to: apus).ask("who") != nil)
        document.listeners[0].settings["protocol"] = "QUIC"
        document.groups[0].settings["protocol"] = "QUIC"
        for (index, id) in Self.ids.enumerated() { document.groups[0].targets[index].quicServerID = id }
        try apus.write(document)
        let done = try apus.command("reload")
        #expect(done.status == .exited(0), "\(done.errors)")
        #expect(try eventually { try ask(DatagramEnd(to: apus), Self.packet(0xB0)) == "b" })
        #expect(try ask(DatagramEnd(to: apus), Self.packet(0xA0)) == "a")
    }
}
