import Foundation
import Testing

/// UDP through a network load balancer: each flow to one target, every datagram unaltered in both directions.
@Suite struct DatagramTests {
    /// How many of the new clients each target has answered.
    private func answers(_ apus: ApusProcess, clients: Int) throws -> [String: Int] {
        let clients = try (0..<clients).map { _ in try DatagramEnd(to: apus) }
        let names = try clients.map { try #require(try $0.ask("who")) }
        return Dictionary(grouping: names) { $0 }.mapValues(\.count)
    }

    @Test("Datagrams pass unaltered in both directions, and the flow is logged")
    func passes() throws {
        let target = try DatagramTarget()
        let apus = try ApusProcess.start(
            .datagrams(target, listener: ["attributes": ["apus.udp_idle_timeout.seconds": 0.5]]))
        let client = try DatagramEnd(to: apus)
        #expect(try client.ask("hello") == "hello")
        #expect(try client.ask("again, and longer") == "again, and longer")
        expectMetric(apus, "apus_flows_active", "udp", is: 1)
        let line = expectFlow(by: apus, "idle_timeout", by: "apus", target: target.address.text)
        #expect(line["type"] == "udp" && line["elb"] == "net/web" && line["target_group"] == "blue")
        #expect(line["client"].string == "127.0.0.1:\(client.port)")
        #expect(line["listener"].string == "127.0.0.1:\(apus.port)")
        #expect(line["received_bytes"] == 22 && line["sent_bytes"] == 22)
        #expect(try #require(line["duration"].number) >= 0.5)
        expectMetric(apus, "apus_datagrams_total", is: 4)
        expectMetric(apus, "apus_datagrams_dropped_total", is: 0)
        expectMetric(apus, "apus_flow_bytes_total", "udp", is: 44)
        expectMetric(apus, "apus_flows_total", "udp", is: 1)
        expectMetric(apus, "apus_flows_active", is: 0)
        #expect(apus.accessLog.isEmpty, "the access log has lines for TLS alone")
    }

    @Test(
        "Replies come from the address that the client has sent to",
        arguments: [["127.0.0.1", "127.0.0.5"], ["0.0.0.0"]])
    func answersComeFromThere(addresses: [String]) throws {
        let target = try DatagramTarget()
        var document = Document.datagrams(target)
        document.addresses = addresses
        let apus = try ApusProcess.start(document)
        let client = try DatagramEnd()
        for host in ["127.0.0.1", "127.0.0.5", "127.0.0.1"] {
            try client.send(Array(host.utf8), to: InternetAddress(host, port: apus.port))
            let answer = try #require(client.receive(), "from \(host)")
            #expect(answer.source == "\(host):\(apus.port)")
            #expect(answer.text == host)
        }
        #expect(try apus.metric("apus_flows_total", "udp") == 2, "a flow is identified by two addresses")
        #expect(Set(target.arrivals.map(\.source)).count == 2)
    }

    @Test("A flow stays with its target, and uses one source port there")
    func pinned() throws {
        let targets = try (0..<3).map { _ in try DatagramTarget() }
        let apus = try ApusProcess.start(.datagrams(targets[0], targets[1], targets[2]))
        let client = try DatagramEnd(to: apus)
        for number in 0..<300 { #expect(try client.ask("\(number)") == "\(number)") }
        #expect(targets.map(\.arrivals.count).sorted() == [0, 0, 300])
        #expect(Set(targets.flatMap(\.arrivals).map(\.source)).count == 1)
        expectMetric(apus, "apus_flows_total", "udp", is: 1)
    }

    @Test("Ports of one client are distributed over the targets")
    func spread() throws {
        let apus = try ApusProcess.start(.datagrams(.naming("a"), .naming("b"), .naming("c")))
        let counts = try answers(apus, clients: 90)
        #expect(counts.count == 3 && counts.values.allSatisfy { $0 >= 10 }, "\(counts)")
        expectMetric(apus, "apus_flows_active", "udp", is: 90)
    }

    @Test("Datagrams of any size pass, the empty one too")
    func sizes() throws {
        let target = try DatagramTarget()
        let apus = try ApusProcess.start(.datagrams(target))
        let client = try DatagramEnd(to: apus)
        for size in [0, 1, 1_472, 1_473, 9_000, 60_000, 65_507, 0] {
            let sent = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 2) }
            try client.send(sent)
            #expect(client.receive()?.bytes == sent, "\(size) bytes")
        }
        #expect(target.arrivals.map(\.bytes.count) == [0, 1, 1_472, 1_473, 9_000, 60_000, 65_507, 0])
        expectMetric(apus, "apus_datagrams_total", is: 16)
    }

    /// Each client waits for its replies before it continues, so that no queue can overflow and none may be missing.
    @Test("50 flows of 400 datagrams: none is lost, duplicated or reordered")
    func order() throws {
        let targets = try (0..<3).map { _ in try DatagramTarget() }
        let apus = try ApusProcess.start(.datagrams(targets[0], targets[1], targets[2]))
        let clients = try (0..<50).map { _ in try DatagramEnd(to: apus) }
        for round in 0..<200 {
            for (name, client) in clients.enumerated() {
                try client.send("\(name)/\(2 * round)")
                try client.send("\(name)/\(2 * round + 1)")
            }
            for (name, client) in clients.enumerated() {
                try #require(client.receive()?.text == "\(name)/\(2 * round)")
                try #require(client.receive()?.text == "\(name)/\(2 * round + 1)")
            }
        }
        let flows = Dictionary(grouping: targets.flatMap(\.arrivals), by: \.source)
        #expect(flows.count == 50)
        for arrivals in flows.values {
            let texts = arrivals.map(\.text)
            let name = texts[0].prefix { $0 != "/" }
            #expect(texts == (0..<400).map { "\(name)/\($0)" })
        }
        expectMetric(apus, "apus_datagrams_total", is: 40_000)
        expectMetric(apus, "apus_datagrams_dropped_total", is: 0)
    }

    /// The kernel joins a burst into one message (GRO); the target must receive the original datagrams.
    @Test(
        "Bursts that the kernel joins and splits (GRO, GSO) keep the boundaries of datagrams",
        arguments: [(1_000, 64), (100, 60), (1_400, 40)])
    func bursts(size: Int, count: Int) throws {
        let target = try DatagramTarget()
        let apus = try ApusProcess.start(.datagrams(target))
        let client = try DatagramEnd(to: apus)
        for round in 0..<20 {
            // The last is shorter.
            let sent = (0..<(size * count - size / 2)).map { UInt8(truncatingIfNeeded: ($0 / size) &+ round) }
            let pieces = stride(from: 0, to: sent.count, by: size).map { Array(sent[$0..<min($0 + size, sent.count)]) }
            try client.send(sent, segment: Int32(size))
            for piece in pieces { try #require(client.receive()?.bytes == piece) }
        }
        #expect(target.arrivals.count == 20 * count)
        expectMetric(apus, "apus_datagrams_total", is: Double(2 * 20 * count))
        expectMetric(apus, "apus_flows_total", "udp", is: 1)
    }

    @Test("Idle timeout: silence ends a flow, and a later datagram begins another")
    func idles() throws {
        let target = try DatagramTarget()
        let apus = try ApusProcess.start(
            .datagrams(target, listener: ["attributes": ["apus.udp_idle_timeout.seconds": 0.5]]))
        let client = try DatagramEnd(to: apus)
        for count in 1...3 {
            #expect(try client.ask("x") == "x")
            expectMetric(apus, "apus_flows_total", "udp", is: Double(count))
            #expect(eventually { apus.connectionLog.count == count })
            expectMetric(apus, "apus_flows_active", "udp", is: 0)
            expectMetric(apus, "apus_flow_endings_total", "idle_timeout", is: Double(count))
        }
        #expect(Set(target.arrivals.map(\.source)).count == 3, "each flow has a port of its own")
        #expect(apus.connectionLog.allSatisfy { $0["duration"].number ?? 0 < 5 })
    }

    @Test("Many flows that become idle at the same time all end")
    func manyIdle() throws {
        let target = try DatagramTarget()
        var document = Document.datagrams(target, listener: ["attributes": ["apus.udp_idle_timeout.seconds": 1]])
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        let clients = try (0..<600).map { _ in try DatagramEnd(to: apus) }
        for client in clients { #expect(try client.ask("x") == "x") }
        expectMetric(apus, "apus_flow_endings_total", "idle_timeout", is: 600)
        expectMetric(apus, "apus_flows_active", "udp", is: 0)
    }

    @Test("A target may send many datagrams for one")
    func manyAnswers() throws {
        let target = try DatagramTarget { bytes in (0..<20).map { bytes + [UInt8($0)] } }
        let apus = try ApusProcess.start(.datagrams(target))
        let client = try DatagramEnd(to: apus)
        try client.send("x")
        for number in 0..<20 { #expect(client.receive()?.bytes == [0x78, UInt8(number)]) }
        expectMetric(apus, "apus_datagrams_total", is: 21)
    }

    @Test("What the target sends keeps a flow alive too")
    func targetKeepsAlive() throws {
        let target = try DatagramTarget()
        let apus = try ApusProcess.start(
            .datagrams(target, listener: ["attributes": ["apus.udp_idle_timeout.seconds": 0.5]]))
        target.stopDatagrams()
        let end = try DatagramEnd(port: target.address.port)
        let client = try DatagramEnd(to: apus)
        try client.send("subscribe")
        let arrival = try #require(end.receive())
        let isHeard = try always(for: 1.5) {
            try end.answer(Array("news".utf8), to: arrival)
            return client.receive(within: 5)?.text == "news"
        }
        #expect(isHeard)
        #expect(apus.connectionLog.isEmpty)
        expectMetric(apus, "apus_flows_active", "udp", is: 1)
        expectFlow(by: apus, "idle_timeout", by: "apus")
    }

    @Test("ICMP port unreachable ends the flow, and the next datagram begins another")
    func unreachable() throws {
        let target = try DatagramTarget()
        let apus = try ApusProcess.start(.datagrams(target))
        let client = try DatagramEnd(to: apus)
        #expect(try client.ask("x") == "x")
        target.stopDatagrams()
        try client.send("into the void")
        let line = expectFlow(by: apus, "unreachable", by: "target", target: target.address.text)
        #expect(line["received_bytes"] == 14 && line["sent_bytes"] == 1)
        expectMetric(apus, "apus_flows_active", "udp", is: 0)
        let again = try DatagramEnd(port: target.address.port)
        try client.send("back")
        let arrival = try #require(again.receive())
        try again.answer(Array("again".utf8), to: arrival)
        #expect(client.receive()?.text == "again")
        expectMetric(apus, "apus_flows_total", "udp", is: 2)
        expectMetric(apus, "apus_flow_endings_total", "unreachable", is: 1)
    }

    @Test("Without targets, or with all weights zero, datagrams are dropped and counted")
    func nobodyThere() throws {
        let apus = try ApusProcess.start(.datagrams(), until: .answering)
        for _ in 0..<3 { try DatagramEnd(to: apus).send("x") }
        expectMetric(apus, "apus_flows_rejected_total", "udp", is: 3)
        var document = Document.datagrams(try DatagramTarget())
        document.listeners[0].defaultAction = Document.forward(["blue": 0])
        let weightless = try ApusProcess.start(document)
        try DatagramEnd(to: weightless).send("x")
        expectMetric(weightless, "apus_flows_rejected_total", "udp", is: 1)
        expectMetric(weightless, "apus_flows_total", "udp", is: 0)
    }

    @Test("TCP and UDP on one port go to one group")
    func both() throws {
        let target = try DatagramTarget()
        let apus = try ApusProcess.start(
            .datagrams(target, listener: ["protocol": "TCP_UDP"], settings: ["protocol": "TCP_UDP"]))
        let client = try apus.client()
        try client.send("by connection")
        #expect(client.wire.receives("by connection"))
        let other = try DatagramEnd(to: apus)
        #expect(try other.ask("by datagram") == "by datagram")
        client.endWriting()
        #expect(client.socket.read(by: .after(10)) == .endOfStream)
        #expect(expectFlow(by: apus, "finished", by: "client", target: target.address.text)["type"] == "tcp")
        expectMetric(apus, "apus_flows_total", "tcp", is: 1)
        expectMetric(apus, "apus_flows_total", "udp", is: 1)
        expectMetric(apus, "apus_flows_active", "udp", is: 1)
    }

    @Test("IPv6", .enabled(if: hasIPv6, "this machine has no ::1"))
    func versionSix() throws {
        let target = try DatagramTarget(host: "::1")
        var document = Document.datagrams(
            target, listener: ["attributes": ["apus.udp_idle_timeout.seconds": 0.5]],
            settings: ["ipAddressType": "ipv6"])
        document.addresses = ["::1"]
        let apus = try ApusProcess.start(document)
        let client = try DatagramEnd(to: apus, at: "::1")
        #expect(try client.ask("six") == "six")
        let line = expectFlow(by: apus, "idle_timeout", by: "apus", target: target.address.text)
        #expect(line["client"].string == "[::1]:\(client.port)")
        #expect(line["listener"].string == "[::1]:\(apus.port)")
    }
}

/// Whether this machine has `::1`.
private let hasIPv6 = ((try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? "").contains(" lo")
