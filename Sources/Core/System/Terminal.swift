import Glibc

/// Output to a terminal.
public enum Terminal {
    /// Whether `file` is a terminal on which colours may be used. Source: isatty(3), no-color.org.
    public static func isColoured(_ file: FileDescriptor) -> Bool {
        isatty(file.descriptor) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
    }

    /// A variable of the environment; nil when it is unset or empty.
    public static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// Writes all of `text`, blocking while a pipe is full. Returns false when the reader has closed it.
    public static func write(_ text: String, to file: FileDescriptor) -> Bool {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let rest = bytes.span.extracting(written..<bytes.count)
            guard case .success(let count) = file.write(rest) else { return false }
            written += count
        }
        return true
    }
}
