import Core

/// One worker's door to the access log: formats a line for each exchange and leaves it in the worker's ring.
///
/// Shape:  owned by one worker; one buffer for the line being written, so nothing is allocated per line.
/// Limits: `Limits.logLineBytesMax` per line. A line that finds the ring full is dropped and counted.
public final class AccessLog {
    /// What a line looks like.
    public enum Format: String, Sendable {
        /// ALB's 34 fields. Source: docs/elbv2.md, "Access log".
        case alb
        /// One JSON object per line.
        case json
    }

    let line = Buffer(capacity: Limits.logLineBytesMax)
    let format: Format
    private let ring: LogRing
    private let wakeup: LogWakeup
    private let counters: WorkerCounters
    private var hasWritten = false

    /// A log that writes into `ring`, of which `counters`' worker is the only writer, and wakes its reader by `wakeup`.
    public init(format: Format, ring: LogRing, wakeup: LogWakeup, counters: WorkerCounters) {
        self.format = format
        self.ring = ring
        self.wakeup = wakeup
        self.counters = counters
    }

    /// Writes the line of an exchange that is over. `request` is its head; if that was refused, its
    /// request line at most.
    public func write(_ record: AccessRecord, request: Head, names: AccessRecord.Names) {
        let line = line
        line.removeAll()
        switch format {
        case .alb: appendALB(record, request, names)
        case .json: appendJSON(record, request, names)
        }
        commit()
    }

    /// Leaves the line in the ring.
    func commit() {
        let line = line
        if !ring.append(line.bytes) { counters.logLinesDropped.add() }
        hasWritten = true
    }

    /// Makes sure that what was written is read. Called once after each batch of events.
    public func flush() {
        guard hasWritten else { return }
        hasWritten = false
        wakeup.wakeIfNeeded(for: ring)
    }
}
