import Core
import Logging

/// Tells the service manager how this service is doing: that it is ready, reloads or stops, one line of status, and
/// that the control thread is alive.
///
/// Shape:  one object of the control thread, with one timer. It never waits: what the service manager did not take is
///         sent again later.
/// Limits: three datagrams wait at most, which process is the main one, and the beginning and the end of the latest
///         reload; the status is sent once in
///         `Limits.statusInterval` at most, if it has changed.
/// Source: sd_notify(3), systemd.service(5), "Type=notify" and "notify-reload".
final class ServiceNotifier: PollHandler, ReloadObserver {
    private let socket: NotifySocket
    private let loop: ControlLoop
    private let logger: Logger
    /// The line of status while the service serves.
    private let summary: () -> String
    private let feedInterval: Nanoseconds?
    private var token = Token.none
    private var phase = Phase.starting
    /// What the service manager did not take, in its order.
    private var unsent: [String] = []
    /// When that is sent again.
    private var retryDue: Instant?
    private var statusSent = ""
    /// When the status is compared with the one that was sent; nil while nothing happens.
    private var statusDue: Instant?
    private var feedDue: Instant?
    private var lastReloadWasRefused = false
    private var hasWarned = false

    /// What the service manager was told last; after `handedOver` it is told nothing more.
    private enum Phase { case starting, ready, reloading, stopping, handedOver }

    /// Tells `environment`'s service manager; nil if that does not want to be told, or cannot be. `summary` makes the
    /// line of status.
    init?(_ environment: ServiceEnvironment, loop: ControlLoop, logger: Logger, summary: @escaping () -> String) {
        guard let address = environment.notifySocket else { return nil }
        do throws(SystemError) { socket = try NotifySocket(address) } catch {
            logger.warning(
                "the service manager cannot be told that this service is ready", metadata: ["error": "\(error)"])
            return nil
        }
        self.loop = loop
        self.logger = logger
        self.summary = summary
        feedInterval = environment.watchdogTime.map { max($0 / 2, Limits.feedIntervalMin) }
        token = loop.add(self, descriptor: nil)
        feedDue = feedInterval.map { Instant.now() + $0 }
        schedule()
    }

    /// Every worker serves.
    func ready() {
        guard phase == .starting else { return }
        tellReady()
    }

    /// This process has taken the place of the service's main one, which feeds the watchdog no more.
    func tookOver() {
        guard phase == .starting else { return }
        feedDue = feedInterval.map { _ in Instant.now() }
        tellReady("READY=1\nMAINPID=\(SystemProcess.id)")
    }

    /// The process with this id has taken the place of this one, and tells the service manager from now on. That it is
    /// the main one is told by both: this one may end before the other one does so, which would be the service's end.
    func handedOver(to process: Int32) {
        phase = .handedOver
        (feedDue, statusDue) = (nil, nil)
        unsent = ["MAINPID=\(process)"]
        flush()
        schedule()
    }

    func reloadBegan() {
        guard phase == .ready else { return }
        phase = .reloading
        // The time tells a service manager of "notify-reload" that this is the reload which it has asked for.
        unsent.removeAll { !$0.contains("MAINPID=") }
        tell("RELOADING=1\nMONOTONIC_USEC=\(Instant.now().nanoseconds / 1000)", status: "Reloading the configuration")
    }

    func reloadEnded(wasRefused: Bool) {
        guard phase == .reloading else { return }
        lastReloadWasRefused = wasRefused
        tellReady()
    }

    /// The process finishes what is in flight, for `grace` seconds at most, and ends.
    func stopping(grace: Double) {
        guard phase != .stopping, phase != .handedOver else { return }
        phase = .stopping
        statusDue = nil
        unsent = []
        tell("STOPPING=1", status: "Finishing what is in flight, for at most \(grace) s")
    }

    /// Something has happened that may show in the status.
    func statusMayHaveChanged() {
        guard phase == .ready, statusDue == nil else { return }
        statusDue = Instant.now() + Limits.statusInterval
        schedule()
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        if let feedInterval, let due = feedDue, due <= now {
            // One that is not taken is followed by another one soon enough.
            report(socket.send("WATCHDOG=1"))
            feedDue = now + feedInterval
        }
        if let due = retryDue, due <= now { flush() }
        if let due = statusDue, due <= now { tellStatus(now: now) }
        schedule()
    }

    private func tellReady(_ state: String = "READY=1") {
        phase = .ready
        statusDue = nil
        tell(state, status: status)
    }

    private var status: String {
        summary() + (lastReloadWasRefused ? "; the last reload was refused, see the log" : "")
    }

    private func tell(_ state: String, status: String) {
        statusSent = status
        unsent.append("\(state)\nSTATUS=\(status)")
        flush()
        schedule()
    }

    private func tellStatus(now: Instant) {
        statusDue = nil
        let status = status
        guard phase == .ready, status != statusSent else { return }
        // What waits goes first.
        guard unsent.isEmpty, report(socket.send("STATUS=\(status)")) else {
            statusDue = now + Limits.statusInterval
            return
        }
        statusSent = status
    }

    private func flush() {
        var delay = Limits.notifyRetryTime
        while let first = unsent.first {
            let result = socket.send(first)
            report(result)
            // A service manager whose socket is not there now may wait for this later.
            if case .failed = result { delay = Limits.statusInterval }
            guard result == .sent else { break }
            unsent.removeFirst()
        }
        retryDue = unsent.isEmpty ? nil : Instant.now() + delay
    }

    /// Whether there is nothing to be sent again. What cannot be sent at all is said once.
    @discardableResult private func report(_ result: NotifySocket.SendResult) -> Bool {
        switch result {
        case .sent: return true
        case .wouldBlock: return false
        case .failed(let error):
            if !hasWarned {
                logger.warning("the service manager cannot be told", metadata: ["error": "\(error)"])
            }
            hasWarned = true
            return true
        }
    }

    private func schedule() {
        let next = [feedDue, retryDue, statusDue].compactMap(\.self).min()
        if let next { loop.schedule(token, at: next) } else { loop.cancel(token) }
    }
}
