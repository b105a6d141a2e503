import Foundation
import Testing

/// Flows of datagrams that go on in another process.
@Suite(.serialized) struct UpgradeFlowTests {
    /// Clients of QUIC that ask without a break, each of which must be answered by its own target.
    private final class Talk: Sendable {
        private let isStopping = Locked(false)
        private let failures = Locked<[String]>([])
        private let answers: Locked<[Int]>
        private let threads: Locked<[Background<Void>]>

        /// `ask` asks once and says whether the answer was right.
        init(_ clients: Int, ask: @escaping @Sendable (Int) throws -> Bool) {
            answers = Locked([Int](repeating: 0, count: clients))
            threads = Locked([])
            let started = (0..<clients).map { number in
                Background { [isStopping, failures, answers] in
                    while !isStopping.value {
                        if (try? ask(number)) == true {
                            answers.withLock { $0[number] += 1 }
                        } else {
                            failures.withLock { $0.append("client \(number)") }
                        }
                    }
                }
            }
            threads.withLock { $0 = started }
        }

        /// Waits until each client was answered a few times more; whether it was.
        func goesOn() -> Bool {
            let before = answers.value
            return eventually(within: 30) { zip(answers.value, before).allSatisfy { $0 >= $1 + 3 } }
        }

        /// Stops, and returns what has failed.
        func finish() -> [String] {
            isStopping.withLock { $0 = true }
            for thread in threads.value { _ = try? thread.value() }
            return failures.value
        }
    }

    @Test("QUIC: over 5 upgrades connections keep their target, and their address there, and none loses a datagram")
    func quic() throws {
        let targets = try [DatagramTarget.naming("a"), .naming("b")]
        var document = Document.datagrams(listener: ["protocol": "QUIC"])
        document.groups = [
            Document.Group(
                "blue", datagrams: targets, settings: ["protocol": "QUIC", "healthCheckProtocol": "TCP"])
        ]
        for (index, id) in QUICTests.ids.enumerated() { document.groups[0].targets[index].quicServerID = id }
        let site = try UpgradingApus(document)
        let clients = try (0..<8).map { _ in try DatagramEnd(to: site.apus) }
        // The handshake finds a target; from then on its server id does.
        let names = try clients.map { client in
            try client.send(QUICTests.handshake())
            return try #require(client.receive()?.text)
        }
        let talk = Talk(clients.count) { number in
            let id: UInt8 = names[number] == "a" ? 0xA0 : 0xB0
            try clients[number].send(QUICTests.packet(id, "\(number)"))
            return clients[number].receive()?.text == names[number]
        }
        #expect(talk.goesOn())
        for number in 1...5 {
            let result = try site.upgrade()
            #expect(result.status == .exited(0), "\(number): \(result.output) \(result.errors)")
            #expect(talk.goesOn())
        }
        #expect(talk.finish() == [])
        // Handshakes go with the flow too, and a client that has moved finds its target by the server id.
        for (client, name) in zip(clients, names) {
            try client.send(QUICTests.handshake())
            #expect(client.receive()?.text == name)
        }
        #expect(Set(targets.flatMap(\.arrivals).map(\.source)).count == clients.count, "an address for each client")
        expectMetric(site.apus, "apus_flows_total", #"kind="quic""#, is: Double(clients.count))
        let moved = try DatagramEnd(to: site.apus)
        try moved.send(QUICTests.packet(0xB0))
        #expect(moved.receive()?.text == "b")
        #expect(site.ids.count == 6)
    }

    @Test("TCP_UDP: flows of datagrams go to the new process, connections end in the old one")
    func both() throws {
        let targets = try ["a", "b"].map { name in try DatagramTarget { [Array("\(name) ".utf8) + $0] } }
        let document = Document.datagrams(
            targets[0], targets[1], listener: ["protocol": "TCP_UDP"], settings: ["protocol": "TCP_UDP"])
        let site = try UpgradingApus(document)
        let clients = try (0..<6).map { _ in try DatagramEnd(to: site.apus) }
        let names = try clients.map { try #require(try $0.ask("?")?.prefix(1)) }
        let talk = Talk(clients.count) { number in try clients[number].ask("\(number)") == "\(names[number]) \(number)"
        }
        #expect(talk.goesOn())
        let connection = try site.apus.client()
        try connection.send("one")
        #expect(connection.text() == "one")
        for _ in 0..<3 { #expect(try site.upgrade("--grace", "100").status == .exited(0)) }
        #expect(talk.goesOn())
        #expect(talk.finish() == [])
        #expect(Set(targets.flatMap(\.arrivals).map(\.source)).count == clients.count)
        try connection.send("two")
        #expect(connection.text() == "two", "it goes on in the first process")
        #expect(site.isRunning(site.ids[0]))
        connection.endWriting()
        #expect(connection.ended())
        #expect(site.apus.process.waitForExit(within: 30) == .exited(0))
        let fresh = try site.apus.client()
        try fresh.send("three")
        #expect(fresh.text() == "three")
    }

    @Test("Flows that end and begin during an upgrade are told apart; one that fails leaves all as they were")
    func failed() throws {
        let target = try DatagramTarget()
        let site = try UpgradingApus(
            .datagrams(target, listener: ["attributes": ["apus.udp_idle_timeout.seconds": 600]]))
        let clients = try (0..<300).map { _ in try DatagramEnd(to: site.apus) }
        for client in clients { #expect(try client.ask("one") == "one") }
        let program = try site.program("ends", "exit 7")
        #expect(try site.upgrade(program).status == .exited(1))
        for client in clients { #expect(try client.ask("two") == "two") }
        #expect(try site.upgrade().status == .exited(0))
        for client in clients { #expect(try client.ask("three") == "three") }
        #expect(Set(target.arrivals.map(\.source)).count == clients.count, "each has kept its port")
        expectMetric(site.apus, "apus_flows_active", #"kind="udp""#, is: 300)
        // What has come before counts as well.
        #expect(site.terminate())
        let lines = site.apus.connectionLog.filter { $0["received_bytes"] == 11 && $0["sent_bytes"] == 11 }
        #expect(lines.count == clients.count, "\(site.apus.connectionLog.first?.text ?? "")")
    }
}
