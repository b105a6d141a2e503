import Core

/// The times of discovery: when the next batch may begin, when to look who is away for long, and when to forget groups
/// without containers.
final class DiscoveryTimer: PollHandler {
    private weak var discovery: TargetDiscovery?
    private let loop: ControlLoop
    private var token = Token.none
    private var batchAt: Instant?
    private var lookAt: Instant?
    private var emptyEndAt: Instant?

    init(_ discovery: TargetDiscovery, _ loop: ControlLoop) {
        self.discovery = discovery
        self.loop = loop
        token = loop.add(self, descriptor: nil)
    }

    func remove() { loop.remove(token) }

    func schedule(batchAt: Instant) {
        self.batchAt = batchAt
        reschedule()
    }

    func scheduleLook() {
        if lookAt == nil { lookAt = loop.now + Limits.discoveryAlarmTime }
        reschedule()
    }

    func schedule(emptyEndAt: Instant?) {
        self.emptyEndAt = emptyEndAt
        reschedule()
    }

    private func reschedule() {
        if let next = [batchAt, lookAt, emptyEndAt].compactMap(\.self).min() { loop.schedule(token, at: next) }
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        if let batchAt, batchAt <= now {
            self.batchAt = nil
            discovery?.takeTurn()
        }
        if let lookAt, lookAt <= now {
            self.lookAt = nil
            discovery?.look(now: now)
        }
        if let emptyEndAt, emptyEndAt <= now {
            self.emptyEndAt = nil
            discovery?.forgetEmpty(now: now)
        }
        reschedule()
    }
}
