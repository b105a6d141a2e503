import Core
import Synchronization

/// The thread that moves access log lines from the workers' rings to the log file.
///
/// While lines keep coming it lets them gather for a moment and writes many at once; when none come it sleeps.
///
/// Shape:  owned by the control thread, which starts it, asks it to reopen its file, and stops it last of all.
/// Errors: a device that fails or is full costs the lines of that moment, which are counted; the next ones are tried
///         again.
public final class LogWriter: Sendable {
    private let destination: LogDestination
    private let drain: LogDrain
    private let thread: Thread

    /// Lines lost because they could not be written to the file. Those that did not fit in a ring are counted by the
    /// worker, in `WorkerCounters.logLinesDropped`.
    public var linesDropped: UInt64 { drain.linesDropped.load(ordering: .relaxed) }
    /// Octets written.
    public var bytesWritten: UInt64 { drain.bytesWritten.load(ordering: .relaxed) }

    /// Starts a thread that writes to `destination` what comes in `rings`, and that `bell` wakes.
    ///
    /// Errors: `SystemError` if the file cannot be opened.
    public convenience init(_ destination: LogDestination, rings: [LogRing], bell: LogBell) throws(SystemError) {
        self.init(destination, descriptor: try destination.open(), rings: rings, bell: bell)
    }

    /// As the other, with a file that is open already, which it closes at its end.
    init(_ destination: LogDestination, descriptor: FileDescriptor, rings: [LogRing], bell: LogBell) {
        let drain = LogDrain(rings: rings, bell: bell)
        self.destination = destination
        self.drain = drain
        thread = Thread.start(name: "access-log") { drain.run(LogFile(descriptor)) }
    }

    /// Opens the file anew, as after it was renamed for rotation. Lines written from now on go to the new one.
    ///
    /// Errors: `SystemError` if it cannot be opened; the old one then stays in use.
    public func reopen() throws(SystemError) {
        if case .standardOutput = destination { return }
        drain.replaceFile(with: try destination.open())
    }

    /// Writes what waits and ends the thread. Called once, when no worker writes any more.
    ///
    /// Limits: waits `timeoutMilliseconds` at most; false if the device had not taken everything by then. The thread is
    ///         then left behind for the process's exit to end.
    @discardableResult public func stop(timeoutMilliseconds: Int32 = Limits.logStopMilliseconds) -> Bool {
        guard drain.stop(timeoutMilliseconds: timeoutMilliseconds) else { return false }
        thread.join()
        return true
    }
}

/// What the log thread runs, and what others say to it.
private final class LogDrain: Sendable {
    let linesDropped = Atomic<UInt64>(0)
    let bytesWritten = Atomic<UInt64>(0)
    private let rings: [LogRing]
    private let bell: LogBell
    private let wantsStop = Atomic<Bool>(false)
    // The descriptor of a file to go on with, or -1.
    private let replacement = Atomic<Int32>(-1)
    private let ended = EventDescriptor()
    private let hasEnded = Atomic<Bool>(false)

    init(rings: [LogRing], bell: LogBell) {
        self.rings = rings
        self.bell = bell
    }

    func replaceFile(with file: FileDescriptor) {
        let unused = replacement.exchange(file.descriptor, ordering: .acquiringAndReleasing)
        if unused >= 0 { FileDescriptor(descriptor: unused).close() }
        bell.wake()
    }

    func stop(timeoutMilliseconds: Int32) -> Bool {
        wantsStop.store(true, ordering: .releasing)
        bell.wake()
        ended.wait(timeoutMilliseconds: timeoutMilliseconds)
        return hasEnded.load(ordering: .acquiring)
    }

    func run(_ opened: LogFile) {
        var file = opened
        while true {
            // Asked before the rings are read: what was appended before the request to stop is written.
            let isLast = wantsStop.load(ordering: .acquiring)
            adoptReplacement(&file)
            let hasWritten = writeAll(to: &file)
            if isLast { break }
            if hasWritten {
                bell.sleep(timeoutMilliseconds: Limits.logGatherMilliseconds) {
                    isCalled || rings.contains { $0.count > $0.capacity / 2 }
                }
            } else {
                bell.sleep(timeoutMilliseconds: nil) { isCalled || rings.contains { $0.count > 0 } }
            }
        }
        file.close()
        hasEnded.store(true, ordering: .releasing)
        ended.ring()
    }

    private var isCalled: Bool {
        wantsStop.load(ordering: .acquiring) || replacement.load(ordering: .acquiring) >= 0
    }

    private func adoptReplacement(_ file: inout LogFile) {
        let descriptor = replacement.exchange(-1, ordering: .acquiringAndReleasing)
        if descriptor >= 0 { file.replace(with: FileDescriptor(descriptor: descriptor)) }
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
