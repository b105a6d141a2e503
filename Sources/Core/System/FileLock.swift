import CLinux
import Glibc

/// A lock that one process at a time holds on a path. The kernel gives it back when the process ends, however it ends.
///
/// Shape:  shared by reference; given back with its last owner. The file stays: removing it would let two processes
///         hold locks on two files of the same name.
/// Source: flock(2).
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// Locks `path`, making the file with mode 0600 if it is not there.
    ///
    /// Errors: `SystemError`, with the code `EWOULDBLOCK` when another process holds the lock.
    public init(_ path: String) throws(SystemError) {
        let opened = unsafe apus_open(path, O_RDWR | O_CREAT, 0o600)
        guard opened >= 0 else { throw SystemError("open \(path)") }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError("lock \(path)")
            _ = close(opened)
            throw error
        }
        descriptor = opened
    }

    /// Whether another process holds the lock on `path`, which is asked by sharing it for a moment. Nothing is made.
    ///
    /// Errors: `SystemError`, as when there is no such file.
    public static func isHeld(_ path: String) throws(SystemError) -> Bool {
        let opened = unsafe apus_open(path, O_RDWR, 0)
        guard opened >= 0 else { throw SystemError("open \(path)") }
        defer { _ = close(opened) }
        return flock(opened, LOCK_SH | LOCK_NB) != 0
    }

    deinit {
        // Of closing alone a child of fork(2) that has not called execve(2) yet would know nothing, and hold the lock.
        _ = flock(descriptor, LOCK_UN)
        _ = close(descriptor)
    }
}
