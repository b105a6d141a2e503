import Core
import Logging
import Proxy
import Telemetry

/// Tells our own log when connections are refused or access log lines are lost, what to do about it, and when it is
/// over. Metrics count each loss; this is for those who read the log first.
///
/// Shape:  looks at the counters once a second, on the control thread.
/// Limits: of each kind of loss one line when it begins, then one per `Limits.complaintInterval` while it goes on.
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

    /// Compares every counter with what it was, and says what is new.
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

/// From the first loss after a quiet time until it is quiet again.
struct LossPeriod {
    /// What there is to say.
    enum Word: Equatable {
        case nothing
        /// So many were lost since the last word.
        case going(UInt64)
        /// Nothing was lost for `Limits.complaintInterval`; so many were in all.
        case over(UInt64)
    }

    private var total: UInt64 = 0
    private var totalTold: UInt64 = 0
    private var totalBefore: UInt64 = 0
    private var lostAt = Instant(nanoseconds: 0)
    /// When the last word was said; nil while all is quiet.
    private var toldAt: Instant?

    /// The counter stands at `total` now.
    mutating func step(total: UInt64, now: Instant) -> Word {
        if total > self.total { lostAt = now }
        self.total = total
        guard let toldAt else {
            guard total > totalTold else { return .nothing }
            totalBefore = totalTold
            return tell(now)
        }
        if total > totalTold { return now.since(toldAt) >= Limits.complaintInterval ? tell(now) : .nothing }
        guard now.since(lostAt) >= Limits.complaintInterval else { return .nothing }
        self.toldAt = nil
        return .over(total - totalBefore)
    }

    private mutating func tell(_ now: Instant) -> Word {
        defer { (totalTold, toldAt) = (total, now) }
        return .going(total - totalTold)
    }
}

extension Loss {
    /// Where one of the logs goes: its thread, if it is written, and the file's name.
    typealias LogPlace = (writer: LogWriter?, path: String)

    /// What a running Apus can lose.
    static func all(
        _ workers: [WorkerHandle], _ budget: DescriptorBudget, memoryBytes: Int, accessLog: LogPlace,
        connectionLog: LogPlace
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
            // Told once somebody reads again: until then these words are lost as well.
            Loss(
                message: "lines of this log were lost", recovery: "this log takes all lines again",
                remedy: "Read the standard error of this process without a break, or send it to a file.",
                count: { Log.lines.linesDropped }),
        ]
    }
}
