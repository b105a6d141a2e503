import Core
import FoundationEssentials
import Model

/// A folder for all that a run without a file of the user's leaves on disk: its configuration, admin socket and state.
///
/// Shape:  its owner removes it. A process that is killed leaves it behind.
/// Errors: `StartError`, when it cannot be made or written.
struct ScratchFolder {
    /// Where it is. Only this user may enter it.
    let path: String

    /// What a run keeps in it. Anything else there is somebody's.
    private static let contents: Set<String> = [
        "apus.yaml", "quickstart.yaml", "admin.sock", "state", "access.log",
    ]

    /// Makes it at `path`. What a run that was killed has left there is removed. Errors: there is something else.
    init(at path: String) throws(StartError) {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if let other = found.first(where: { !Self.contents.contains($0) }) {
            throw .refused(
                message: "The folder \(path) has \(other), which no demo has left there.",
                remedy: "Move it elsewhere.")
        }
        self.path = path
        remove()
        guard try Self.make(path) else { throw Self.refusal(path, "another user has it") }
    }

    /// Makes one of its own, whose name begins with `name`, where this user keeps temporary files.
    init(named name: String) throws(StartError) {
        let outer = Self.folder(for: name)
        while true {
            let path = "\(outer)/\(name)-\(String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 16))"
            guard try Self.make(path) else { continue }
            self.path = path
            return
        }
    }

    /// TMPDIR, unless a socket in it would have too long a path.
    private static func folder(for name: String) -> String {
        guard let given = Terminal.environment("TMPDIR"), given.hasPrefix("/") else { return "/tmp" }
        let bytes = given.utf8.count + name.utf8.count + "/-12345678/admin.sock".utf8.count
        return bytes <= Model.Limits.socketPathBytesMax ? given : "/tmp"
    }

    /// Makes a folder. Returns false if there is one.
    private static func make(_ path: String) throws(StartError) -> Bool {
        do throws(SystemError) {
            return try !Folder.make(path, mode: 0o700).isEmpty
        } catch {
            throw refusal(path, error.reason)
        }
    }

    private static func refusal(_ path: String, _ reason: String) -> StartError {
        .refused(
            message: "The folder \(path) cannot be made: \(reason).",
            remedy: "Set TMPDIR to a folder in which you may write.")
    }

    /// Whether `file` lies in `folder`, by whatever path it was named.
    static func contains(_ file: String, in folder: String) -> Bool {
        func place(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        return place(file).hasPrefix(place(folder) + "/")
    }

    /// Writes `text` into the file `name`, and returns its path.
    func write(_ text: String, to name: String) throws(StartError) -> String {
        let file = "\(path)/\(name)"
        do throws(SystemError) {
            try replaceFile(file, with: Array(text.utf8))
        } catch {
            throw .refused(message: "The configuration cannot be written: \(error).", remedy: "Make room on the disk.")
        }
        return file
    }

    /// Removes it with all that a run keeps in it. With anything else it stays.
    func remove() {
        for name in Self.contents { try? FileManager.default.removeItem(atPath: "\(path)/\(name)") }
        Folder.remove([path])
    }
}
