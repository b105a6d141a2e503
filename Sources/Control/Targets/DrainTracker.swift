import Core
import Model
import Proxy

/// Told of drains that are over.
protocol DrainObserver: AnyObject {
    /// No worker has an exchange with `registration` any more. Called once for every drain, before those who wait.
    func drained(_ registration: Registration, _ report: DrainReport)
}

/// Tracks deregistered targets until no worker has an exchange with them.
///
/// Each worker says `ControlMail.drained` once for each target that left its snapshot. When the deregistration delay is
/// over before all have, workers are told to cut the connections or to leave them; their reports contain the numbers.
///
/// Shape: one object of the control thread; a drain begins after the snapshot without its target was sent.
final class DrainTracker {
    private let loop: ControlLoop
    private let workers: WorkerSet
    /// Told of every drain that is over.
    weak var observer: (any DrainObserver)?
    private var drains: [Int: Drain] = [:]

    /// Nothing drains. `workers` are told when the time of a target is over.
    init(loop: ControlLoop, workers: WorkerSet) {
        self.loop = loop
        self.workers = workers
    }

    /// How many targets are draining.
    var count: Int { drains.count }

    /// Begins to follow `registration`, which workers no longer have in their snapshot. `delay` is what its exchanges
    /// have left.
    func begin(_ registration: Registration, delay: Nanoseconds, now: Instant) {
        let drain = Drain(registration, workers, now: now)
        drains[registration.id] = drain
        drain.timer = loop.add(drain, descriptor: nil)
        if workers.count == 0 { return end(drain, now: now) }
        loop.schedule(drain.timer, at: now + delay)
    }

    /// A worker has ended its last exchange with a target. Reports for targets that are not draining are stale: they
    /// come from workers that adopted a snapshot late.
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

    /// Forgets what `owner` waits for. The drains continue.
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
        observer?.drained(drain.registration, report)
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
    private let workers: WorkerSet

    init(_ registration: Registration, _ workers: WorkerSet, now: Instant) {
        self.registration = registration
        self.workers = workers
        beganAt = now
        waiting = Set(0..<workers.count)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    /// The deregistration delay is over.
    func timerFired(now: Instant) {
        let id = registration.id
        workers.sendToAll(registration.isCutWhenDrained ? .cut(target: id) : .leave(target: id))
    }
}

/// Waits until several targets are drained, each of them perhaps several times over.
final class DrainWait {
    private var reports: [DrainReport]
    private var waitingCount = 1
    private let completion: ([DrainReport]) -> Void

    /// A wait for the targets `keys`, whose reports `completion` gets in that order.
    init(_ keys: [TargetKey], completion: @escaping ([DrainReport]) -> Void) {
        reports = keys.map { DrainReport(id: $0.id, port: $0.port, finished: 0, cut: 0, seconds: 0) }
        self.completion = completion
    }

    /// Waits for `draining`, the stays of each target; one that has none is drained.
    func begin(_ draining: [[Registration]], _ drains: DrainTracker) {
        for (index, registrations) in draining.enumerated() {
            for registration in registrations {
                let isWaiting = drains.wait(for: registration, by: self) { self.ended($0, index) }
                if isWaiting { waitingCount += 1 }
            }
        }
        endedOne()
    }

    private func ended(_ report: DrainReport, _ index: Int) {
        let sum = reports[index]
        reports[index] = DrainReport(
            id: sum.id, port: sum.port, finished: sum.finished + report.finished, cut: sum.cut + report.cut,
            left: sum.left + report.left,
            seconds: max(sum.seconds, report.seconds))
        endedOne()
    }

    private func endedOne() {
        waitingCount -= 1
        if waitingCount == 0 { completion(reports) }
    }
}
