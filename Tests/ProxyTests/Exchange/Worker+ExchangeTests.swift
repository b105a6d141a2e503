import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

/// An exchange from its request's head to the end of both messages.
@Suite struct WorkerExchangeTests {
    private let target: LoopbackTarget

    init() throws { target = try LoopbackTarget() }

    private func worker() throws -> ServingWorker {
        var settings = Plans.settings
        settings.addsReason = true
        return try ServingWorker(
            Plans.listener(settings: settings, defaultAction: Plans.forward([0], [1])),
            [Plans.group(0, "blue", [target.plan])])
    }

    /// A worker, a client that has asked for `request`, and its target's connection.
    private func asked(
        _ worker: inout ServingWorker, _ request: String = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    ) throws -> (client: LoopbackEnd, connection: LoopbackEnd) {
        let client = try worker.client()
        client.send(request)
        let target = target
        #expect(worker.serve { target.has(1) })
        return (client, target.connections[0])
    }

    /// Nothing is left of what was asked.
    private func expectNothingLeft(_ worker: borrowing ServingWorker) {
        #expect(worker.counters.requestsActive.value == 0)
        #expect(worker.bench.worker.pools.allSatisfy { $0?.inFlight == 0 })
    }

    // MARK: Interim responses

    @Test func interimResponsesGoFirst() throws {
        var worker = try worker()
        let (client, connection) = try asked(&worker)
        connection.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        #expect(worker.serve { client.count(of: 103) == 1 })
        #expect(client.text.contains("Link: </a>\r\n") && client.count(of: 100) == 0, "100 ends at this hop")
        connection.answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        expectNothingLeft(worker)
        worker.stop()
    }

    static let faulty: [(String, MalformedReason)] = [
        (
            String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: Limits.interimResponsesMax + 1),
            .tooManyInterimResponses
        ),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n", .unexpectedUpgrade),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", .duplicateContentLength),
        ("HELLO\r\n\r\n", .badStatusLine),
    ]

    @Test(arguments: faulty.indices) func aMalformedResponseIsReplaced(_ index: Int) throws {
        let (response, reason) = Self.faulty[index]
        var worker = try worker()
        let (client, connection) = try asked(&worker)
        connection.send(response)
        #expect(worker.serve { client.has("</html>") && connection.hasEnd })
        #expect(client.count(of: 502) == 1 && client.text.contains("Apus-Reason: MalformedResponse/"))
        #expect(worker.counters.malformedResponses.value(reason) == 1, "\(client.text)")
        expectNothingLeft(worker)
        worker.stop()
    }

    // MARK: Bodies

    @Test func bothBodiesArePassedOnUnchanged() throws {
        var worker = try worker()
        let (client, connection) = try asked(
            &worker, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        client.send("2\r\nde\r\n0\r\n\r\n")
        #expect(worker.serve { connection.has("\r\n0\r\n\r\n") })
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nxyz")
        #expect(worker.serve { client.has("\r\n\r\nxyz") })
        #expect(worker.counters.requestsActive.value == 1, "the rest is awaited")
        connection.send("uvw")
        #expect(worker.serve { client.has("xyzuvw") })
        expectNothingLeft(worker)
        #expect(worker.counters.targetConnectionsIdle.value == 1)
        worker.stop()
    }

    /// The rest of a request that was answered early must not be taken for another one, on either connection.
    @Test func anEarlyAnswerEndsBothConnections() throws {
        var worker = try worker()
        let (client, connection) = try asked(
            &worker, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nGET /next HTTP/1.1\r\n")
        connection.answer()
        #expect(worker.serve { client.count(of: 200) == 1 && connection.hasEnd })
        #expect(client.text.contains("Connection: close\r\n"))
        client.send("Host: a\r\n\r\n")
        #expect(worker.serve { client.hasEnd })
        #expect(client.text.split(separator: "HTTP/1.1 ").count == 1, "one answer")
        #expect(worker.counters.targetConnectionsIdle.value == 0)
        expectNothingLeft(worker)
        worker.stop()
    }

    /// A response that cannot be completed is cut, so that its client notices.
    @Test(arguments: ["Content-Length: 6\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
    func aResponseThatEndsShortIsCut(_ begin: String) throws {
        var worker = try worker()
        let (client, connection) = try asked(&worker)
        connection.send("HTTP/1.1 200 OK\r\n\(begin)")
        #expect(worker.serve { client.has("abc") })
        connection.close()
        #expect(worker.serve { client.hasEnd })
        #expect(!client.text.hasSuffix("0\r\n\r\n"))
        worker.settle()
        #expect(worker.bench.takeLog().contains("TargetClosedConnection"))
        expectNothingLeft(worker)
        worker.stop()
    }

    /// A body that only the end of the target's connection delimits becomes chunked: its client's connection goes on.
    @Test func aBodyUntilTheEndBecomesChunked() throws {
        var worker = try worker()
        let (client, connection) = try asked(&worker)
        connection.send("HTTP/1.1 200 OK\r\n\r\nabc")
        connection.socket.shutdownWrite()
        #expect(worker.serve { client.has("0\r\n\r\n") })
        #expect(client.text.contains("Transfer-Encoding: chunked\r\n") && client.text.contains("\r\nabc\r\n"))
        client.ask("/next")
        let target = target
        #expect(worker.serve { target.has(2) })
        worker.stop()
    }

    /// What was read of a malformed body has reached the target: its connection is of no use any more.
    @Test func aMalformedRequestBodyIsRefused() throws {
        var worker = try worker()
        let (client, connection) = try asked(
            &worker, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        client.send("zz\r\n")
        #expect(worker.serve { client.has("</html>") && connection.hasEnd })
        #expect(client.count(of: 400) == 1 && client.text.contains("Apus-Reason: BadChunkSize"))
        #expect(!connection.text.contains("0\r\n\r\n"))
        expectNothingLeft(worker)
        worker.stop()
    }

    @Test func aClientThatLeavesIsLoggedAs460() throws {
        var worker = try worker()
        let (client, connection) = try asked(&worker)
        client.reset()
        #expect(worker.serve { connection.hasEnd })
        worker.settle()
        let log = worker.bench.takeLog()
        #expect(log.contains(#""elb_status_code":460,"#) && log.contains("ClientClosedConnection"), "\(log)")
        #expect(worker.counters.generatedStatuses.value(.clientClosed) == 1 && worker.bench.worker.clientCount == 0)
        expectNothingLeft(worker)
    }

    // MARK: WebSockets

    private static let upgrade = """
        GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
        """
    private static let agreement = """
        HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n
        """

    @Test func aWebSocketPassesBytesBothWaysUntilItsEnd() throws {
        var worker = try worker()
        let (client, connection) = try asked(&worker, Self.upgrade)
        connection.send(Self.agreement + "hello")
        #expect(worker.serve { client.has("hello") })
        #expect(client.count(of: 101) == 1 && worker.counters.webSocketsActive.value == 1)
        client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(worker.serve { connection.has("GET / HTTP/1.1\r\n\r\n") })
        client.socket.shutdownWrite()
        #expect(worker.serve { connection.hasEnd }, "each direction ends by itself")
        connection.send("late")
        #expect(worker.serve { client.has("late") })
        connection.close()
        #expect(worker.serve { client.hasEnd })
        worker.settle()
        #expect(worker.counters.webSocketsActive.value == 0 && worker.counters.webSockets.value == 1)
        #expect(worker.counters.targetConnectionsIdle.value == 0 && worker.counters.targetConnectionsActive.value == 0)
        expectNothingLeft(worker)
        worker.stop()
    }

    /// A target that answers otherwise gets no tunnel.
    @Test func withoutAgreementItIsAnAnswer() throws {
        var worker = try worker()
        let (client, connection) = try asked(&worker, Self.upgrade)
        connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        #expect(worker.serve { client.has("\r\n\r\nno") })
        #expect(client.count(of: 403) == 1 && worker.counters.webSockets.value == 0)
        #expect(worker.serve { client.hasEnd }, "what follows may be meant for a tunnel")
        expectNothingLeft(worker)
        worker.stop()
    }
}
