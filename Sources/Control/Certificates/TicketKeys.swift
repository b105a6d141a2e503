import Core
import TLS

/// The key that encrypts TLS session tickets, replaced from time to time.
final class TicketKeys: PollHandler {
    private let loop: ControlLoop
    private let workers: WorkerSet
    private var token = Token.none
    private var interval: Nanoseconds
    /// The key in use.
    private(set) var current: TLSTicketKey
    /// The key before it; nil if there was none.
    private(set) var previous: TLSTicketKey?

    /// `workers` are told the new key and the one before, every `interval`. `received` are the keys of the process
    /// whose place this one takes.
    init(
        loop: ControlLoop, interval: Nanoseconds, workers: WorkerSet,
        received: (current: TLSTicketKey, previous: TLSTicketKey?)? = nil
    ) {
        current = received?.current ?? .random()
        previous = received?.previous
        self.loop = loop
        self.interval = interval
        self.workers = workers
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
        previous = current
        current = TLSTicketKey.random()
        workers.sendToAll(.ticketKeys(current: current, previous: previous))
        loop.schedule(token, at: now + interval)
    }
}
