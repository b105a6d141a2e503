import Core
import Synchronization

/// The thread that moves a log's lines from the rings of those who wrote them to its file.
///
/// While lines keep coming it lets them gather for a moment and writes many at once; when none come it sleeps.
///
/// Shape:  owned by the control thread, which starts it, asks it to reopen its file, and stops it last of all. This
///         thread alone waits for the disk, or for whoever reads the other end of a pipe.
/// Errors: a device that fails or is full costs the lines of that moment, which are counted; the next ones are tried
///         again. So does a FIFO that nobody reads.
public final class LogWriter: Sendable {
    private let drain: LogDrain
    private let thread: Thread

    /// Lines lost because they could not be written to the file. Those that did not fit in a ring are counted by the
    /// worker, in `WorkerCounters.logLinesDropped`.
    public var linesDropped: UInt64 { drain.linesDropped.load(ordering: .relaxed) }
    /// Bytes written.
    public var bytesWritten: UInt64 { drain.bytesWritten.load(ordering: .relaxed) }

    /// Starts a thread called `name` that writes to `destination` what comes in `rings`, and that `wakeup` wakes. After
    /// each `reopen` it calls `reopened`, with the error if there was one: the old file is then still in use.
    ///
    /// Errors: `SystemError` if the file cannot be opened. A FIFO that nobody reads is opened later.
    public convenience init(
        _ destination: LogDestination, name: String, rings: [LogRing], wakeup: LogWakeup,
        reopened: @escaping @Sendable (SystemError?) -> Void
    ) throws(SystemError) {
        let file = LogFile(destination, try destination.open())
        self.init(file, name: name, rings: rings, wakeup: wakeup, reopened: reopened)
    }

    /// The same with a file that is open, which is closed at the end.
    init(
        _ file: LogFile, name: String, rings: [LogRing], wakeup: LogWakeup,
        reopened: @escaping @Sendable (SystemError?) -> Void = { _ in }
    ) {
        let drain = LogDrain(rings: rings, wakeup: wakeup, reopened: reopened)
        self.drain = drain
        thread = Thread.start(name: name) { drain.run(file) }
    }

    /// Has the thread open the file anew, as after it was renamed for rotation.
    public func reopen() { drain.reopen() }

    /// Has the thread end once it has written what waits, without waiting for that.
    public func beginStop() { drain.beginStop() }

    /// Writes what waits and ends the thread. Called once, when no worker writes any more.
    ///
    /// Limits: waits `timeoutMilliseconds` at most; false if the device had not taken everything by then. The thread is
    ///         then left behind for the process's exit to end.
    @discardableResult public func stop(timeoutMilliseconds: Int32 = Limits.logStopMilliseconds) -> Bool {
        drain.beginStop()
        guard drain.awaitEnd(timeoutMilliseconds: timeoutMilliseconds) else { return false }
        thread.join()
        return true
    }
}

/// What the log thread runs, and what others say to it.
private final class LogDrain: Sendable {
    let linesDropped = Atomic<UInt64>(0)
    let bytesWritten = Atomic<UInt64>(0)
    private let rings: [LogRing]
    private let wakeup: LogWakeup
    private let wantsStop = Atomic<Bool>(false)
    private let wantsReopening = Atomic<Bool>(false)
    private let reopened: @Sendable (SystemError?) -> Void
    private let ended = EventDescriptor()
    private let hasEnded = Atomic<Bool>(false)

    init(rings: [LogRing], wakeup: LogWakeup, reopened: @escaping @Sendable (SystemError?) -> Void) {
        self.rings = rings
        self.wakeup = wakeup
        self.reopened = reopened
    }

    func reopen() {
        wantsReopening.store(true, ordering: .releasing)
        wakeup.wake()
    }

    func beginStop() {
        wantsStop.store(true, ordering: .releasing)
        wakeup.wake()
    }

    func awaitEnd(timeoutMilliseconds: Int32) -> Bool {
        ended.wait(timeoutMilliseconds: timeoutMilliseconds)
        return hasEnded.load(ordering: .acquiring)
    }

    func run(_ opened: LogFile) {
        var file = opened
        while true {
            // Asked before the rings are read: what was appended before the request to stop is written.
            let isLast = wantsStop.load(ordering: .acquiring)
            if wantsReopening.exchange(false, ordering: .acquiringAndReleasing) { reopen(&file) }
            let hasWritten = writeAll(to: &file)
            if isLast { break }
            if hasWritten {
                wakeup.sleep(timeoutMilliseconds: Limits.logGatherMilliseconds) {
                    isCalled || rings.contains { $0.count > $0.capacity / 2 }
                }
            } else {
                wakeup.sleep(timeoutMilliseconds: nil) { isCalled || rings.contains { $0.count > 0 } }
            }
        }
        file.close()
        hasEnded.store(true, ordering: .releasing)
        ended.signal()
    }

    private var isCalled: Bool {
        wantsStop.load(ordering: .acquiring) || wantsReopening.load(ordering: .acquiring)
    }

    private func reopen(_ file: inout LogFile) {
        do throws(SystemError) {
            try file.reopen()
            reopened(nil)
        } catch {
            reopened(error)
        }
    }

    /// Writes what each ring holds now, in two pieces as a rule, and returns whether there was anything.
    private func writeAll(to file: inout LogFile) -> Bool {
        var hasWritten = false
        for ring in rings {
            // A piece that ends where the ring wraps may end inside a line: its rest comes before another ring's lines.
            var pieces = 0, endsInsideLine = false
            while pieces < 2 || endsInsideLine {
                endsInsideLine = false
                ring.take { piece in
                    guard piece.count > 0 else { return 0 }
                    file.write(piece)
                    hasWritten = true
                    endsInsideLine = piece[piece.count - 1] != .lineFeed
                    return piece.count
                }
                pieces += 1
            }
        }
        linesDropped.store(file.linesDropped, ordering: .relaxed)
        bytesWritten.store(file.bytesWritten, ordering: .relaxed)
        return hasWritten
    }
}
