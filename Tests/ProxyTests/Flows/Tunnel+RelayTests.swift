import Core
import Telemetry
import Testing

@testable import Proxy

/// Bytes that a tunnel passes on over loopback, without a worker.
@Suite struct TunnelRelayTests {
    private final class Pair {
        let bench = SideBench()
        let tunnel: Tunnel
        let client: Socket
        let target: Socket
        let side: TunnelSide

        init() throws {
            let clientSockets = try SocketPair()
            let targetSockets = try SocketPair()
            client = clientSockets.other
            target = targetSockets.other
            tunnel = Tunnel(
                Transport(token: .none, socket: clientSockets.own, to: .client), Plans.address("192.0.2.7", 50_000),
                WorkerListener(Plans.listener(), actions: [], tickets: Plans.tickets), phase: .open,
                now: bench.resources.now,
                timeOfDay: 1_800_000_000_000_000_000)
            var transport = Transport(token: .none, socket: targetSockets.own, to: .target)
            transport.isReadable = true
            transport.isWritable = true
            side = TunnelSide(transport, to: bench.pool)
            side.tunnel = tunnel
            tunnel.target = side
        }

        /// Passes on what the client sends until that is more than to wait.
        func relay(byteCountMax: Int = 1 << 20, endsToo: Bool = true) -> Tunnel.RelayResult {
            while true {
                let result = relayOnce(byteCountMax: byteCountMax, endsToo: endsToo)
                if result != .waiting { return result }
            }
        }

        func relayOnce(byteCountMax: Int = 1 << 20, endsToo: Bool = true) -> Tunnel.RelayResult {
            tunnel.client.transport.isReadable = true
            return tunnel.relay(
                from: tunnel.client, to: side, endsToo: endsToo, byteCountMax: byteCountMax, &bench.resources)
        }
    }

    @Test func bytesAndTheEndArePassedOn() throws {
        let pair = try Pair()
        pair.client.writeAll("hello")
        pair.client.shutdownWrite()
        #expect(pair.relay() == .ended)
        #expect(pair.target.readText(5) == "hello" && pair.tunnel.record.receivedBytes == 5)
        let input = Buffer(capacity: 8)
        var end = pair.target.read(into: input)
        while end == .wouldBlock { end = pair.target.read(into: input) }
        #expect(end == .endOfStream)
        #expect(pair.bench.resources.buffers.bytesHeld == 0, "a silent pair holds nothing")
    }

    /// Each direction ends by itself.
    @Test func theOtherDirectionGoesOn() throws {
        let pair = try Pair()
        pair.client.shutdownWrite()
        #expect(pair.relay() == .ended && pair.tunnel.firstEnded == .client)
        pair.target.writeAll("late")
        var result = Tunnel.RelayResult.waiting
        while pair.tunnel.record.sentBytes < 4, result == .waiting {
            pair.side.transport.isReadable = true
            result = pair.tunnel.relay(
                from: pair.side, to: pair.tunnel.client, byteCountMax: 1 << 20, &pair.bench.resources)
        }
        #expect(pair.client.readText(4) == "late")
    }

    @Test func aResetIsTold() throws {
        let pair = try Pair()
        pair.client.closeWithReset()
        #expect(pair.relay() == .sourceBroke)
    }

    @Test func withoutTheEndTheSinkIsNotTold() throws {
        let pair = try Pair()
        pair.client.shutdownWrite()
        #expect(pair.relay(endsToo: false) == .ended && !pair.side.transport.isShut)
    }

    @Test func aTurnEndsAfterSoManyBytes() throws {
        let pair = try Pair()
        pair.client.writeAll("hello")
        #expect(pair.relay(byteCountMax: 1) == .turnOver)
    }

    /// What a side does not take waits in one buffer, and goes out first.
    @Test func aSideThatTakesNothingHoldsOneBuffer() throws {
        let pair = try Pair()
        var sentCount = 0
        while !pair.side.isBlocked {
            let piece = SideBench.buffer(count: 1 << 16)
            if case .bytes(let count) = pair.client.write(piece) { sentCount += count }
            #expect(pair.relayOnce() != .sinkBroke)
        }
        #expect(pair.bench.resources.buffers.bytesHeld <= Core.Limits.bulkBufferBytes)
        #expect(pair.relayOnce() == .waiting)
        pair.client.shutdownWrite()
        let input = Buffer(capacity: 1 << 16)
        var receivedCount = 0
        var result = Tunnel.RelayResult.waiting
        while receivedCount < sentCount {
            input.removeAll()
            if case .bytes(let count) = pair.target.read(into: input) { receivedCount += count }
            pair.side.transport.isWritable = true
            if result != .ended { result = pair.relayOnce() }
        }
        #expect(receivedCount == sentCount && !pair.side.isBlocked)
        #expect(pair.bench.resources.buffers.bytesHeld == 0)
    }
}
