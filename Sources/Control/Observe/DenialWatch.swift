import Core
import Logging

/// Logs when listeners deny clients by their addresses, and when that has stopped. Metrics count each; this is for
/// operators who read the log first.
///
/// Shape:  looks at the counters once a second, on the control thread.
/// Limits: one line for each listener when it begins, then one per `Limits.warningInterval` while it continues.
final class DenialWatch: PollHandler {
    private let read: () -> [DenialFigures]
    private let loop: ControlLoop
    private let logger: Logger
    private var periods: [DenialFigures.Name: LossPeriod] = [:]
    private var token = Token.none

    /// Watches what `read` tells from now on, for as long as `loop` runs.
    init(_ read: @escaping () -> [DenialFigures], loop: ControlLoop, logger: Logger) {
        self.read = read
        self.loop = loop
        self.logger = logger
        token = loop.add(self, descriptor: nil)
        loop.schedule(token, at: Instant.now() + Limits.lossWatchInterval)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        look(read(), now: now)
        loop.schedule(token, at: now + Limits.lossWatchInterval)
    }

    /// Compares the figures with the last ones, and logs what is new.
    func look(_ figures: [DenialFigures], now: Instant) {
        var next: [DenialFigures.Name: LossPeriod] = [:]
        for listener in figures {
            let total = listener.connections &+ listener.datagrams
            var period = periods[listener.name] ?? LossPeriod()
            var facts: Logger.Metadata = ["listener": "\(listener.name.loadBalancer):\(listener.name.port)"]
            switch period.step(total: total, now: now) {
            case .nothing: break
            case .going(let count):
                facts["count"] = "\(count)"
                facts["total"] = "\(total)"
                if let client = listener.client { facts["client"] = "\(client.host)" }
                logger.notice("clients are denied by their addresses", metadata: facts)
            case .over(let count):
                facts["count"] = "\(count)"
                logger.notice("no more clients are denied by their addresses", metadata: facts)
            }
            next[listener.name] = period
        }
        periods = next
    }
}
