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

    /// Makes the folder in which `path` lies, with mode 0755, if only that is missing.
    public static func makeFolder(of path: String) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        _ = unsafe mkdir(String(path[..<slash]), 0o755)
    }
}
