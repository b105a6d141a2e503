import Core
import TLS
import Testing

@testable import Control

@Suite struct TicketKeysTests {
    @Test func eachKeyIsFollowedByANewOne() {
        let loop = ControlLoop()
        var told: [(current: TLSTicketKey, previous: TLSTicketKey?)] = []
        let keys = TicketKeys(loop: loop, interval: 3_600_000_000_000) { told.append(($0, $1)) }
        let first = keys.current
        keys.setInterval(1_000_000)
        #expect(run(loop) { told.count >= 3 })
        #expect(told[0].previous == first)
        for (one, next) in zip(told, told.dropFirst()) { #expect(next.previous == one.current) }
        #expect(keys.current == told.last?.current && keys.current != first)
    }
}
