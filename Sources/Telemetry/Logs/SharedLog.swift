import Core
import Synchronization

/// A log that any thread may write to without waiting for whoever reads it: lines go into a ring, and a thread of its
/// own takes them from there to where they belong.
///
/// Shape:  the lock is held while a line is copied, never while anything is written.
/// Limits: `capacity` bytes may wait. A line that does not fit is dropped and counted.
public final class SharedLog: Sendable {
    private let destination: LogDestination
    private let name: String
    private let ring: LogRing
    private let wakeup = LogWakeup()
    private let appending = Mutex<Void>(())
    private let writer = Mutex<LogWriter?>(nil)
    private let linesRefused = Atomic<UInt64>(0)

    /// A log to `destination`, whose lines wait until `start`. `name` is that of its thread.
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

    /// Starts the thread, unless it runs already. A process that is going to become another user does so first.
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

    /// Writes what waits, of a log that was never started as well, and ends the thread. Called once, at the end.
    ///
    /// Limits: as `LogWriter.stop`.
    @discardableResult public func stop(timeoutMilliseconds: Int32 = Limits.logStopMilliseconds) -> Bool {
        started().stop(timeoutMilliseconds: timeoutMilliseconds)
    }
}
