import CLinux
import Glibc

/// Creates and removes folders for files of ours.
public enum Folder {
    /// The folder in which `path` lies; `.` for a bare name.
    public static func containing(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The working directory of this process; `.` if it cannot be told. Source: getcwd(3).
    public static var current: String {
        guard let path = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    /// Creates the folder at `path` if it does not exist; with `ancestors` also its parents. Returns what was created,
    /// the outermost first.
    ///
    /// Source: mkdir(2). Errors: `SystemError`, also when something else is at `path`; then nothing was created.
    @discardableResult public static func make(
        _ path: String, mode: UInt32, ancestors: Bool = false
    ) throws(SystemError) -> [String] {
        if FileKind(at: path) == .folder { return [] }
        let operation = "make the folder \(path)"
        if unsafe mkdir(path, mode) == 0 { return [path] }
        let error = SystemError(operation)
        if error.code == EEXIST { throw SystemError(operation, code: ENOTDIR) }
        let outer = containing(path)
        guard ancestors, error.code == ENOENT, outer != path else { throw error }
        let made = try make(outer, mode: mode, ancestors: true)
        // A path that ends with a slash exists once the path without the slash does.
        if FileKind(at: path) == .folder { return made }
        guard unsafe mkdir(path, mode) == 0 else {
            let error = SystemError(operation)
            remove(made)
            throw error
        }
        return made + [path]
    }

    /// Removes folders that `make` has created, except those that are no longer empty.
    public static func remove(_ made: [String]) {
        for path in made.reversed() { _ = unsafe rmdir(path) }
    }
}
