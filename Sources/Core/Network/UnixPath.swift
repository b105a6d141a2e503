import CLinux
import Glibc

/// What is at the path of a Unix socket before and after it is used.
public enum UnixPath {
    /// What was found at a path.
    public enum Occupant: Equatable, Sendable {
        /// Nothing, or nothing that may be looked at.
        case nothing
        /// A socket that somebody answers on.
        case liveSocket
        /// A socket that its process left behind.
        case deadSocket
        /// A file, a folder or anything else.
        case other
    }

    /// What is at `path`; a socket is tried.
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

    /// The user and the group that the socket at `path` belongs to, by their names where they have some; nil if this
    /// process may not even see it. Source: getpwuid(3), getgrgid(3).
    public static func owners(of path: String) -> (user: String, group: String)? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        let user = unsafe getpwuid(status.st_uid).map { unsafe String(cString: $0.pointee.pw_name) }
        let group = unsafe getgrgid(status.st_gid).map { unsafe String(cString: $0.pointee.gr_name) }
        return (user ?? "\(status.st_uid)", group ?? "\(status.st_gid)")
    }
}
