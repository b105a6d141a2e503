import Core
import Logging
import Model
import Routing
import Telemetry

/// Takes what health checks find.
protocol CheckReceiver: AnyObject {
    /// A check of `registration` has begun, or has decided something.
    func receive(_ event: HealthState.Event, _ registration: Registration, now: Instant)
    /// A check of `registration` is due. Returns whether it is skipped, since requests prove the target healthy.
    func skipsCheck(of registration: Registration) -> Bool
}

/// Checks the health of targets, each at its interval, from the control thread.
///
/// A target is watched from its registration to its deregistration. Its checks never overlap; the next one begins an
/// interval after the last began, give or take a tenth. What checks say goes to `TargetRegistry`, which judges.
///
/// Shape:  one object of the control thread, one timer per watched target, one connection per running check.
/// Limits: `runningMax` checks at once (with 0 none ever runs); more wait their turn, and waiting counts for nothing.
/// Source: docs/elbv2.md, "Health checks".
final class HealthProber {
    /// What one check has found.
    enum Verdict: Equatable {
        case passed
        case failed(HealthState.CheckFailure)
        /// Nothing about the target: we were out of descriptors, or away while time ran out.
        case void(String)
    }

    /// Checks that passed so far.
    private(set) var passedCount: UInt64 = 0
    /// Checks that failed so far.
    private(set) var failedCount: UInt64 = 0
    /// Checks that were skipped so far, since requests had proven that the target is healthy.
    private(set) var skippedCount: UInt64 = 0

    /// Where every check is written; nil before the logs are opened.
    var log: HealthCheckLog?

    private let loop: ControlLoop
    private let runningMax: Int
    private let logger: Logger
    private unowned let receiver: any CheckReceiver
    private let workbench = ProbeWorkbench()
    private var checks: [Int: Check] = [:]
    private var waiting: [Check] = []
    /// How many of `waiting` have had their turn.
    private var waitingStart = 0
    private var running = 0
    private var lastWarningAt: Instant?

    /// `receiver`, which outlives it, is notified when a check begins and when it has a result.
    init(loop: ControlLoop, runningMax: Int, receiver: any CheckReceiver, logger: Logger) {
        precondition(runningMax >= 0, "prober: a negative number of checks")
        self.loop = loop
        self.runningMax = runningMax
        self.logger = logger
        self.receiver = receiver
    }

    /// Watches `registrations`, all of which have an address, from now on, or again after their group's health check
    /// has changed. Their first checks are spread over time.
    func watch(_ registrations: [Registration], now: Instant) {
        for (index, registration) in registrations.enumerated() {
            let interval = registration.interval
            let delay = CheckSchedule.firstDelay(index: index, of: registrations.count, interval: interval)
            let check = checks[registration.id] ?? add(registration)
            guard case .scheduled = check.phase else { continue }
            loop.schedule(check.timer, at: now + delay)
        }
    }

    /// Stops checking `registration`; a running check is cancelled without a result.
    func forget(_ registration: Registration) {
        guard let check = checks[registration.id], check.registration === registration else { return }
        checks[registration.id] = nil
        loop.remove(check.timer)
        let phase = check.phase
        check.phase = .forgotten
        guard case .running(let probe) = phase else { return }
        probe.abandon()
        running -= 1
        startWaiting(now: loop.now)
    }

    private func add(_ registration: Registration) -> Check {
        let check = Check(registration, self)
        check.timer = loop.add(check, descriptor: nil)
        checks[registration.id] = check
        return check
    }

    fileprivate func due(_ check: Check, now: Instant) {
        if receiver.skipsCheck(of: check.registration) {
            skippedCount += 1
            loop.schedule(check.timer, at: now + nextDelay(check))
            return
        }
        check.phase = .waiting
        waiting.append(check)
        startWaiting(now: now)
    }

    /// Begins checks that wait, oldest first, as long as there is room.
    private func startWaiting(now: Instant) {
        while running < runningMax, waitingStart < waiting.count {
            let check = waiting[waitingStart]
            waitingStart += 1
            if case .waiting = check.phase { start(check, now: now) }
        }
        guard waitingStart == waiting.count || waitingStart > 1024 else { return }
        waiting.removeFirst(waitingStart)
        waitingStart = 0
    }

    private func start(_ check: Check, now: Instant) {
        running += 1
        check.beganAt = now
        receiver.receive(.checkBegan, check.registration, now: now)
        let probe = Probe(check.registration, loop: loop, workbench: workbench) { [weak self, weak check] in
            guard let self, let check else { return }
            self.finish(check, $0, now: $1)
        }
        probe.isLogged = log?.format != nil
        check.phase = .running(probe)
        probe.begin(now: now)
    }

    private func finish(_ check: Check, _ verdict: Verdict, now: Instant) {
        guard case .running(let probe) = check.phase else { return }
        running -= 1
        check.phase = .scheduled
        loop.schedule(check.timer, at: max(check.beganAt + nextDelay(check), now))
        write(probe, verdict, since: check.beganAt, now: now)
        switch verdict {
        case .passed:
            passedCount += 1
            receiver.receive(.checkPassed, check.registration, now: now)
        case .failed(let failure):
            failedCount += 1
            receiver.receive(.checkFailed(failure), check.registration, now: now)
        case .void(let reason):
            loop.schedule(check.timer, at: now + min(check.registration.interval, Limits.voidCheckDelay))
            warn(reason, about: check.registration, now: now)
        }
        startWaiting(now: now)
    }

    private func write(_ probe: Probe, _ verdict: Verdict, since beganAt: Instant, now: Instant) {
        guard probe.isLogged, let log, let record = probe.record(of: verdict, since: beganAt, now: now) else { return }
        let group = probe.registration.group
        log.write(
            record, group: Array(group.name.utf8).span, loadBalancer: Array((group.loadBalancer ?? "-").utf8).span)
    }

    private func nextDelay(_ check: Check) -> Nanoseconds {
        CheckSchedule.nextDelay(interval: check.registration.interval, random: .random(in: .min ... .max))
    }

    /// Logs why checks have no result, with a rate limit.
    private func warn(_ reason: String, about registration: Registration, now: Instant) {
        if let lastWarningAt, now.since(lastWarningAt) < Limits.warningInterval { return }
        lastWarningAt = now
        logger.warning(
            "a health check could not be made and counts for nothing",
            metadata: [
                "group": "\(registration.group.name)", "target": "\(registration.key)", "reason": "\(reason)",
            ])
    }
}

/// The schedule of one target's checks.
private final class Check: PollHandler {
    /// Where the target's next check is.
    enum Phase {
        /// Its timer is set; leaves when that fires.
        case scheduled
        /// Due, but as many run as may; leaves when it has its turn.
        case waiting
        /// Leaves with the probe's verdict.
        case running(Probe)
        /// The target is not watched any more.
        case forgotten
    }

    let registration: Registration
    var phase = Phase.scheduled
    var timer = Token.none
    var beganAt = Instant(nanoseconds: 0)
    private weak var prober: HealthProber?

    init(_ registration: Registration, _ prober: HealthProber) {
        self.registration = registration
        self.prober = prober
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { prober?.due(self, now: now) }
}

extension Registration {
    /// From one check to the next.
    fileprivate var interval: Nanoseconds { Nanoseconds(seconds: group.configuration.healthCheck.intervalSeconds) }
}
