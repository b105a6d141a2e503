import Foundation
import Testing

/// TCP through a network load balancer: every byte, in both directions, and every way a connection can end.
@Suite struct TunnelTests {
    private func text(_ arrival: Socket.Arrival) -> String {
        if case .bytes(let bytes) = arrival { return String(decoding: bytes, as: UTF8.self) }
        return "\(arrival)"
    }

    @Test("Bytes pass unaltered in both directions, and the flow is logged")
    func passes() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        let sent: [UInt8] = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 3) }
        let sending = Background { try client.send(sent) }
        var received: [UInt8] = []
        while received.count < sent.count {
            guard case .bytes(let bytes) = client.socket.read(by: .after(20)) else { break }
            received += bytes
        }
        try sending.value()
        #expect(received == sent)
        client.endWriting()
        #expect(client.socket.read(by: .after(10)) == .endOfStream)
        let line = expectFlow(by: apus, "finished", by: "client", target: target.address.text)
        #expect(line["type"] == "tcp")
        #expect(line["elb"] == "net/web")
        #expect(line["target_group"] == "blue")
        #expect(line["received_bytes"].int == sent.count)
        #expect(line["sent_bytes"].int == sent.count)
        #expect(line["listener"].string == "127.0.0.1:\(apus.port)")
        #expect(try apus.metric("apus_flow_bytes_total", "tcp") == Double(2 * sent.count))
        #expect(try apus.metric("apus_flows_active") == 0)
    }

    @Test("A target may speak first")
    func targetFirst() throws {
        let target = try StreamTarget(script: StreamTarget.naming("hello"))
        let apus = try ApusProcess.start(.network(target))
        #expect(text(try apus.client().socket.read(by: .after(10))) == "hello")
    }

    @Test("The client's half-close is forwarded, and the target can still send")
    func clientEndsFirst() throws {
        let target = try StreamTarget { connection in
            while case .bytes = connection.read() {}
            connection.send(Array("all of it: \(connection.received.count)".utf8))
        }
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        try client.send("12345")
        client.endWriting()
        #expect(text(client.socket.read(by: .after(10))) == "all of it: 5")
        #expect(client.socket.read(by: .after(10)) == .endOfStream)
        #expect(target.connections.first?.ending == .endOfStream)
        expectFlow(by: apus, "finished", by: "client")
    }

    @Test("The target's half-close is forwarded, and the client can still send")
    func targetEndsFirst() throws {
        let target = try StreamTarget { connection in
            connection.send(Array("bye".utf8))
            connection.socket.endWriting()
            while case .bytes = connection.read() {}
        }
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        #expect(text(client.socket.read(by: .after(10))) == "bye")
        #expect(client.socket.read(by: .after(10)) == .endOfStream)
        try client.send("still here")
        #expect(eventually { target.connections.first?.received.count == 10 })
        client.endWriting()
        #expect(eventually { target.connections.first?.ending == .endOfStream })
        expectFlow(by: apus, "finished", by: "target")
    }

    @Test("A client's reset is forwarded to the target")
    func clientResets() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        try client.send("x")
        #expect(text(client.socket.read(by: .after(10))) == "x")
        client.reset()
        #expect(eventually { target.connections.first?.ending == .reset })
        expectFlow(by: apus, "reset", by: "client")
        #expect(try apus.metric("apus_flow_resets_total", "client") == 1)
    }

    @Test("A target's reset is forwarded to the client")
    func targetResets() throws {
        let target = try StreamTarget { connection in
            _ = connection.read()
            connection.socket.reset()
        }
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        try client.send("x")
        #expect(client.socket.read(by: .after(10)) == .reset)
        expectFlow(by: apus, "reset", by: "target")
        #expect(try apus.metric("apus_flow_resets_total", "target") == 1)
    }

    @Test("Data of a target that responds and closes with unread input is forwarded before its reset")
    func answersEarly() throws {
        let answering = Gate()
        let hasClosed = Gate()
        let target = try StreamTarget { connection in
            guard connection.read(upTo: 1) else { return }
            answering.wait()
            connection.send(Array("too much".utf8))
            connection.socket.close()
            hasClosed.open()
        }
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        try client.send("1")
        #expect(eventually { target.connections.count == 1 })
        // Unread input turns the target's close into a reset. Apus sees data and reset at once.
        try client.send("2")
        #expect(try eventually { try apus.metric("apus_flow_bytes_total", "tcp") == 2 })
        apus.process.signal(SIGSTOP)
        try client.send("3")
        answering.open()
        hasClosed.wait()
        apus.process.signal(SIGCONT)
        #expect(text(client.socket.read(by: .after(10))) == "too much")
        #expect(client.socket.read(by: .after(10)) == .reset)
        expectFlow(by: apus, "reset", by: "target")
    }

    @Test("A reset during a transfer is never taken for a half-close")
    func resetsWhileSent() throws {
        let answering = Gate(), hasReset = Gate()
        let target = try StreamTarget { connection in
            guard connection.read(upTo: 1) else { return }
            answering.wait()
            connection.socket.reset()
            hasReset.open()
        }
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        try client.send("1")
        #expect(eventually { target.connections.count == 1 })
        apus.process.signal(SIGSTOP)
        try client.send("2")
        answering.open()
        hasReset.wait()
        apus.process.signal(SIGCONT)
        #expect(client.socket.read(by: .after(10)) == .reset)
        expectFlow(by: apus, "reset", by: "target")

        let sending = Gate(), hasSent = Gate()
        let talking = try StreamTarget { connection in
            guard connection.read(upTo: 1) else { return }
            sending.wait()
            connection.send(Array("more".utf8))
            hasSent.open()
            _ = connection.read()
        }
        let other = try ApusProcess.start(.network(talking))
        let leaving = try other.client()
        try leaving.send("1")
        #expect(eventually { talking.connections.count == 1 })
        other.process.signal(SIGSTOP)
        sending.open()
        hasSent.wait()
        leaving.reset()
        other.process.signal(SIGCONT)
        #expect(eventually { talking.connections.first?.ending == .reset })
        expectFlow(by: other, "reset", by: "client")
    }

    @Test("A reset is forwarded even while bytes wait for a target that does not read")
    func resetBehindAFullBuffer() throws {
        let gate = Gate()
        let target = try StreamTarget { connection in
            _ = connection.read()
            gate.wait()
            while case .bytes = connection.read() {}
        }
        let apus = try ApusProcess.start(.network(target))
        let client = try apus.client()
        let sending = Background {
            while true { try client.send([UInt8](repeating: 7, count: 1 << 16)) }
        }
        #expect(eventually { !(target.connections.isEmpty) })
        // The target does not read, so all buffers fill up until the client cannot send any more. What is left of a
        // read may be small.
        #expect(try eventually(within: 30) { try always(for: 0.1) { try apus.metric("apus_held_bytes") > 0 } })
        client.socket.shutDown()
        _ = try? sending.value()
        client.reset()
        gate.open()
        #expect(eventually { target.connections.first?.ending != nil })
        expectFlow(by: apus, "reset", by: "client")
    }

    @Test("Backpressure: a slow reader slows down only its own connection, and memory stays small")
    func slowReader() throws {
        let gate = Gate()
        let target = try StreamTarget { connection in
            guard case .bytes(let bytes) = connection.read(), bytes.first == 0x73 else { return }
            for _ in 0..<400 { connection.send([UInt8](repeating: 1, count: 1 << 16)) }
        }
        let apus = try ApusProcess.start(.network(target))
        let slow = try apus.client(receiveBuffer: 4096)
        try slow.send("s")
        for _ in 0..<5 {
            let quick = try apus.client()
            try quick.send("q")
            #expect(quick.ended())
        }
        #expect(try apus.metric("apus_held_bytes") < 200_000)
        gate.open()
        var count = 0
        while case .bytes(let bytes) = slow.socket.read(by: .after(20)) { count += bytes.count }
        #expect(count == 400 << 16)
    }

    @Test("Idle timeout: silence in both directions ends in a reset on both sides")
    func idles() throws {
        let target = try StreamTarget()
        let apus = try ApusProcess.start(
            .network(target, listener: ["attributes": ["tcp.idle_timeout.seconds": 0.4]]))
        let client = try apus.client()
        try client.send("x")
        #expect(text(client.socket.read(by: .after(10))) == "x")
        #expect(client.socket.read(by: .after(10)) == .reset)
        #expect(eventually { target.connections.first?.ending == .reset })
        expectFlow(by: apus, "idle_timeout", by: "apus")
    }

    @Test("After a refused connection the next target is tried; if none is left the client is reset")
    func refusingTargets() throws {
        let good = try StreamTarget(script: StreamTarget.naming("good"))
        let bad = try StreamTarget()
        bad.stop()
        // Health checks use a healthy port, so only connection attempts fail.
        let settings: [String: JSON] = ["healthCheckPort": JSON(good.port)]
        let apus = try ApusProcess.start(.network(good, bad, settings: settings))
        for _ in 0..<12 { #expect(text(try apus.client().socket.read(by: .after(10))) == "good") }
        #expect(try apus.metric("apus_client_connections_rejected_total") == 0)

        let alone = try ApusProcess.start(.network(bad), until: .answering)
        let client = try alone.client()
        #expect(client.socket.read(by: .after(10)) == .reset)
        expectFlow(by: alone, "connect_failed", by: "target")
    }

    @Test("Without targets, or with all weights zero, the client is reset at once")
    func nobodyThere() throws {
        let apus = try ApusProcess.start(.network(), until: .answering)
        #expect(try apus.client().socket.read(by: .after(10)) == .reset)
        expectFlow(by: apus, "no_targets", by: "apus")
        #expect(try apus.metric("apus_flows_rejected_total", "tcp") == 1)

        var document = Document.network(try StreamTarget())
        document.listeners[0].defaultAction = Document.forward(["blue": 0])
        let weightless = try ApusProcess.start(document)
        #expect(try weightless.client().socket.read(by: .after(10)) == .reset)
        expectFlow(by: weightless, "no_weight", by: "apus")
    }
}
