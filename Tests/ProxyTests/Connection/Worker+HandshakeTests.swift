import Core
import Telemetry
import Testing

@testable import Proxy

@Suite struct WorkerHandshakeTests {
    private func secureWorker() throws -> ServingWorker {
        try ServingWorker(
            Plans.listener(tls: try SecurePeer.serverConfiguration(), defaultAction: Plans.fixed(204)))
    }

    @Test func aHandshakeIsCountedAndLogged() throws {
        var worker = try secureWorker()
        let socket = try Socket.connect(to: worker.address)
        defer { socket.close() }
        let client = try SecurePeer(socket)
        let counters = worker.counters
        #expect(
            worker.serve {
                client.shakeHands()
                return client.isShaken && counters.tlsHandshakes.value(.full) == 1
            })
        worker.settle()
        let log = worker.takeConnectionLog()
        #expect(log.contains("TLSv1.3") && log.contains("TLS_AES_128_GCM_SHA256"), "\(log)")
        #expect(TLSFailureReason.allCases.allSatisfy { counters.tlsFailures.value($0) == 0 })
        worker.stop()
    }

    @Test func whoShakesNoHandsIsEnded() throws {
        var worker = try secureWorker()
        let client = try worker.client()
        let counters = worker.counters
        #expect(worker.serve { counters.connectionsAccepted.value == 1 })
        worker.pass(after: Plans.settings.handshakeTimeout - 1_000_000)
        #expect(!client.hasEnd)
        worker.pass(after: 20_000_000)
        #expect(worker.serve { client.hasEnd })
        #expect(counters.timeouts.value(.tlsHandshake) == 1 && counters.tlsFailures.value(.timeout) == 1)
        #expect(worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    @Test func plainHTTPGetsAHint() throws {
        var worker = try secureWorker()
        let client = try worker.client(asking: "/")
        #expect(worker.serve { client.has("</html>") })
        #expect(client.text.hasPrefix("HTTP/1.1 400 ") && client.text.contains("write https:// instead of http://"))
        #expect(worker.counters.tlsFailures.value(.plainHTTP) == 1)
        worker.stop()
    }

    /// The alert comes before the end: the rest of what the client sends does not reset it away.
    @Test func whatIsNoHandshakeGetsAnAlert() throws {
        var worker = try secureWorker()
        let client = try worker.client()
        client.send(String(repeating: "\u{16}\u{3}\u{1}\u{0}\u{4}abcd", count: 3))
        #expect(worker.serve { client.has("\u{15}\u{3}") })
        #expect(worker.counters.tlsFailures.value(.malformed) == 1)
        client.socket.shutdownWrite()
        #expect(worker.serve { client.hasEnd })
        worker.settle()
        #expect(worker.bench.worker.clientCount == 0)
        #expect(worker.takeConnectionLog().contains("UnmappedConnectionError"))
        worker.stop()
    }

    @Test func whoLeavesInBetweenIsCounted() throws {
        var worker = try secureWorker()
        let client = try worker.client()
        client.send("\u{16}\u{3}\u{1}")
        client.socket.shutdownWrite()
        #expect(worker.serve { client.hasEnd })
        #expect(worker.counters.tlsFailures.value(.connectionClosed) == 1 && worker.bench.worker.clientCount == 0)
        worker.stop()
    }
}
