import Foundation
import Glibc
import Testing

/// The flow table at its limit: which flow is evicted, and which are not affected by a flood.
@Suite struct DatagramTableTests {
    /// A load balancer with a limit of `connections` flows, and an echo target.
    private func start(_ target: DatagramTarget, connections: Int) throws -> ApusProcess {
        var document = Document.datagrams(target)
        document.runtime = ["workers": 1, "connections": JSON(connections)]
        return try ApusProcess.start(document)
    }

    @Test("At the limit the most idle unverified flow is evicted, counted and logged")
    func idlestGoes() throws {
        let apus = try start(try DatagramTarget(), connections: 8)
        let clients = try (0..<8).map { _ in try DatagramEnd(to: apus) }
        for client in clients { #expect(try client.ask("x") == "x") }
        // The third flow is verified; the first has been used since.
        #expect(try clients[2].ask("y") == "y")
        expectMetric(apus, "apus_flows_evicted_total", is: 0)
        for (number, expected) in [(1, 0), (2, 1), (3, 3)] {
            #expect(try DatagramEnd(to: apus).ask("new") == "new")
            #expect(eventually { apus.connectionLog.count == number })
            let line = try #require(apus.connectionLog.last)
            #expect(line["ended"] == "memory" && line["ended_by"] == "apus", "\(line.text)")
            #expect(line["client"].string == "127.0.0.1:\(clients[expected].port)", "\(number)")
        }
        expectMetric(apus, "apus_flows_evicted_total", is: 3)
        expectMetric(apus, "apus_flow_endings_total", "memory", is: 3)
        expectMetric(apus, "apus_flows_active", "udp", is: 8)
        expectMetric(apus, "apus_flows_total", "udp", is: 11)
        #expect(try clients[0].ask("back") == "back", "an evicted client returns as a new flow")
        expectMetric(apus, "apus_flows_total", "udp", is: 12)
    }

    @Test("Thousands of flows of one datagram do not affect verified flows")
    func establishedStay() throws {
        let target = try DatagramTarget()
        let apus = try start(target, connections: 64)
        let clients = try (0..<20).map { _ in try DatagramEnd(to: apus) }
        for round in 0..<2 {
            for client in clients { #expect(try client.ask("\(round)") == "\(round)") }
        }
        for round in 0..<60 {
            for _ in 0..<50 { try #require(try DatagramEnd(to: apus).ask("once") == "once") }
            for client in clients { try #require(try client.ask("\(round)") == "\(round)") }
        }
        let established = Set(target.arrivals.filter { $0.text != "once" }.map(\.source))
        #expect(established.count == 20, "each has kept its flow")
        // A few ports were reused while their flow still existed.
        let flows = Int(try apus.metric("apus_flows_total", "udp"))
        #expect((2_900...3_020).contains(flows))
        #expect(try Int(apus.metric("apus_flows_evicted_total")) == flows - 64)
        expectMetric(apus, "apus_flows_active", "udp", is: 64)
        expectMetric(apus, "apus_flows_rejected_total", "udp", is: 0)
        expectMetric(apus, "apus_datagrams_dropped_total", is: 0)
        let own = Set(clients.map { "127.0.0.1:\($0.port)" })
        #expect(eventually { apus.connectionLog.count == flows - 64 })
        #expect(!apus.connectionLog.contains { own.contains($0["client"].string ?? "") })
    }

    @Test("When all flows are verified the most idle one is evicted")
    func allEstablished() throws {
        let apus = try start(try DatagramTarget(), connections: 4)
        let clients = try (0..<4).map { _ in try DatagramEnd(to: apus) }
        for client in clients + clients.reversed() { #expect(try client.ask("x") == "x") }
        #expect(try DatagramEnd(to: apus).ask("new") == "new")
        let line = expectFlow(by: apus, "memory", by: "apus")
        #expect(line["client"].string == "127.0.0.1:\(clients[3].port)")
    }

    @Test("A table full of unverified flows does not block another listener, by TCP or UDP")
    func othersHaveRoom() throws {
        let target = try DatagramTarget()
        var document = Document.datagrams(target, settings: ["protocol": "TCP_UDP"])
        for name in ["TCP", "UDP"] {
            document.listeners.append(
                .init(defaultAction: Document.forward("blue"), settings: ["protocol": .string(name)]))
        }
        document.runtime = ["workers": 1, "connections": 16]
        let apus = try ApusProcess.start(document)
        for _ in 0..<40 { #expect(try DatagramEnd(to: apus).ask("x") == "x") }
        let other = try DatagramEnd(to: apus, port: apus.ports[2])
        for _ in 0..<2 { #expect(try other.ask("by datagram") == "by datagram") }
        let connections = try (0..<8).map { _ in try RawClient(port: apus.ports[1]) }
        for connection in connections {
            try connection.send("by connection")
            #expect(connection.wire.receives("by connection"))
        }
        for _ in 0..<40 { #expect(try DatagramEnd(to: apus).ask("x") == "x") }
        #expect(try other.ask("by datagram") == "by datagram")
        expectMetric(apus, "apus_client_connections_rejected_total", is: 0)
        expectMetric(apus, "apus_flows_rejected_total", is: 0)
        expectMetric(apus, "apus_flows_active", "tcp", is: 8)
        expectMetric(apus, "apus_flows_active", "udp", is: 8)
        let own = "127.0.0.1:\(other.port)"
        #expect(apus.connectionLog.allSatisfy { $0["client"].string != own })
    }

    @Test("A table full of verified flows rejects connections, and counts them")
    func noRoom() throws {
        var document = Document.datagrams(
            try DatagramTarget(), listener: ["protocol": "TCP_UDP"], settings: ["protocol": "TCP_UDP"])
        document.runtime = ["workers": 1, "connections": 4]
        let apus = try ApusProcess.start(document)
        let clients = try (0..<4).map { _ in try DatagramEnd(to: apus) }
        for client in clients + clients { #expect(try client.ask("x") == "x") }
        #expect(try apus.client().ended())
        expectMetric(apus, "apus_client_connections_rejected_total", "limit", is: 1)
        for client in clients { #expect(try client.ask("x") == "x") }
        expectMetric(apus, "apus_flows_total", "udp", is: 4)
    }

    /// A flood with spoofed source addresses at a higher rate than can be served; a real client loses nothing.
    ///
    /// In network namespaces: Apus and its target are in one, the flood and the client in another.
    @Test(
        "A flood from spoofed addresses costs a verified flow no datagram, and memory stays small",
        .enabled(if: Networks.areAllowed, "network namespaces cannot be made here"))
    func flood() throws {
        let networks = try Networks()
        // The replies to all spoofed addresses are routed back to the other namespace.
        _ = try networks.run(in: .apus, ["ip", "route", "add", "default", "via", "10.1.0.2"])
        let target = try PortServer.python("datagram_target", in: networks.namespace(.apus))
        var document = Document.datagrams()
        document.groups = [Document.Group("blue", program: target, settings: ["protocol": "UDP"])]
        document.addresses = ["10.1.0.1"]
        document.runtime = ["workers": 1, "connections": 2_000]
        let apus = try ApusProcess.start(document, namespace: networks.namespace(.apus))
        let told = try networks.run(
            in: .client, [Tool.python, Tool.script("datagram_flood"), "10.1.0.1", "\(apus.port)", "60000", "1000"])
        let seen = JSON(parsing: Array(told.utf8))
        #expect(seen["flood"] == 60_000)
        #expect(seen["asked"] == 1_000 && seen["answered"] == 1_000, "\(told)")
        let flows = try apus.metric("apus_flows_total", "udp")
        #expect(flows > 10_000, "the flood reached Apus")
        #expect(try apus.metric("apus_flows_active", "udp") <= 2_000)
        #expect(try apus.metric("apus_flows_evicted_total") == flows - apus.metric("apus_flows_active", "udp"))
        #expect(apus.process.descriptorsCount < 2_200)
        try expectResident(apus, below: 120 << 20)
        let own = try #require(seen["client"].string)
        // Tens of thousands of lines: too many to be read as JSON.
        let log = try String(contentsOfFile: "\(apus.folder)/connection.log", encoding: .utf8)
        #expect(log.contains("\"ended\":\"memory\"") && !log.contains("\"\(own)\""), "the client's flow still exists")
    }
}
