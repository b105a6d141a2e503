import CLinux
import Glibc

/// Tells that something in a folder has changed: a file was written and closed, moved in or out, made or removed.
///
/// Shape:  one descriptor for all watched folders, level-triggered. What changed is not told: look again.
/// Source: inotify(7).
public struct FolderWatch: Sendable {
    /// Readable when something has changed.
    public let descriptor: Int32

    /// Errors: `SystemError`, as when the user has no instance left (`fs.inotify.max_user_instances`).
    public init() throws(SystemError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("inotify_init1") }
    }

    /// Watches `folder` from now on; watching it twice does nothing. False if there is no such folder.
    @discardableResult public func add(_ folder: String) -> Bool {
        let events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE
        return unsafe inotify_add_watch(descriptor, folder, UInt32(events)) >= 0
    }

    /// Takes what was told so far. False if nothing was.
    public func takeEvents() -> Bool {
        var hasChanged = false
        var events = [UInt8](repeating: 0, count: 16 * 1024)
        while unsafe read(descriptor, &events, events.count) > 0 { hasChanged = true }
        return hasChanged
    }
}
