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
