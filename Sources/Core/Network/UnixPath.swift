import CLinux
import Glibc

/// Checks and removes what is at the path of a Unix socket.
public enum UnixPath {
    /// What was found at a path.
    public enum Occupant: Equatable, Sendable {
        /// Nothing, or nothing that this process may see.
        case nothing
        /// A socket on which a process listens.
        case liveSocket
        /// A socket left behind by a process that has ended.
        case deadSocket
        /// A file, a folder or anything else.
        case other
    }

    /// What is at `path`. A socket is tested by connecting to it.
    public static func occupant(of path: String) -> Occupant {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return .nothing }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .other }
        do throws(SystemError) {
            try Socket.connect(toUnixPath: path).close()
            return .liveSocket
        } catch {
            return error.code == ECONNREFUSED ? .deadSocket : .liveSocket
        }
    }

    /// Removes the socket at `path`, if there is one.
    public static func remove(_ path: String) { _ = unsafe unlink(path) }

    /// One socket of the file system, whatever is at its path later: the numbers of its device and its file.
    public typealias Identity = [UInt64]

    /// Which socket is at `path`; nil if there is none, or something else.
    public static func identity(of path: String) -> Identity? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }

    /// Who may connect to the socket at `path`: its permissions and its group; nil if this process may not see it.
    public static func access(of path: String) -> (mode: UInt32, group: UInt32)? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? (UInt32(status.st_mode & 0o7777), status.st_gid) : nil
    }

    /// Sets who may connect to the socket at `path`: its permissions, and its group if there is one.
    ///
    /// Source: unix(7), chown(2). Errors: `SystemError`, as when this process is not of that group and not root's.
    public static func setAccess(of path: String, mode: UInt32, group: UInt32?) throws(SystemError) {
        if let group {
            guard unsafe chown(path, uid_t.max, group) == 0 else {
                throw SystemError("change the group of \(path) to \(group)")
            }
        }
        guard unsafe chmod(path, mode) == 0 else { throw SystemError("set the mode of \(path)") }
    }

    /// The user and the group that the socket at `path` belongs to, by name if they have one, else by number; nil if
    /// this process may not see the socket. Source: getpwuid(3), getgrgid(3).
    public static func owners(of path: String) -> (user: String, group: String)? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        let user = unsafe getpwuid(status.st_uid).map { unsafe String(cString: $0.pointee.pw_name) }
        let group = unsafe getgrgid(status.st_gid).map { unsafe String(cString: $0.pointee.gr_name) }
        return (user ?? "\(status.st_uid)", group ?? "\(status.st_gid)")
    }
}
