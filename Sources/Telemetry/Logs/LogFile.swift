import Core

/// Where the lines of a log go.
public enum LogDestination: Sendable {
    /// The process's standard output.
    case standardOutput
    /// The process's standard error.
    case standardError
    /// The file at this path, made if it is not there, appended to if it is; or the FIFO or device that is there.
    case file(String)

    /// Opens it, without waiting for a FIFO's reader: nil if nobody reads it yet. Errors: `SystemError` naming the
    /// path.
    func open() throws(SystemError) -> FileDescriptor? {
        switch self {
        case .standardOutput: return .standardOutput
        case .standardError: return .standardError
        case .file(let path):
            do throws(SystemError) {
                return try .openForAppending(path)
            } catch {
                if error.isUnreadFIFO { return nil }
                throw error
            }
        }
    }
}

/// The open end of a log: writes whole lines, and survives a device that does not take them.
///
/// Shape:  owned by the log thread.
struct LogFile {
    private let destination: LogDestination
    // Nil as long as nobody reads the FIFO that the lines are for.
    private var descriptor: FileDescriptor?
    // A write failed in the middle of a line: the next line must not continue it.
    private var endsInsideLine = false
    /// Lines lost because the device did not take them.
    private(set) var linesDropped: UInt64 = 0
    /// Bytes the device took.
    private(set) var bytesWritten: UInt64 = 0

    /// Writes to `descriptor`, which was got by opening `destination`.
    init(_ destination: LogDestination, _ descriptor: FileDescriptor?) {
        self.destination = destination
        self.descriptor = descriptor
    }

    /// Writes `text`, which begins and ends at any byte of a stream of lines. Lines that the device does not take, in
    /// part or whole, are lost and counted, each once, by their line feeds.
    mutating func write(_ text: Span<UInt8>) {
        // Somebody may have begun to read the FIFO since the last lines.
        if descriptor == nil { descriptor = try? destination.open() }
        guard let descriptor, !endsInsideLine || writeLineFeed(descriptor) else { return drop(text) }
        var start = 0
        while start < text.count {
            switch descriptor.write(text.extracting(start..<text.count)) {
            case .success(let count) where count > 0:
                start += count
                bytesWritten += UInt64(count)
            case .success, .failure:
                endsInsideLine = start > 0 && text[start - 1] != .lineFeed
                drop(text.extracting(start..<text.count))
                return
            }
        }
    }

    /// Opens the destination anew, as after the file was renamed for rotation, and goes on there.
    ///
    /// Errors: `SystemError` if it cannot be opened; the old file then stays in use.
    mutating func reopen() throws(SystemError) {
        guard case .file = destination else { return }
        let opened = try destination.open()
        close()
        descriptor = opened
        endsInsideLine = false
    }

    /// Closes the file; the process's own standard streams stay open.
    func close() {
        if case .file = destination { descriptor?.close() }
    }

    private mutating func writeLineFeed(_ descriptor: FileDescriptor) -> Bool {
        let lineFeed: InlineArray<1, UInt8> = [.lineFeed]
        guard case .success(1) = descriptor.write(lineFeed.span) else { return false }
        bytesWritten += 1
        endsInsideLine = false
        return true
    }

    private mutating func drop(_ text: Span<UInt8>) {
        for index in 0..<text.count where text[index] == .lineFeed { linesDropped += 1 }
    }
}
