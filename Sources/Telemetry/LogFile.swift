import Core

/// Where access log lines go.
public enum LogDestination: Sendable {
    /// The process's standard output.
    case standardOutput
    /// The file at this path, made if it is not there, appended to if it is.
    case file(String)

    /// Opens it. Errors: `SystemError` naming the path.
    func open() throws(SystemError) -> FileDescriptor {
        switch self {
        case .standardOutput: .standardOutput
        case .file(let path): try .openForAppending(path)
        }
    }
}

/// The open end of the access log: writes whole lines, and survives a device that does not take them.
///
/// Shape: owned by the log thread.
struct LogFile {
    private var descriptor: FileDescriptor
    // A write failed in the middle of a line: the next line must not continue it.
    private var endsInsideLine = false
    /// Lines lost because the device did not take them.
    private(set) var linesDropped: UInt64 = 0
    /// Octets the device took.
    private(set) var bytesWritten: UInt64 = 0

    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Writes `text`, which begins and ends at any octet of a stream of lines. Lines that the device does not take, in
    /// part or whole, are lost and counted, each once, by their line feeds.
    mutating func write(_ text: Span<UInt8>) {
        var start = 0
        if endsInsideLine && !writeLineFeed() {
            drop(text)
            return
        }
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

    /// Goes on with `replacement` and closes what was open, unless it is the standard output.
    mutating func replace(with replacement: FileDescriptor) {
        close()
        descriptor = replacement
        endsInsideLine = false
    }

    /// Closes the file; the standard output stays open.
    func close() {
        if descriptor != .standardOutput { descriptor.close() }
    }

    private mutating func writeLineFeed() -> Bool {
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
