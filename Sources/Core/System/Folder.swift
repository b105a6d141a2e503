import CLinux
import Glibc

/// Folders that files are going to be put into.
public enum Folder {
    /// The folder in which `path` lies; `.` for a bare name.
    public static func containing(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes the folder at `path`, if it is not there; with `ancestors` also those around it. Returns what was made,
    /// the outermost first.
    ///
    /// Source: mkdir(2). Errors: `SystemError`, also when something else is there; then nothing was made.
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
        // A path that ends with a slash is there once the one without it is.
        if FileKind(at: path) == .folder { return made }
        guard unsafe mkdir(path, mode) == 0 else {
            let error = SystemError(operation)
            remove(made)
            throw error
        }
        return made + [path]
    }

    /// Removes folders that `make` has made, unless something is in them by now.
    public static func remove(_ made: [String]) {
        for path in made.reversed() { _ = unsafe rmdir(path) }
    }
}
