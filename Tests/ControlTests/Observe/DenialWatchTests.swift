import Core
import Logging
import Testing

@testable import Control

@Suite struct DenialWatchTests {
    private static let second: Nanoseconds = 1_000_000_000

    private static func figures(_ connections: UInt64, datagrams: UInt64 = 0, client: String? = nil) -> DenialFigures {
        DenialFigures(
            name: DenialFigures.Name(loadBalancer: "web", port: 443), connections: connections, datagrams: datagrams,
            client: client.flatMap { SocketAddress(literal: $0, port: 0) })
    }

    /// One line when it begins, one each ten seconds, one when it is over; the last address is in it.
    @Test func saysWhoIsDeniedAndThatItIsOver() {
        let log = RecordingLog()
        let watch = DenialWatch({ [] }, loop: ControlLoop(), logger: Logger(label: "test") { _ in log })
        let now = Instant(nanoseconds: 1_000 * Self.second)
        watch.look([Self.figures(0)], now: now)
        #expect(log.lines.isEmpty)
        watch.look([Self.figures(2, datagrams: 1, client: "192.0.2.7")], now: now + Self.second)
        let begun = "clients are denied by their addresses client=192.0.2.7 count=3 listener=web:443 total=3"
        #expect(log.lines == [begun])
        watch.look([Self.figures(9, datagrams: 1, client: "2001:db8::7")], now: now + 2 * Self.second)
        #expect(log.lines.count == 1)
        watch.look([Self.figures(9, datagrams: 1, client: "2001:db8::7")], now: now + 11 * Self.second)
        #expect(
            log.lines.last
                == "clients are denied by their addresses client=2001:db8::7 count=7 listener=web:443 total=10")
        watch.look([Self.figures(9, datagrams: 1)], now: now + 30 * Self.second)
        #expect(log.lines.last == "no more clients are denied by their addresses count=10 listener=web:443")
        #expect(log.lines.count == 3)
    }

    /// A listener that has gone, and comes again, begins anew.
    @Test func forgetsListenersThatAreGone() {
        let log = RecordingLog()
        let watch = DenialWatch({ [] }, loop: ControlLoop(), logger: Logger(label: "test") { _ in log })
        let now = Instant(nanoseconds: 1_000 * Self.second)
        watch.look([Self.figures(5)], now: now)
        watch.look([], now: now + Self.second)
        watch.look([Self.figures(1)], now: now + 2 * Self.second)
        #expect(log.lines.map { $0.contains("count=") } == [true, true])
    }
}
