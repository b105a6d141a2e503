import CLinux
import Glibc

/// An open file, for logs. Writing may block: the log threads do it, and the command line.
public struct FileDescriptor: Equatable, Sendable {
    /// The kernel's number for it.
    public let descriptor: Int32

    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// The process's standard output.
    public static let standardOutput = FileDescriptor(descriptor: 1)
    /// The process's standard error.
    public static let standardError = FileDescriptor(descriptor: 2)

    /// Opens `path` for appending, creating a file with mode 0640 if nothing is there. A FIFO or a character device is
    /// accepted too. Does not wait for a FIFO's reader; later writes do.
    ///
    /// Errors: `SystemError`, with `isUnreadFIFO` for a FIFO that no process reads.
    public static func openForAppending(_ path: String) throws(SystemError) -> FileDescriptor {
        let operation = "open \(path)"
        let descriptor = unsafe apus_open(path, O_WRONLY | O_APPEND | O_CREAT, 0o640)
        guard descriptor >= 0 else {
            let error = SystemError(operation)
            throw error.code == ENXIO ? noReader(of: path, operation) : error
        }
        switch FileKind(of: descriptor) {
        case .regular: break
        case .fifo, .characterDevice: _ = apus_set_blocking(descriptor)
        case let kind:
            _ = Glibc.close(descriptor)
            throw .wrongKind(operation, kind, "a file, a FIFO or a character device")
        }
        return FileDescriptor(descriptor: descriptor)
    }

    /// Checks whether `openForAppending` would open `path` now, without creating a file and without disturbing the
    /// reader of a FIFO.
    ///
    /// Errors: the `SystemError` that `openForAppending` would throw.
    public static func tryAppending(_ path: String) throws(SystemError) {
        let operation = "open \(path)"
        switch FileKind(at: path) {
        case nil:
            let descriptor = unsafe apus_open(path, O_WRONLY | O_CREAT | O_EXCL, 0o640)
            // A dangling symbolic link exists, although its target does not.
            guard descriptor >= 0 || errno == EEXIST else { throw SystemError(operation) }
            guard descriptor >= 0 else { return }
            _ = Glibc.close(descriptor)
            _ = unsafe unlink(path)
        case .regular?: try openForAppending(path).close()
        case .fifo?, .characterDevice?:
            guard unsafe access(path, W_OK) == 0 else { throw SystemError(operation) }
        case .folder?: throw SystemError(operation, code: EISDIR)
        case let kind?: throw .wrongKind(operation, kind, "a file, a FIFO or a character device")
        }
    }

    /// Opening a FIFO without a reader fails with ENXIO, but so does opening a socket or a device without a driver.
    private static func noReader(of path: String, _ operation: String) -> SystemError {
        switch FileKind(at: path) {
        case .fifo: SystemError(operation, code: ENXIO, reason: "no process reads this FIFO")
        case let kind?: .wrongKind(operation, kind, "a file, a FIFO or a character device")
        case nil: SystemError(operation, code: ENOENT)
        }
    }

    /// Writes the bytes, or as many as the device takes at once. Returns how many.
    public func write(_ bytes: Span<UInt8>) -> Result<Int, SystemError> {
        while true {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { return .success(count) }
            if errno != EINTR { return .failure(SystemError("write")) }
        }
    }

    /// Whether this is the file that `stream` names by the numbers of its device and its inode, as in `8:1234`. That is
    /// how the journal of systemd says to which descriptor it is connected.
    ///
    /// Source: systemd.exec(5), `JOURNAL_STREAM`.
    public func isStream(_ stream: String) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }

    /// Closes the descriptor.
    public func close() { _ = Glibc.close(descriptor) }
}

/// close(2), for types that have a `close` of their own.
func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }

/// The most bytes read from a configuration or state file. A larger file is refused, not truncated.
private let fileBytesMax = 64 * 1024 * 1024

/// The whole content of the regular file at `path`. Waits for the disk and nothing else: anything but a regular file is
/// refused, since reading it might never end.
///
/// With `pipeTimeout` a pipe that this process inherited (`/dev/stdin`, `/dev/fd/3`) is read too, to its end, which
/// must come within that time.
///
/// Limits: 64 MiB. Errors: `SystemError`, as when it is missing, unreadable or a folder.
public func readFile(_ path: String, pipeTimeout: Nanoseconds? = nil) throws(SystemError) -> [UInt8] {
    let operation = "read \(path)"
    let descriptor = unsafe apus_open(path, O_RDONLY, 0)
    guard descriptor >= 0 else {
        let error = SystemError(operation)
        // A socket cannot be opened at all.
        if error.code == ENXIO, let kind = FileKind(at: path) { throw .wrongKind(operation, kind, "a regular file") }
        throw error
    }
    defer { _ = close(descriptor) }
    switch FileKind(of: descriptor) {
    case .regular: return try readAll(descriptor, operation) { true }
    case .folder: throw SystemError(operation, code: EISDIR)
    case .fifo where pipeTimeout != nil && isHandedOver(path):
        let deadline = Instant.now() + pipeTimeout!
        return try readAll(descriptor, operation) { isReadable(descriptor, until: deadline) }
    case let kind: throw .wrongKind(operation, kind, "a regular file")
    }
}

/// Whether a path names an open descriptor that this process inherited. Source: proc(5).
private func isHandedOver(_ path: String) -> Bool {
    path == "/dev/stdin" || path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
}

private func isReadable(_ descriptor: Int32, until deadline: Instant) -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let milliseconds = deadline.since(Instant.now()) / 1_000_000
    return unsafe poll(&watched, 1, Int32(clamping: milliseconds)) > 0
}

/// Reads to the end. `awaitMore` is called before each read, and returns false when the time is over.
private func readAll(
    _ descriptor: Int32, _ operation: String, awaitMore: () -> Bool
) throws(SystemError) -> [UInt8] {
    var content: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
        guard awaitMore() else {
            throw SystemError(operation, code: ETIMEDOUT, reason: "the end of this pipe did not come in time")
        }
        let count = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count == 0 { return content }
        if count > 0 {
            content += piece[..<count]
        } else if errno != EINTR && errno != EAGAIN {
            throw SystemError(operation)
        }
        if content.count > fileBytesMax { throw SystemError(operation, code: EFBIG) }
    }
}

extension SystemError {
    /// What is at the path is not `needed`; it stays untouched.
    fileprivate static func wrongKind(_ operation: String, _ kind: FileKind, _ needed: String) -> SystemError {
        SystemError(operation, code: EINVAL, reason: "\(kind.name), not \(needed)")
    }
}

/// Replaces the file at `path` by `content` atomically: after a crash or power cut, either the old or the new content
/// is there, complete. The content is written to a temporary file and synced; then the file is renamed and the folder
/// synced.
///
/// Errors: `SystemError`; the old content is then still in place and the temporary file is removed. If only syncing the
///         folder failed, the new content is in place, but a power cut may bring back the old.
public func replaceFile(_ path: String, with content: [UInt8]) throws(SystemError) {
    let temporary = path + ".new"
    do throws(SystemError) {
        try writeFile(temporary, content)
        guard unsafe rename(temporary, path) == 0 else { throw SystemError("rename \(temporary) to \(path)") }
    } catch {
        _ = unsafe unlink(temporary)
        throw error
    }
    try syncFolder(of: path)
}

/// Creates or overwrites the file at `path`, and waits until its content is on the disk.
private func writeFile(_ path: String, _ content: [UInt8]) throws(SystemError) {
    let descriptor = unsafe apus_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw SystemError("write \(path)") }
    defer { _ = close(descriptor) }
    if case let kind = FileKind(of: descriptor), kind != .regular {
        throw .wrongKind("write \(path)", kind, "a regular file")
    }
    try writeAll(content, to: descriptor, path: path)
    guard fsync(descriptor) == 0 else { throw SystemError("sync \(path)") }
}

private func writeAll(_ content: [UInt8], to descriptor: Int32, path: String) throws(SystemError) {
    var written = 0
    while written < content.count {
        let count = unsafe content.withUnsafeBytes {
            unsafe write(descriptor, $0.baseAddress! + written, $0.count - written)
        }
        if count > 0 { written += count } else if errno != EINTR { throw SystemError("write \(path)") }
    }
}

private func syncFolder(of path: String) throws(SystemError) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = unsafe apus_open(folder, O_RDONLY | O_DIRECTORY, 0)
    guard descriptor >= 0 else { throw SystemError("open \(folder)") }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SystemError("sync \(folder)") }
}
