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
    private var sink: LogSink
    private let counters: WorkerCounters

    /// A log whose lines go to `sink`.
    public init(format: Format, sink: LogSink, counters: WorkerCounters) {
        self.format = format
        self.sink = sink
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
        if !sink.append(line) { counters.logLinesDropped.add() }
    }

    /// Wakes the log writer if lines were written. Called once after each batch of events.
    public func flush() { sink.flush() }
}
