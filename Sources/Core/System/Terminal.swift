import Glibc

/// What a person at a terminal sees.
public enum Terminal {
    /// Whether `file` is a terminal that may be written to in colours. Source: isatty(3), no-color.org.
    public static func isColoured(_ file: FileDescriptor) -> Bool {
        isatty(file.descriptor) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
    }

    /// A variable of the environment; nil when it is unset or empty.
    public static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// Writes all of `text`, however long a pipe makes us wait. Errors: false when whoever read it is gone.
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
