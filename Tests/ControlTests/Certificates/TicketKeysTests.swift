import Core
import Proxy
import TLS
import Testing

@testable import Control

@Suite struct TicketKeysTests {
    @Test func eachKeyIsFollowedByANewOne() {
        let loop = ControlLoop()
        let mailbox = Mailbox<WorkerMail>(), workers = WorkerSet(count: 1)
        workers.attach(mailboxes: [mailbox])
        var told: [(current: TLSTicketKey, previous: TLSTicketKey?)] = []
        let keys = TicketKeys(loop: loop, interval: 3_600_000_000_000, workers: workers)
        let first = keys.current
        keys.setInterval(1_000_000)
        #expect(
            run(loop) {
                for case .ticketKeys(let current, let previous) in mailbox.takeAll() {
                    told.append((current, previous))
                }
                return told.count >= 3
            })
        #expect(told[0].previous == first)
        for (one, next) in zip(told, told.dropFirst()) { #expect(next.previous == one.current) }
        #expect(keys.current == told.last?.current && keys.current != first)
    }
}
