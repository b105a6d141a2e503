import Core
import Foundation

/// Takes the path of the admin socket, and gives it back.
enum SocketPath {
    /// Who may talk to the socket: its user and its group.
    private static let mode: UInt32 = 0o660

    /// Listens at `path`. The folder is made if it is not there; the socket of a process that is gone is replaced.
    ///
    /// Errors: `StartError` when another Apus listens there, when something that is no socket is there, or when the
    /// system refuses.
    static func listen(_ path: String) throws(StartError) -> Socket {
        guard path.utf8.count <= unixPathBytesMax else {
            throw StartError(
                message: "The path of the admin socket, \(path), is longer than the \(unixPathBytesMax) bytes that "
                    + "the system allows.",
                remedy: "Choose a shorter admin.socket.")
        }
        try makeFolder(of: path)
        try clear(path)
        do {
            return try Socket.listen(onUnixPath: path, mode: mode)
        } catch {
            throw StartError(
                message: "The admin socket cannot be opened: \(error).",
                remedy: "See that this user may write to its folder, or choose another admin.socket.")
        }
    }

    /// Removes the socket at `path`. One that a later process put there in its place cannot be told from ours, which
    /// is why only an orderly end calls this.
    static func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

    /// Makes room at `path`, unless somebody lives there.
    private static func clear(_ path: String) throws(StartError) {
        // A link is looked at, not through: what it points to is not ours to replace.
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return }
        guard attributes[.type] as? FileAttributeType == .typeSocket else {
            throw StartError(
                message: "\(path) is there already, and is not a socket, so it was left alone.",
                remedy: "Remove it if it is of no use, or choose another admin.socket.")
        }
        do {
            let connection = try Socket.connect(toUnixPath: path)
            connection.close()
        } catch where error.code == ECONNREFUSED {
            do { try remove(path) } catch {
                throw StartError(
                    message: "\(path) is left from a process that is gone, and cannot be removed: \(error).",
                    remedy: "Remove it by hand.")
            }
            return
        } catch {
            throw StartError(
                message: "Whether another Apus listens at \(path) cannot be found out: \(error).",
                remedy: "Start as the user who owns it, or choose another admin.socket.")
        }
        throw StartError(
            message: "Another Apus is running and listens at \(path).",
            remedy: "Stop it first (or reload it with \"apus reload --socket \(path)\"), or give this one another "
                + "admin.socket.")
    }

    private static func makeFolder(of path: String) throws(StartError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw StartError(
                message: "The folder of the admin socket, \(folder), cannot be made: \(error.localizedDescription)",
                remedy: "Make it, writable for this user, or choose another admin.socket.")
        }
    }
}
