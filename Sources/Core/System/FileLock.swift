import CLinux
import Glibc
import Synchronization

/// A lock on a path that one process at a time can hold. The kernel releases it when the process ends, even by a crash.
///
/// The lock belongs to the open file: a process to which its descriptor is sent has the same lock, until both have
/// closed it.
///
/// Shape:  shared by reference; released with its last owner. The file is not removed, since then two processes could
///         hold locks on two files of the same name.
/// Source: flock(2).
public final class FileLock: Sendable {
    private let held: Mutex<Held?>

    private struct Held {
        let descriptor: Int32
        /// Whether another process may have the same lock.
        var isShared: Bool
    }

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
        held = Mutex(Held(descriptor: opened, isShared: false))
    }

    /// The lock that another process has sent by its descriptor, which belongs to this object from now on.
    public init(received descriptor: Int32) { held = Mutex(Held(descriptor: descriptor, isShared: true)) }

    /// The descriptor, to be sent to another process, which then has the lock too; nil once it was given up.
    public func share() -> Int32? {
        held.withLock { held in
            held?.isShared = true
            return held?.descriptor
        }
    }

    /// Closes the descriptor: the lock belongs to the process with which it was shared, and to it alone.
    public func giveUp() {
        held.withLock { held in
            if let held { _ = close(held.descriptor) }
            held = nil
        }
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
        held.withLock { held in
            guard let held else { return }
            // Unlocks explicitly: after a mere close, a forked child that has not called execve(2) yet would keep the
            // lock. One that is shared would be lost to the other process as well.
            if !held.isShared { _ = flock(held.descriptor, LOCK_UN) }
            _ = close(held.descriptor)
        }
    }
}
