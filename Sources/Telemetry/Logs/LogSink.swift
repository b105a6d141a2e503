import Core

/// Where one worker leaves the lines of a log: its own ring, and what wakes the log writer that all workers share.
public struct LogSink: Sendable {
    private let ring: LogRing
    private let wakeup: LogWakeup
    private var hasWritten = false

    /// A sink into `ring`, of which this worker is the only writer, whose lines `wakeup` has written out.
    public init(ring: LogRing, wakeup: LogWakeup) {
        self.ring = ring
        self.wakeup = wakeup
    }

    /// Appends a line. Returns false if the ring is full: the line is dropped.
    mutating func append(_ line: Buffer) -> Bool {
        hasWritten = true
        return ring.append(line.bytes)
    }

    /// Wakes the log writer if there were lines since the last call.
    mutating func flush() {
        guard hasWritten else { return }
        hasWritten = false
        wakeup.wakeIfNeeded(for: ring)
    }
}
