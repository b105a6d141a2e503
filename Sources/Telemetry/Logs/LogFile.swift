import Core

/// Where the lines of a log go.
public enum LogDestination: Sendable {
    /// The process's standard output.
    case standardOutput
    /// The process's standard error.
    case standardError
    /// The file at this path, created if it does not exist, else appended to; or the FIFO or device at this path.
    case file(String)

    /// Opens it, without waiting for the reader of a FIFO: nil if the FIFO has no reader yet. Errors: `SystemError`
    /// naming the path.
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

/// The open file of a log: writes whole lines, and drops and counts lines if the device does not take them.
///
/// Shape:  owned by the log thread.
struct LogFile {
    private let destination: LogDestination
    // Nil as long as the FIFO has no reader.
    private var descriptor: FileDescriptor?
    // Whether a write failed in the middle of a line, so that a line feed has to come before the next line.
    private var endsInsideLine = false
    /// Lines lost because the device did not take them.
    private(set) var linesDropped: UInt64 = 0
    /// Bytes that the device took.
    private(set) var bytesWritten: UInt64 = 0

    /// Writes to `descriptor`, the result of opening `destination`.
    init(_ destination: LogDestination, _ descriptor: FileDescriptor?) {
        self.destination = destination
        self.descriptor = descriptor
    }

    /// Writes `text`, any piece of a stream of lines. Lines that the device does not take completely are lost and
    /// counted once each, by their line feeds.
    mutating func write(_ text: Span<UInt8>) {
        // The FIFO may have a reader by now.
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

    /// Reopens the destination, as after log rotation has renamed the file.
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
