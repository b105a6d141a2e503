import Core
import Logging
import Proxy
import Telemetry

/// Logs when connections are refused or access log lines are lost, what to do about it, and when it has stopped.
/// Metrics count each loss; this is for operators who read the log first.
///
/// Shape:  looks at the counters once a second, on the control thread.
/// Limits: one line for each kind of loss when it begins, then one per `Limits.warningInterval` while it continues.
final class LossWatch: PollHandler {
    private let loop: ControlLoop
    private let logger: Logger
    private let losses: [Loss]
    private var periods: [LossPeriod]
    private var token = Token.none

    /// Watches `losses` from now on, for as long as `loop` runs.
    init(_ losses: [Loss], loop: ControlLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
        self.losses = losses
        periods = losses.map { _ in LossPeriod() }
        token = loop.add(self, descriptor: nil)
        loop.schedule(token, at: Instant.now() + Limits.lossWatchInterval)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        look(now: now)
        loop.schedule(token, at: now + Limits.lossWatchInterval)
    }

    /// Compares every counter with its last value, and logs new losses.
    func look(now: Instant) {
        for (index, loss) in losses.enumerated() {
            let total = loss.count()
            switch periods[index].step(total: total, now: now) {
            case .nothing: break
            case .going(let count):
                var metadata = loss.facts
                metadata["count"] = "\(count)"
                metadata["total"] = "\(total)"
                metadata["remedy"] = "\(loss.remedy)"
                logger.warning("\(loss.message)", metadata: metadata)
            case .over(let count): logger.notice("\(loss.recovery)", metadata: ["count": "\(count)"])
            }
        }
    }
}

/// One kind of loss.
struct Loss {
    /// What happens, as in `access log lines are lost`.
    let message: String
    /// That it happens no more.
    let recovery: String
    /// What to do: a sentence.
    let remedy: String
    /// The numbers that explain it.
    var facts: Logger.Metadata = [:]
    /// How often it has happened since the process began.
    let count: () -> UInt64
}

/// A period of losses of one kind: from the first one after a quiet time until it is quiet again.
struct LossPeriod {
    /// What must be logged.
    enum Report: Equatable {
        case nothing
        /// So many were lost since the last line.
        case going(UInt64)
        /// Nothing was lost for `Limits.warningInterval`; so many were in all.
        case over(UInt64)
    }

    private var total: UInt64 = 0
    private var totalLogged: UInt64 = 0
    private var totalBefore: UInt64 = 0
    private var lostAt = Instant(nanoseconds: 0)
    /// When the last line was logged; nil while nothing is lost.
    private var loggedAt: Instant?

    /// The counter stands at `total` now.
    mutating func step(total: UInt64, now: Instant) -> Report {
        if total > self.total { lostAt = now }
        self.total = total
        guard let loggedAt else {
            guard total > totalLogged else { return .nothing }
            totalBefore = totalLogged
            return tell(now)
        }
        if total > totalLogged { return now.since(loggedAt) >= Limits.warningInterval ? tell(now) : .nothing }
        guard now.since(lostAt) >= Limits.warningInterval else { return .nothing }
        self.loggedAt = nil
        return .over(total - totalBefore)
    }

    private mutating func tell(_ now: Instant) -> Report {
        defer { (totalLogged, loggedAt) = (total, now) }
        return .going(total - totalLogged)
    }
}

extension Loss {
    /// Where one of the logs goes: its thread, if it is written, and the file's name.
    typealias LogPlace = (writer: LogWriter?, path: String)

    /// What a running Apus can lose.
    static func all(
        _ workers: [WorkerHandle], _ budget: DescriptorBudget, memoryBytes: Int, accessLog: LogPlace,
        connectionLog: LogPlace, healthLog: (place: LogPlace, dropped: () -> UInt64)
    ) -> [Loss] {
        func sum(_ read: @escaping (WorkerCounters) -> UInt64) -> () -> UInt64 {
            { workers.reduce(0) { $0 &+ read($1.counters) } }
        }
        func refused(_ reason: RejectionReason, _ remedy: String, _ facts: Logger.Metadata) -> Loss {
            var facts = facts
            facts["reason"] = "\(reason.label)"
            return Loss(
                message: "client connections are refused", recovery: "client connections are taken again",
                remedy: remedy, facts: facts, count: sum { $0.connectionsRejected.value(reason) })
        }
        let memory: Logger.Metadata = ["memoryBytes": "\(memoryBytes)"]
        let connections: Logger.Metadata = [
            "connections": "\(budget.connectionsMax)", "descriptors": "\(budget.descriptors)",
        ]
        func lost(
            _ name: String, _ log: LogPlace, ring: Int, _ read: @escaping (WorkerCounters) -> UInt64
        ) -> Loss {
            let dropped = sum(read)
            return Loss(
                message: "\(name) lines are lost", recovery: "the \(name) takes all lines again",
                remedy: "Make room on its disk, or move it to a faster one; after moving the file, send SIGUSR1. Each "
                    + "worker may be ahead of the disk by ringBytes, some \(ring / 512) lines, so that it never waits: "
                    + "thousands of requests that end together can be more.",
                facts: ["file": "\(log.path)", "ringBytes": "\(ring)"],
                count: { dropped() &+ (log.writer?.linesDropped ?? 0) })
        }
        return [
            refused(
                .connectionLimit, "Raise runtime.connections, and the limit on open files (ulimit -n) with it.",
                connections),
            refused(.memoryBudget, "Raise runtime.memoryBytes, or find out who holds so much.", memory),
            refused(.descriptorLimit, "Raise the limit on open files (ulimit -n).", connections),
            Loss(
                message: "client connections are closed to free memory",
                recovery: "no more client connections are closed to free memory",
                remedy: "Raise runtime.memoryBytes, or find out who holds so much.", facts: memory,
                count: sum { $0.connectionsShed.value }),
            lost("access log", accessLog, ring: Telemetry.Limits.logRingBytes) { $0.logLinesDropped.value },
            lost("connection log", connectionLog, ring: Limits.connectionLogRingBytes) {
                $0.connectionLogLinesDropped.value
            },
            Loss(
                message: "health check log lines are lost", recovery: "the health check log takes all lines again",
                remedy: "Make room on its disk, or move it to a faster one; after moving the file, send SIGUSR1.",
                facts: ["file": "\(healthLog.place.path)"],
                count: { healthLog.dropped() &+ (healthLog.place.writer?.linesDropped ?? 0) }),
            // Told once somebody reads again: until then these words are lost as well.
            Loss(
                message: "lines of this log were lost", recovery: "this log takes all lines again",
                remedy: "Read the standard error of this process without a break, or send it to a file.",
                count: { Log.lines.linesDropped }),
        ]
    }
}
