import CLinux
import Glibc

/// A lock on a path that one process at a time can hold. The kernel releases it when the process ends, even by a crash.
///
/// Shape:  shared by reference; released with its last owner. The file is not removed, since then two processes could
///         hold locks on two files of the same name.
/// Source: flock(2).
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// Locks `path`, creating the file with mode 0600 if it does not exist.
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

    /// Whether another process holds the lock on `path`, tested by taking a shared lock for a moment. No file is
    /// created.
    ///
    /// Errors: `SystemError`, as when there is no such file.
    public static func isHeld(_ path: String) throws(SystemError) -> Bool {
        let opened = unsafe apus_open(path, O_RDWR, 0)
        guard opened >= 0 else { throw SystemError("open \(path)") }
        defer { _ = close(opened) }
        return flock(opened, LOCK_SH | LOCK_NB) != 0
    }

    deinit {
        // Unlocks explicitly: after a mere close, a forked child that has not called execve(2) yet would keep the lock.
        _ = flock(descriptor, LOCK_UN)
        _ = close(descriptor)
    }
}
