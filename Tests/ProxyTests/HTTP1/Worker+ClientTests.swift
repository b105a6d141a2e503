import Core
import Testing

@testable import Proxy

/// A client's HTTP/1 connection from one request to the next, and its end.
@Suite struct WorkerClientTests {
    private func worker(_ status: UInt16 = 204) throws -> ServingWorker {
        try ServingWorker(Plans.listener(defaultAction: Plans.fixed(status)))
    }

    /// More than one turn allows: the rest waits for the next ones, and nothing else has to come for it.
    @Test func pipelinedRequestsAreAllAnswered() throws {
        var worker = try worker()
        let client = try worker.client()
        let count = Limits.requestsPerTurnMax * 3
        client.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: count))
        #expect(worker.serve { client.count(of: 204) == count })
        #expect(worker.counters.requests.value == UInt64(count) && worker.counters.requestsActive.value == 0)
        #expect(worker.bench.worker.backlog.isEmpty && !client.hasEnd)
        worker.stop()
    }

    /// Each has its turn: a client that pipelines does not keep another one waiting.
    @Test func onlySoManyRequestsAreAnsweredInOneTurn() throws {
        var worker = try worker()
        let busy = try worker.client()
        busy.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: Limits.requestsPerTurnMax * 4))
        let counters = worker.counters
        #expect(worker.serve { counters.connectionsAccepted.value == 1 })
        #expect(
            counters.requests.value
                <= UInt64(Limits.requestsPerTurnMax + Limits.requestsPerTurnMax / Limits.turnDivisor))
        let other = try worker.client(asking: "/")
        #expect(worker.serve { other.count(of: 204) == 1 })
        #expect(worker.serve { busy.count(of: 204) == Limits.requestsPerTurnMax * 4 })
        worker.stop()
    }

    @Test func aHeadThatComesInPiecesIsRead() throws {
        var worker = try worker()
        let client = try worker.client()
        for piece in ["GE", "T / HTTP/1.1\r", "\nHost: ", "a\r\n", "\r"] {
            client.send(piece)
            worker.settle()
            #expect(worker.counters.requests.value == 0)
        }
        client.send("\n")
        #expect(worker.serve { client.count(of: 204) == 1 })
        worker.stop()
    }

    @Test func whoEndsInTheMiddleOfAHeadIsClosed() throws {
        var worker = try worker()
        let client = try worker.client()
        client.send("GET / HTTP/1.1\r\nHo")
        worker.settle()
        client.socket.shutdownWrite()
        #expect(worker.serve { client.hasEnd })
        #expect(client.text.isEmpty && worker.counters.requests.value == 0)
        #expect(worker.counters.connectionsActive.value == 0 && worker.counters.bytesHeld.value == 0)
        worker.stop()
    }

    /// HTTP/1.0 closes, unless it is asked not to, and then it is told. Source: RFC 9112 §9.3.
    @Test(arguments: [
        ("HTTP/1.0\r\nHost: a", false, false), ("HTTP/1.0\r\nHost: a\r\nConnection: keep-alive", true, true),
        ("HTTP/1.1\r\nHost: a", true, false), ("HTTP/1.1\r\nHost: a\r\nConnection: close", false, false),
    ]) func aConnectionIsKeptByItsVersion(_ rest: String, isKept: Bool, isTold: Bool) throws {
        var worker = try worker()
        let client = try worker.client()
        client.send("GET / \(rest)\r\n\r\n")
        #expect(worker.serve { client.has("\r\n\r\n") })
        #expect(client.text.lowercased().contains("connection: keep-alive") == isTold)
        client.ask("/again")
        if isKept {
            #expect(worker.serve { client.count(of: 204) == 2 })
        } else {
            #expect(worker.serve { client.hasEnd })
            #expect(client.count(of: 204) == 1)
        }
        worker.stop()
    }

    // MARK: Lingering

    /// A client that still sends is read, so that closing does not reset the answer away; but not for ever.
    @Test func whoStillSendsIsReadForAWhile() throws {
        var worker = try worker()
        let client = try worker.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        #expect(worker.serve { client.hasEnd })
        #expect(client.count(of: 204) == 1 && worker.bench.worker.clientCount == 1)
        client.send(String(repeating: "a", count: 100_000))
        worker.settle()
        #expect(worker.bench.worker.clientCount == 1)
        worker.pass(after: Limits.lingerTime + 10_000_000)
        worker.settle()
        #expect(worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    @Test func whoClosesIsNotWaitedFor() throws {
        var worker = try worker()
        let client = try worker.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        #expect(worker.serve { client.hasEnd })
        client.close()
        worker.settle()
        #expect(worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    /// What was thrown away counts: one client cannot make a worker read without end.
    @Test func soManyBytesAreReadAtMost() throws {
        var worker = try worker()
        let client = try worker.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        #expect(worker.serve { client.hasEnd })
        let piece = SideBench.buffer(count: 1 << 16)
        var sentCount = 0
        while worker.bench.worker.clientCount == 1, sentCount < 3 * Limits.lingerBytesMax {
            if case .bytes(let count) = client.socket.write(piece) { sentCount += count }
            piece.refill()
            worker.pass()
        }
        #expect(worker.bench.worker.clientCount == 0)
        #expect(sentCount >= Limits.lingerBytesMax && sentCount < 3 * Limits.lingerBytesMax)
        worker.stop()
    }

    /// The exchange of a refused head is logged with what can be told of it.
    @Test func aRefusedHeadIsLogged() throws {
        var worker = try worker()
        let client = try worker.client()
        client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
        #expect(worker.serve { client.has("</html>") })
        worker.settle()
        let log = worker.bench.takeLog()
        #expect(client.count(of: 400) == 1 && log.contains("DuplicateContentLength"), "\(log)")
        #expect(worker.counters.nonCompliantRequests.value == 1)
        worker.stop()
    }
}
