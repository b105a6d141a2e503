import Core
import HTTP2
import Routing
import Testing

@testable import Proxy

/// What HTTP/2 connections of either role do the same in a worker's turns.
@Suite struct WorkerHTTP2Tests {
    private static func listener(_ action: ActionPlan) -> ListenerPlan {
        var settings = Plans.settings
        settings.speaksH2C = true
        return Plans.listener(settings: settings, defaultAction: action)
    }

    /// All frames of a pass go out by one write.
    @Test func answersOfOnePassAreWrittenTogether() throws {
        var worker = try ServingWorker(Self.listener(Plans.fixed(204)))
        let client = try worker.http2Client()
        for _ in 0..<10 {
            _ = client.peer.session.request(
                SideBench.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), scheme: "http", framing: .none, isEnd: true)
        }
        client.peer.send()
        let sentBefore = worker.counters.clientBytesSent.value
        worker.pass()
        #expect(worker.bench.worker.resources.dirtyConnections.isEmpty)
        #expect(worker.counters.clientBytesSent.value > sentBefore && worker.counters.requests.value == 10)
        client.read()
        #expect(client.peer.statuses == [Int](repeating: 204, count: 10))
        worker.stop()
    }

    /// A client that floods takes turns with others, and is served to the end.
    @Test func aLongTurnIsContinued() throws {
        var worker = try ServingWorker(Self.listener(Plans.fixed(204)))
        let busy = try worker.http2Client(), other = try worker.http2Client()
        var asked = 0
        func askMore() {
            while busy.peer.session.streamCapacity > 0, asked < 3000 {
                _ = busy.peer.session.request(
                    SideBench.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), scheme: "http", framing: .none,
                    isEnd: true)
                asked += 1
            }
            busy.read()
        }
        for round in 1...10 {
            askMore()
            other.ask()
            var passes = 0
            while other.peer.statuses.count < round, passes < 1000 {
                askMore()
                worker.pass()
                other.read()
                passes += 1
            }
            #expect(passes <= 4, "round \(round)")
        }
        #expect(
            worker.serve {
                askMore()
                return busy.peer.statuses.count == 3000
            })
        worker.stop()
    }

    /// A target that breaks its connection has said before which requests it never saw: they go elsewhere.
    @Test func whatCameBeforeABreakIsStillRead() throws {
        let targets = [try HTTP2LoopbackTarget(0), try HTTP2LoopbackTarget(1)]
        let group = Plans.group(0, "blue", targets.map(\.plan), version: .http2)
        var worker = try ServingWorker(Self.listener(Plans.forward([0], [1])), [group])
        let client = try worker.http2Client()
        let slot = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(worker.serve { targets.contains { $0.has(1) } })
        let (first, second) = targets[0].has(1) ? (targets[0], targets[1]) : (targets[1], targets[0])
        let peer = first.connections[0].peer
        peer.session.reset(peer.headSlots[0], .refusedStream)
        peer.send()
        peer.reset()
        #expect(worker.serve { second.has(1) })
        let connection = second.connections[0]
        connection.answer(connection.peer.headSlots[0])
        #expect(worker.serve { client.status(slot) == 200 })
        worker.stop()
    }

    /// Nothing is held once a connection has ended with requests under way.
    @Test func theEndOfAConnectionReleasesAll() throws {
        let target = try HTTP2LoopbackTarget()
        let group = Plans.group(0, "blue", [target.plan], version: .http2)
        var worker = try ServingWorker(Self.listener(Plans.forward([0], [1])), [group])
        let client = try worker.http2Client()
        for _ in 0..<5 {
            client.ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", hasBody: true)
        }
        #expect(worker.serve { target.has(5) })
        client.peer.reset()
        let counters = worker.counters
        #expect(worker.serve { target.has(5) && counters.requestsActive.value == 0 })
        #expect(worker.bench.worker.clientCount == 0 && worker.bench.worker.pools[0]?.inFlight == 0)
        #expect(worker.serve { target.has(5) && target.connections[0].peer.closings.count == 5 }, "the target is told")
        worker.stop()
        #expect(worker.bench.worker.resources.buffers.bytesHeld == 0)
    }
}
