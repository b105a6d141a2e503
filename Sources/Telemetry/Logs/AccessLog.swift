import Core

/// The access log of one worker: formats a line for each exchange and appends it to the worker's ring, from which the
/// log writer takes it.
///
/// Shape:  owned by one worker; one buffer for the current line, so that nothing is allocated per line.
/// Limits: `Limits.logLineBytesMax` per line. A line that finds the ring full is dropped and counted.
public final class AccessLog {
    /// The format of a line.
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

    /// A log that appends to `ring`, of which this worker is the only writer, and wakes the log writer by `wakeup`.
    public init(format: Format, ring: LogRing, wakeup: LogWakeup, counters: WorkerCounters) {
        self.format = format
        self.ring = ring
        self.wakeup = wakeup
        self.counters = counters
    }

    /// Writes the line of an exchange that has ended. `request` is its head; if that was rejected, its request line at
    /// most.
    public func write(_ record: AccessRecord, request: Head, names: AccessRecord.Names) {
        let line = line
        line.removeAll()
        switch format {
        case .alb: appendALB(record, request, names)
        case .json: appendJSON(record, request, names)
        }
        commit()
    }

    /// Appends the line to the ring.
    func commit() {
        let line = line
        if !ring.append(line.bytes) { counters.logLinesDropped.add() }
        hasWritten = true
    }

    /// Wakes the log writer if lines were written. Called once after each batch of events.
    public func flush() {
        guard hasWritten else { return }
        hasWritten = false
        wakeup.wakeIfNeeded(for: ring)
    }
}
