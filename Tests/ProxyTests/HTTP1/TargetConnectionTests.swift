import Core
import Testing

@testable import Proxy

@Suite struct TargetConnectionTests {
    @Test func isNotReadyBeforeItIsConnected() {
        let target = TargetConnection(
            transport: Plans.noTransport(to: .target), pool: TargetPool(Plans.target(0)), group: Plans.emptyGroup,
            now: Instant(nanoseconds: 0))
        #expect(!target.transport.isReadable && !target.isWritable && target.phase == .connecting)
    }
}
