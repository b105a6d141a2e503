import Core
import TLS

/// Makes session ticket keys anew from time to time.
final class TicketKeys: PollHandler {
    private let loop: ControlLoop
    private let tell: (TLSTicketKey, TLSTicketKey?) -> Void
    private var token = Token.none
    private var interval: Nanoseconds
    private(set) var current = TLSTicketKey.random()

    /// `tell` is called with the new key and the one before, every `interval`.
    init(loop: ControlLoop, interval: Nanoseconds, tell: @escaping (TLSTicketKey, TLSTicketKey?) -> Void) {
        self.loop = loop
        self.interval = interval
        self.tell = tell
        token = loop.add(self, descriptor: nil)
        loop.schedule(token, at: Instant.now() + interval)
    }

    /// Rotates at this interval from now on.
    func setInterval(_ interval: Nanoseconds) {
        guard interval != self.interval else { return }
        self.interval = interval
        loop.schedule(token, at: loop.now + interval)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        let previous = current
        current = TLSTicketKey.random()
        tell(current, previous)
        loop.schedule(token, at: now + interval)
    }
}
