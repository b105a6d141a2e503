import Core
import Proxy

/// Follows deregistered targets until no worker has an exchange with them.
///
/// Each worker says `ControlMail.drained` once for each target that left its snapshot. When the deregistration delay
/// is over before all have, they are told to cut, or to leave connections alone; their reports then say how many.
///
/// Shape: one object of the control thread; a drain begins after the snapshot without its target was sent.
final class DrainTracker {
    private let loop: ControlLoop
    private let workerCount: Int
    private let delayOver: (Registration) -> Void
    private let ended: (Registration, DrainReport) -> Void
    private var drains: [Int: Drain] = [:]

    /// `delayOver` tells every worker that the time of a target is over; `ended` is called once for every drain, before
    /// those who wait for it.
    init(
        loop: ControlLoop, workerCount: Int, delayOver: @escaping (Registration) -> Void,
        ended: @escaping (Registration, DrainReport) -> Void
    ) {
        self.loop = loop
        self.workerCount = workerCount
        self.delayOver = delayOver
        self.ended = ended
    }

    /// How many targets are draining.
    var count: Int { drains.count }

    /// Begins to follow `registration`, which workers no longer have in their snapshot. `delay` is what its exchanges
    /// have left.
    func begin(_ registration: Registration, delay: Nanoseconds, now: Instant) {
        let drain = Drain(registration, workerCount: workerCount, now: now) { [weak self] in
            self?.delayOver(registration)
        }
        drains[registration.id] = drain
        drain.timer = loop.add(drain, descriptor: nil)
        if workerCount == 0 { return end(drain, now: now) }
        loop.schedule(drain.timer, at: now + delay)
    }

    /// A worker has ended its last exchange with a target. Reports for targets that are not draining are stale: they
    /// come from workers that were slow to adopt a snapshot that nobody waits for any more.
    func received(worker: Int, target: Int, finished: Int, cut: Int, left: Int = 0, now: Instant) {
        guard let drain = drains[target], drain.waiting.remove(worker) != nil else { return }
        drain.finished += finished
        drain.cut += cut
        drain.left += left
        if drain.waiting.isEmpty { end(drain, now: now) }
    }

    /// Calls `completion` with the report of `registration` when it is drained, unless `owner` is forgotten before.
    /// Returns false, and never calls it, when it is not draining.
    func wait(
        for registration: Registration, by owner: AnyObject, completion: @escaping (DrainReport) -> Void
    ) -> Bool {
        guard let drain = drains[registration.id], drain.registration === registration else { return false }
        drain.waits.append((owner, completion))
        return true
    }

    /// Forgets what `owner` waits for. The drains go on.
    func forget(_ owner: AnyObject) {
        for drain in drains.values { drain.waits.removeAll { $0.owner === owner } }
    }

    private func end(_ drain: Drain, now: Instant) {
        let key = drain.registration.key
        drains[drain.registration.id] = nil
        loop.remove(drain.timer)
        let report = DrainReport(
            id: key.id, port: key.port, finished: drain.finished, cut: drain.cut, left: drain.left,
            seconds: Double(now.since(drain.beganAt)) / 1e9)
        ended(drain.registration, report)
        for wait in drain.waits { wait.completion(report) }
    }
}

/// One target on its way out.
private final class Drain: PollHandler {
    let registration: Registration
    let beganAt: Instant
    var timer = Token.none
    /// Workers that have not yet said that they are done.
    var waiting: Set<Int>
    var finished = 0
    var cut = 0
    var left = 0
    var waits: [(owner: AnyObject, completion: (DrainReport) -> Void)] = []
    private let delayOver: () -> Void

    init(_ registration: Registration, workerCount: Int, now: Instant, delayOver: @escaping () -> Void) {
        self.registration = registration
        self.delayOver = delayOver
        beganAt = now
        waiting = Set(0..<workerCount)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { delayOver() }
}
