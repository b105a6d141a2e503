import Core
import Synchronization

/// The thread that moves lines from the rings of a log into its file.
///
/// While lines keep coming it waits a moment and writes many at once; without lines it sleeps.
///
/// Shape:  owned by the control thread, which starts it, makes it reopen its file, and stops it last. Only this thread
///         waits for the disk or for the reader of a pipe.
/// Errors: if a device fails or is full, or a FIFO has no reader, the lines are dropped and counted; the next ones are
///         tried again.
public final class LogWriter: Sendable {
    private let drain: LogDrain
    private let thread: Thread

    /// Lines lost because they could not be written to the file. Those that did not fit in a ring are counted by the
    /// worker, in `WorkerCounters.logLinesDropped`.
    public var linesDropped: UInt64 { drain.linesDropped.load(ordering: .relaxed) }
    /// Bytes written.
    public var bytesWritten: UInt64 { drain.bytesWritten.load(ordering: .relaxed) }

    /// Starts a thread called `name` that writes the lines of `rings` to `destination` and is woken by `wakeup`. After
    /// each `reopen` it calls `reopened`, with the error if there was one; the old file is then still in use.
    ///
    /// Errors: `SystemError` if the file cannot be opened. A FIFO without a reader is opened later.
    public convenience init(
        _ destination: LogDestination, name: String, rings: [LogRing], wakeup: LogWakeup,
        reopened: @escaping @Sendable (SystemError?) -> Void
    ) throws(SystemError) {
        let file = LogFile(destination, try destination.open())
        self.init(file, name: name, rings: rings, wakeup: wakeup, reopened: reopened)
    }

    /// Starts a thread that writes to an open file, which it closes at the end.
    init(
        _ file: LogFile, name: String, rings: [LogRing], wakeup: LogWakeup,
        reopened: @escaping @Sendable (SystemError?) -> Void = { _ in }
    ) {
        let drain = LogDrain(rings: rings, wakeup: wakeup, reopened: reopened)
        self.drain = drain
        thread = Thread.start(name: name) { drain.run(file) }
    }

    /// Makes the thread reopen the file, as after log rotation has renamed it.
    public func reopen() { drain.reopen() }

    /// Makes the thread end once it has written all lines, without waiting for it.
    public func beginStop() { drain.beginStop() }

    /// Writes all lines and ends the thread. Called once, when no worker writes any more.
    ///
    /// Limits: waits `timeoutMilliseconds` at most. Returns false if the device has not taken everything by then; the
    ///         thread then runs until the process exits.
    @discardableResult public func stop(timeoutMilliseconds: Int32 = Limits.logStopMilliseconds) -> Bool {
        drain.beginStop()
        guard drain.awaitEnd(timeoutMilliseconds: timeoutMilliseconds) else { return false }
        thread.join()
        return true
    }
}

/// The loop of the log thread, and the requests of other threads to it.
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
            // Loaded before the rings are read, so that lines appended before the request to stop are written.
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

    /// Writes what each ring holds now, usually in two pieces, and returns whether there was anything.
    private func writeAll(to file: inout LogFile) -> Bool {
        var hasWritten = false
        for ring in rings {
            // A piece that ends at the wrap may end inside a line, so its rest is written before the lines of another
            // ring.
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
