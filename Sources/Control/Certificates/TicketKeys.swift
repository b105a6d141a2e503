import Core
import TLS

/// The key that encrypts TLS session tickets, replaced from time to time.
final class TicketKeys: PollHandler {
    private let loop: ControlLoop
    private let workers: WorkerSet
    private var token = Token.none
    private var interval: Nanoseconds
    /// The key in use.
    private(set) var current = TLSTicketKey.random()

    /// `workers` are told the new key and the one before, every `interval`.
    init(loop: ControlLoop, interval: Nanoseconds, workers: WorkerSet) {
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
        let previous = current
        current = TLSTicketKey.random()
        workers.sendToAll(.ticketKeys(current: current, previous: previous))
        loop.schedule(token, at: now + interval)
    }
}
