import Core
import Telemetry
import Testing

@testable import Proxy

/// What a tunnel knows of itself, without sockets.
@Suite struct TunnelTests {
    private func tunnel(_ phase: Tunnel.Phase = .open) -> Tunnel {
        Tunnel(
            Plans.noTransport(to: .client), Plans.address("192.0.2.7", 50_000),
            WorkerListener(Plans.flowListener(), actions: [], tickets: Plans.tickets), phase: phase,
            now: Instant(nanoseconds: 1), timeOfDay: 1_800_000_000_000_000_000)
    }

    private func side() -> TunnelSide { TunnelSide(Plans.noTransport(to: .target)) }

    /// Who ends first is who has ended the flow: the other end only follows.
    @Test(arguments: [true, false]) func whoEndsFirstIsNoted(isClient: Bool) {
        let tunnel = tunnel(), target = side()
        tunnel.target = target
        let (first, second) = isClient ? (tunnel.client, target) : (target, tunnel.client)
        tunnel.noteEnd(of: first)
        tunnel.noteEnd(of: second)
        #expect(tunnel.firstEnded == (isClient ? .client : .target))
    }

    @Test func eachSideIsTheOthers() {
        let tunnel = tunnel(.connecting), target = side()
        #expect(tunnel.other(than: tunnel.client) == nil, "nobody is there yet")
        tunnel.target = target
        #expect(tunnel.other(than: tunnel.client) === target && tunnel.other(than: target) === tunnel.client)
    }

    /// A byte of either side proves that somebody is there.
    @Test func aTunnelIsSilentUntilAByteCame() {
        let one = tunnel(), other = tunnel()
        #expect(one.isSilent && other.isSilent)
        one.record.receivedBytes = 1
        other.record.sentBytes = 1
        #expect(!one.isSilent && !other.isSilent)
    }

    @Test func aClosedTunnelStaysClosed() async {
        let closed = tunnel()
        closed.enter(.closed)
        #expect(closed.isClosed && !closed.isSilent)
        await #expect(processExitsWith: .failure) {
            let tunnel = Tunnel(
                Plans.noTransport(to: .client), Plans.address("192.0.2.7", 50_000),
                WorkerListener(Plans.flowListener(), actions: [], tickets: Plans.tickets), phase: .closed,
                now: Instant(nanoseconds: 1), timeOfDay: 0)
            tunnel.enter(.open)
        }
    }

    /// What waits for either side is charged to the tunnel.
    @Test func bothSidesAreCharged() {
        let tunnel = tunnel(), target = side()
        tunnel.target = target
        #expect(tunnel.heldByteCount == 0 && !target.isBlocked)
        tunnel.client.waiting = Buffer(capacity: 100)
        target.waiting = Buffer(capacity: 50)
        #expect(tunnel.heldByteCount == 150 && target.isBlocked && tunnel.client.isBlocked)
    }
}
