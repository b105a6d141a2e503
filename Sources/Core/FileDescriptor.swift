import CLinux
import Glibc

/// An open file, for logs and state. Blocking: used by the control and log threads only.
public struct FileDescriptor: Equatable, Sendable {
    /// The kernel's number for it.
    public let descriptor: Int32

    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// The process's standard output.
    public static let standardOutput = FileDescriptor(descriptor: 1)

    /// Opens `path` for appending, making it with mode 0640 if it is not there.
    public static func openForAppending(_ path: String) throws(SystemError) -> FileDescriptor {
        let descriptor = unsafe apus_open(path, O_WRONLY | O_APPEND | O_CREAT, 0o640)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
        return FileDescriptor(descriptor: descriptor)
    }

    /// Writes the octets, or as many as the device takes at once. Returns how many; errors as errno(3).
    public func write(_ bytes: Span<UInt8>) -> Result<Int, SystemError> {
        while true {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { return .success(count) }
            if errno != EINTR { return .failure(SystemError("write")) }
        }
    }

    /// Gives the descriptor back.
    public func close() { _ = Glibc.close(descriptor) }
}

/// The most octets read from a configuration or state file. Beyond it the file is refused, not cut.
private let fileBytesMax = 64 * 1024 * 1024

/// The whole content of the file at `path`.
///
/// Limits: 64 MiB. Errors: `SystemError`, as when it is missing, unreadable or a directory.
public func readFile(_ path: String) throws(SystemError) -> [UInt8] {
    let descriptor = unsafe apus_open(path, O_RDONLY, 0)
    guard descriptor >= 0 else { throw SystemError("read \(path)") }
    defer { _ = close(descriptor) }
    var content: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
        let count = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count == 0 { return content }
        if count > 0 { content += piece[..<count] } else if errno != EINTR { throw SystemError("read \(path)") }
        if content.count > fileBytesMax { throw SystemError("read \(path)", code: EFBIG) }
    }
}

/// Puts `content` in place of the file at `path`, so that after a crash or power cut the old or the new content is
/// there, whole: written beside it, synced, renamed, and the folder synced.
///
/// Errors: `SystemError`; the old content is then still in place and nothing beside it, unless it is the folder that
///         could not be synced: then the new content is in place, and a power cut may bring back the old.
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

/// Makes or overwrites the file at `path`, and waits until its content is on the disk.
private func writeFile(_ path: String, _ content: [UInt8]) throws(SystemError) {
    let descriptor = unsafe apus_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw SystemError("write \(path)") }
    defer { _ = close(descriptor) }
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
