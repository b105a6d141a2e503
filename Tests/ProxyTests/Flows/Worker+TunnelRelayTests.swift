import Core
import Telemetry
import Testing

@testable import Proxy

/// The turns of tunnels, and what they do about a side that breaks.
@Suite struct WorkerTunnelRelayTests {
    private let target: LoopbackTarget

    init() throws { target = try LoopbackTarget() }

    private func worker() throws -> ServingWorker {
        try ServingWorker(
            Plans.flowListener(), [Plans.flowGroup([target.plan])], connectionsMax: 20, descriptorsMax: 100)
    }

    /// Clients with a tunnel each; the target has their other ends in the same order.
    private func open(_ count: Int, _ worker: inout ServingWorker) throws -> [LoopbackEnd] {
        let target = target
        return try (1...count).map { number in
            let client = try worker.client()
            #expect(worker.serve { target.hasTaken(number) })
            return client
        }
    }

    /// What a target says before it breaks is its client's: an error that it answered with, and closed.
    @Test func lastWordsArePassedOn() throws {
        var worker = try worker()
        let clients = try open(1, &worker), target = target
        let connection = target.connections[0]
        connection.send("go away")
        connection.close()
        clients[0].send("one")
        clients[0].send("two")
        #expect(worker.serve { clients[0].hasEnd })
        #expect(clients[0].text == "go away")
        worker.settle()
        #expect(worker.bench.worker.clientCount == 0)
        worker.stop()
    }

    /// A tunnel with much to do has its turns; another one's few bytes do not wait until it is done.
    @Test func aBusyTunnelDoesNotKeepOthersWaiting() throws {
        var worker = try worker()
        let clients = try open(2, &worker), target = target
        let (busy, sink) = (clients[0], target.connections[0])
        let piece = SideBench.buffer(count: 1 << 16)
        let input = Buffer(capacity: 1 << 16)
        var sentCount: UInt64 = 0, receivedCount: UInt64 = 0
        /// Keeps the kernel's buffers of the busy tunnel full on one side and empty on the other.
        func pump() {
            while true {
                piece.refill()
                guard case .bytes(let count) = busy.socket.write(piece) else { break }
                sentCount += UInt64(count)
            }
            while true {
                input.removeAll()
                guard case .bytes(let count) = sink.socket.read(into: input) else { break }
                receivedCount += UInt64(count)
            }
        }
        for round in 1...20 {
            pump()
            clients[1].send("a")
            var passes = 0
            while !target.connections[1].has(String(repeating: "a", count: round)), passes < 1000 {
                pump()
                worker.pass()
                passes += 1
            }
            #expect(passes <= 3, "round \(round)")
        }
        while receivedCount < sentCount {
            worker.pass()
            input.removeAll()
            if case .bytes(let count) = sink.socket.read(into: input) { receivedCount += UInt64(count) }
        }
        #expect(worker.counters.flowBytes.value(.tcp) == sentCount + 20)
        worker.stop()
    }

    /// A side that takes nothing holds back the other; nothing is lost when it takes again.
    @Test func whatIsNotTakenHoldsTheSenderBack() throws {
        var worker = try worker()
        let clients = try open(1, &worker), target = target
        let piece = SideBench.buffer(count: 1 << 16)
        var sentCount: UInt64 = 0, idlePasses = 0
        while idlePasses < 20 {
            piece.refill()
            if case .bytes(let count) = clients[0].socket.write(piece) {
                sentCount += UInt64(count)
                idlePasses = 0
            } else {
                idlePasses += 1
            }
            worker.pass()
        }
        #expect(worker.counters.flowBytes.value(.tcp) < sentCount)
        #expect(worker.counters.bytesHeld.value <= UInt64(Core.Limits.bulkBufferBytes))
        clients[0].socket.shutdownWrite()
        let input = Buffer(capacity: 1 << 16)
        var receivedCount: UInt64 = 0
        var isEnded = false
        #expect(
            worker.serve {
                input.removeAll()
                switch target.connections[0].socket.read(into: input) {
                case .bytes(let count): receivedCount += UInt64(count)
                case .endOfStream: isEnded = true
                case .wouldBlock, .failed: break
                }
                return isEnded
            })
        #expect(receivedCount == sentCount && worker.counters.flowBytes.value(.tcp) == sentCount)
        worker.stop()
    }
}
