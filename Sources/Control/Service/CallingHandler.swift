import Core

/// Calls closures, for what needs no object of its own.
final class CallingHandler: PollHandler {
    private let whenReady: (Instant) -> Void
    private let whenTimerFired: (Instant) -> Void

    init(ready: @escaping (Instant) -> Void, timerFired: @escaping (Instant) -> Void) {
        whenReady = ready
        whenTimerFired = timerFired
    }

    func ready(_ ready: Poller.Ready, now: Instant) { whenReady(now) }

    func timerFired(now: Instant) { whenTimerFired(now) }
}
