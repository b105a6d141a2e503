import Core
import Testing

@testable import Proxy

@Suite struct AcknowledgementWatchTests {
    private let limit: Nanoseconds = 1_000_000_000
    private let now = Instant(nanoseconds: 5_000_000_000)

    @Test func nothingIsAwaitedBeforeSomethingWasSent() {
        var watch = AcknowledgementWatch()
        #expect(watch.unacknowledgedSince == .distantFuture)
        watch.sent(10, now: now)
        watch.sent(20, now: now + 7)
        #expect(watch.unacknowledgedSince == now, "the first byte is the one that is awaited")
        watch.heard(20, now: now + 9)
        #expect(watch.unacknowledgedSince == now + 9, "what was sent before may still be on its way")
        watch.sent(30, now: now + 11)
        watch.restart()
        #expect(watch.unacknowledgedSince == .distantFuture)
        watch.heard(30, now: now + 12)
        #expect(watch.unacknowledgedSince == .distantFuture, "nothing is owed")
    }

    /// The kernel at the other end acknowledges by itself, whether its program reads or not.
    @Test func anAcknowledgedByteIsNoSilence() throws {
        let pair = try SocketPair()
        let near = pair.own
        defer {
            near.close()
            pair.other.close()
        }
        let buffer = Buffer(capacity: 16)
        buffer.append("hello")
        guard case .bytes(5) = near.write(buffer) else {
            Issue.record("the kernel took nothing")
            return
        }
        var watch = AcknowledgementWatch()
        watch.sent(5, now: now)
        while near.unacknowledgedByteCount > 0 {}
        let silence = watch.silence(near, sentCount: 5, limit: limit, now: now + 100 * limit)
        #expect(silence == nil && watch.unacknowledgedSince == .distantFuture)
        #expect(!near.isUnresponsive(for: 0), "nothing is owed")
    }
}
