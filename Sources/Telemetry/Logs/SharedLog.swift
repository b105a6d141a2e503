import Core
import Synchronization

/// A log to which any thread may write without waiting for the disk or the reader of a pipe: lines are appended to a
/// ring, and a log writer thread moves them to the destination.
///
/// Shape:  the lock is held while a line is copied, never during a write to the destination.
/// Limits: `capacity` bytes may be queued. A line that does not fit is dropped and counted.
public final class SharedLog: Sendable {
    private let destination: LogDestination
    private let name: String
    private let ring: LogRing
    private let wakeup = LogWakeup()
    private let appending = Mutex<Void>(())
    private let writer = Mutex<LogWriter?>(nil)
    private let linesRefused = Atomic<UInt64>(0)

    /// A log to `destination`, whose lines are queued until `start`. `name` is the name of its thread.
    public init(_ destination: LogDestination, name: String, capacity: Int = Limits.sharedLogRingBytes) {
        self.destination = destination
        self.name = name
        ring = LogRing(capacity: capacity)
    }

    /// Lines lost, because they did not fit or because the device did not take them.
    public var linesDropped: UInt64 {
        linesRefused.load(ordering: .relaxed) &+ (writer.withLock { $0 }?.linesDropped ?? 0)
    }

    /// Writes `line`, which ends with its line feed.
    public func write(_ line: String) {
        let bytes = Array(line.utf8)
        guard appending.withLock({ _ in ring.append(bytes.span) }) else {
            linesRefused.wrappingAdd(1, ordering: .relaxed)
            return
        }
        wakeup.wakeIfNeeded(for: ring)
    }

    /// Starts the thread, unless it runs already. A process that drops root's privileges has to do that before.
    public func start() { _ = started() }

    private func started() -> LogWriter {
        writer.withLock { writer in
            if let writer { return writer }
            let started = LogWriter(
                LogFile(destination, try? destination.open()), name: name, rings: [ring], wakeup: wakeup)
            writer = started
            return started
        }
    }

    /// Writes all lines, even if the log was never started, and ends the thread. Called once, at the end.
    ///
    /// Limits: as `LogWriter.stop`.
    @discardableResult public func stop(timeoutMilliseconds: Int32 = Limits.logStopMilliseconds) -> Bool {
        started().stop(timeoutMilliseconds: timeoutMilliseconds)
    }
}
